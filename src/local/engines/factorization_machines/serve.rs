//! Answers: the score of a row, and for a classifier the class.

use super::metrics::sigmoid;
use super::model::Model;
use crate::local::engines::numeric::answer::{Prediction, Value};
use crate::local::engines::numeric::content::{JSON, JSON_LINES, RECORDIO};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::serving::Predictor;

impl Predictor for Model {
    const ACCEPTED: &'static [&'static str] = &[JSON, JSON_LINES, RECORDIO];

    fn columns(&self) -> usize {
        self.columns
    }

    fn predict(&self, rows: &Matrix, _verbose: bool) -> Vec<Prediction> {
        let mut sums = vec![0.0; self.machine.factor_count];
        let one = |value: f64| match self.classifies {
            true => vec![
                ("score", Value::Number(sigmoid(value) as f32)),
                ("predicted_label", Value::Whole(f32::from(u8::from(value >= 0.0)))),
            ],
            false => vec![("score", Value::Number(value as f32))],
        };
        rows.iter().map(|row| one(self.machine.value(row, &mut sums))).collect()
    }
}
