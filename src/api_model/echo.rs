use serde_json::Value;

use super::place::lower_first;
use super::table::{Kind, Shape, Table};

/// Nothing in the model nests deeper; what does is not echoed further.
const DEEPEST: usize = 64;

const REDACTED: &str = "***Sensitive Data Redacted***";

/// A value as the service's messages show it, Java's way: `[a, b]`, `{key=value}`. `None` for what is never shown.
pub(super) fn echo(table: Table, shape: &Shape, value: &Value) -> Option<String> {
    if shape.sensitive || matches!(shape.kind, Kind::Blob | Kind::EventStream) {
        return None;
    }
    let mut out = String::new();
    write(table, Some(shape), value, DEEPEST, &mut out);
    Some(out)
}

fn write(table: Table, shape: Option<&Shape>, value: &Value, deepest: usize, out: &mut String) {
    if deepest == 0 {
        out.push_str("...");
        return;
    }
    if shape.is_some_and(|shape| shape.sensitive) {
        out.push_str(REDACTED);
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            // A whole number is written as a real one where the model has a real one.
            Some(real) if shape.is_some_and(|shape| shape.kind == Kind::Float) => out.push_str(&format!("{real:?}")),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => out.push_str(text),
        Value::Array(values) => {
            let element = shape.and_then(Shape::element).and_then(|name| table.shape(name));
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(table, element.as_ref(), value, deepest - 1, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            let is_map = shape.is_some_and(|shape| shape.kind == Kind::Map);
            let element = shape.and_then(Shape::element).and_then(|name| table.shape(name));
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                if is_map {
                    out.push_str(key);
                    out.push('=');
                    write(table, element.as_ref(), value, deepest - 1, out);
                } else {
                    let member = shape
                        .and_then(|shape| shape.members().find(|member| member.name == key))
                        .and_then(|member| table.shape(member.shape));
                    out.push_str(&lower_first(key));
                    out.push('=');
                    write(table, member.as_ref(), value, deepest - 1, out);
                }
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Service;
    use super::*;

    fn shown(shape: &str, value: &Value) -> Option<String> {
        let table = Service::SageMaker.table();
        echo(table, &table.shape(shape).unwrap(), value)
    }

    #[test]
    fn values_are_shown_as_java_shows_them() {
        for (shape, value, text) in [
            ("HyperParameters", json!({"k": "v", "k2": "v2"}), "{k=v, k2=v2}"),
            ("SecurityGroupIds", json!(["a", "b"]), "[a, b]"),
            ("TrainingJobName", json!("a\"b"), "a\"b"),
            ("TagList", json!([{"Key": "a", "Value": "b"}]), "[{key=a, value=b}]"),
            ("VariantWeight", json!(2), "2.0"),
            ("MaxResults", json!(2), "2"),
        ] {
            assert_eq!(shown(shape, &value).as_deref(), Some(text));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("ClientSecret", &json!("secret")), None);
        let config = json!({"ClientId": "id", "ClientSecret": "secret"});
        let text = shown("OidcConfig", &config).unwrap();
        assert_eq!(text, format!("{{clientId=id, clientSecret={REDACTED}}}"));
    }

    #[test]
    fn a_deep_value_is_cut() {
        let mut value = json!("x");
        for _ in 0..5_000 {
            value = Value::Array(vec![value]);
        }
        assert!(shown("SecurityGroupIds", &value).unwrap().contains("..."));
        // Dropping a value recurses as well.
        while let Value::Array(mut inner) = value {
            value = inner.pop().unwrap();
        }
    }
}
