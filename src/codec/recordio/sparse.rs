use bytes::Bytes;

use super::{Number, RecordWriter};
use crate::codec::Serializer;
use crate::types::ContentType;
use crate::{Error, Result};

/// Rows of which only the numbers that are not zero are there, row after row (compressed sparse row).
///
/// ```
/// use sagemaker::codec::recordio::SparseMatrix;
///
/// // Rows (5, 0, 0) and (0, 0, 7), with labels.
/// let matrix = SparseMatrix::new(3, &[0, 1, 2], &[0, 2], &[5.0, 7.0])?.labels(&[1.0, 0.0])?;
/// assert_eq!(matrix.row_count(), 2);
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SparseMatrix<'a, N, L = f32> {
    pub(super) columns: u64,
    row_ends: &'a [usize],
    keys: &'a [u64],
    values: &'a [N],
    pub(super) labels: Option<&'a [L]>,
}

impl<'a, N: Number> SparseMatrix<'a, N> {
    /// `starts` has the place of each row's first value and, at its end, the number of values, as the `indptr` of SciPy;
    /// `keys` has the column of each value, from 0.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless these fit each other.
    pub fn new(columns: u64, starts: &'a [usize], keys: &'a [u64], values: &'a [N]) -> Result<Self> {
        let refuse = |field: &str, text: String| Err(Error::invalid(field, text));
        if keys.len() != values.len() {
            return refuse("keys", format!("{} values have {} keys", values.len(), keys.len()));
        }
        if let Some(key) = keys.iter().find(|key| **key >= columns) {
            return refuse("keys", format!("there is no column {key}, the first of {columns} is 0"));
        }
        let Some((first, row_ends)) = starts.split_first() else {
            return refuse("starts", "is empty; a matrix without rows has a 0".to_owned());
        };
        if *first != 0 || !starts.is_sorted() || starts.last() != Some(&values.len()) {
            return refuse("starts", format!("must begin with 0, never fall and end with {}", values.len()));
        }
        Ok(Self { columns, row_ends, keys, values, labels: None })
    }

    /// Gives each row a label.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless there are as many as rows.
    pub fn labels<L: Number>(self, labels: &'a [L]) -> Result<SparseMatrix<'a, N, L>> {
        if labels.len() != self.row_ends.len() {
            let text = format!("{} rows have {} labels; give one each", self.row_ends.len(), labels.len());
            return Err(Error::invalid("labels", text));
        }
        let Self { columns, row_ends, keys, values, .. } = self;
        Ok(SparseMatrix { columns, row_ends, keys, values, labels: Some(labels) })
    }
}

impl<'a, N, L> SparseMatrix<'a, N, L> {
    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.row_ends.len()
    }

    /// How many columns there are.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    pub(super) fn row(&self, index: usize) -> (&'a [u64], &'a [N]) {
        let start = index.checked_sub(1).map_or(0, |before| self.row_ends[before]);
        let range = start..self.row_ends[index];
        (&self.keys[range.clone()], &self.values[range])
    }
}

/// Serializer of sparse rows: see [`RecordIo::sparse_rows`](super::RecordIo::sparse_rows).
#[derive(Debug, Clone, Copy)]
pub struct SparseRecordRows;

impl<N: Number, L: Number> Serializer<SparseMatrix<'_, N, L>> for SparseRecordRows {
    fn content_type(&self) -> ContentType {
        ContentType::RECORDIO_PROTOBUF
    }

    fn serialize(&self, matrix: &SparseMatrix<'_, N, L>) -> Result<Bytes> {
        let mut out = RecordWriter::new();
        out.sparse_rows(matrix)?;
        Ok(out.finish())
    }
}
