use std::fmt;
use std::io::Write as _;

use bytes::Bytes;

use crate::codec::float::{self, Float};
use crate::{Error, ErrorKind, Result};

/// How a table is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) nan_as_missing: bool,
}

/// Writes fields and rows into one buffer, and keeps the table rectangular.
pub struct Encoder {
    out: Vec<u8>,
    options: Options,
    /// Columns of the first row, once it is written.
    columns: Option<usize>,
    /// Fields of the current row so far.
    fields: usize,
    row_start: usize,
}

impl Encoder {
    pub(super) fn new(options: Options) -> Self {
        Self { out: Vec::new(), options, columns: None, fields: 0, row_start: 0 }
    }

    /// The bytes; an error where there are none.
    pub(super) fn finish(self) -> Result<Bytes> {
        match self.columns {
            None | Some(0) => Err(fault("empty rows; give at least one row with one field")),
            Some(_) => Ok(self.out.into()),
        }
    }

    /// One row, whose fields `write` adds.
    #[inline]
    pub(super) fn row(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if self.columns.is_some() {
            self.out.push(b'\n');
        }
        self.fields = 0;
        self.row_start = self.out.len();
        write(self)?;
        match self.columns {
            None => self.columns = Some(self.fields),
            Some(columns) if columns != self.fields => return Err(self.ragged(columns)),
            Some(_) => {}
        }
        // A lone empty field would be a blank line, which readers skip.
        if self.fields == 1 && self.row_start == self.out.len() {
            self.out.extend_from_slice(b"\"\"");
        }
        Ok(())
    }

    #[inline]
    fn begin_field(&mut self) {
        if self.fields > 0 {
            self.out.push(b',');
        }
        self.fields += 1;
    }

    /// A missing value.
    pub(super) fn missing(&mut self) {
        self.begin_field();
    }

    #[inline]
    pub(super) fn float<F: Float>(&mut self, value: F) -> Result<()> {
        self.begin_field();
        if value.is_plain() || value.into().is_finite() {
            float::push(&mut self.out, value);
            return Ok(());
        }
        self.not_finite(value.into())
    }

    #[cold]
    fn not_finite(&self, value: f64) -> Result<()> {
        match (value.is_nan(), self.options.nan_as_missing) {
            (true, true) => Ok(()),
            (true, false) => Err(fault(format!(
                "{} is NaN; write a missing value as `None`, or choose `nan_as_missing()`",
                self.place()
            ))),
            (false, _) => Err(fault(format!("{} is infinite, which is not a number that models take", self.place()))),
        }
    }

    /// A value whose text needs no quotes: an integer or `True`.
    #[inline]
    pub(super) fn plain(&mut self, value: impl fmt::Display) {
        self.begin_field();
        // Writing to this buffer cannot fail.
        let _ = write!(self.out, "{value}");
    }

    #[inline]
    pub(super) fn bool(&mut self, value: bool) {
        self.plain(if value { "True" } else { "False" });
    }

    /// Text, in quotes where RFC 4180 needs them.
    pub(super) fn text(&mut self, text: &str) {
        self.begin_field();
        // Readers drop a byte order mark that begins the body.
        if !text.contains([',', '"', '\n', '\r']) && !text.starts_with('\u{feff}') {
            self.out.extend_from_slice(text.as_bytes());
            return;
        }
        self.out.push(b'"');
        for (i, part) in text.split('"').enumerate() {
            if i > 0 {
                self.out.extend_from_slice(b"\"\"");
            }
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.push(b'"');
    }

    /// Where the current field is, as an editor shows it.
    pub(super) fn place(&self) -> String {
        format!("line {}, column {}", self.line(), self.fields)
    }

    pub(super) fn line(&self) -> usize {
        1 + self.out[..self.row_start].iter().filter(|byte| **byte == b'\n').count()
    }

    #[cold]
    fn ragged(&self, columns: usize) -> Error {
        let (line, fields) = (self.line(), self.fields);
        fault(format!(
            "line {line} has {fields} columns, line 1 has {columns}; the first difference is at column {}",
            fields.min(columns) + 1
        ))
    }
}

/// An error of this encoder.
pub(super) fn fault(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Serialization, message)
}
