//! RecordIO-protobuf, `application/x-recordio-protobuf`: what most of SageMaker's built-in algorithms read and answer.
//!
//! A body is a row of frames (magic number, length, payload, padding to four bytes), and each payload is one protobuf
//! [`Record`]: tensors by name as features, and tensors by name as label. A row of training data is the feature `values`,
//! with the label `values`; an answer has its numbers in the label, under names such as `score`.
//!
//! Bytes are those that the SageMaker Python SDK writes for the same numbers.
//!
//! | what | function |
//! |---|---|
//! | dense rows to a body | [`RecordIo::rows`], [`RecordIo::labelled_rows`] |
//! | sparse rows to a body | [`RecordIo::sparse_rows`] |
//! | records to a body and back | [`RecordIo::values`], [`RecordIo::records`] |
//! | a body to typed answers | [`RecordIo::of`], [`RecordIo::floats`], [`RecordIo::vectors`] |
//! | parts of a body as they arrive | [`FrameReader`] |
//! | a body larger than one wants in memory | [`RecordWriter`] |

mod encode;
mod frame;
mod number;
mod read;
mod record;
mod rows;
mod sparse;
#[cfg(test)]
mod tests;
mod wire;

use std::marker::PhantomData;

pub use encode::RecordWriter;
pub use frame::{FrameReader, Frames, frames};
pub use number::Number;
pub use read::{FromRecord, ReadFloats, ReadRecords, ReadVectors, RecordsOf};
pub use record::{Record, RecordValue, Tensor, TensorValues};
pub use rows::{LabelledRows, Labels, RecordRows, RowOrNumber, Rows, WriteRecords};
pub use sparse::{SparseMatrix, SparseRecordRows};

/// The name of a record's only feature, and of its only label, in training data.
const VALUES: &str = "values";

/// The codecs of RecordIO-protobuf.
#[derive(Debug, Clone, Copy)]
pub struct RecordIo;

impl RecordIo {
    /// Writes dense rows of numbers, one record each: a slice, array or `Vec` of rows, a
    /// [`Matrix`](super::csv::Matrix), or a single row.
    ///
    /// `f32` and `f64` stay what they are. Integers become 32-bit integers, as in the Python SDK.
    ///
    /// ```
    /// use sagemaker::codec::{RecordIo, Serializer};
    ///
    /// let body = RecordIo::rows().serialize(&[[1.0_f32, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(body.len(), 2 * 32);
    /// assert_eq!(body, RecordIo::rows().serialize(&vec![vec![1.0_f32, 2.0], vec![3.0, 4.0]])?);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`](crate::ErrorKind::Serialization) for rows of different lengths and for integers that
    /// do not fit 32 bits; the message names the row.
    pub fn rows() -> RecordRows {
        RecordRows
    }

    /// Writes pairs of rows and labels, `(rows, labels)`: as [`rows`](Self::rows), each record with its label.
    ///
    /// ```
    /// use sagemaker::codec::{RecordIo, Serializer};
    ///
    /// let body = RecordIo::labelled_rows().serialize(&([[1.0, 2.0], [3.0, 4.0]], [0.0_f32, 1.0]))?;
    /// let records = sagemaker::codec::recordio::frames(body).count();
    /// assert_eq!(records, 2);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows); also unless there are as many labels as rows.
    pub fn labelled_rows() -> LabelledRows {
        LabelledRows
    }

    /// Writes the rows of a [`SparseMatrix`], one record each, with its labels if it has them.
    ///
    /// ```
    /// use sagemaker::codec::{RecordIo, Serializer, recordio::SparseMatrix};
    ///
    /// // Two rows of three columns: (0, 1.5, 0) and (0, 0, 0).
    /// let matrix = SparseMatrix::new(3, &[0, 1, 1], &[1], &[1.5])?;
    /// let body = RecordIo::sparse_rows().serialize(&matrix)?;
    /// assert_eq!(body.len(), 40 + 28);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn sparse_rows() -> SparseRecordRows {
        SparseRecordRows
    }

    /// Writes a slice, array or `Vec` of [`Record`]s.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`](crate::ErrorKind::Serialization) for a record of 512 MiB and above.
    pub fn values() -> WriteRecords {
        WriteRecords
    }

    /// Reads every record as it is.
    ///
    /// ```
    /// use sagemaker::codec::{Deserializer, RecordIo, Serializer};
    /// use sagemaker::types::ContentType;
    ///
    /// let body = RecordIo::rows().serialize(&[[1.0_f32, 2.0]])?;
    /// let records = RecordIo::records().deserialize(body, &ContentType::RECORDIO_PROTOBUF)?;
    /// assert_eq!(records[0].feature("values").unwrap().to_f64(), [1.0, 2.0]);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deserialization`](crate::ErrorKind::Deserialization) with the record's number for bytes that are no
    /// such body, and for a response that declares another format.
    pub fn records() -> ReadRecords {
        ReadRecords
    }

    /// Reads a `T` from each record: an answer of a built-in algorithm, or a type of your own.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records); also for a record without the label that `T` needs.
    pub fn of<T>() -> RecordsOf<T> {
        RecordsOf(PhantomData)
    }

    /// Reads the number under a label from each record, such as `score`.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records); also for a record without that label, or with more than one number under it.
    pub fn floats(label: impl Into<String>) -> ReadFloats {
        ReadFloats { label: label.into() }
    }

    /// Reads the numbers under a label from each record, such as `projection`.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records); also for a record without that label.
    pub fn vectors(label: impl Into<String>) -> ReadVectors {
        ReadVectors { label: label.into() }
    }
}
