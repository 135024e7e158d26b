//! The scores that are logged after training.

use super::hyperparameters::{Predictor, Settings};
use super::model::{Model, largest};
use crate::local::engines::numeric::data::Dataset;
use crate::local::engines::numeric::log::{Log, Sense};
use crate::local::engines::numeric::scores::{self, Confusion};

/// Logs the scores of a model on a data set.
pub(super) fn report(log: &Log<'_>, name: &str, settings: &Settings, model: &Model, set: &Dataset) {
    let mut slope = vec![0.0; settings.classes];
    let mut objective = 0.0;
    for (row, label) in set.features.iter().zip(&set.labels) {
        objective += settings.loss.of(&model.margins(row), f64::from(*label), &mut slope);
    }
    objective /= set.rows().max(1) as f64;
    log.score(name, settings.loss.objective(), Sense::Loss, objective);
    match settings.predictor {
        Predictor::Regressor => regression(log, name, model, set),
        Predictor::Binary => binary(log, name, settings, model, set),
        Predictor::Multiclass => multiclass(log, name, settings, model, set),
    }
}

fn regression(log: &Log<'_>, name: &str, model: &Model, set: &Dataset) {
    let predicted: Vec<f64> = set.features.iter().map(|row| model.scores(row)[0]).collect();
    let found = scores::regression(&predicted, &set.labels);
    log.score(name, "mse", Sense::Loss, found.mse);
    log.score(name, "absolute_loss", Sense::Loss, found.absolute);
    log.score(name, "rmse", Sense::Loss, found.mse.sqrt());
    log.score(name, "r2", Sense::Score, found.r2);
    log.score(name, "mae", Sense::Loss, found.absolute);
}

fn binary(log: &Log<'_>, name: &str, settings: &Settings, model: &Model, set: &Dataset) {
    let mut table = Confusion::default();
    let mut scored = Vec::with_capacity(set.rows());
    for (row, label) in set.features.iter().zip(&set.labels) {
        let scores = model.scores(row);
        table.add(*label == 1.0, model.class(&scores) == 1);
        scored.push((scores[0], *label == 1.0));
    }
    let beta = settings.given.float("f_beta").unwrap_or(1.0);
    log.score(name, "binary_classification_accuracy", Sense::Score, table.accuracy());
    log.score(name, &format!("binary_f_{beta:.3}"), Sense::Score, table.f(beta));
    log.score(name, "precision", Sense::Score, table.precision());
    log.score(name, "recall", Sense::Score, table.recall());
    log.score(name, "roc_auc_score", Sense::Score, scores::roc_auc(&scored));
}

fn multiclass(log: &Log<'_>, name: &str, settings: &Settings, model: &Model, set: &Dataset) {
    let top = settings.given.count("accuracy_top_k").unwrap_or(3);
    let (mut said, mut labels) = (Vec::new(), Vec::new());
    let (mut in_top, mut gain) = (0.0, 0.0);
    for (row, label) in set.features.iter().zip(&set.labels) {
        let scores = model.scores(row);
        let label = *label as usize;
        let before = scores.iter().filter(|score| **score > scores[label]).count();
        in_top += f64::from(u8::from(before < top));
        gain += 1.0 / (before as f64 + 2.0).log2();
        said.push(largest(&scores));
        labels.push(label);
    }
    let count = set.rows().max(1) as f64;
    let right = said.iter().zip(&labels).filter(|(said, label)| said == label).count() as f64;
    let beta = settings.given.float("f_beta").unwrap_or(1.0);
    let [precision, recall, f] = scores::macro_scores(settings.classes, &said, &labels, beta);
    log.score(name, "multiclass_accuracy", Sense::Score, right / count);
    log.score(name, &format!("multiclass_top_k_accuracy_{top}"), Sense::Score, in_top / count);
    log.score(name, "dcg", Sense::Score, gain / count);
    log.score(name, "macro_recall", Sense::Score, recall);
    log.score(name, "macro_precision", Sense::Score, precision);
    log.score(name, &format!("macro_f_{beta:.3}"), Sense::Score, f);
}
