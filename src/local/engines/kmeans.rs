//! Stands in for the SageMaker K-Means container.
//!
//! Web-scale k-means: the data is read once an epoch in mini-batches, which move more centers than are asked for
//! (`extra_center_factor`); then Lloyd's algorithm, on these centers with their weights, shrinks them to `k`,
//! and, unless old rows are to be forgotten, moves these over all rows once more, which the container does not.

use std::sync::Arc;

use super::numeric::repository;
use super::numeric::serving::Served;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};

mod hyperparameters;
mod lloyd;
mod metrics;
mod model;
mod serve;
mod train;

/// Trains and serves as the image `kmeans` does.
///
/// Reads `application/x-recordio-protobuf` and `text/csv`, answers JSON, JSON Lines, RecordIO-protobuf and CSV.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct KMeansEngine;

impl KMeansEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for KMeansEngine {
    fn runs(&self, image: &str) -> bool {
        repository(image) == "kmeans"
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
