//! Answers: the projection of a row.

use super::model::Model;
use crate::local::engines::numeric::answer::{Prediction, Value};
use crate::local::engines::numeric::content::{CSV, JSON, JSON_LINES, RECORDIO};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::serving::Predictor;

impl Predictor for Model {
    const ACCEPTED: &'static [&'static str] = &[CSV, JSON, JSON_LINES, RECORDIO];
    const LIST: &'static str = "projections";

    fn columns(&self) -> usize {
        Model::columns(self)
    }

    fn predict(&self, rows: &Matrix, _verbose: bool) -> Vec<Prediction> {
        rows.iter().map(|row| vec![("projection", Value::List(self.project(row)))]).collect()
    }
}
