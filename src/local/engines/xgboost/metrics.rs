//! Metrics that the container adds to XGBoost's, and those of XGBoost that `hessboost` does not have.

use std::collections::BTreeSet;

/// A metric that is computed here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Metric {
    Accuracy,
    BalancedAccuracy,
    F1Macro,
    F1Binary,
    Mae,
    Mse,
    Rmse,
    R2,
    PrecisionBinary,
    PrecisionMacro,
    RecallBinary,
    RecallMacro,
    /// XGBoost's `error@t`.
    ErrorAt(f64),
    /// XGBoost's `gamma-deviance`.
    GammaDeviance,
}

impl Metric {
    /// A metric of the container itself (`custom_metrics.py`), computed with scikit-learn there: unweighted.
    pub(super) fn of_container(name: &str) -> Option<Self> {
        Some(match name {
            // Micro averages over all classes count each row once: all of them are the accuracy.
            "accuracy" | "precision_micro" | "recall_micro" => Self::Accuracy,
            "balanced_accuracy" => Self::BalancedAccuracy,
            "f1" | "f1_macro" => Self::F1Macro,
            "f1_binary" => Self::F1Binary,
            "mae" => Self::Mae,
            "mse" => Self::Mse,
            "rmse" => Self::Rmse,
            "r2" => Self::R2,
            "precision" => Self::PrecisionBinary,
            "precision_macro" => Self::PrecisionMacro,
            "recall" => Self::RecallBinary,
            "recall_macro" => Self::RecallMacro,
            _ => return None,
        })
    }

    /// A metric of XGBoost that `hessboost` does not have.
    pub(super) fn of_xgboost(name: &str) -> Option<Self> {
        match name.split_once('@') {
            Some((error, threshold)) if error.trim() == "error" => threshold.trim().parse().ok().map(Self::ErrorAt),
            None if name == "gamma-deviance" => Some(Self::GammaDeviance),
            _ => None,
        }
    }

    /// Whether the metric compares classes rather than numbers.
    pub(super) fn compares_classes(self) -> bool {
        !matches!(self, Self::Mae | Self::Mse | Self::Rmse | Self::R2 | Self::ErrorAt(_) | Self::GammaDeviance)
    }

    /// Whether the metric is defined for two classes only.
    pub(super) fn is_binary(self) -> bool {
        matches!(self, Self::F1Binary | Self::PrecisionBinary | Self::RecallBinary)
    }

    /// The metric of predictions (`[row][output]`) against labels; `threshold` parts class 0 from 1 where there is
    /// one output.
    pub(super) fn evaluate(self, predictions: &[f32], labels: &[f32], weights: Option<&[f32]>, threshold: f32) -> f64 {
        match self {
            Self::Mae => mean_error(predictions, labels, f64::abs),
            Self::Mse => mean_error(predictions, labels, |error| error * error),
            Self::Rmse => mean_error(predictions, labels, |error| error * error).sqrt(),
            Self::R2 => r2(predictions, labels),
            Self::ErrorAt(at) => error_at(predictions, labels, weights, at),
            Self::GammaDeviance => gamma_deviance(predictions, labels, weights),
            _ => Confusion::new(predictions, labels, threshold).score(self),
        }
    }
}

fn mean_error(predictions: &[f32], labels: &[f32], loss: impl Fn(f64) -> f64) -> f64 {
    let sum: f64 = predictions.iter().zip(labels).map(|(p, y)| loss(f64::from(*p) - f64::from(*y))).sum();
    sum / count(labels)
}

fn r2(predictions: &[f32], labels: &[f32]) -> f64 {
    let mean = labels.iter().map(|label| f64::from(*label)).sum::<f64>() / count(labels);
    let spread: f64 = labels.iter().map(|label| (f64::from(*label) - mean).powi(2)).sum();
    let residual = mean_error(predictions, labels, |error| error * error) * count(labels);
    match (spread == 0.0, residual == 0.0) {
        (false, _) => 1.0 - residual / spread,
        (true, true) => 1.0,
        (true, false) => 0.0,
    }
}

fn error_at(predictions: &[f32], labels: &[f32], weights: Option<&[f32]>, threshold: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "XGBoost keeps the threshold as f32")]
    let threshold = threshold as f32;
    weighted_mean(predictions, labels, weights, |p, y| if p > threshold { 1.0 - f64::from(y) } else { f64::from(y) })
}

fn gamma_deviance(predictions: &[f32], labels: &[f32], weights: Option<&[f32]>) -> f64 {
    2.0 * weighted_mean(predictions, labels, weights, |p, y| {
        let ratio = f64::from(y) / (f64::from(p) + 1e-9);
        ratio - ratio.ln() - 1.0
    })
}

fn weighted_mean(predictions: &[f32], labels: &[f32], weights: Option<&[f32]>, loss: impl Fn(f32, f32) -> f64) -> f64 {
    let weight = |row: usize| weights.and_then(|weights| weights.get(row)).map_or(1.0, |weight| f64::from(*weight));
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, (p, y)) in predictions.iter().zip(labels).enumerate() {
        sum += weight(row) * loss(*p, *y);
        total += weight(row);
    }
    if total == 0.0 { sum } else { sum / total }
}

#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
fn count<T>(items: &[T]) -> f64 {
    items.len() as f64
}

/// How often each class was meant and said.
struct Confusion {
    /// Class, rows labelled so, rows predicted so, rows where both agree.
    classes: Vec<(i64, f64, f64, f64)>,
    rows: f64,
}

impl Confusion {
    fn new(predictions: &[f32], labels: &[f32], threshold: f32) -> Self {
        let width = predictions.len().checked_div(labels.len()).unwrap_or(1).max(1);
        let said: Vec<i64> = predictions.chunks_exact(width).map(|row| class_of(row, threshold)).collect();
        #[expect(clippy::cast_possible_truncation, reason = "labels of classes were checked to be small integers")]
        let meant: Vec<i64> = labels.iter().map(|label| *label as i64).collect();
        let names: BTreeSet<i64> = said.iter().chain(&meant).copied().collect();
        let tally = |class: i64| {
            let (mut actual, mut predicted, mut both) = (0.0, 0.0, 0.0);
            for (m, s) in meant.iter().zip(&said) {
                actual += f64::from(u8::from(*m == class));
                predicted += f64::from(u8::from(*s == class));
                both += f64::from(u8::from(*m == class && *s == class));
            }
            (class, actual, predicted, both)
        };
        Self { classes: names.into_iter().map(tally).collect(), rows: count(labels) }
    }

    fn score(&self, metric: Metric) -> f64 {
        let precision = |&(_, _, predicted, both): &(i64, f64, f64, f64)| ratio(both, predicted);
        let recall = |&(_, actual, _, both): &(i64, f64, f64, f64)| ratio(both, actual);
        let f1 = |&(_, actual, predicted, both): &(i64, f64, f64, f64)| ratio(2.0 * both, actual + predicted);
        match metric {
            Metric::Accuracy => ratio(self.classes.iter().map(|class| class.3).sum(), self.rows),
            Metric::BalancedAccuracy => mean(self.classes.iter().filter(|class| class.1 > 0.0).map(recall)),
            Metric::F1Macro => mean(self.classes.iter().map(f1)),
            Metric::PrecisionMacro => mean(self.classes.iter().map(precision)),
            Metric::RecallMacro => mean(self.classes.iter().map(recall)),
            Metric::F1Binary => self.positive().map_or(0.0, f1),
            Metric::PrecisionBinary => self.positive().map_or(0.0, precision),
            Metric::RecallBinary => self.positive().map_or(0.0, recall),
            _ => f64::NAN,
        }
    }

    fn positive(&self) -> Option<&(i64, f64, f64, f64)> {
        self.classes.iter().find(|class| class.0 == 1)
    }
}

fn class_of(row: &[f32], threshold: f32) -> i64 {
    match row {
        [only] => i64::from(*only > threshold),
        _ => {
            let mut best = 0;
            for (class, score) in row.iter().enumerate() {
                if *score > row[best] {
                    best = class;
                }
            }
            i64::try_from(best).unwrap_or(i64::MAX)
        }
    }
}

/// scikit-learn's convention: a score whose denominator is zero is zero.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

fn mean(scores: impl Iterator<Item = f64>) -> f64 {
    let scores: Vec<f64> = scores.collect();
    ratio(scores.iter().sum(), count(&scores))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-6
    }

    #[test]
    fn class_metrics_agree_with_scikit_learn() {
        // y = [0,0,1,1,1,0], p > 0.5 = [0,1,1,1,0,0]; the numbers are scikit-learn 1.9's.
        let labels = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let predictions = [0.1, 0.9, 0.8, 0.7, 0.2, 0.3];
        let score = |name: &str| Metric::of_container(name).unwrap().evaluate(&predictions, &labels, None, 0.5);
        assert!(near(score("accuracy"), 4.0 / 6.0));
        assert!(near(score("precision"), 2.0 / 3.0));
        assert!(near(score("recall"), 2.0 / 3.0));
        assert!(near(score("f1_binary"), 2.0 / 3.0));
        assert!(near(score("balanced_accuracy"), 2.0 / 3.0));
        assert!(near(score("f1"), 2.0 / 3.0));
    }

    #[test]
    fn multiclass_metrics_take_the_likeliest_class() {
        let labels = [0.0, 1.0, 2.0];
        let predictions = [0.8, 0.1, 0.1, 0.2, 0.2, 0.6, 0.1, 0.2, 0.7];
        let score = |name: &str| Metric::of_container(name).unwrap().evaluate(&predictions, &labels, None, 0.5);
        assert!(near(score("accuracy"), 2.0 / 3.0));
        // Classes 0, 1, 2 have F1 of 1, 0 and 2/3.
        assert!(near(score("f1_macro"), (1.0 + 2.0 / 3.0) / 3.0));
        assert!(near(score("precision_macro"), 0.5));
        assert!(near(score("recall_macro"), 2.0 / 3.0));
    }

    #[test]
    fn number_metrics_are_those_of_the_textbook() {
        let score = |metric: Metric| metric.evaluate(&[1.0, 2.0, 5.0], &[1.0, 3.0, 3.0], None, 0.0);
        assert!(near(score(Metric::Mae), 1.0));
        assert!(near(score(Metric::Mse), 5.0 / 3.0));
        assert!(near(score(Metric::Rmse), (5.0_f64 / 3.0).sqrt()));
        assert!(near(score(Metric::R2), 1.0 - 5.0 / (8.0 / 3.0)));
        let error = Metric::of_xgboost("error@0.7").unwrap();
        assert!(near(error.evaluate(&[0.6, 0.8], &[1.0, 1.0], Some(&[3.0, 1.0]), 0.5), 0.75));
    }
}
