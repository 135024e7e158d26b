//! Stands in for the SageMaker Factorization Machines container.
//!
//! Second-order machines of Rendle, "Factorization Machines" (2010), trained by mini-batch gradient descent (Adam) with
//! learning rates and weight decays of their own for bias, linear terms and factors.

use std::sync::Arc;

use super::numeric::repository;
use super::numeric::serving::Served;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};

mod hyperparameters;
mod machine;
mod metrics;
mod model;
mod serve;
mod train;

/// Trains and serves as the image `factorization-machines` does.
///
/// Trains from `application/x-recordio-protobuf`, dense or sparse; reads that and JSON for predictions; answers JSON,
/// JSON Lines and RecordIO-protobuf.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct FactorizationMachinesEngine;

impl FactorizationMachinesEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for FactorizationMachinesEngine {
    fn runs(&self, image: &str) -> bool {
        repository(image) == "factorization-machines"
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
