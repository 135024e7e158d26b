//! Answers: the label of a row, and if asked for the neighbours behind it.

use super::model::Model;
use crate::local::engines::numeric::answer::{Prediction, Value};
use crate::local::engines::numeric::content::{CSV, JSON, JSON_LINES, RECORDIO};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::serving::Predictor;

impl Predictor for Model {
    const ACCEPTED: &'static [&'static str] = &[CSV, JSON, JSON_LINES, RECORDIO];
    const SLOW: bool = true;

    fn columns(&self) -> usize {
        self.columns
    }

    fn predict(&self, rows: &Matrix, verbose: bool) -> Vec<Prediction> {
        let one = |row| {
            let answer = self.ask(row);
            let mut prediction = vec![("predicted_label", Value::Number(answer.label))];
            if verbose {
                let distances = answer.neighbours.iter().map(|one| one.distance).collect();
                let labels = answer.neighbours.iter().map(|one| self.labels[one.place]).collect();
                prediction.push(("distances", Value::List(distances)));
                prediction.push(("labels", Value::List(labels)));
            }
            prediction
        };
        rows.iter().map(one).collect()
    }
}
