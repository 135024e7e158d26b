//! What the container's own metrics see of the predictions, which depends on its release.
//!
//! - Before XGBoost 1.2 they see predictions as `predict` gives them, and round them to get classes.
//! - From 1.2 to 1.7 they see margins: the container passes them as `feval`. What is above 0 is class 1.
//! - From 2.0 on they see predictions again: the container passes them as `custom_metric`, but still takes what is above
//!   0 for class 1. Of probabilities, counts and class numbers that is (almost) every row, so class metrics say little
//!   there; this engine computes the same and warns in the log.

use std::borrow::Cow;

use super::version::Version;

/// How an objective's predictions, as the booster evaluates them, become what the container's metrics see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    change: Change,
    rounds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    None,
    /// The margin of an exponential.
    Ln,
    /// The margin of a probability.
    Logit,
    /// The survival time of a margin.
    Exp,
    /// The likeliest class of a row, for an objective that predicts classes.
    Likeliest,
}

impl Seen {
    pub(super) fn new(objective: &str, version: Version) -> Self {
        let margins = version.is_before_2() && !version.is_before_1_2();
        let change = match objective {
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" if margins => Change::Ln,
            "binary:logistic" | "reg:logistic" if margins => Change::Logit,
            // XGBoost evaluates its own metrics of this objective on margins.
            "survival:aft" if !margins => Change::Exp,
            "multi:softmax" if !margins => Change::Likeliest,
            _ => Change::None,
        };
        Self { change, rounds: version.is_before_1_2() }
    }

    /// Whether every row, or every row but those of class 0, is above 0 and so of class 1.
    pub(super) fn hides_classes(objective: &str, version: Version) -> bool {
        const POSITIVE: [&str; 6] =
            ["binary:logistic", "reg:logistic", "count:poisson", "reg:gamma", "reg:tweedie", "multi:softmax"];
        !version.is_before_2() && POSITIVE.contains(&objective)
    }

    /// The predictions as the metrics see them, in 32 bits as Python's arrays are.
    pub(super) fn of<'a>(self, predictions: &'a [f32], rows: usize) -> Cow<'a, [f32]> {
        let each = |change: fn(f32) -> f32| Cow::Owned(predictions.iter().map(|value| change(*value)).collect());
        match self.change {
            Change::None => Cow::Borrowed(predictions),
            Change::Ln => each(f32::ln),
            Change::Logit => each(logit),
            Change::Exp => each(f32::exp),
            Change::Likeliest => {
                let width = predictions.len().checked_div(rows).unwrap_or(1).max(1);
                #[expect(clippy::cast_precision_loss, reason = "XGBoost gives the class as f32")]
                let class = |row: &[f32]| likeliest(row) as f32;
                Cow::Owned(predictions.chunks_exact(width).map(class).collect())
            }
        }
    }

    /// The class of a row of what [`of`](Self::of) gave.
    pub(super) fn class(self, row: &[f32]) -> i64 {
        match row {
            #[expect(clippy::cast_possible_truncation, reason = "a class is a small integer")]
            [only] if self.rounds => only.round_ties_even() as i64,
            [only] => i64::from(*only > 0.0),
            _ => i64::try_from(likeliest(row)).unwrap_or(i64::MAX),
        }
    }
}

/// The margin of a probability. Where 32 bits no longer tell a probability from 0 or 1, this is the last one they do.
fn logit(probability: f32) -> f32 {
    let p = f64::from(probability).clamp(f64::from(f32::MIN_POSITIVE), 1.0 - f64::from(f32::EPSILON) / 4.0);
    #[expect(clippy::cast_possible_truncation, reason = "margins are f32")]
    let margin = (p / (1.0 - p)).ln() as f32;
    margin
}

/// The first of the highest scores, as numpy's `argmax` has it.
fn likeliest(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, score) in row.iter().enumerate() {
        if *score > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Version = Version::new(1, 0);
    const MARGINS: Version = Version::new(1, 7);
    const NEW: Version = Version::new(3, 0);

    #[test]
    fn margins_are_seen_by_1_7_only() {
        for (objective, prediction, margin) in [
            ("count:poisson", 1.0_f32.exp(), 1.0),
            ("reg:gamma", 0.5, 0.5_f32.ln()),
            ("reg:tweedie", 2.0, 2.0_f32.ln()),
            ("binary:logistic", 0.5, 0.0),
            ("reg:logistic", 1.0 / (1.0 + 2.0_f32.exp()), -2.0),
            ("reg:squarederror", 7.0, 7.0),
        ] {
            let seen = Seen::new(objective, MARGINS).of(&[prediction], 1)[0];
            assert!((seen - margin).abs() < 1e-6, "{objective}: {seen} {margin}");
            for version in [OLD, NEW] {
                assert_eq!(Seen::new(objective, version).of(&[prediction], 1)[..], [prediction]);
            }
        }
        assert!(logit(1.0).is_finite() && logit(0.0).is_finite());
    }

    #[test]
    fn classes_of_one_output() {
        let class = |objective: &str, version: Version, prediction: f32| {
            let seen = Seen::new(objective, version);
            seen.class(&seen.of(&[prediction], 1))
        };
        assert_eq!([0.4, 0.6].map(|p| class("binary:logistic", MARGINS, p)), [0, 1]);
        assert_eq!([0.4, 0.6].map(|p| class("binary:logistic", OLD, p)), [0, 1]);
        assert_eq!([0.4, 0.6].map(|p| class("binary:logistic", NEW, p)), [1, 1]);
        assert_eq!([0.9, 1.1].map(|p| class("count:poisson", MARGINS, p)), [0, 1]);
        assert_eq!([0.5, 2.6].map(|p| class("count:poisson", OLD, p)), [0, 3]);
    }

    #[test]
    fn classes_of_many_outputs() {
        let scores = [0.2, 0.2, 0.6, 0.8, 0.1, 0.1];
        let softprob = Seen::new("multi:softprob", NEW);
        assert_eq!(softprob.class(&softprob.of(&scores, 2)[..3]), 2);
        let softmax = Seen::new("multi:softmax", NEW);
        assert_eq!(softmax.of(&scores, 2)[..], [2.0, 0.0]);
        assert_eq!([softmax.class(&[2.0]), softmax.class(&[0.0])], [1, 0]);
        assert_eq!(Seen::new("multi:softmax", MARGINS).of(&scores, 2).len(), 6);
    }
}
