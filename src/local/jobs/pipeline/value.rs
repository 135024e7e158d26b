//! Values of a pipeline definition: what refers to parameters, to the execution and to the properties of steps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// What a value may refer to.
pub(super) struct Scope {
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) execution: Map<String, Value>,
    /// The properties of steps that are over: what Describe tells of their jobs.
    pub(super) steps: BTreeMap<String, Value>,
}

impl Scope {
    /// A value without references; the error says which one leads nowhere.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::Object(members) => self.resolve_object(members),
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            other => Ok(other.clone()),
        }
    }

    fn resolve_object(&self, members: &Map<String, Value>) -> Result<Value, String> {
        let only = members.iter().next().filter(|_| members.len() == 1);
        match only.map(|(name, value)| (name.as_str(), value)) {
            Some(("Get", Value::String(path))) => self.get(path),
            Some(("Std:Join", join)) => {
                let on = join["On"].as_str().unwrap_or_default();
                let parts: Vec<String> = join["Values"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|part| self.text(part))
                    .collect::<Result<_, _>>()?;
                Ok(Value::from(parts.join(on)))
            }
            Some((function, _)) if function.starts_with("Std:") => {
                Err(format!("The local backend does not support {function} in pipeline definitions."))
            }
            _ => members.iter().map(|(name, value)| Ok((name.clone(), self.resolve(value)?))).collect(),
        }
    }

    fn text(&self, value: &Value) -> Result<String, String> {
        Ok(match self.resolve(value)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        let unknown = || format!("{path} refers to nothing.");
        let parts = split(path).ok_or_else(unknown)?;
        let found = match parts.split_first() {
            Some((first, rest)) if first == "Parameters" => {
                let name = rest.first().ok_or_else(unknown)?;
                self.parameters.get(name)
            }
            Some((first, rest)) if first == "Execution" => rest.first().and_then(|name| self.execution.get(name)),
            Some((first, rest)) if first == "Steps" => {
                let (step, rest) = rest.split_first().ok_or_else(unknown)?;
                rest.iter().try_fold(self.steps.get(step).ok_or_else(unknown)?, inner)
            }
            _ => None,
        };
        found.cloned().ok_or_else(unknown)
    }
}

/// A member of an object, or an element of a list by its position or by the name of its output or channel.
fn inner<'a>(value: &'a Value, part: &String) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(part),
        Value::Array(items) => {
            let by_name = |item: &&Value| {
                ["OutputName", "InputName", "ChannelName", "MetricName"].iter().any(|name| item[*name] == **part)
            };
            part.parse::<usize>().ok().and_then(|at| items.get(at)).or_else(|| items.iter().find(by_name))
        }
        _ => None,
    }
}

/// The parts of a path such as `Steps.Process.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`.
fn split(path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (part, after) = inside.split_once(']')?;
            parts.push(part.trim_matches(['\'', '"']).to_owned());
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            parts.push(rest.get(..end)?.to_owned());
            let after = rest.get(end..)?;
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    (!parts.iter().any(String::is_empty)).then_some(parts)
}

/// The steps that a value refers to.
pub(super) fn references(value: &Value, found: &mut BTreeSet<String>) {
    references_to("Steps", value, found);
}

/// The names that a value refers to among the `Steps` or the `Parameters`.
pub(super) fn references_to(whose: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(path) = members.get("Get").and_then(Value::as_str).filter(|_| members.len() == 1) {
                let mut parts = split(path).unwrap_or_default().into_iter();
                if parts.next().as_deref() == Some(whose) {
                    found.extend(parts.next());
                }
            }
            members.values().for_each(|inner| references_to(whose, inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references_to(whose, inner, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope {
            parameters: BTreeMap::from([("Count".to_owned(), json!(2)), ("Bucket".to_owned(), json!("b"))]),
            execution: Map::from_iter([("PipelineName".to_owned(), json!("p"))]),
            steps: BTreeMap::from([(
                "Prepare".to_owned(),
                json!({"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}], "Name": "n"}),
            )]),
        }
    }

    #[test]
    fn references_are_resolved() {
        for (value, expected) in [
            (json!({"Get": "Parameters.Count"}), json!(2)),
            (json!({"Get": "Execution.PipelineName"}), json!("p")),
            (json!({"Get": "Steps.Prepare.Outputs['train'].S3Output.S3Uri"}), json!("s3://b/train")),
            (json!({"Get": "Steps.Prepare.Outputs[0].OutputName"}), json!("train")),
            (
                json!([{"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Bucket"}, 1]}}, true]),
                json!(["s3://b/1", true]),
            ),
            (json!({"a": {"Get": "Parameters.Bucket"}, "Get": "x"}), json!({"a": "b", "Get": "x"})),
        ] {
            assert_eq!(scope().resolve(&value), Ok(expected));
        }
        for path in
            ["Parameters.No", "Steps.No.Name", "Steps.Prepare.No", "No", "", "Steps", "Steps.Prepare.Outputs[9]"]
        {
            assert!(scope().resolve(&json!({"Get": path})).is_err(), "{path}");
        }
        let mut found = BTreeSet::new();
        references(&json!({"a": [{"Get": "Steps.One.x"}], "b": {"Get": "Parameters.P"}}), &mut found);
        assert_eq!(found, BTreeSet::from(["One".to_owned()]));
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "[A-Za-z.\\[\\]'0-9\u{e9}]{0,40}") {
            let _ = scope().resolve(&json!({"Get": path}));
        }
    }
}
