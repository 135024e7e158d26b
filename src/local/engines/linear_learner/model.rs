//! A trained linear model.
//!
//! Settings of the file: `predictor_type`, `score` (`identity`, `logistic`, `margin` or `softmax`), `threshold` (of the
//! positive class). Arrays: `weights` (classes x features; one row unless multiclass) and `bias` (classes), for raw
//! features.

use super::hyperparameters::Predictor;
use super::loss::{self, Loss};
use crate::local::engines::numeric::artifact::{Artifact, unloadable};
use crate::local::engines::numeric::matrix::Row;
use crate::local::engines::{EngineFailure, ModelFiles};

pub(super) const ALGORITHM: &str = "linear-learner";

/// What a score is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Score {
    Identity,
    Logistic,
    Margin,
    Softmax,
}

impl Score {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Identity, "identity"),
        (Self::Logistic, "logistic"),
        (Self::Margin, "margin"),
        (Self::Softmax, "softmax"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(score, _)| *score == self).map_or("identity", |(_, name)| name)
    }
}

/// A linear model of raw features.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) predictor: Predictor,
    score: Score,
    /// Scores of at least this are positive.
    pub(super) threshold: f64,
    pub(super) columns: usize,
    weights: Vec<f64>,
    biases: Vec<f64>,
}

impl Model {
    pub(super) fn new(predictor: Predictor, loss: Loss, columns: usize, weights: Vec<f64>, biases: Vec<f64>) -> Self {
        let score = match loss {
            Loss::Logistic => Score::Logistic,
            Loss::Hinge(_) => Score::Margin,
            Loss::Softmax => Score::Softmax,
            _ => Score::Identity,
        };
        let threshold = if score == Score::Logistic { 0.5 } else { 0.0 };
        Self { predictor, score, threshold, columns, weights, biases }
    }

    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let file = Artifact::load(files, ALGORITHM)?;
        let predictor = Predictor::of(file.text("predictor_type")?);
        let predictor = predictor.ok_or_else(|| unloadable("its predictor_type is not known"))?;
        let name = file.text("score")?;
        let score = Score::ALL.iter().find(|(_, other)| *other == name).map(|(score, _)| *score);
        let score = score.ok_or_else(|| unloadable("its score is not known"))?;
        let (classes, columns, weights) = file.table("weights")?;
        let biases = file.vector("bias", classes)?;
        let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
        let fits = columns > 0 && if predictor == Predictor::Multiclass { classes > 1 } else { classes == 1 };
        match fits {
            true => Ok(Self {
                predictor,
                score,
                threshold: file.number("threshold")?,
                columns,
                weights: wide(weights),
                biases: wide(biases),
            }),
            false => Err(unloadable("its weights have no shape that its predictor_type could have")),
        }
    }

    pub(super) fn artifact(&self) -> Artifact {
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
        Artifact::new(ALGORITHM)
            .setting("predictor_type", self.predictor.name())
            .setting("score", self.score.name())
            .setting("threshold", self.threshold)
            .array("weights", &[self.biases.len(), self.columns], narrow(&self.weights))
            .array("bias", &[self.biases.len()], narrow(&self.biases))
    }

    /// The margins of a row, one a class.
    pub(super) fn margins(&self, row: Row<'_>) -> Vec<f64> {
        let of = |(class, bias): (usize, &f64)| {
            row.dot(&self.weights[class * self.columns..(class + 1) * self.columns]) + bias
        };
        self.biases.iter().enumerate().map(of).collect()
    }

    /// What is answered for a row: a value, a probability, a margin, or the probabilities of all classes.
    pub(super) fn scores(&self, row: Row<'_>) -> Vec<f64> {
        let mut scores = self.margins(row);
        match self.score {
            Score::Identity | Score::Margin => {}
            Score::Logistic => scores.iter_mut().for_each(|score| *score = loss::sigmoid(*score)),
            Score::Softmax => loss::softmax(&mut scores),
        }
        scores
    }

    /// The class that scores stand for.
    pub(super) fn class(&self, scores: &[f64]) -> usize {
        match self.predictor {
            Predictor::Multiclass => largest(scores),
            _ => usize::from(scores[0] >= self.threshold),
        }
    }
}

/// The place of the largest number, the first of equals.
pub(super) fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}
