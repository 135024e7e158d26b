//! Stands in for the SageMaker Linear Learner container.
//!
//! It trains linear models by mini-batch gradient descent, several at once with hyperparameters near those given, keeps
//! the best of each on the validation data (or the training data, if there is none), and of these the one that the
//! selection criterion prefers. Features, and the labels of a regression, are normalised while training; the saved
//! weights are those of the raw features.

use std::sync::Arc;

use super::numeric::repository;
use super::numeric::serving::Served;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};

mod calibration;
mod hyperparameters;
mod loss;
mod metrics;
mod model;
mod serve;
mod train;

/// Trains and serves as the image `linear-learner` does: regression, binary and multiclass classification.
///
/// Reads `application/x-recordio-protobuf` and `text/csv`, answers JSON, JSON Lines and RecordIO-protobuf.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct LinearLearnerEngine;

impl LinearLearnerEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for LinearLearnerEngine {
    fn runs(&self, image: &str) -> bool {
        repository(image) == "linear-learner"
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        train::train(job)
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Ok(Arc::new(Served(model::Model::load(model)?)))
    }
}

#[cfg(test)]
mod tests;
