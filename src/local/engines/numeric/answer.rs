//! Writing predictions: JSON, JSON Lines, RecordIO-protobuf or CSV.

use super::content::{self, CSV, JSON, JSON_LINES, RECORDIO};
use super::records;
use crate::local::engines::{InvocationFailure, Reply};

/// One named value of a prediction.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local::engines) enum Value {
    /// A number that is written with a decimal point.
    Number(f32),
    /// A number that is written without one.
    Whole(f32),
    /// Numbers.
    List(Vec<f32>),
}

/// What is said about one row: names and values in their order.
pub(in crate::local::engines) type Prediction = Vec<(&'static str, Value)>;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local::engines) enum Form {
    Json,
    JsonLines,
    RecordIo,
    Csv,
}

/// The form that a caller accepts, and whether it asked for more (`;verbose=true`).
///
/// # Errors
/// 406 for a type that is not written.
pub(in crate::local::engines) fn form(accept: &str, csv: bool) -> Result<(Form, bool), InvocationFailure> {
    let verbose = content::parameter(accept, "verbose").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let form = match content::essence(accept).as_str() {
        "" | "*/*" | "application/*" | JSON => Form::Json,
        JSON_LINES => Form::JsonLines,
        RECORDIO => Form::RecordIo,
        CSV if csv => Form::Csv,
        other => {
            let also = if csv { ", text/csv" } else { "" };
            let what = format!(
                "Accept type '{other}' is not supported. Supported are: {JSON}, {JSON_LINES}, {RECORDIO}{also}"
            );
            return Err(InvocationFailure::new(406, what));
        }
    };
    Ok((form, verbose))
}

/// Writes predictions; `list` names their list in JSON.
///
/// # Errors
/// 500 for an answer that cannot be written.
pub(in crate::local::engines) fn reply(
    form: Form,
    list: &str,
    predictions: &[Prediction],
) -> Result<Reply, InvocationFailure> {
    Ok(match form {
        Form::Json => {
            let items: Vec<String> = predictions.iter().map(object).collect();
            Reply::new(JSON, format!("{{\"{list}\": [{}]}}", items.join(", ")))
        }
        Form::JsonLines => {
            Reply::new(JSON_LINES, predictions.iter().map(|item| object(item) + "\n").collect::<String>())
        }
        Form::RecordIo => {
            let body = records::encode(predictions).map_err(|error| InvocationFailure::new(500, error.to_string()))?;
            Reply::new(RECORDIO, body)
        }
        Form::Csv => Reply::new("text/csv; charset=utf-8", predictions.iter().map(line).collect::<String>()),
    })
}

fn object(prediction: &Prediction) -> String {
    let fields: Vec<String> = prediction.iter().map(|(name, value)| format!("\"{name}\": {}", text(value))).collect();
    format!("{{{}}}", fields.join(", "))
}

fn line(prediction: &Prediction) -> String {
    let values = prediction.iter().map(|(_, value)| match value {
        Value::List(values) => values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(","),
        one => text(one),
    });
    values.collect::<Vec<_>>().join(",") + "\n"
}

fn text(value: &Value) -> String {
    match value {
        Value::Number(value) => number(*value),
        Value::Whole(value) => format!("{value:.0}"),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(|value| number(*value)).collect();
            format!("[{}]", values.join(", "))
        }
    }
}

/// A `float32` as Python prints it after NumPy has made it a `float`. A model of finite numbers may overflow; JSON has no
/// infinity, so the largest number stands for it.
fn number(value: f32) -> String {
    let value = if value.is_nan() { 0.0 } else { value.clamp(f32::MIN, f32::MAX) };
    format!("{:?}", f64::from(value))
}
