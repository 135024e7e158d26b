//! Stands in for the SageMaker PCA container.
//!
//! The mode `regular` diagonalises the covariance matrix; `randomized` finds its largest components by subspace iteration
//! on the data, without the matrix. As in the container, components are in ascending order: the last is the largest.

use std::sync::Arc;

use super::numeric::repository;
use super::numeric::serving::Served;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};

mod hyperparameters;
mod model;
mod serve;
mod train;

/// Trains and serves as the image `pca` does.
///
/// Reads `application/x-recordio-protobuf` and `text/csv`, answers JSON, JSON Lines and RecordIO-protobuf.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct PcaEngine;

impl PcaEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for PcaEngine {
    fn runs(&self, image: &str) -> bool {
        repository(image) == "pca"
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
