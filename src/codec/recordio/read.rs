use std::marker::PhantomData;

use bytes::Bytes;

use super::{Record, frames};
use crate::Result;
use crate::codec::{Deserializer, media, typed_codec};
use crate::types::ContentType;

/// Deserializer of records as they are: see [`RecordIo::records`](super::RecordIo::records).
#[derive(Debug, Clone, Copy)]
pub struct ReadRecords;

/// Deserializer of the number of each record: see [`RecordIo::floats`](super::RecordIo::floats).
#[derive(Debug, Clone)]
pub struct ReadFloats {
    pub(super) label: String,
}

/// Deserializer of the numbers of each record: see [`RecordIo::vectors`](super::RecordIo::vectors).
#[derive(Debug, Clone)]
pub struct ReadVectors {
    pub(super) label: String,
}

/// Deserializer of typed answers: see [`RecordIo::of`](super::RecordIo::of).
pub struct RecordsOf<T>(pub(super) PhantomData<fn() -> T>);
typed_codec!(RecordsOf);

/// A type that is read from a record, for [`RecordIo::of`](super::RecordIo::of).
///
/// ```
/// use sagemaker::Result;
/// use sagemaker::codec::recordio::{FromRecord, Record};
///
/// struct Anomaly { score: f64 }
///
/// impl FromRecord for Anomaly {
///     fn from_record(record: &Record) -> Result<Self> {
///         Ok(Self { score: record.scalar("score")? })
///     }
/// }
/// # let record = Record::default().with_label("score", vec![0.5_f32]);
/// # assert_eq!(Anomaly::from_record(&record)?.score, 0.5);
/// # Ok::<(), sagemaker::Error>(())
/// ```
pub trait FromRecord: Sized {
    /// Takes what it needs from the record.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`](crate::ErrorKind::Deserialization) for a record without it.
    fn from_record(record: &Record) -> Result<Self>;
}

/// Errors name the record, counted from 0.
fn each<T>(body: Bytes, content_type: &ContentType, read: impl Fn(Record) -> Result<T>) -> Result<Vec<T>> {
    media::expect("application/x-recordio-protobuf", content_type, media::is_recordio)?;
    let records = frames(body).enumerate().map(|(index, payload)| {
        payload.and_then(Record::decode).and_then(&read).map_err(|error| error.within(format_args!("record {index}")))
    });
    records.collect()
}

macro_rules! deserializers {
    ($($name:ty $(, $parameter:ident: $bound:ident)? => $output:ty, |$self:ident, $record:ident| $read:expr;)*) => {
        $(impl$(<$parameter: $bound>)? Deserializer for $name {
            type Output = Vec<$output>;

            fn accept(&self) -> ContentType {
                ContentType::RECORDIO_PROTOBUF
            }

            fn deserialize(&$self, body: Bytes, content_type: &ContentType) -> Result<Self::Output> {
                each(body, content_type, |$record| $read)
            }
        })*
    };
}
deserializers! {
    ReadRecords => Record, |self, record| Ok(record);
    ReadFloats => f64, |self, record| record.scalar(&self.label);
    ReadVectors => Vec<f64>, |self, record| record.vector(&self.label);
    RecordsOf<T>, T: FromRecord => T, |self, record| T::from_record(&record);
}
