//! Stands in for the SageMaker XGBoost container in its built-in algorithm mode.
//!
//! It trains gradient boosted trees with the crate `hessboost` and writes and reads XGBoost's own model files, so that
//! Python's XGBoost loads what was trained here and the other way round. Channels, hyperparameters, log lines, error
//! texts and answers follow the open source container, github.com/aws/sagemaker-xgboost-container, tags v1.7-1 and
//! v3.0-5; where this engine differs on purpose, the code says so.
//!
//! The image's tag chooses the release. Before 2.0 the intercept is 0.5 and trees are grown with `exact` (`approx` from
//! 4,194,304 rows on) unless hyperparameters say otherwise; from 2.0 on the intercept is estimated and trees are grown
//! with `hist`. What the container's own metrics see differs as well: see the module `seen`.

use std::sync::Arc;

use super::{Engine, EngineFailure, LoadedModel, ModelFiles, ProcessingTask, TrainingOutput, TrainingTask};

mod checkpoints;
mod content;
mod data;
mod folds;
mod format;
mod hyperparameters;
mod metrics;
mod params;
mod python;
mod records;
mod seen;
mod serve;
mod text;
mod train;
mod version;

/// Trains and serves as the images `sagemaker-xgboost` (0.90 to 3.0) and `xgboost` (the first one) do.
///
/// Training reads `text/csv`, `text/libsvm` and `application/x-recordio-protobuf`; Parquet, GPUs and
/// distribution over instances are refused or done on one CPU, and the job's log or failure says so.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct XGBoostEngine;

impl XGBoostEngine {
    /// The engine.
    pub fn new() -> Self {
        Self
    }
}

impl Engine for XGBoostEngine {
    fn runs(&self, image: &str) -> bool {
        ["sagemaker-xgboost", "xgboost"].contains(&version::repository(image))
    }

    fn trains(&self, job: &TrainingTask) -> bool {
        self.runs(&job.image) && !job.hyperparameters.contains_key("sagemaker_program")
    }

    fn processes(&self, _: &ProcessingTask) -> bool {
        false
    }

    fn serves(&self, model: &ModelFiles) -> bool {
        self.runs(&model.image) && !model.environment.contains_key("SAGEMAKER_PROGRAM")
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        train::train(job)
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Ok(Arc::new(serve::Server::load(model)?))
    }
}

#[cfg(test)]
mod tests;
