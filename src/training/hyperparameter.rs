//! Values of hyperparameters, and the two ways in which the Python SDK writes them.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::codec::python_float;

/// The value of a hyperparameter: a number, a text, a truth, nothing, or lists and maps of these.
///
/// All values travel as text. The SageMaker Python SDK writes them in two ways, and containers are used to both:
/// [`to_text`](Self::to_text) for any image and the built-in algorithms, [`to_json`](Self::to_json) for script mode.
///
/// ```
/// use sagemaker::training::HyperparameterValue;
///
/// let value = HyperparameterValue::from(true);
/// assert_eq!((value.to_text().as_str(), value.to_json().as_str()), ("True", "true"));
/// assert_eq!(HyperparameterValue::from(1e-5).to_text(), "1e-05");
/// assert_eq!(HyperparameterValue::from(vec![1, 2]).to_json(), "[1, 2]");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HyperparameterValue(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Nothing,
    Truth(bool),
    Whole(i128),
    Real(f64),
    Text(String),
    List(Vec<Kind>),
    Map(Vec<(String, Kind)>),
    /// Of a job, as it was written there.
    Written(String),
}

impl HyperparameterValue {
    /// The value that a job was given as JSON. One that would be written otherwise, such as `1e5` or `{"a":1}`, or that is
    /// no JSON, stays as it is.
    pub(crate) fn of_json(text: &str) -> Self {
        let value = serde_json::from_str::<serde_json::Value>(text).ok().map(Self::from);
        let same = value.filter(|value| value.to_json() == text);
        same.unwrap_or_else(|| Self(Kind::Written(text.to_owned())))
    }

    /// Names with values, written in this order; that of a [`BTreeMap`] is by name, as is that of JSON.
    pub fn map<N: Into<String>, V: Into<Self>>(members: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(Kind::Map(members.into_iter().map(|(name, value)| (name.into(), value.into().0)).collect()))
    }

    /// As Python's `str` writes it: texts as they are, `True`, `None`, `2.0`, `[1, 'two']`.
    pub fn to_text(&self) -> String {
        match &self.0 {
            Kind::Text(text) => text.clone(),
            other => {
                let mut out = String::new();
                other.push(Style::Python, &mut out);
                out
            }
        }
    }

    /// As JSON in Python's layout: texts in quotes, `true`, `null`, `2.0`, `[1, "two"]`.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.0.push(Style::Json, &mut out);
        out
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Python,
    Json,
}

impl Kind {
    fn push(&self, style: Style, out: &mut String) {
        match (self, style) {
            (Self::Nothing, Style::Python) => out.push_str("None"),
            (Self::Nothing, Style::Json) => out.push_str("null"),
            (Self::Truth(true), Style::Python) => out.push_str("True"),
            (Self::Truth(false), Style::Python) => out.push_str("False"),
            (Self::Truth(truth), Style::Json) => out.push_str(if *truth { "true" } else { "false" }),
            (Self::Whole(number), _) => out.push_str(&number.to_string()),
            (Self::Real(number), style) => out.push_str(&real(*number, style)),
            (Self::Written(text), _) => out.push_str(text),
            (Self::Text(text), Style::Python) => push_quoted(text, out),
            (Self::Text(text), Style::Json) => push_json(text, out),
            (Self::List(items), style) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    item.push(style, out);
                }
                out.push(']');
            }
            (Self::Map(members), style) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    match style {
                        Style::Python => push_quoted(name, out),
                        Style::Json => push_json(name, out),
                    }
                    out.push_str(": ");
                    value.push(style, out);
                }
                out.push('}');
            }
        }
    }
}

fn real(number: f64, style: Style) -> String {
    let words = match style {
        Style::Python => ["nan", "inf", "-inf"],
        Style::Json => ["NaN", "Infinity", "-Infinity"],
    };
    match number {
        _ if number.is_nan() => words[0].to_owned(),
        f64::INFINITY => words[1].to_owned(),
        f64::NEG_INFINITY => words[2].to_owned(),
        finite => python_float(finite),
    }
}

/// A text inside a list, as Python shows it.
fn push_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c < ' ' || ('\u{7f}'..='\u{a0}').contains(&c) || c == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// A JSON text of ASCII characters only.
fn push_json(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

macro_rules! whole {
    ($($number:ty),*) => {$(
        impl From<$number> for HyperparameterValue {
            fn from(number: $number) -> Self {
                Self(Kind::Whole(number as i128))
            }
        }
    )*};
}
whole!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, usize);

impl From<bool> for HyperparameterValue {
    fn from(truth: bool) -> Self {
        Self(Kind::Truth(truth))
    }
}

impl From<f64> for HyperparameterValue {
    fn from(number: f64) -> Self {
        Self(Kind::Real(number))
    }
}

impl From<f32> for HyperparameterValue {
    /// The shortest text that names the number, such as `0.1`, not its expansion.
    fn from(number: f32) -> Self {
        Self(Kind::Real(number.to_string().parse().unwrap_or_else(|_| f64::from(number))))
    }
}

impl From<&str> for HyperparameterValue {
    fn from(text: &str) -> Self {
        Self(Kind::Text(text.to_owned()))
    }
}

impl From<String> for HyperparameterValue {
    fn from(text: String) -> Self {
        Self(Kind::Text(text))
    }
}

impl From<&String> for HyperparameterValue {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl<T: Into<Self>> From<Option<T>> for HyperparameterValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Kind::Nothing), Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for HyperparameterValue {
    fn from(items: Vec<T>) -> Self {
        Self(Kind::List(items.into_iter().map(|item| item.into().0).collect()))
    }
}

impl<T: Into<Self>, const LENGTH: usize> From<[T; LENGTH]> for HyperparameterValue {
    fn from(items: [T; LENGTH]) -> Self {
        Vec::from(items).into()
    }
}

impl<T: Into<Self>> From<BTreeMap<String, T>> for HyperparameterValue {
    fn from(members: BTreeMap<String, T>) -> Self {
        Self(Kind::Map(members.into_iter().map(|(name, value)| (name, value.into().0)).collect()))
    }
}

impl From<serde_json::Value> for HyperparameterValue {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        Self(match value {
            Value::Null => Kind::Nothing,
            Value::Bool(truth) => Kind::Truth(truth),
            Value::Number(number) => match number.as_i128() {
                Some(whole) => Kind::Whole(whole),
                None => Kind::Real(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Kind::Text(text),
            Value::Array(items) => Kind::List(items.into_iter().map(|item| Self::from(item).0).collect()),
            Value::Object(members) => {
                Kind::Map(members.into_iter().map(|(name, value)| (name, Self::from(value).0)).collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn forms(value: impl Into<HyperparameterValue>) -> (String, String) {
        let value = value.into();
        (value.to_text(), value.to_json())
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        for (value, text, json) in [
            (forms(7), "7", "7"),
            (forms(-3_i8), "-3", "-3"),
            (forms(0.1), "0.1", "0.1"),
            (forms(0.1_f32), "0.1", "0.1"),
            (forms(2.0), "2.0", "2.0"),
            (forms(1e-5), "1e-05", "1e-05"),
            (forms(1e16), "1e+16", "1e+16"),
            (forms(f64::NAN), "nan", "NaN"),
            (forms(f64::NEG_INFINITY), "-inf", "-Infinity"),
            (forms(i128::MIN), "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
            (forms(HyperparameterValue::map([("z", 1), ("a", 2)])), "{'z': 1, 'a': 2}", "{\"z\": 1, \"a\": 2}"),
            (forms(u64::MAX), "18446744073709551615", "18446744073709551615"),
            (forms(true), "True", "true"),
            (forms("plain text"), "plain text", "\"plain text\""),
            (forms(""), "", "\"\""),
            (forms(None::<i32>), "None", "null"),
            (forms(json!([1, 2.5, "three"])), "[1, 2.5, 'three']", "[1, 2.5, \"three\"]"),
            (forms(json!({"k": null})), "{'k': None}", "{\"k\": null}"),
            (forms(vec!["it's", "a\n\"b\""]), "[\"it's\", 'a\\n\"b\"']", "[\"it's\", \"a\\n\\\"b\\\"\"]"),
            (forms("é\u{1f600}"), "é\u{1f600}", "\"\\u00e9\\ud83d\\ude00\""),
        ] {
            assert_eq!((value.0.as_str(), value.1.as_str()), (text, json));
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..5).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_a_job_was_told_is_told_again(text in "[ -~]{0,12}", value in any_json()) {
            prop_assert_eq!(HyperparameterValue::of_json(&text).to_json(), text);
            let written = HyperparameterValue::from(value.clone());
            prop_assert_eq!(HyperparameterValue::of_json(&written.to_json()), written);
        }

        #[test]
        fn json_reads_back(value in any_json()) {
            let written = HyperparameterValue::from(value.clone()).to_json();
            prop_assert!(written.is_ascii());
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
