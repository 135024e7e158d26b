//! Answers: the anomaly score of a row.

use super::model::Model;
use crate::local::engines::numeric::answer::{Prediction, Value};
use crate::local::engines::numeric::content::{CSV, JSON, JSON_LINES, RECORDIO};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::serving::Predictor;

impl Predictor for Model {
    const ACCEPTED: &'static [&'static str] = &[CSV, JSON, JSON_LINES, RECORDIO];
    const LIST: &'static str = "scores";
    const SLOW: bool = true;

    fn columns(&self) -> usize {
        self.columns
    }

    fn predict(&self, rows: &Matrix, _verbose: bool) -> Vec<Prediction> {
        rows.iter().map(|row| vec![("score", Value::Number(self.score(row) as f32))]).collect()
    }
}
