//! Answers: a score a row, and for classifiers the class.

use super::hyperparameters::Predictor;
use super::model::Model;
use crate::local::engines::numeric::answer::{Prediction, Value};
use crate::local::engines::numeric::content::{CSV, JSON, JSON_LINES, RECORDIO};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::serving;

impl serving::Predictor for Model {
    const ACCEPTED: &'static [&'static str] = &[CSV, JSON, JSON_LINES, RECORDIO];

    fn columns(&self) -> usize {
        self.columns
    }

    fn predict(&self, rows: &Matrix, _verbose: bool) -> Vec<Prediction> {
        let one = |scores: Vec<f64>| {
            let class = self.class(&scores) as f32;
            match self.predictor {
                Predictor::Regressor => vec![("score", Value::Number(scores[0] as f32))],
                Predictor::Binary => {
                    vec![("score", Value::Number(scores[0] as f32)), ("predicted_label", Value::Whole(class))]
                }
                Predictor::Multiclass => {
                    let scores = scores.iter().map(|score| *score as f32).collect();
                    vec![("score", Value::List(scores)), ("predicted_label", Value::Whole(class))]
                }
            }
        };
        rows.iter().map(|row| one(self.scores(row))).collect()
    }
}
