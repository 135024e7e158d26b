//! YAML as the Python SDK's parser reads it: version 1.1, where `no` is false, with anchors and merge keys.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// Deeper than any defaults file.
const DEEPEST: usize = 64;
/// A few aliases of aliases could fill the memory.
const MOST_NODES: usize = 50_000;

const MERGE: &str = "<<";

/// A list or mapping that is open.
struct Open {
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping { members: Map<String, Value>, merged: Vec<Value>, key: Option<String> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    nodes: usize,
    root: Option<Value>,
}

/// The one document of a text; `None` for an empty one.
pub(super) fn read(text: &str) -> Result<Option<Value>, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        builder.take(event).map_err(|why| format!("line {}: {why}", span.start.line()))?;
    }
    Ok(builder.root.filter(|root| !root.is_null()))
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match tag.as_deref().map(kind_of).transpose()? {
                    Some("str") => Value::String(text.into_owned()),
                    Some(_) | None if style == ScalarStyle::Plain => plain(&text),
                    Some(_) | None => Value::String(text.into_owned()),
                };
                self.done(value, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(anchor, tag.as_deref(), Content::List(Vec::new())),
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Mapping { members: Map::new(), merged: Vec::new(), key: None };
                self.begin(anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Err("nothing is open".to_owned()) };
                self.done(open.content.close()?, open.anchor)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().ok_or("an alias stands for what it is part of")?;
                self.count(&value)?;
                self.done(value, 0)
            }
            Event::DocumentStart(..) if self.root.is_some() => Err("there is a second document".to_owned()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), String> {
        tag.map(kind_of).transpose()?;
        if self.open.len() == DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        self.open.push(Open { anchor, content });
        Ok(())
    }

    /// A value is complete, and belongs to what is open.
    fn done(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err("it is too large".to_owned());
        }
        if anchor > 0 {
            self.count(&value)?;
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(value),
            Some(Content::List(items)) => items.push(value),
            Some(Content::Mapping { members, merged, key }) => match key.take() {
                None => *key = Some(as_key(value)?),
                Some(name) if name == MERGE => merged.push(value),
                // The later of two equal keys counts.
                Some(name) => drop(members.insert(name, value)),
            },
        }
        Ok(())
    }

    fn count(&mut self, value: &Value) -> Result<(), String> {
        self.nodes += size(value);
        if self.nodes > MOST_NODES { Err("its aliases make it too large".to_owned()) } else { Ok(()) }
    }
}

impl Content {
    fn close(self) -> Result<Value, String> {
        let (mut members, merged) = match self {
            Self::List(items) => return Ok(Value::Array(items)),
            Self::Mapping { members, merged, .. } => (members, merged),
        };
        let below = merged.into_iter().flat_map(|value| match value {
            Value::Array(items) => items,
            other => vec![other],
        });
        for mapping in below {
            let Value::Object(mapping) = mapping else { return Err(format!("{MERGE} needs a mapping")) };
            for (name, value) in mapping {
                members.entry(name).or_insert(value);
            }
        }
        Ok(Value::Object(members))
    }
}

/// The number of values in a value. It is as deep as the document at most.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

fn as_key(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Array(_) | Value::Object(_) => Err("a key is a text".to_owned()),
        other => Ok(other.to_string()),
    }
}

/// What a tag of YAML's own says; there are no others in these files.
fn kind_of(tag: &Tag) -> Result<&'static str, String> {
    let known = ["str", "int", "float", "bool", "null", "map", "seq"];
    let suffix = tag.core_suffix().and_then(|suffix| known.into_iter().find(|known| *known == suffix));
    suffix.ok_or_else(|| format!("the tag {tag} is not known"))
}

/// What a text without quotes stands for.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.trim_start_matches(['+', '-']);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.len() <= digits.len() + 1;
    if !numeric {
        return Value::String(text.to_owned());
    }
    let bare = text.replace('_', "");
    let bare = bare.trim_start_matches('+');
    if let Ok(number) = bare.parse::<i64>() {
        return number.into();
    }
    // A number with an exponent has a point and a sign there, or it is a text.
    let real = bare.contains('.') && bare.split_once(['e', 'E']).is_none_or(|(_, power)| power.starts_with(['+', '-']));
    let number = bare.parse::<f64>().ok().filter(|_| real).and_then(serde_json::Number::from_f64);
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_are_those_of_the_python_sdk() {
        let of = |text: &str| read(&format!("a: {text}")).unwrap().unwrap()["a"].clone();
        for (text, value) in [
            ("no", json!(false)),
            ("yes", json!(true)),
            ("On", json!(true)),
            ("y", json!("y")),
            ("12345", json!(12345)),
            ("-7", json!(-7)),
            ("1_000", json!(1000)),
            ("0o10", json!("0o10")),
            ("1e3", json!("1e3")),
            (".5", json!(0.5)),
            ("1.0", json!(1.0)),
            ("1.5e+3", json!(1500.0)),
            ("~", json!(null)),
            ("'x'", json!("x")),
            ("'no'", json!("no")),
            ("\"1\"", json!("1")),
            ("!!str 1", json!("1")),
            ("arn:aws:iam::123456789012:role/x", json!("arn:aws:iam::123456789012:role/x")),
            ("--1", json!("--1")),
            ("...", json!("...")),
        ] {
            assert_eq!(of(text), value, "{text}");
        }
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let text = "base: &b {x: 1, y: 1}\nmore: &m {z: 3}\nall:\n  <<: [*b, *m]\n  y: 2\nlist: [*m, a]";
        let value = read(text).unwrap().unwrap();
        assert_eq!(value["all"], json!({"x": 1, "y": 2, "z": 3}));
        assert_eq!(value["list"], json!([{"z": 3}, "a"]));
    }

    #[test]
    fn what_is_no_defaults_file_is_refused() {
        let bomb: String =
            (1..12).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","))).collect();
        for bad in [
            format!("a0: &a0 x\n{bomb}"),
            format!("{}{}", "[".repeat(100), "]".repeat(100)),
            "a: !!python/object x".to_owned(),
            "a: !own x".to_owned(),
            "a: 1\n---\nb: 2".to_owned(),
            "? [a]\n: b".to_owned(),
            "<<: 1".to_owned(),
            "a: [".to_owned(),
            "a: *b".to_owned(),
            "a: &a [*a]".to_owned(),
        ] {
            assert!(read(&bad).is_err(), "{}", bad.chars().take(40).collect::<String>());
        }
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("# nothing\n"), Ok(None));
    }
}
