use bytes::Bytes;

use super::record::{Record, RecordValue, Tensor, TensorValues};
use super::wire::{delimited_len, put_bytes, put_header, put_varint, varint_len};
use super::{Labels, Number, Rows, SparseMatrix, VALUES, frame};
use crate::{Error, ErrorKind, Result};

const FEATURES: u32 = 1;
const LABEL: u32 = 2;

/// Writes records one after another, for bodies that are made or sent in pieces.
///
/// ```
/// use sagemaker::codec::recordio::RecordWriter;
///
/// let mut writer = RecordWriter::new();
/// for batch in [[[0.0_f32, 1.0]], [[2.0, 3.0]]] {
///     writer.rows(&batch)?;
///     let piece = writer.take(); // what was written since the last time
///     assert_eq!(piece.len(), 32);
/// }
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RecordWriter {
    out: Vec<u8>,
}

impl RecordWriter {
    /// A writer with nothing written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes each dense row as a record.
    ///
    /// # Errors
    /// As [`RecordIo::rows`](super::RecordIo::rows).
    pub fn rows<R: Rows + ?Sized>(&mut self, rows: &R) -> Result<()> {
        self.some_rows::<R, [f32]>(rows, 0..rows.row_count(), None)
    }

    /// Writes each dense row as a record with its label.
    ///
    /// # Errors
    /// As [`RecordIo::labelled_rows`](super::RecordIo::labelled_rows).
    pub fn labelled_rows<R: Rows + ?Sized, L: Labels + ?Sized>(&mut self, rows: &R, labels: &L) -> Result<()> {
        self.some_rows(rows, 0..rows.row_count(), Some(labels))
    }

    /// Writes each row of a sparse matrix as a record.
    ///
    /// # Errors
    /// As [`RecordIo::sparse_rows`](super::RecordIo::sparse_rows).
    pub fn sparse_rows<N: Number, L: Number>(&mut self, matrix: &SparseMatrix<'_, N, L>) -> Result<()> {
        let shape = [matrix.columns];
        let labels = matrix.labels;
        for index in 0..matrix.row_count() {
            let (keys, values) = matrix.row(index);
            let label = labels.map(|labels| &labels[index..=index]);
            let start = frame::begin(&mut self.out);
            let tensor = Numbers { values, keys, shape: &shape };
            let written = tensor.put(&mut self.out, FEATURES, VALUES);
            let written = match label {
                Some(label) => written.and_then(|_| Numbers::dense(label).put(&mut self.out, LABEL, VALUES)),
                None => written,
            };
            self.end(start, written.map(drop)).map_err(|error| error.within(format_args!("row {index}")))?;
        }
        Ok(())
    }

    /// Writes a record.
    ///
    /// # Errors
    /// [`ErrorKind::Serialization`] for a record of 512 MiB and above.
    pub fn record(&mut self, record: &Record) -> Result<()> {
        let start = frame::begin(&mut self.out);
        let written = put_record(&mut self.out, record);
        self.end(start, written)
    }

    /// Writes a frame around bytes of any kind, such as a picture.
    ///
    /// # Errors
    /// [`ErrorKind::Serialization`] for 512 MiB and above.
    pub fn frame(&mut self, payload: &[u8]) -> Result<()> {
        let start = frame::begin(&mut self.out);
        self.out.extend_from_slice(payload);
        frame::end(&mut self.out, start)
    }

    /// How many bytes were written since the last [`take`](Self::take).
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written since the last [`take`](Self::take).
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Gives what was written since the last time: whole frames.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.out).into()
    }

    /// Makes place for `more` times as much as was written so far.
    #[cfg(feature = "control-plane")]
    pub(crate) fn reserve(&mut self, more: usize) {
        self.out.reserve_exact(self.out.len().saturating_mul(more));
    }

    /// Gives what was written.
    pub fn finish(self) -> Bytes {
        self.out.into()
    }

    /// Nothing of a record that cannot be written stays.
    fn end(&mut self, start: usize, written: Result<()>) -> Result<()> {
        if let Err(error) = written {
            self.out.truncate(start);
            return Err(error);
        }
        frame::end(&mut self.out, start)
    }

    /// Writes the rows of a range.
    pub(crate) fn some_rows<R, L>(&mut self, rows: &R, range: std::ops::Range<usize>, labels: Option<&L>) -> Result<()>
    where
        R: Rows + ?Sized,
        L: Labels + ?Sized,
    {
        let labels = labels.map(Labels::labels);
        if let Some(labels) = labels.filter(|labels| labels.len() != rows.row_count()) {
            let text = format!("{} rows have {} labels; give one each", rows.row_count(), labels.len());
            return Err(Error::new(ErrorKind::Serialization, text));
        }
        let columns = if rows.row_count() == 0 { 0 } else { rows.row(0).len() };
        let mut pattern = None;
        let end = range.end;
        for index in range {
            let row = rows.row(index);
            if row.len() != columns {
                let text = format!("row {index} has {} numbers, the first has {columns}", row.len());
                return Err(Error::new(ErrorKind::Serialization, text));
            }
            let label = labels.map(|labels| &labels[index..=index]);
            match &mut pattern {
                Some(pattern) => Pattern::put(pattern, row, label, &mut self.out),
                None => {
                    let start = self.out.len();
                    let places = self.row(row, label).map_err(|error| error.within(format_args!("row {index}")))?;
                    pattern = Pattern::new::<R::Number, L::Number>(places, start, &self.out);
                    if let Some(pattern) = &pattern {
                        self.out.reserve_exact(pattern.bytes.len() * (end - index - 1));
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives the places of the row's and the label's numbers.
    fn row<N: Number, L: Number>(&mut self, row: &[N], label: Option<&[L]>) -> Result<(usize, Option<usize>)> {
        let start = frame::begin(&mut self.out);
        let row = Numbers::dense(row).put(&mut self.out, FEATURES, VALUES);
        let places = row.and_then(|row| match label {
            Some(label) => Ok((row, Some(Numbers::dense(label).put(&mut self.out, LABEL, VALUES)?))),
            None => Ok((row, None)),
        });
        match places {
            Ok(places) => self.end(start, Ok(())).map(|()| places),
            Err(error) => self.end(start, Err(error)).map(|()| (0, None)),
        }
    }
}

/// A frame that all rows of a table share but for the numbers: those of a fixed size are copied into it.
struct Pattern {
    bytes: Vec<u8>,
    row: usize,
    label: Option<usize>,
}

impl Pattern {
    fn new<N: Number, L: Number>((row, label): (usize, Option<usize>), start: usize, out: &[u8]) -> Option<Self> {
        let fixed = N::SIZE.is_some() && (label.is_none() || L::SIZE.is_some());
        fixed.then(|| Self { bytes: out[start..].to_vec(), row: row - start, label: label.map(|label| label - start) })
    }

    #[inline]
    fn put<N: Number, L: Number>(&mut self, row: &[N], label: Option<&[L]>, out: &mut Vec<u8>) {
        let place = |at: usize, length: usize, size: Option<usize>| at..at + length * size.unwrap_or(0);
        N::fill(row, &mut self.bytes[place(self.row, row.len(), N::SIZE)]);
        if let (Some(at), Some(label)) = (self.label, label) {
            L::fill(label, &mut self.bytes[place(at, label.len(), L::SIZE)]);
        }
        out.extend_from_slice(&self.bytes);
    }
}

/// A tensor that is somewhere else.
struct Numbers<'a, N> {
    values: &'a [N],
    keys: &'a [u64],
    shape: &'a [u64],
}

impl<'a, N: Number> Numbers<'a, N> {
    fn dense(values: &'a [N]) -> Self {
        Self { values, keys: &[], shape: &[] }
    }

    /// Writes it as an entry of the map `map` under a name, and gives the place of its numbers.
    fn put(&self, out: &mut Vec<u8>, map: u32, name: &str) -> Result<usize> {
        let values = N::packed_len(self.values)?;
        let (keys, shape) = (varints_len(self.keys), varints_len(self.shape));
        let tensor =
            [values, keys, shape].iter().filter(|length| **length > 0).map(|length| delimited_len(*length)).sum();
        let value = delimited_len(tensor);
        put_header(out, map, delimited_len(name.len()) + delimited_len(value));
        put_bytes(out, 1, name.as_bytes());
        put_header(out, 2, value);
        put_header(out, N::FIELD, tensor);
        if values > 0 {
            put_header(out, 1, values);
        }
        let place = out.len();
        N::pack(self.values, out);
        for (field, length, numbers) in [(2, keys, self.keys), (3, shape, self.shape)] {
            if length > 0 {
                put_header(out, field, length);
                numbers.iter().for_each(|number| put_varint(out, *number));
            }
        }
        Ok(place)
    }
}

fn varints_len(numbers: &[u64]) -> usize {
    numbers.iter().map(|number| varint_len(*number)).sum()
}

fn put_record(out: &mut Vec<u8>, record: &Record) -> Result<()> {
    for (map, values) in [(FEATURES, &record.features), (LABEL, &record.label)] {
        for (name, value) in values {
            match value {
                RecordValue::Tensor(Tensor { values, keys, shape }) => match values {
                    TensorValues::F32(values) => Numbers { values, keys, shape }.put(out, map, name),
                    TensorValues::F64(values) => Numbers { values, keys, shape }.put(out, map, name),
                    TensorValues::I32(values) => Numbers { values, keys, shape }.put(out, map, name),
                }
                .map(drop)?,
                RecordValue::Bytes { parts, content_type } => {
                    let content_type_len = content_type.as_ref().map_or(0, |text| delimited_len(text.len()));
                    let length = parts.iter().map(|part| delimited_len(part.len())).sum::<usize>() + content_type_len;
                    let value = delimited_len(length);
                    put_header(out, map, delimited_len(name.len()) + delimited_len(value));
                    put_bytes(out, 1, name.as_bytes());
                    put_header(out, 2, value);
                    put_header(out, 9, length);
                    parts.iter().for_each(|part| put_bytes(out, 1, part));
                    if let Some(content_type) = content_type {
                        put_bytes(out, 2, content_type.as_bytes());
                    }
                }
            }
        }
    }
    for (field, text) in [(3, &record.uid), (4, &record.metadata), (5, &record.configuration)] {
        if let Some(text) = text {
            put_bytes(out, field, text.as_bytes());
        }
    }
    Ok(())
}
