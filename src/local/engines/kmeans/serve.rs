//! Answers: the closest cluster and its distance.

use super::model::Model;
use crate::local::engines::numeric::answer::{Prediction, Value};
use crate::local::engines::numeric::content::{CSV, JSON, JSON_LINES, RECORDIO};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::serving::Predictor;

impl Predictor for Model {
    const ACCEPTED: &'static [&'static str] = &[CSV, JSON, JSON_LINES, RECORDIO];
    const ANSWERS_CSV: bool = true;

    fn columns(&self) -> usize {
        Model::columns(self)
    }

    fn predict(&self, rows: &Matrix, _verbose: bool) -> Vec<Prediction> {
        let one = |(cluster, square): (usize, f64)| {
            vec![
                ("closest_cluster", Value::Number(cluster as f32)),
                ("distance_to_cluster", Value::Number(square.sqrt() as f32)),
            ]
        };
        rows.iter().map(|row| one(self.closest(row))).collect()
    }
}
