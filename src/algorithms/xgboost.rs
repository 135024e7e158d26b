//! The built-in XGBoost: gradient boosted trees for regression, classification, ranking and survival.
//!
//! ```
//! use sagemaker::algorithms::xgboost::{Objective, XGBoost};
//! use sagemaker::types::Compute;
//!
//! let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100).max_depth(5).eta(0.2).subsample(0.8).compute(Compute::instances("ml.m5.xlarge", 1)).build()?;
//! assert_eq!(xgboost.hyperparameters().to_wire()["eta"], "0.2");
//!
//! let error = XGBoost::builder(Objective::BinaryLogistic, 0).eta(1.5).build().unwrap_err();
//! assert_eq!(error.invalid_values().len(), 3); // num_round, eta, and no compute
//! # Ok::<(), sagemaker::Error>(())
//! ```

use std::collections::BTreeMap;

use super::builtin::check_content_types;
use super::{AlgorithmChannel, AlgorithmInstances, Processor};
use crate::error::Problems;
use crate::estimator::{Estimator, TrainingSettings, training_setters};
use crate::training::Channels;
use crate::types::{ContentType, ImageUri};
use crate::{Result, images};

mod choices;
mod eval_metric;
mod hyperparameters;
mod metrics;
mod objective;
mod rules;
#[cfg(test)]
mod tests;

pub use choices::{
    AftDistribution, Booster, GrowPolicy, Monotone, NormalizeType, ProcessType, SampleType, SamplingMethod, TreeMethod,
    Updater,
};
pub use eval_metric::EvalMetric;
pub use hyperparameters::Hyperparameters;
pub use metrics::{DefaultMetric, default_metrics};
pub use objective::Objective;

/// An estimator of the built-in XGBoost algorithm.
///
/// Channels: `train`, and `validation` to watch (needed for early stopping); CSV with the label first and no header, LIBSVM,
/// Parquet or RecordIO-protobuf. A channel that declares no content type is read as LIBSVM. Instances: CPUs, where memory
/// matters more than speed; GPUs with [`TreeMethod::GpuHist`].
#[derive(Debug, Clone)]
pub struct XGBoost {
    hyperparameters: Hyperparameters,
    version: String,
    settings: TrainingSettings,
}

impl XGBoost {
    /// Begins with what every training needs: what to learn, and how many rounds of boosting.
    pub fn builder(objective: Objective, num_round: u32) -> XGBoostBuilder {
        XGBoostBuilder(Self {
            hyperparameters: Hyperparameters::new(objective, num_round),
            version: images::xgboost::DEFAULT_VERSION.to_owned(),
            settings: TrainingSettings::default(),
        })
    }

    /// The channels that the container reads.
    pub fn channels() -> &'static [AlgorithmChannel] {
        CHANNELS
    }

    /// The instances that it trains on.
    pub fn instances() -> AlgorithmInstances {
        AlgorithmInstances { processor: Processor::Any, is_single: false }
    }

    /// The metrics that the service reads from the logs by itself, as [`default_metrics`].
    pub fn default_metrics() -> Vec<DefaultMetric> {
        default_metrics()
    }

    /// What the algorithm is told.
    pub fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyperparameters
    }
}

impl Estimator for XGBoost {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        images::xgboost(region, &self.version)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        self.hyperparameters.to_wire()
    }

    fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    fn check(&self, channels: &Channels, problems: &mut Problems) {
        self.hyperparameters.validate(problems);
        problems.require(channels.get("train").is_some(), "inputs.train", "the algorithm needs this channel");
        if self.hyperparameters.get("early_stopping_rounds").is_some() {
            let there = channels.get("validation").is_some();
            problems.require(there, "inputs.validation", "is needed by the hyperparameter early_stopping_rounds");
        }
        for (name, _) in channels.iter().filter(|(name, _)| !NAMES.contains(name)) {
            problems.push(format!("inputs.{name}"), format!("the algorithm has the channels {}", NAMES.join(", ")));
        }
        check_content_types(CHANNELS, channels, problems);
    }
}

const NAMES: [&str; 4] = ["train", "validation", "code", "model"];
const CHANNELS: &[AlgorithmChannel] =
    &[AlgorithmChannel::required("train", TABLES), AlgorithmChannel::optional("validation", TABLES)];
/// The container takes the last ones' short names too.
const TABLES: &[ContentType] = &[
    ContentType::CSV,
    ContentType::LIBSVM,
    ContentType::from_static("text/x-libsvm"),
    ContentType::from_static("application/x-parquet"),
    ContentType::RECORDIO_PROTOBUF,
    ContentType::from_static("csv"),
    ContentType::from_static("libsvm"),
    ContentType::from_static("parquet"),
    ContentType::from_static("recordio-protobuf"),
];

/// Settings of an [`XGBoost`] training. Every hyperparameter of [`Hyperparameters`] is a method here too.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct XGBoostBuilder(XGBoost);

impl XGBoostBuilder {
    training_setters!(self => self.0.settings);

    /// The version of the algorithm's image, such as `1.7-1`. Default: [`images::xgboost::DEFAULT_VERSION`].
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = version.into();
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that lists every refused value, hyperparameters as
    /// `hyperparameters.<name>`.
    pub fn build(self) -> Result<XGBoost> {
        let mut problems = Problems::default();
        self.0.hyperparameters.validate(&mut problems);
        self.0.settings.check_alone(&self.0, &mut problems);
        problems.into_result()?;
        Ok(self.0)
    }
}
