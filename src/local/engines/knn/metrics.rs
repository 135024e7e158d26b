//! The scores that are logged after training.

use super::model::Model;
use crate::local::engines::TrainingTask;
use crate::local::engines::numeric::data::Dataset;
use crate::local::engines::numeric::log::{Log, Sense};
use crate::local::engines::numeric::scores;

/// Logs the scores on the test data; false if the job was stopped meanwhile.
pub(super) fn report(task: &TrainingTask, log: &Log<'_>, model: &Model, test: &Dataset) -> bool {
    let mut said = Vec::with_capacity(test.rows());
    for row in test.features.iter() {
        if task.is_stopping() {
            return false;
        }
        said.push(f64::from(model.ask(row).label));
    }
    if model.classifies {
        let right = said.iter().zip(&test.labels).filter(|(said, label)| **said == f64::from(**label)).count();
        log.score("test", "accuracy", Sense::Score, right as f64 / test.rows() as f64);
    } else {
        let found = scores::regression(&said, &test.labels);
        log.score("test", "mse", Sense::Loss, found.mse);
        log.score("test", "rmse", Sense::Loss, found.mse.sqrt());
    }
    true
}
