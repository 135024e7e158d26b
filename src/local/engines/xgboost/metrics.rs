//! Metrics that the container adds to XGBoost's, and those of XGBoost that `hessboost` does not have.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::seen::Seen;

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

    /// Whether the metric compares one number a row with the label.
    pub(super) fn compares_numbers(self) -> bool {
        matches!(self, Self::Mae | Self::Mse | Self::Rmse | Self::R2)
    }

    fn evaluate(self, round: &Round<'_>) -> f64 {
        let Round { predictions, labels, weights, .. } = *round;
        match self {
            Self::Mae => mean_error(round.seen(), labels, f64::abs),
            Self::Mse => round.squared_error(),
            Self::Rmse => round.squared_error().sqrt(),
            Self::R2 => r2(round.squared_error(), labels),
            Self::ErrorAt(at) => error_at(predictions, labels, weights, at),
            Self::GammaDeviance => gamma_deviance(predictions, labels, weights),
            _ => round.confusion().score(self),
        }
    }
}

/// The predictions of one round for one data set, with what several metrics need computed once.
pub(super) struct Round<'a> {
    /// `[row][output]`, as the booster evaluates them.
    predictions: &'a [f32],
    labels: &'a [f32],
    weights: Option<&'a [f32]>,
    view: Seen,
    seen: OnceCell<Cow<'a, [f32]>>,
    squared_error: OnceCell<f64>,
    confusion: OnceCell<Confusion>,
}

impl<'a> Round<'a> {
    pub(super) fn new(predictions: &'a [f32], labels: &'a [f32], weights: Option<&'a [f32]>, view: Seen) -> Self {
        let (seen, squared_error, confusion) = Default::default();
        Self { predictions, labels, weights, view, seen, squared_error, confusion }
    }

    /// The metrics' values, or `None` if `stopping` became true before the last.
    pub(super) fn evaluate(&self, metrics: &[Metric], stopping: impl Fn() -> bool) -> Option<Vec<f64>> {
        metrics.iter().map(|metric| (!stopping()).then(|| metric.evaluate(self))).collect()
    }

    fn seen(&self) -> &[f32] {
        self.seen.get_or_init(|| self.view.of(self.predictions, self.labels.len()))
    }

    fn squared_error(&self) -> f64 {
        *self.squared_error.get_or_init(|| mean_error(self.seen(), self.labels, |error| error * error))
    }

    fn confusion(&self) -> &Confusion {
        self.confusion.get_or_init(|| Confusion::new(self.seen(), self.labels, self.view))
    }
}

fn mean_error(predictions: &[f32], labels: &[f32], loss: impl Fn(f64) -> f64) -> f64 {
    let sum: f64 = predictions.iter().zip(labels).map(|(p, y)| loss(f64::from(*p) - f64::from(*y))).sum();
    sum / count(labels)
}

fn r2(squared_error: f64, labels: &[f32]) -> f64 {
    let mean = labels.iter().map(|label| f64::from(*label)).sum::<f64>() / count(labels);
    let spread: f64 = labels.iter().map(|label| (f64::from(*label) - mean).powi(2)).sum();
    let residual = squared_error * count(labels);
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
    classes: BTreeMap<i64, Tally>,
    rows: f64,
}

/// The rows of one class.
#[derive(Default, Clone, Copy)]
struct Tally {
    labelled: f64,
    predicted: f64,
    both: f64,
}

impl Tally {
    fn precision(&self) -> f64 {
        ratio(self.both, self.predicted)
    }

    fn recall(&self) -> f64 {
        ratio(self.both, self.labelled)
    }

    fn f1(&self) -> f64 {
        ratio(2.0 * self.both, self.labelled + self.predicted)
    }
}

impl Confusion {
    fn new(seen: &[f32], labels: &[f32], view: Seen) -> Self {
        let width = seen.len().checked_div(labels.len()).unwrap_or(1).max(1);
        let mut classes: BTreeMap<i64, Tally> = BTreeMap::new();
        for (row, label) in seen.chunks_exact(width).zip(labels) {
            #[expect(clippy::cast_possible_truncation, reason = "labels of classes were checked to be small integers")]
            let (meant, said) = (*label as i64, view.class(row));
            let tally = classes.entry(meant).or_default();
            tally.labelled += 1.0;
            if meant == said {
                tally.predicted += 1.0;
                tally.both += 1.0;
            } else {
                classes.entry(said).or_default().predicted += 1.0;
            }
        }
        Self { classes, rows: count(labels) }
    }

    fn score(&self, metric: Metric) -> f64 {
        let classes = self.classes.values();
        match metric {
            Metric::Accuracy => ratio(classes.map(|class| class.both).sum(), self.rows),
            Metric::BalancedAccuracy => mean(classes.filter(|class| class.labelled > 0.0).map(Tally::recall)),
            Metric::F1Macro => mean(classes.map(Tally::f1)),
            Metric::PrecisionMacro => mean(classes.map(Tally::precision)),
            Metric::RecallMacro => mean(classes.map(Tally::recall)),
            Metric::F1Binary => self.classes.get(&1).map_or(0.0, Tally::f1),
            Metric::PrecisionBinary => self.classes.get(&1).map_or(0.0, Tally::precision),
            Metric::RecallBinary => self.classes.get(&1).map_or(0.0, Tally::recall),
            _ => f64::NAN,
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
    use proptest::prelude::*;

    use super::*;
    use crate::local::engines::xgboost::version::Version;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-6
    }

    /// A metric of the container 1.7-1.
    fn score(name: &str, objective: &str, predictions: &[f32], labels: &[f32]) -> f64 {
        let view = Seen::new(objective, Version::new(1, 7));
        let metric = Metric::of_container(name).unwrap();
        Round::new(predictions, labels, None, view).evaluate(&[metric], || false).unwrap()[0]
    }

    #[test]
    fn class_metrics_agree_with_scikit_learn() {
        // y = [0,0,1,1,1,0], p > 0.5 = [0,1,1,1,0,0]; the numbers are scikit-learn 1.9's.
        let labels = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let predictions = [0.1, 0.9, 0.8, 0.7, 0.2, 0.3];
        let score = |name: &str| score(name, "binary:logistic", &predictions, &labels);
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
        let score = |name: &str| score(name, "multi:softprob", &predictions, &labels);
        assert!(near(score("accuracy"), 2.0 / 3.0));
        // Classes 0, 1, 2 have F1 of 1, 0 and 2/3.
        assert!(near(score("f1_macro"), (1.0 + 2.0 / 3.0) / 3.0));
        assert!(near(score("precision_macro"), 0.5));
        assert!(near(score("recall_macro"), 2.0 / 3.0));
    }

    #[test]
    fn number_metrics_are_those_of_the_textbook() {
        let score = |name: &str| score(name, "reg:squarederror", &[1.0, 2.0, 5.0], &[1.0, 3.0, 3.0]);
        assert!(near(score("mae"), 1.0));
        assert!(near(score("mse"), 5.0 / 3.0));
        assert!(near(score("rmse"), (5.0_f64 / 3.0).sqrt()));
        assert!(near(score("r2"), 1.0 - 5.0 / (8.0 / 3.0)));
    }

    #[test]
    fn metrics_of_xgboost_see_predictions_and_weights() {
        let view = Seen::new("binary:logistic", Version::new(1, 7));
        let error = Metric::of_xgboost("error@0.7").unwrap();
        let values = Round::new(&[0.6, 0.8], &[1.0, 1.0], Some(&[3.0, 1.0]), view).evaluate(&[error], || false);
        assert!(near(values.unwrap()[0], 0.75));
    }

    #[test]
    fn a_stop_is_seen_between_metrics() {
        let view = Seen::new("reg:squarederror", Version::new(3, 0));
        let asked = std::cell::Cell::new(0);
        let stopping = || asked.replace(asked.get() + 1) >= 2;
        let round = Round::new(&[1.0], &[1.0], None, view);
        assert_eq!(round.evaluate(&[Metric::Mae, Metric::Mse, Metric::R2], stopping), None);
        assert_eq!(asked.get(), 3);
    }

    proptest! {
        /// One pass over the rows counts what a pass a class counts.
        #[test]
        fn the_confusion_counts_each_class(rows in proptest::collection::vec((0..4_u8, -2.0_f32..2.0), 1..50)) {
            let (labels, seen): (Vec<f32>, Vec<f32>) = rows.iter().map(|(y, p)| (f32::from(*y), *p)).unzip();
            let view = Seen::new("reg:squarederror", Version::new(1, 7));
            let found = Confusion::new(&seen, &labels, view);
            for (class, tally) in &found.classes {
                let count = |is: &dyn Fn(i64, i64) -> bool| {
                    let rows = rows.iter().filter(|(y, p)| is(i64::from(*y), i64::from(*p > 0.0)));
                    super::count(&rows.collect::<Vec<_>>())
                };
                prop_assert_eq!(tally.labelled, count(&|y, _| y == *class));
                prop_assert_eq!(tally.predicted, count(&|_, p| p == *class));
                prop_assert_eq!(tally.both, count(&|y, p| y == *class && p == *class));
            }
        }
    }
}
