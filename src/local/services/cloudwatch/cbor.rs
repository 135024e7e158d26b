//! CBOR documents.

use aws_smithy_types::base64;
use bytes::Bytes;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

use crate::api_model::{ModelShape, ShapeKind};
use crate::local::aws_error::AwsError;

/// How deep documents may be.
const MAX_DEPTH: usize = 32;
/// The tag of times in seconds since 1970.
const EPOCH: u64 = 1;

/// Reads a document; times become numbers, bytes base64.
pub(super) fn read(bytes: &[u8]) -> Result<Value, AwsError> {
    let mut rest = bytes;
    let read = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH);
    let document: Cbor = read.map_err(|_| AwsError::serialization("The body is no CBOR."))?;
    if !rest.is_empty() {
        return Err(AwsError::serialization("The body goes on after its CBOR."));
    }
    Ok(json(document))
}

fn json(value: Cbor) -> Value {
    match value {
        Cbor::Bool(value) => Value::Bool(value),
        Cbor::Integer(number) => {
            let number = i128::from(number);
            i64::try_from(number).map_or_else(|_| Value::from(number as f64), Value::from)
        }
        // What is no number in JSON becomes text, which the model then refuses.
        Cbor::Float(number) => Number::from_f64(number).map_or_else(|| Value::from(number.to_string()), Value::Number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bytes(bytes) => Value::String(base64::encode(bytes)),
        Cbor::Tag(_, inner) => json(*inner),
        Cbor::Array(items) => items.into_iter().map(json).collect(),
        Cbor::Map(entries) => {
            let named = entries.into_iter().filter_map(|(key, value)| Some((key.into_text().ok()?, json(value))));
            Value::Object(named.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

/// Writes a document; the shape says which numbers are times.
pub(super) fn write(shape: Option<ModelShape>, value: &Value) -> Bytes {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(&cbor(shape, value), &mut out);
    Bytes::from(out)
}

fn cbor(shape: Option<ModelShape>, value: &Value) -> Cbor {
    let kind = shape.map(ModelShape::kind);
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(value) => Cbor::Bool(*value),
        Value::Number(number) => {
            let float = || Cbor::Float(number.as_f64().unwrap_or_default());
            match (kind, number.as_i64()) {
                (Some(ShapeKind::Timestamp), _) => Cbor::Tag(EPOCH, Box::new(float())),
                (Some(ShapeKind::Float), _) | (_, None) => float(),
                (_, Some(number)) => Cbor::Integer(number.into()),
            }
        }
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Array(items) => {
            let element = shape.and_then(ModelShape::element);
            Cbor::Array(items.iter().map(|item| cbor(element, item)).collect())
        }
        Value::Object(members) => {
            let of = |name: &str| match kind {
                Some(ShapeKind::Map) => shape.and_then(ModelShape::element),
                _ => shape.and_then(|shape| shape.member(name)),
            };
            let entry = |(name, value): (&String, &Value)| (Cbor::Text(name.clone()), cbor(of(name), value));
            Cbor::Map(members.iter().map(entry).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::api_model::Service;

    #[test]
    fn times_and_numbers_have_their_types() {
        let shape = ModelShape::output(Service::CloudWatch, "GetMetricStatistics");
        let written = write(shape, &json!({"Datapoints": [{"Timestamp": 60.0, "Sum": 2}]}));
        let back: Cbor = ciborium::from_reader(&written[..]).unwrap();
        let text = format!("{back:?}");
        assert!(text.contains("Tag(1, Float(60.0))") && text.contains("Float(2.0)"), "{text}");
        assert_eq!(read(&written).unwrap(), json!({"Datapoints": [{"Timestamp": 60.0, "Sum": 2.0}]}));
    }

    #[test]
    fn what_is_no_cbor_is_refused() {
        let deep = [0x81; 100_000];
        for bytes in [&[][..], &[0xff], &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &deep, &[0xa0, 0xa0]] {
            assert!(read(bytes).is_err(), "{} bytes", bytes.len());
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9f64).prop_map(|number| Value::from(number + 0.5)),
            "\\PC{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[a-z]{1,5}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn documents_survive_the_round_trip(document in documents()) {
            prop_assert_eq!(read(&write(None, &document)).unwrap(), document);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }
}
