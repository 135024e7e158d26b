//! Documents in the answers of the query protocol.

use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::Value;

use crate::api_model::{ModelShape, ShapeKind};
use crate::local::wire::escape;

/// The members of a structure, each as an element.
pub(super) fn members(shape: ModelShape, value: &Value) -> String {
    let mut out = String::new();
    for (member, shape) in shape.members() {
        if let Some(value) = value.get(member.name).filter(|value| !value.is_null()) {
            element(&mut out, member.name, shape, value);
        }
    }
    out
}

fn element(out: &mut String, name: &str, shape: ModelShape, value: &Value) {
    out.push_str(&format!("<{name}>"));
    match (shape.kind(), value, shape.element()) {
        (ShapeKind::Structure | ShapeKind::Union, value, _) => out.push_str(&members(shape, value)),
        (ShapeKind::List, Value::Array(items), Some(of)) => {
            items.iter().for_each(|item| element(out, "member", of, item));
        }
        (ShapeKind::Map, Value::Object(entries), Some(of)) => {
            for (key, value) in entries {
                out.push_str(&format!("<entry><key>{}</key>", escape(key)));
                element(out, "value", of, value);
                out.push_str("</entry>");
            }
        }
        (ShapeKind::Timestamp, Value::Number(number), _) => {
            let date = DateTime::from_secs_f64(number.as_f64().unwrap_or_default()).fmt(Format::DateTime);
            out.push_str(&date.unwrap_or_default());
        }
        (_, Value::String(text), _) => out.push_str(&escape(text)),
        (_, other, _) => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api_model::Service;

    #[test]
    fn answers_are_elements() {
        let shape = ModelShape::output(Service::CloudWatch, "GetMetricStatistics").unwrap();
        let point = json!({"Timestamp": 60.0, "Sum": 2.5, "Unit": "Count", "ExtendedStatistics": {"p50": 1.0}});
        let document = json!({"Label": "a<b", "Datapoints": [point]});
        assert_eq!(
            members(shape, &document),
            "<Label>a&lt;b</Label><Datapoints><member><Timestamp>1970-01-01T00:01:00Z</Timestamp><Sum>2.5</Sum>\
             <Unit>Count</Unit><ExtendedStatistics><entry><key>p50</key><value>1.0</value></entry></ExtendedStatistics>\
             </member></Datapoints>"
        );
    }
}
