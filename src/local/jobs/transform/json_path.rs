//! The JSONPath of `DataProcessing`: names, indices and slices, as the service documents them.

use serde_json::{Map, Value};

/// A path such as `$.features`, `$['id','SageMakerOutput']`, `$[0,-1]` or `$[1:]`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local) struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    /// An object with these of the members.
    Names(Vec<String>),
    /// Counted from the end where negative.
    Index(i64),
    Indices(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
}

impl JsonPath {
    /// Parses a path; the text says what is not supported.
    pub(in crate::local) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim().strip_prefix('$').ok_or("it does not begin with $")?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let step;
            if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                let name = &tail[..end];
                if name.is_empty() || name.contains(['*', '@', '?', '(', ']', '\'', '"']) {
                    return Err(format!("the operator .{name} is not supported"));
                }
                step = Step::Name(name.to_owned());
                rest = &tail[end..];
            } else if let Some(tail) = rest.strip_prefix('[') {
                (step, rest) = bracket(tail)?;
            } else {
                return Err("a step begins with . or [".to_owned());
            }
            steps.push(step);
        }
        Ok(Self(steps))
    }

    /// Whether the path stands for all there is.
    pub(in crate::local) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// What the path selects; `None` if there is nothing.
    pub(super) fn select(&self, value: &Value) -> Option<Value> {
        select(&self.0, value)
    }
}

/// What is within brackets, and what follows them.
fn bracket(text: &str) -> Result<(Step, &str), String> {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    if rest.starts_with(['\'', '"']) {
        loop {
            let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"')).ok_or("a name is quoted")?;
            let (name, tail) = rest[1..].split_once(quote).ok_or("a quote is not closed")?;
            names.push(name.to_owned());
            let tail = tail.trim_start();
            if let Some(after) = tail.strip_prefix(']') {
                let step = if names.len() == 1 { Step::Name(names.remove(0)) } else { Step::Names(names) };
                return Ok((step, after));
            }
            rest = tail.strip_prefix(',').ok_or("names are separated by commas")?.trim_start();
        }
    }
    let (inner, after) = text.split_once(']').ok_or("a bracket is not closed")?;
    let number =
        |text: &str| text.trim().parse::<i64>().map_err(|_| format!("the operator [{inner}] is not supported"));
    if let Some((from, to)) = inner.split_once(':') {
        let end = |text: &str| if text.trim().is_empty() { Ok(None) } else { number(text).map(Some) };
        return Ok((Step::Slice(end(from)?, end(to)?), after));
    }
    let indices: Vec<i64> = inner.split(',').map(number).collect::<Result<_, _>>()?;
    let step = match indices.as_slice() {
        [only] => Step::Index(*only),
        _ => Step::Indices(indices),
    };
    Ok((step, after))
}

fn select(steps: &[Step], value: &Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value.clone()) };
    match step {
        Step::Name(name) => select(rest, value.get(name)?),
        Step::Names(names) => {
            let object = value.as_object()?;
            let member = |name: &String| Some((name.clone(), select(rest, object.get(name)?)?));
            let found: Map<String, Value> = names.iter().filter_map(member).collect();
            (!found.is_empty()).then_some(Value::Object(found))
        }
        Step::Index(index) => select(rest, at(value.as_array()?, *index)?),
        Step::Indices(indices) => {
            let items = value.as_array()?;
            let found: Vec<Value> = indices.iter().filter_map(|index| select(rest, at(items, *index)?)).collect();
            (!found.is_empty()).then_some(Value::Array(found))
        }
        Step::Slice(from, to) => {
            let items = value.as_array()?;
            let place = |index: i64| match usize::try_from(index) {
                Ok(index) => index.min(items.len()),
                Err(_) => items.len().saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
            };
            let (from, to) = (from.map_or(0, place), to.map_or(items.len(), place));
            let found = items.get(from..to).unwrap_or_default();
            Some(Value::Array(found.iter().filter_map(|item| select(rest, item)).collect()))
        }
    }
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    match usize::try_from(index) {
        Ok(index) => items.get(index),
        Err(_) => items.get(items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn selected(path: &str, value: &Value) -> Option<Value> {
        JsonPath::parse(path).unwrap().select(value)
    }

    #[test]
    fn paths_select() {
        let value = json!({"id": 7, "features": [1, 2, 3], "in ner": {"a": true}});
        assert_eq!(selected("$", &value), Some(value.clone()));
        assert_eq!(selected("$.features", &value), Some(json!([1, 2, 3])));
        assert_eq!(selected("$['in ner'].a", &value), Some(json!(true)));
        assert_eq!(selected("$['id', \"features\"]", &value), Some(json!({"id": 7, "features": [1, 2, 3]})));
        assert_eq!(selected("$.features[-1]", &value), Some(json!(3)));
        assert_eq!(selected("$.nothing", &value), None);
        let row = json!(["a", "b", "c"]);
        for (path, expected) in [
            ("$[0]", json!("a")),
            ("$[0,-1]", json!(["a", "c"])),
            ("$[1:]", json!(["b", "c"])),
            ("$[:-1]", json!(["a", "b"])),
            ("$[-2:]", json!(["b", "c"])),
            ("$[5:2]", json!([])),
        ] {
            assert_eq!(selected(path, &row), Some(expected), "{path}");
        }
        assert_eq!(selected("$[3]", &row), None);
        assert_eq!(selected("$[-4]", &row), None);
        assert_eq!(selected("$[1:].x", &json!([{"x": 1}, {"x": 2}, {"y": 3}])), Some(json!([2])));
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for path in ["", "a", "$..a", "$.*", "$[*]", "$[?(@.a)]", "$[", "$['a", "$['a'", "$x", "$[a]", "$[1:2:3]", "$."]
        {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in r#"\$?[\.\[\]'":,\-a-z0-9é*$ ]{0,20}"#) {
            if let Ok(path) = JsonPath::parse(&text) {
                path.select(&json!({"a": [1, {"b": 2}]}));
                path.select(&json!([[1], [2, 3], {"a": 1}]));
            }
        }

        #[test]
        fn slices_are_those_of_the_standard(from in -6i64..6, to in -6i64..6) {
            let row = json!([0, 1, 2, 3]);
            let path = format!("$[{from}:{to}]");
            let ours = selected(&path, &row).unwrap();
            let theirs = serde_json_path::JsonPath::parse(&path).unwrap();
            let theirs: Vec<Value> = theirs.query(&row).all().into_iter().cloned().collect();
            prop_assert_eq!(ours, Value::Array(theirs));
        }
    }
}
