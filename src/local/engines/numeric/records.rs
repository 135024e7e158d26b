//! Records of RecordIO-protobuf as rows, and predictions as records.

use bytes::Bytes;

use super::answer::{Prediction, Value};
use super::matrix::Matrix;
use crate::codec::recordio::{self, Record, RecordWriter, Tensor};

/// The name of a row's features, and of its label.
const VALUES: &str = "values";

/// Adds the rows of a body, and calls with each label.
///
/// # Errors
/// The record, counted from 0, and what is wrong with it.
pub(in crate::local::engines) fn rows(
    body: &Bytes,
    mut label: impl FnMut(f32),
    rows: &mut Matrix,
) -> Result<(), String> {
    for (at, frame) in recordio::frames(body.clone()).enumerate() {
        let in_record = |why: String| format!("record {at}: {why}");
        let record = frame.and_then(Record::decode).map_err(|error| in_record(error.to_string()))?;
        let features = record.feature(VALUES).ok_or_else(|| in_record("it has no feature 'values'".to_owned()))?;
        push(features, rows).map_err(in_record)?;
        match record.label(VALUES).map(Tensor::to_f64).as_deref() {
            None | Some([]) => {}
            Some([value]) => label(*value as f32),
            Some(_) => return Err(in_record("its label has more than one number".to_owned())),
        }
    }
    Ok(())
}

fn push(features: &Tensor, rows: &mut Matrix) -> Result<(), String> {
    let values: Vec<f32> = features.to_f64().into_iter().map(|value| value as f32).collect();
    if !features.is_sparse() {
        return rows.push_dense(&values);
    }
    let width = match features.shape.last() {
        Some(width) => usize::try_from(*width).map_err(|_| "its shape is too large".to_owned())?,
        None if rows.columns() > 0 => rows.columns(),
        None => return Err("it has keys but no shape".to_owned()),
    };
    rows.push_sparse(width, &features.keys, &values)
}

/// Writes one record a prediction, with the values as labels.
pub(in crate::local::engines) fn encode(predictions: &[Prediction]) -> crate::Result<Bytes> {
    let mut writer = RecordWriter::new();
    for prediction in predictions {
        let record = prediction.iter().fold(Record::default(), |record, (name, value)| {
            let values = match value {
                Value::Number(value) | Value::Whole(value) => vec![*value],
                Value::List(values) => values.clone(),
            };
            record.with_label(*name, Tensor::dense(values))
        });
        writer.record(&record)?;
    }
    Ok(writer.finish())
}
