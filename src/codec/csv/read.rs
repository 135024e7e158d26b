use std::marker::PhantomData;

use bytes::Bytes;
use csv::{ErrorKind as CsvErrorKind, ReaderBuilder};
use serde::de::DeserializeOwned;

use super::number_table::{fault, lines, parse_field, parse_table};
use crate::codec::{Deserializer, media, typed_codec};
use crate::types::ContentType;
use crate::{Error, Result};

/// Deserializer of a list of numbers: see [`Csv::floats`](super::Csv::floats).
#[derive(Debug, Clone, Copy)]
pub struct Floats;

impl Deserializer for Floats {
    type Output = Vec<f64>;

    fn accept(&self) -> ContentType {
        ContentType::CSV
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Vec<f64>> {
        expect_csv(content_type)?;
        let mut values = Vec::new();
        for (line, row) in lines(&body) {
            for (column, field) in (1..).zip(row.split(|byte| *byte == b',')) {
                let value = parse_field(field, line, column)?
                    .ok_or_else(|| fault(format!("line {line}, column {column}: empty, expected a number")))?;
                values.push(value);
            }
        }
        Ok(values)
    }
}

/// Deserializer of a table of numbers: see [`Csv::float_rows`](super::Csv::float_rows).
#[derive(Debug, Clone, Copy)]
pub struct FloatRows;

impl Deserializer for FloatRows {
    type Output = Vec<Vec<f64>>;

    fn accept(&self) -> ContentType {
        ContentType::CSV
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Vec<Vec<f64>>> {
        expect_csv(content_type)?;
        let (values, columns) = parse_table::<f64>(&body, b',')?;
        Ok(values.chunks(columns.max(1)).map(<[f64]>::to_vec).collect())
    }
}

/// Deserializer of fields as text: see [`Csv::strings`](super::Csv::strings).
#[derive(Debug, Clone, Copy)]
pub struct Strings;

impl Deserializer for Strings {
    type Output = Vec<Vec<String>>;

    fn accept(&self) -> ContentType {
        ContentType::CSV
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Vec<Vec<String>>> {
        expect_csv(content_type)?;
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&body[..]);
        reader.records().map(|record| Ok(record.map_err(read_fault)?.iter().map(str::to_owned).collect())).collect()
    }
}

/// Deserializer of rows into values: see [`Csv::records_of`](super::Csv::records_of).
pub struct RecordsOf<T>(pub(super) PhantomData<fn() -> T>);
typed_codec!(RecordsOf);

impl<T: DeserializeOwned> Deserializer for RecordsOf<T> {
    type Output = Vec<T>;

    fn accept(&self) -> ContentType {
        ContentType::CSV
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Vec<T>> {
        expect_csv(content_type)?;
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(&body[..]);
        reader.deserialize().map(|record| record.map_err(read_fault)).collect()
    }
}

fn expect_csv(content_type: &ContentType) -> Result<()> {
    media::expect("text/csv", content_type, media::is_csv)
}

/// Says where, and of the data at most one field: the `csv` crate's own texts may quote the whole of it.
fn read_fault(error: csv::Error) -> Error {
    let place = |line: Option<u64>, field: Option<u64>| match (line, field) {
        (Some(line), Some(field)) => format!("line {line}, column {}", field + 1),
        (Some(line), None) => format!("line {line}"),
        (None, _) => "some line".to_owned(),
    };
    let line = error.position().map(csv::Position::line);
    match error.kind() {
        CsvErrorKind::Utf8 { err, .. } => fault(format!("{}: not UTF-8 text", place(line, Some(err.field() as u64)))),
        CsvErrorKind::UnequalLengths { expected_len, len, .. } => {
            fault(format!("{} has {len} columns, the first row has {expected_len}", place(line, None)))
        }
        CsvErrorKind::Deserialize { err, .. } => {
            let reason: String = err.kind().to_string().chars().take(120).collect();
            fault(format!("{}: {reason}", place(line, err.field())))
        }
        _ => fault("not CSV").with_source(error),
    }
}
