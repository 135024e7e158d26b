use bytes::Bytes;

use crate::Result;
use crate::codec::Serializer;
use crate::types::ContentType;

/// Serializer of CSV text that is ready: see [`Csv::text`](super::Csv::text).
#[derive(Debug, Clone, Copy)]
pub struct CsvText;

impl Serializer<str> for CsvText {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, value: &str) -> Result<Bytes> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }
}

impl Serializer<String> for CsvText {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, value: &String) -> Result<Bytes> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }
}

impl Serializer<Bytes> for CsvText {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, value: &Bytes) -> Result<Bytes> {
        Ok(value.clone())
    }
}
