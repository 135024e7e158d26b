use std::sync::Arc;

use bytes::Bytes;

use super::{Number, Record, RecordWriter};
use crate::Result;
use crate::codec::Serializer;
use crate::codec::csv::Matrix;
use crate::types::ContentType;

/// Serializer of dense rows: see [`RecordIo::rows`](super::RecordIo::rows).
#[derive(Debug, Clone, Copy)]
pub struct RecordRows;

impl<R: Rows + ?Sized> Serializer<R> for RecordRows {
    fn content_type(&self) -> ContentType {
        ContentType::RECORDIO_PROTOBUF
    }

    fn serialize(&self, rows: &R) -> Result<Bytes> {
        let mut out = RecordWriter::new();
        out.rows(rows)?;
        Ok(out.finish())
    }
}

/// Serializer of dense rows with labels: see [`RecordIo::labelled_rows`](super::RecordIo::labelled_rows).
#[derive(Debug, Clone, Copy)]
pub struct LabelledRows;

impl<R: Rows, L: Labels> Serializer<(R, L)> for LabelledRows {
    fn content_type(&self) -> ContentType {
        ContentType::RECORDIO_PROTOBUF
    }

    fn serialize(&self, (rows, labels): &(R, L)) -> Result<Bytes> {
        let mut out = RecordWriter::new();
        out.labelled_rows(rows, labels)?;
        Ok(out.finish())
    }
}

/// Serializer of records: see [`RecordIo::values`](super::RecordIo::values).
#[derive(Debug, Clone, Copy)]
pub struct WriteRecords;

impl Serializer<[Record]> for WriteRecords {
    fn content_type(&self) -> ContentType {
        ContentType::RECORDIO_PROTOBUF
    }

    fn serialize(&self, records: &[Record]) -> Result<Bytes> {
        let mut out = RecordWriter::new();
        for (index, record) in records.iter().enumerate() {
            out.record(record).map_err(|error| error.within(format_args!("record {index}")))?;
        }
        Ok(out.finish())
    }
}

impl Serializer<Vec<Record>> for WriteRecords {
    fn content_type(&self) -> ContentType {
        ContentType::RECORDIO_PROTOBUF
    }

    fn serialize(&self, records: &Vec<Record>) -> Result<Bytes> {
        self.serialize(records.as_slice())
    }
}

impl<const N: usize> Serializer<[Record; N]> for WriteRecords {
    fn content_type(&self) -> ContentType {
        ContentType::RECORDIO_PROTOBUF
    }

    fn serialize(&self, records: &[Record; N]) -> Result<Bytes> {
        self.serialize(records.as_slice())
    }
}

/// Dense rows of numbers: a slice, array or `Vec` of rows, a [`Matrix`], or a single row.
///
/// Cannot be implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a table of numbers",
    label = "has no RecordIO-protobuf form",
    note = "a table is a slice, array or `Vec` of rows, one row, or a `csv::Matrix`; a row is one of numbers"
)]
pub trait Rows {
    /// What the rows hold.
    type Number: Number;

    /// How many rows there are.
    fn row_count(&self) -> usize;

    /// The row at an index below [`row_count`](Self::row_count).
    ///
    /// # Panics
    /// For an index that has no row.
    fn row(&self, index: usize) -> &[Self::Number];

    /// Whether it is a row by itself, not a table of one.
    #[doc(hidden)]
    fn is_row(&self) -> bool {
        false
    }
}

/// One number for each row: a slice, array or `Vec`.
///
/// Cannot be implemented outside of this crate.
pub trait Labels {
    /// What the labels are.
    type Number: Number;

    /// All of them.
    fn labels(&self) -> &[Self::Number];
}

/// What a slice, array or `Vec` of a table may hold: numbers, then it is one row; or rows, then it is a table.
///
/// Cannot be implemented outside of this crate.
pub trait RowOrNumber: Sized {
    #[doc(hidden)]
    type Number: Number;

    #[doc(hidden)]
    const IS_NUMBER: bool = false;

    #[doc(hidden)]
    fn row_count(items: &[Self]) -> usize;

    #[doc(hidden)]
    fn row(items: &[Self], index: usize) -> &[Self::Number];
}

impl<N: Number> RowOrNumber for N {
    type Number = N;

    const IS_NUMBER: bool = true;

    fn row_count(items: &[Self]) -> usize {
        usize::from(!items.is_empty())
    }

    fn row(items: &[Self], _: usize) -> &[N] {
        items
    }
}

/// Listed one by one: a blanket implementation would overlap with that of numbers.
macro_rules! rows {
    ($($row:ty $(, $n:ident)?;)*) => {
        $(impl<N: Number $(, const $n: usize)?> RowOrNumber for $row {
            type Number = N;

            fn row_count(items: &[Self]) -> usize {
                items.len()
            }

            #[inline]
            fn row(items: &[Self], index: usize) -> &[N] {
                &items[index][..]
            }
        })*
    };
}
rows! {
    Vec<N>;
    &Vec<N>;
    &[N];
    Box<[N]>;
    Arc<[N]>;
    [N; C], C;
    &[N; C], C;
}

macro_rules! tables {
    ($($table:ty $(, $n:ident)?;)*) => {
        $(
            impl<R: RowOrNumber $(, const $n: usize)?> Rows for $table {
                type Number = R::Number;

                fn row_count(&self) -> usize {
                    R::row_count(self)
                }

                #[inline]
                fn row(&self, index: usize) -> &[R::Number] {
                    R::row(self, index)
                }

                fn is_row(&self) -> bool {
                    R::IS_NUMBER
                }
            }

            impl<R: Number $(, const $n: usize)?> Labels for $table {
                type Number = R;

                fn labels(&self) -> &[R] {
                    self
                }
            }
        )*
    };
}
tables! {
    [R];
    Vec<R>;
    [R; M], M;
}

impl<R: Rows + ?Sized> Rows for &R {
    type Number = R::Number;

    fn row_count(&self) -> usize {
        (**self).row_count()
    }

    #[inline]
    fn row(&self, index: usize) -> &[R::Number] {
        (**self).row(index)
    }

    fn is_row(&self) -> bool {
        (**self).is_row()
    }
}

impl<L: Labels + ?Sized> Labels for &L {
    type Number = L::Number;

    fn labels(&self) -> &[L::Number] {
        (**self).labels()
    }
}

impl<N: Number> Rows for Matrix<'_, N> {
    type Number = N;

    fn row_count(&self) -> usize {
        Matrix::row_count(self)
    }

    #[inline]
    fn row(&self, index: usize) -> &[N] {
        Matrix::row(self, index)
    }
}
