//! Documents of the query protocol: `MetricData.member.1.MetricName=m`.

use std::collections::BTreeMap;

use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::{Map, Number, Value};

use crate::api_model::{ModelShape, Service, ShapeKind};
use crate::local::query;

type Members = BTreeMap<String, String>;

/// Reads a form; its operation is the member `Action`. What does not fit the model stays text, which is refused later.
pub(super) fn read(bytes: &[u8], operation: &mut String) -> Value {
    let members = query::form(bytes);
    operation.clone_from(members.get("Action").unwrap_or(&String::new()));
    let shape = ModelShape::input(Service::CloudWatch, operation);
    let document = shape.map(|shape| structure(shape, "", &members));
    Value::Object(document.unwrap_or_default())
}

fn structure(shape: ModelShape, prefix: &str, members: &Members) -> Map<String, Value> {
    let present = shape.members().filter_map(|(member, shape)| {
        let path = if prefix.is_empty() { member.name.to_owned() } else { format!("{prefix}.{}", member.name) };
        Some((member.name.to_owned(), value(shape, &path, members)?))
    });
    present.collect()
}

fn value(shape: ModelShape, path: &str, members: &Members) -> Option<Value> {
    let below = format!("{path}.");
    let has_parts = || members.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below));
    match shape.kind() {
        ShapeKind::Structure | ShapeKind::Union => has_parts().then(|| Value::Object(structure(shape, path, members))),
        ShapeKind::List => {
            let element = shape.element()?;
            if !has_parts() {
                // An empty list is a member without parts.
                return members.get(path).map(|_| Value::Array(Vec::new()));
            }
            let items = (1..).map_while(|number| value(element, &format!("{path}.member.{number}"), members));
            Some(items.collect())
        }
        ShapeKind::Map => {
            let element = shape.element()?;
            let entries = (1..).map_while(|number| {
                let key = members.get(&format!("{path}.entry.{number}.key"))?.clone();
                Some((key, value(element, &format!("{path}.entry.{number}.value"), members)?))
            });
            has_parts().then(|| Value::Object(entries.collect()))
        }
        kind => members.get(path).map(|text| scalar(kind, text)),
    }
}

fn scalar(kind: ShapeKind, text: &str) -> Value {
    let number = |number: f64| Number::from_f64(number).map(Value::Number);
    let read = match kind {
        ShapeKind::Integer | ShapeKind::Long => text.parse::<i64>().ok().map(Value::from),
        ShapeKind::Float => text.parse().ok().and_then(number),
        ShapeKind::Boolean => text.parse::<bool>().ok().map(Value::from),
        ShapeKind::Timestamp => {
            let date = DateTime::from_str(text, Format::DateTimeWithOffset).ok().map(|date| date.as_secs_f64());
            date.or_else(|| text.parse().ok()).and_then(number)
        }
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_become_documents() {
        let body = b"Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.1.MetricName=m&\
            MetricData.member.1.Value=1.5&MetricData.member.1.Dimensions.member.1.Name=a&\
            MetricData.member.1.Dimensions.member.1.Value=b&MetricData.member.2.MetricName=n&\
            MetricData.member.2.Timestamp=2026-01-31T08%3A05%3A09Z&MetricData.member.2.StorageResolution=x";
        let mut operation = String::new();
        let document = read(body, &mut operation);
        let expected = json!({
            "Namespace": "N",
            "MetricData": [
                {"MetricName": "m", "Value": 1.5, "Dimensions": [{"Name": "a", "Value": "b"}]},
                {"MetricName": "n", "Timestamp": 1_769_846_709.0, "StorageResolution": "x"},
            ],
        });
        assert_eq!((document, operation.as_str()), (expected, "PutMetricData"));
        assert_eq!(read(b"Action=Nothing", &mut operation), json!({}));
        assert_eq!(read(b"Action=GetMetricStatistics&Statistics=", &mut operation), json!({"Statistics": []}));
    }

    proptest! {
        #[test]
        fn no_form_makes_it_panic(body in "Action=PutMetricData(&MetricData(\\.(member|[0-9]|MetricName|Value)){0,4}=[0-9a-z.-]{0,4}){0,6}") {
            read(body.as_bytes(), &mut String::new());
        }
    }
}
