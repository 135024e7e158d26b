//! The built-in XGBoost: gradient boosted trees for regression, classification, ranking and survival.
//!
//! ```
//! use sagemaker::algorithms::xgboost::{Objective, XGBoost};
//! use sagemaker::types::Compute;
//!
//! let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100)
//!     .max_depth(5)
//!     .eta(0.2)
//!     .subsample(0.8)
//!     .compute(Compute::instances("ml.m5.xlarge", 1))
//!     .build()?;
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
use crate::estimator::{Attached, Estimator, TrainingSettings, training_setters};
use crate::training::Channels;
use crate::types::{ContentType, ImageUri};
use crate::{Result, Session, images};

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
    /// Of a job that was not trained by the image that the version stands for.
    image: Option<ImageUri>,
    settings: TrainingSettings,
}

impl XGBoost {
    /// Begins with what every training needs: what to learn, and how many rounds of boosting.
    pub fn builder(objective: Objective, num_round: u32) -> XGBoostBuilder {
        XGBoostBuilder(Self {
            hyperparameters: Hyperparameters::new(objective, num_round),
            version: images::xgboost::DEFAULT_VERSION.to_owned(),
            image: None,
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

    /// An estimator with the hyperparameters, tags and settings of a job of the built-in XGBoost, whoever started it.
    ///
    /// Nothing is lost that the service tells; hyperparameters that the container knows under two names get the one of
    /// their setter. See [`ContainerEstimator::attach`](crate::estimator::ContainerEstimator::attach) for the job's channels.
    ///
    /// ```
    /// # #[cfg(feature = "algorithms")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> sagemaker::Result<()> {
    /// # use sagemaker::algorithms::xgboost::{Objective, XGBoost};
    /// # use sagemaker::estimator::EstimatorExt;
    /// # use sagemaker::training::TrainingInput;
    /// # use sagemaker::types::{Compute, ContentType};
    /// # let session = sagemaker::Session::local();
    /// # session.ensure_bucket().await?;
    /// # let data = session.default_uri("doubling/train.csv").await?;
    /// # session.upload_bytes("2,1\n4,2\n6,3\n8,4\n", &data, &ContentType::CSV).await?;
    /// # let first = XGBoost::builder(Objective::RegSquaredError, 10).compute(Compute::instances("ml.m5.xlarge", 1)).build()?;
    /// # let job = first.fit(&session, [("train", TrainingInput::csv(data))]).await?;
    /// let again = XGBoost::attach(&session, job.name()).await?.edit().max_depth(3).build()?;
    /// assert_eq!(again.hyperparameters().get("num_round"), Some("10"));
    /// again.fit(&session, job.describe().await?.channels()?).await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "algorithms"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such job, [`Unsupported`](crate::ErrorKind::Unsupported) if
    /// another image trained it, or if it ran a script: [`frameworks::XGBoost`](crate::frameworks::XGBoost) takes those.
    pub async fn attach(session: &Session, job_name: impl AsRef<str>) -> Result<Self> {
        let job = Attached::of(session, job_name.as_ref()).await?;
        let image = ImageUri::new(job.image()?)?;
        if !REPOSITORIES.contains(&image.repository()) {
            let text = format!("was trained by {image}, which is no image of XGBoost");
            return Err(job.refusal(&format!("{text}: ContainerEstimator::attach takes it")));
        }
        let hyperparameters = job.hyperparameters();
        if hyperparameters.contains_key("sagemaker_program") {
            return Err(job.refusal("ran a script: frameworks::XGBoost::attach takes it"));
        }
        let tag = image.tag().unwrap_or(images::xgboost::DEFAULT_VERSION);
        let version = tag.split_once("-cpu").map_or(tag, |(version, _)| version).to_owned();
        let of_version = images::xgboost(session.region(), &version).ok();
        Ok(Self {
            hyperparameters: Hyperparameters::from_wire(hyperparameters),
            version,
            image: Some(image).filter(|image| Some(image) != of_version.as_ref()),
            settings: job.settings,
        })
    }

    /// A builder that begins with the settings of this one.
    pub fn edit(self) -> XGBoostBuilder {
        XGBoostBuilder(self)
    }

    /// What the algorithm is told.
    pub fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyperparameters
    }
}

impl Estimator for XGBoost {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        match &self.image {
            Some(image) => Ok(image.clone()),
            None => images::xgboost(region, &self.version),
        }
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
/// That of version 1, and that of all others.
const REPOSITORIES: [&str; 2] = ["xgboost", "sagemaker-xgboost"];

/// Settings of an [`XGBoost`] training. Every hyperparameter of [`Hyperparameters`] is a method here too.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct XGBoostBuilder(XGBoost);

impl XGBoostBuilder {
    training_setters!(self => self.0.settings);

    /// The version of the algorithm's image, such as `1.7-1`. Default: [`images::xgboost::DEFAULT_VERSION`].
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = version.into();
        self.0.image = None;
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
