//! JSON bodies, `application/json`.

mod finite;

use std::marker::PhantomData;

use ::bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Deserializer, Serializer, media, typed_codec};
use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

/// The JSON codecs.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Json {
    /// Writes any value that implements serde's `Serialize`, with no spaces.
    ///
    /// ```
    /// use sagemaker::codec::{Json, Serializer};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Prompt<'a> {
    ///     inputs: &'a str,
    ///     temperature: f32,
    /// }
    ///
    /// let body = Json::value().serialize(&Prompt { inputs: "Hello", temperature: 0.5 })?;
    /// assert_eq!(body, r#"{"inputs":"Hello","temperature":0.5}"#);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`] for a NaN or an infinity, with its path: JSON has no such number, and a silent
    /// `null` in its place would reach the model. Write a missing number as `None`, or choose
    /// [`nan_as_null`](ToJson::nan_as_null).
    pub fn value() -> ToJson {
        ToJson::default()
    }

    /// Reads a `T`.
    ///
    /// ```
    /// use sagemaker::codec::{Deserializer, Json};
    /// use sagemaker::types::ContentType;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Answer {
    ///     score: f64,
    /// }
    ///
    /// let answer = Json::of::<Answer>().deserialize(r#"{"score": 0.75}"#.into(), &ContentType::JSON)?;
    /// assert_eq!(answer.score, 0.75);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deserialization`] with line and column, and with nothing of the body, where the body is not JSON
    /// or does not have the shape of `T`; also for a response that declares another format, such as `text/csv`.
    pub fn of<T>() -> FromJson<T> {
        FromJson(PhantomData)
    }
}

/// Serializer of any value: see [`Json::value`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ToJson {
    nan_as_null: bool,
}

impl ToJson {
    /// Writes NaN and infinities as `null` where they would be refused otherwise.
    ///
    /// ```
    /// use sagemaker::codec::{Json, Serializer};
    ///
    /// let error = Json::value().serialize(&[0.5, f64::NAN]).unwrap_err();
    /// assert!(error.to_string().contains("`$[1]` is NaN"));
    /// assert_eq!(Json::value().nan_as_null().serialize(&[0.5, f64::NAN])?, "[0.5,null]");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    #[must_use]
    pub fn nan_as_null(mut self) -> Self {
        self.nan_as_null = true;
        self
    }
}

impl<T: Serialize + ?Sized> Serializer<T> for ToJson {
    fn content_type(&self) -> ContentType {
        ContentType::JSON
    }

    fn serialize(&self, value: &T) -> Result<Bytes> {
        let mut out = Vec::new();
        write(value, self.nan_as_null, &mut out).map_err(|reason| Error::new(ErrorKind::Serialization, reason))?;
        Ok(out.into())
    }
}

/// Deserializer of a `T`: see [`Json::of`].
pub struct FromJson<T>(PhantomData<fn() -> T>);
typed_codec!(FromJson);

impl<T: DeserializeOwned> Deserializer for FromJson<T> {
    type Output = T;

    fn accept(&self) -> ContentType {
        ContentType::JSON
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<T> {
        media::expect("application/json", content_type, media::is_json)?;
        serde_json::from_slice(&body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let reason = reason_without_data(&error);
            Error::new(ErrorKind::Deserialization, format!("line {line}, column {column}: {reason}"))
        })
    }
}

/// Appends the JSON of a value, or says why it has none.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, nan_as_null: bool, out: &mut Vec<u8>) -> Result<(), String> {
    if nan_as_null {
        serde_json::to_writer(out, value).map_err(|error| error.to_string())
    } else {
        finite::write(value, out)
    }
}

/// What was wrong, without the pieces of the body that serde's messages quote.
pub(super) fn reason_without_data(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    if error.is_syntax() {
        return message.to_owned();
    }
    if error.is_eof() {
        return format!("the body ends too early: {message}");
    }
    // What was expected comes last and is the type's text, not the sender's.
    let expected =
        message.rsplit_once(", expected ").map_or_else(String::new, |(_, what)| format!(", expected {what}"));
    let quoting = ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"]
        .into_iter()
        .find(|kind| message.strip_prefix(kind).is_some_and(|rest| rest.starts_with([':', ' '])));
    match quoting {
        Some(kind) => format!("{kind}{expected}"),
        None if message.starts_with("missing field") || message.starts_with("duplicate field") => message.to_owned(),
        None => "the value does not have the expected shape".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answer {
        #[expect(dead_code, reason = "only its type matters")]
        score: f64,
    }

    fn refused<T: DeserializeOwned + std::fmt::Debug>(body: &'static str) -> String {
        let error = Json::of::<T>().deserialize(body.into(), &ContentType::JSON).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deserialization);
        assert!(std::error::Error::source(&error).is_none(), "the source would quote the body");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        error.to_string().trim_start_matches("cannot deserialize: ").to_owned()
    }

    #[test]
    fn errors_say_where_and_keep_the_body_to_themselves() {
        assert_eq!(refused::<Answer>("{\"score\":\n \"secret\"}"), "line 2, column 9: invalid type, expected f64");
        assert_eq!(
            refused::<Answer>("{\"score\": \"secret, expected x\"}"),
            "line 1, column 30: invalid type, expected f64"
        );
        assert_eq!(refused::<Answer>("{}"), "line 1, column 2: missing field `score`");
        assert_eq!(refused::<Answer>("{\"secret\": 1}"), "line 1, column 9: unknown field, expected `score`");
        assert_eq!(refused::<Value>("[1, secret]"), "line 1, column 5: expected value");
        assert_eq!(refused::<Value>("[1"), "line 1, column 2: the body ends too early: EOF while parsing a list");
        assert_eq!(
            refused::<std::net::IpAddr>("\"secret\""),
            "line 1, column 8: the value does not have the expected shape"
        );
    }

    #[test]
    fn text_is_quoted_and_unicode_is_kept() {
        assert_eq!(Json::value().serialize("é\n").unwrap(), "\"é\\n\"");
        assert_eq!(Serializer::<str>::content_type(&Json::value()), ContentType::JSON);
    }

    #[test]
    fn floats_are_read_to_the_last_digit() {
        // Without its feature `float_roundtrip`, serde_json is off by one in the last place.
        let value = Json::of::<f64>().deserialize("3868888.7158203125".into(), &ContentType::JSON).unwrap();
        assert_eq!(value, 3868888.7158203125);
    }

    #[test]
    fn other_formats_are_refused() {
        let error = Json::of::<Value>().deserialize("1".into(), &ContentType::CSV).unwrap_err();
        assert!(error.to_string().contains("text/csv"), "{error}");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u32>().prop_map(|bits| Value::from(f64::from(bits) / 1024.0)),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|map: BTreeMap<String, Value>| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_come_back(value in json()) {
            let body = Json::value().serialize(&value).unwrap();
            prop_assert_eq!(&body, &serde_json::to_vec(&value).unwrap());
            prop_assert_eq!(Json::of::<Value>().deserialize(body, &ContentType::JSON).unwrap(), value);
        }

        #[test]
        fn no_bytes_panic(body: Vec<u8>) {
            let _ = Json::of::<Value>().deserialize(body.into(), &ContentType::JSON);
        }
    }
}
