//! Predictions as text.
//!
//! The container turns XGBoost's 32-bit floats into Python floats before it prints them, so that 0.1 comes out as
//! `0.10000000149011612`; see the example in AWS's page "Common Data Formats for Inference".

use super::{Predictions, python};

/// Up to version 1.2: all on one line, no line end.
pub(super) fn joined(predictions: &Predictions) -> String {
    separated(predictions, ',')
}

/// Batch transform: one prediction a line, a list in brackets where there are several values.
pub(super) fn lines(predictions: &Predictions) -> String {
    let mut out = separated(predictions, '\n');
    out.push('\n');
    out
}

/// From version 1.3 on.
///
/// # Errors
/// For types that the container's check lets pass but its encoder does not know.
pub(super) fn typed(predictions: &Predictions, accept: &str) -> Result<String, String> {
    match accept {
        "text/csv" => Ok(csv(predictions)),
        "application/json" => Ok(json(predictions)),
        _ => Err(format!(
            "Content type {accept} is not supported by this framework: the container gives it only for selected content \
             (environment variable SAGEMAKER_INFERENCE_OUTPUT); accept text/csv or application/json"
        )),
    }
}

fn separated(predictions: &Predictions, separator: char) -> String {
    let mut out = String::with_capacity(predictions.values.len() * 20);
    for (index, row) in predictions.rows().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        push_python(&mut out, row, python::push_float);
    }
    out
}

fn csv(predictions: &Predictions) -> String {
    let mut out = String::with_capacity(predictions.values.len() * 20);
    for row in predictions.rows() {
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            python::push_float(&mut out, f64::from(*value));
        }
        out.push('\n');
    }
    out
}

fn json(predictions: &Predictions) -> String {
    let mut out = String::with_capacity(predictions.values.len() * 32);
    out.push_str("{\"predictions\": [");
    for (index, row) in predictions.rows().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str("{\"score\": ");
        push_python(&mut out, row, python::push_json_float);
        out.push('}');
    }
    out.push_str("]}");
    out
}

/// One value plainly, several as a list.
fn push_python(out: &mut String, row: &[f32], push: impl Fn(&mut String, f64)) {
    if let [only] = row {
        return push(out, f64::from(*only));
    }
    out.push('[');
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push(out, f64::from(*value));
    }
    out.push(']');
}
