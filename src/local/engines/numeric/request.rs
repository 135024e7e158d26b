//! Reading the rows of a request: CSV, JSON, JSON Lines or RecordIO-protobuf.

use serde::Deserialize;

use super::content::{self, CSV, JSON, JSON_LINES, RECORDIO};
use super::matrix::Matrix;
use super::{csv, records};
use crate::local::engines::{Invocation, InvocationFailure};

#[derive(Deserialize)]
struct Document {
    instances: Vec<Instance>,
}

/// `{"features": [..]}` or `{"data": {"features": {"values": [..]}}}`; the second may be sparse.
#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    features: Option<Vec<f32>>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    features: Tensor,
}

#[derive(Deserialize)]
struct Tensor {
    values: Vec<f32>,
    #[serde(default)]
    keys: Option<Vec<u64>>,
    #[serde(default)]
    shape: Option<Shape>,
}

/// `[4]` or `4`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    One(u64),
    List(Vec<u64>),
}

/// Reads the rows of a request, of `columns` features each.
///
/// # Errors
/// 415 for a content type that is not `accepted`, 400 for a body that is not what its content type says.
pub(in crate::local::engines) fn rows(
    request: &Invocation,
    columns: usize,
    accepted: &[&str],
) -> Result<Matrix, InvocationFailure> {
    let essence = content::essence(&request.content_type);
    if !accepted.contains(&essence.as_str()) {
        let what = format!("Content-Type '{essence}' is not supported. Supported are: {}", accepted.join(", "));
        return Err(InvocationFailure::new(415, what));
    }
    let mut rows = Matrix::new(Some(columns));
    let read = match essence.as_str() {
        CSV => csv::rows(&request.body, |row| rows.push_dense(row)),
        JSON => json(&request.body, &mut rows),
        JSON_LINES => json_lines(&request.body, &mut rows),
        RECORDIO => records::rows(&request.body, |_| {}, &mut rows),
        _ => Err("the content type is not known".to_owned()),
    };
    let invalid = |why: String| InvocationFailure::new(400, format!("unable to evaluate payload provided: {why}"));
    read.map_err(invalid)?;
    if rows.rows() == 0 {
        return Err(invalid("it has no record".to_owned()));
    }
    match rows.has_strange_values() {
        true => Err(invalid("a value is not finite".to_owned())),
        false => Ok(rows),
    }
}

fn json(body: &[u8], rows: &mut Matrix) -> Result<(), String> {
    let document: Document = serde_json::from_slice(body).map_err(|error| in_words(&error))?;
    document.instances.iter().try_for_each(|instance| push(instance, rows))
}

fn json_lines(body: &[u8], rows: &mut Matrix) -> Result<(), String> {
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let instance: Instance =
            serde_json::from_slice(line).map_err(|error| format!("line {}: {}", at + 1, in_words(&error)))?;
        push(&instance, rows).map_err(|why| format!("line {}: {why}", at + 1))?;
    }
    Ok(())
}

fn push(instance: &Instance, rows: &mut Matrix) -> Result<(), String> {
    match instance {
        Instance { features: Some(features), .. } => rows.push_dense(features),
        Instance { data: Some(Data { features: Tensor { values, keys: None, .. } }), .. } => rows.push_dense(values),
        Instance { data: Some(Data { features: Tensor { values, keys: Some(keys), shape } }), .. } => {
            let width = match shape {
                None => Ok(rows.columns()),
                Some(Shape::One(width)) => usize::try_from(*width),
                Some(Shape::List(shape)) => usize::try_from(shape.last().copied().unwrap_or(0)),
            };
            rows.push_sparse(width.map_err(|_| "the shape is too large")?, keys, values)
        }
        _ => Err("an instance has neither \"features\" nor \"data\"".to_owned()),
    }
}

/// Where JSON is wrong, without what stands there.
fn in_words(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "is not of the form that is expected" } else { "is no valid JSON" };
    format!("it {what} (line {}, column {})", error.line(), error.column())
}
