//! Stands in for the SageMaker k-NN container.
//!
//! A sample of the rows, projected to fewer dimensions if asked for, is the model; its neighbours are searched exactly,
//! whatever `index_type` says, so that answers are those of `faiss.Flat`.

use std::sync::Arc;

use super::numeric::repository;
use super::numeric::serving::Served;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};

mod hyperparameters;
mod index;
mod metrics;
mod model;
mod projection;
mod serve;
mod train;

/// Trains and serves as the image `knn` does.
///
/// Reads `application/x-recordio-protobuf` and `text/csv`, answers JSON, JSON Lines and RecordIO-protobuf;
/// `;verbose=true` in the accepted type adds labels and distances of the neighbours. Distances of the metric L2 are
/// squared, as those of the library that the container uses.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct KnnEngine;

impl KnnEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for KnnEngine {
    fn runs(&self, image: &str) -> bool {
        repository(image) == "knn"
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
