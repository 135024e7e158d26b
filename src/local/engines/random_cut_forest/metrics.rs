//! The scores that are logged after training.

use super::model::Model;
use crate::local::engines::TrainingTask;
use crate::local::engines::numeric::data::Dataset;
use crate::local::engines::numeric::log::{Log, Sense};
use crate::local::engines::numeric::scores::Confusion;

/// How many rows of the training data say what is usual.
const USUAL: usize = 5_000;

/// Standard deviations above the mean from which on a score tells an anomaly, as the developer guide suggests.
const DEVIATIONS: f64 = 3.0;

/// Logs how well the labels of the test data (1 for an anomaly) are found; false if the job was stopped meanwhile.
pub(super) fn report(
    task: &TrainingTask,
    log: &Log<'_>,
    names: &[String],
    model: &Model,
    train: &Dataset,
    test: &Dataset,
) -> bool {
    let mut usual = Vec::new();
    for row in train.features.iter().step_by(train.rows().div_ceil(USUAL).max(1)) {
        if task.is_stopping() {
            return false;
        }
        usual.push(model.score(row));
    }
    let count = usual.len().max(1) as f64;
    let mean = usual.iter().sum::<f64>() / count;
    let variance = usual.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count;
    let threshold = mean + DEVIATIONS * variance.sqrt();
    let mut table = Confusion::default();
    for (row, label) in test.features.iter().zip(&test.labels) {
        if task.is_stopping() {
            return false;
        }
        table.add(*label > 0.0, model.score(row) >= threshold);
    }
    for name in names {
        if name == "accuracy" {
            log.score("test", "accuracy", Sense::Score, table.accuracy());
        } else {
            log.score("test", "precision", Sense::Score, table.precision());
            log.score("test", "recall", Sense::Score, table.recall());
            log.score("test", "f1", Sense::Score, table.f(1.0));
        }
    }
    true
}
