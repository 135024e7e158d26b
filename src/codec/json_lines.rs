//! One JSON value a line, `application/jsonlines`.

use std::marker::PhantomData;

use ::bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Deserializer, Serializer, json, media, typed_codec};
use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

/// The codecs of JSON lines.
#[derive(Debug, Clone, Copy)]
pub struct JsonLines;

impl JsonLines {
    /// Writes the values of a slice, array or `Vec`, one a line, apart by `\n` and none after the last.
    ///
    /// No values give an empty body.
    ///
    /// ```
    /// use sagemaker::codec::{JsonLines, Serializer};
    ///
    /// let body = JsonLines::values().serialize(&[("a", 1), ("b", 2)])?;
    /// assert_eq!(body, "[\"a\",1]\n[\"b\",2]");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Json::value`](super::Json::value), with the line.
    pub fn values() -> ToJsonLines {
        ToJsonLines::default()
    }

    /// Reads a `T` from each line that is not blank. Lines may end with `\r\n`; an empty body gives no values.
    ///
    /// ```
    /// use sagemaker::codec::{Deserializer, JsonLines};
    /// use sagemaker::types::ContentType;
    ///
    /// let scores = JsonLines::of::<f64>().deserialize("0.5\n0.25\n".into(), &ContentType::JSON_LINES)?;
    /// assert_eq!(scores, [0.5, 0.25]);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Json::of`](super::Json::of).
    pub fn of<T>() -> FromJsonLines<T> {
        FromJsonLines(PhantomData)
    }
}

/// Serializer of values, one a line: see [`JsonLines::values`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ToJsonLines {
    nan_as_null: bool,
}

impl ToJsonLines {
    /// Writes NaN and infinities as `null` where they would be refused otherwise.
    ///
    /// ```
    /// use sagemaker::codec::{JsonLines, Serializer};
    ///
    /// assert_eq!(JsonLines::values().nan_as_null().serialize(&[0.5, f64::NAN])?, "0.5\nnull");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    #[must_use]
    pub fn nan_as_null(mut self) -> Self {
        self.nan_as_null = true;
        self
    }
}

impl<T: Serialize> Serializer<[T]> for ToJsonLines {
    fn content_type(&self) -> ContentType {
        ContentType::JSON_LINES
    }

    fn serialize(&self, values: &[T]) -> Result<Bytes> {
        let mut out = Vec::new();
        for (line, value) in (1..).zip(values) {
            if line > 1 {
                out.push(b'\n');
            }
            json::write(value, self.nan_as_null, &mut out)
                .map_err(|reason| Error::new(ErrorKind::Serialization, format!("line {line}: {reason}")))?;
        }
        Ok(out.into())
    }
}

impl<T: Serialize> Serializer<Vec<T>> for ToJsonLines {
    fn content_type(&self) -> ContentType {
        ContentType::JSON_LINES
    }

    fn serialize(&self, values: &Vec<T>) -> Result<Bytes> {
        self.serialize(values.as_slice())
    }
}

impl<T: Serialize, const N: usize> Serializer<[T; N]> for ToJsonLines {
    fn content_type(&self) -> ContentType {
        ContentType::JSON_LINES
    }

    fn serialize(&self, values: &[T; N]) -> Result<Bytes> {
        self.serialize(values.as_slice())
    }
}

/// Deserializer of values, one a line: see [`JsonLines::of`].
pub struct FromJsonLines<T>(PhantomData<fn() -> T>);
typed_codec!(FromJsonLines);

impl<T: DeserializeOwned> Deserializer for FromJsonLines<T> {
    type Output = Vec<T>;

    fn accept(&self) -> ContentType {
        ContentType::JSON_LINES
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Vec<T>> {
        media::expect("application/jsonlines", content_type, media::is_json_lines)?;
        (1..)
            .zip(body.split(|byte| *byte == b'\n'))
            .filter(|(_, text)| !text.trim_ascii().is_empty())
            .map(|(line, text)| {
                serde_json::from_slice(text).map_err(|error| {
                    let (column, reason) = (error.column(), json::reason_without_data(&error));
                    Error::new(ErrorKind::Deserialization, format!("line {line}, column {column}: {reason}"))
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(body: &'static str) -> Result<Vec<Value>> {
        JsonLines::of().deserialize(body.into(), &ContentType::JSON_LINES)
    }

    #[test]
    fn blank_lines_and_line_ends_do_not_matter() {
        assert_eq!(read("1\r\n\r\n  \n{\"a\":2}\n\n").unwrap(), [Value::from(1), serde_json::json!({"a": 2})]);
        assert!(read("").unwrap().is_empty());
        assert!(read("\n").unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_line() {
        let error = read("1\n\n[secret\n").unwrap_err();
        assert_eq!(error.to_string(), "cannot deserialize: line 3, column 2: expected value");
        let error = JsonLines::values().serialize(&[[0.5], [f64::INFINITY]]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Serialization);
        assert!(error.to_string().contains("line 2: `$[0]` is infinite"), "{error}");
    }

    #[test]
    fn no_values_are_an_empty_body() {
        assert_eq!(JsonLines::values().serialize(&Vec::<f64>::new()).unwrap(), "");
    }

    proptest! {
        #[test]
        fn values_come_back(values: Vec<(String, i64, Option<bool>)>) {
            let body = JsonLines::values().serialize(&values).unwrap();
            prop_assert_eq!(body.split(|byte| *byte == b'\n').count(), values.len().max(1));
            let back = JsonLines::of().deserialize(body, &ContentType::JSON_LINES).unwrap();
            prop_assert_eq!(values, back);
        }

        #[test]
        fn no_bytes_panic(body: Vec<u8>) {
            let _ = JsonLines::of::<Value>().deserialize(body.into(), &ContentType::JSON_LINES);
        }
    }
}
