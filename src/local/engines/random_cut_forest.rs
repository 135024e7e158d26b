//! Stands in for the SageMaker Random Cut Forest container.
//!
//! The forest of Guha, Mishra, Roy and Schrijvers, "Robust Random Cut Forest Based Anomaly Detection on Streams" (2016).
//! The score of a point is the expected change of a tree's complexity by adding it: the inverse of the depth at which a
//! random cut would separate it, over all cuts, scaled by the logarithm of the sample size, and averaged over the trees.

use std::sync::Arc;

use super::numeric::repository;
use super::numeric::serving::Served;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};

mod forest;
mod hyperparameters;
mod metrics;
mod model;
mod serve;
mod train;

/// Trains and serves as the image `randomcutforest` does.
///
/// Reads `application/x-recordio-protobuf` and `text/csv;label_size=0`, answers JSON, JSON Lines and RecordIO-protobuf.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct RandomCutForestEngine;

impl RandomCutForestEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for RandomCutForestEngine {
    fn runs(&self, image: &str) -> bool {
        repository(image) == "randomcutforest"
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
