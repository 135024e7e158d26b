//! Choosing one of several models, and for a binary classifier the threshold above which a score is positive.

use super::hyperparameters::{PositiveWeight, Predictor, Settings};
use super::model::Model;
use crate::local::engines::numeric::data::Dataset;
use crate::local::engines::numeric::scores::f_of;

/// The model that was chosen, with its threshold.
pub(super) struct Chosen {
    pub(super) index: usize,
    pub(super) model: Model,
}

/// What is to be as large as it can be.
#[derive(Clone, Copy)]
enum Criterion {
    Accuracy,
    F(f64),
    PrecisionAtRecall(f64),
    RecallAtPrecision(f64),
}

fn criterion(settings: &Settings) -> Option<Criterion> {
    let given = &settings.given;
    let target = |name: &str| given.float(name).unwrap_or(0.8);
    match given.text("binary_classifier_model_selection_criteria")? {
        "accuracy" => Some(Criterion::Accuracy),
        "f1" => Some(Criterion::F(1.0)),
        "f_beta" => Some(Criterion::F(given.float("f_beta").unwrap_or(1.0))),
        "precision_at_target_recall" => Some(Criterion::PrecisionAtRecall(target("target_recall"))),
        "recall_at_target_precision" => Some(Criterion::RecallAtPrecision(target("target_precision"))),
        _ => None,
    }
}

/// The weight of the examples of each class; empty for a regression.
pub(super) fn class_weights(settings: &Settings, labels: &[f32]) -> Vec<f64> {
    let count = |class: usize| labels.iter().filter(|label| **label == class as f32).count() as f64;
    let balanced = || (count(0) / count(1).max(1.0)).max(f64::MIN_POSITIVE);
    match settings.predictor {
        Predictor::Regressor => Vec::new(),
        Predictor::Binary => {
            let aimed = matches!(
                criterion(settings),
                Some(Criterion::PrecisionAtRecall(_) | Criterion::RecallAtPrecision(_) | Criterion::F(_))
            );
            let positive = match settings.positive_weight {
                PositiveWeight::Times(weight) => weight,
                PositiveWeight::Balanced => balanced(),
                PositiveWeight::Auto if aimed => balanced(),
                PositiveWeight::Auto => 1.0,
            };
            vec![1.0, positive]
        }
        Predictor::Multiclass if settings.given.flag("balance_multiclass_weights") == Some(true) => {
            let mut counts = vec![0.0f64; settings.classes];
            labels.iter().for_each(|label| counts[*label as usize] += 1.0);
            let whole = labels.len() as f64 / settings.classes as f64;
            counts.iter().map(|count| whole / count.max(1.0)).collect()
        }
        Predictor::Multiclass => vec![1.0; settings.classes],
    }
}

/// Chooses among models with their objectives, by their scores on a data set.
pub(super) fn choose(settings: &Settings, fitted: Vec<(f64, Model)>, set: &Dataset) -> Chosen {
    let criterion = criterion(settings).filter(|_| settings.predictor == Predictor::Binary);
    let rows = settings.given.count("num_calibration_samples").unwrap_or(usize::MAX).min(set.rows());
    let mut best: Option<(f64, f64, Chosen)> = None;
    for (index, (objective, mut model)) in fitted.into_iter().enumerate() {
        let value = match criterion {
            None => 0.0,
            Some(criterion) => {
                let rows = set.features.iter().zip(&set.labels).take(rows);
                let scored: Vec<(f64, bool)> = rows.map(|(row, label)| (model.scores(row)[0], *label == 1.0)).collect();
                let (value, threshold) = best_threshold(scored, criterion, model.threshold);
                model.threshold = threshold;
                value
            }
        };
        // Of models that are equal to the criterion the one with the lower loss is better.
        let better = best.as_ref().is_none_or(|(best_value, best_objective, _)| {
            value > *best_value || (value == *best_value && objective < *best_objective)
        });
        if better || best.as_ref().is_some_and(|(_, other, _)| other.is_infinite() && objective.is_finite()) {
            best = Some((value, objective, Chosen { index, model }));
        }
    }
    match best {
        Some((.., chosen)) => chosen,
        None => Chosen { index: 0, model: Model::new(settings.predictor, settings.loss, 0, Vec::new(), Vec::new()) },
    }
}

/// The threshold that serves a criterion best, and the criterion's value there. `usual` wins if no other is better.
fn best_threshold(mut scored: Vec<(f64, bool)>, criterion: Criterion, usual: f64) -> (f64, f64) {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = scored.iter().filter(|(_, positive)| *positive).count() as f64;
    let total = scored.len() as f64;
    let value = |right: f64, said: f64| {
        let precision = if said > 0.0 { right / said } else { 0.0 };
        let recall = if positives > 0.0 { right / positives } else { 0.0 };
        match criterion {
            // True positives and true negatives.
            Criterion::Accuracy => (right + total - positives - (said - right)) / total.max(1.0),
            Criterion::F(beta) => f_of(precision, recall, beta),
            // A model that misses its target is worse than any that does not, the more the further it is away.
            Criterion::PrecisionAtRecall(target) if recall < target => recall - target,
            Criterion::PrecisionAtRecall(_) => precision,
            Criterion::RecallAtPrecision(target) if precision < target => precision - target,
            Criterion::RecallAtPrecision(_) => recall,
        }
    };
    let usual_said: Vec<&(f64, bool)> = scored.iter().take_while(|(score, _)| *score >= usual).collect();
    let usual_right = usual_said.iter().filter(|(_, positive)| *positive).count() as f64;
    let mut best = (value(usual_right, usual_said.len() as f64), usual);
    let mut right = 0.0;
    for at in 0..scored.len() {
        right += f64::from(u8::from(scored[at].1));
        let next = scored.get(at + 1).map(|(score, _)| *score);
        if next == Some(scored[at].0) {
            continue;
        }
        let now = value(right, (at + 1) as f64);
        if now > best.0 {
            // Half way to the next score, so that rounding of the saved weights changes nothing.
            best = (now, next.map_or(scored[at].0, |next| scored[at].0.midpoint(next)));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_serve_their_criterion() {
        let scored = || vec![(0.9, true), (0.4, true), (0.35, false), (0.3, true), (0.1, false), (0.05, false)];
        let (value, threshold) = best_threshold(scored(), Criterion::Accuracy, 0.5);
        assert!((value - 5.0 / 6.0).abs() < 1e-12 && (0.35..0.4).contains(&threshold), "{value} {threshold}");
        let (value, threshold) = best_threshold(scored(), Criterion::PrecisionAtRecall(0.9), 0.5);
        assert!((value - 0.75).abs() < 1e-12 && (0.1..=0.3).contains(&threshold), "{value} {threshold}");
        let (value, _) = best_threshold(scored(), Criterion::RecallAtPrecision(0.9), 0.5);
        assert!((value - 2.0 / 3.0).abs() < 1e-12, "{value}");
        let (value, threshold) = best_threshold(vec![(0.9, true), (0.1, false)], Criterion::F(1.0), 0.5);
        assert_eq!((value, threshold), (1.0, 0.5));
    }
}
