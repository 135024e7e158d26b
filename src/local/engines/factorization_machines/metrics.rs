//! Losses and scores of predictions.

use super::model::Model;
use crate::local::engines::numeric::data::Dataset;
use crate::local::engines::numeric::log::{Log, Sense};
use crate::local::engines::numeric::parameters::Parameters;
use crate::local::engines::numeric::scores::Confusion;

pub(super) fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// What is known of some predictions.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    classifies: bool,
    f_beta: f64,
    count: f64,
    squares: f64,
    absolute: f64,
    entropy: f64,
    table: Confusion,
}

impl Tally {
    pub(super) fn new(classifies: bool, given: &Parameters) -> Self {
        let f_beta = given.float("f_beta").unwrap_or(1.0);
        Self { classifies, f_beta, count: 0.0, squares: 0.0, absolute: 0.0, entropy: 0.0, table: Confusion::default() }
    }

    /// Adds a machine's value and the label that it should have.
    pub(super) fn add(&mut self, value: f64, label: f64) {
        self.count += 1.0;
        if self.classifies {
            // log(1 + exp(value)) - label * value, without overflow.
            self.entropy += value.max(0.0) + (-value.abs()).exp().ln_1p() - label * value;
            self.table.add(label == 1.0, value >= 0.0);
        } else {
            self.squares += (value - label) * (value - label);
            self.absolute += (value - label).abs();
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.squares += other.squares;
        self.absolute += other.absolute;
        self.entropy += other.entropy;
        self.table.true_positive += other.table.true_positive;
        self.table.false_positive += other.table.false_positive;
        self.table.false_negative += other.table.false_negative;
        self.table.true_negative += other.table.true_negative;
    }

    pub(super) fn is_finite(&self) -> bool {
        self.squares.is_finite() && self.entropy.is_finite()
    }

    fn values(&self) -> Vec<(String, Sense, f64)> {
        let count = self.count.max(1.0);
        if self.classifies {
            return vec![
                ("binary_classification_accuracy".to_owned(), Sense::Score, self.table.accuracy()),
                ("binary_classification_cross_entropy".to_owned(), Sense::Loss, self.entropy / count),
                (format!("binary_f_{:.3}", self.f_beta), Sense::Score, self.table.f(self.f_beta)),
            ];
        }
        let mse = self.squares / count;
        vec![
            ("rmse".to_owned(), Sense::Loss, mse.sqrt()),
            ("mse".to_owned(), Sense::Loss, mse),
            ("absolute_loss".to_owned(), Sense::Loss, self.absolute / count),
        ]
    }

    /// Logs the values: of an epoch, of a batch of it, or of a whole data set.
    pub(super) fn report(&self, log: &Log<'_>, set: &str, when: Option<(usize, Option<usize>)>) {
        for (name, sense, value) in self.values() {
            match when {
                None => log.score(set, &name, sense, value),
                Some((epoch, None)) => log.epoch(epoch, set, &name, sense, value),
                Some((epoch, Some(batch))) => log.batch((epoch, batch), set, &name, sense, value),
            }
        }
    }
}

/// The values of a model on a data set.
pub(super) fn of(model: &Model, set: &Dataset, given: &Parameters) -> Tally {
    let mut tally = Tally::new(model.classifies, given);
    let mut sums = vec![0.0; model.machine.factor_count];
    for (row, label) in set.features.iter().zip(&set.labels) {
        tally.add(model.machine.value(row, &mut sums), f64::from(*label));
    }
    tally
}
