use std::collections::BTreeMap;

use aws_sdk_sagemaker::types as sdk;

use super::ext::{hosted_for, model_data};
use super::{AlgorithmSource, Attached, Estimator, TrainingSettings, training_setters};
use crate::aws::ServiceCall;
use crate::error::Problems;
use crate::job::Completed;
use crate::model::CreateModel;
use crate::training::{Channels, HyperparameterValue, Training};
use crate::types::{Arn, ImageUri};
use crate::{Error, Result, Session};

/// An estimator of an algorithm that is registered in SageMaker: your own algorithm resource, or one from AWS Marketplace.
///
/// The service is asked once for what the algorithm takes; hyperparameters, channels and instances are checked against
/// that before a job is started.
///
/// ```no_run
/// # async fn run(session: sagemaker::Session) -> sagemaker::Result<()> {
/// use sagemaker::estimator::{AlgorithmEstimator, EstimatorExt};
/// use sagemaker::types::Compute;
///
/// let estimator = AlgorithmEstimator::builder(&session, "arn:aws:sagemaker:eu-west-1:123456789012:algorithm/trees")
///     .await?
///     .hyperparameter("depth", 7)
///     .compute(Compute::instances("ml.m5.xlarge", 1))
///     .build()?;
/// let job = estimator.fit(&session, "s3://my-bucket/sales/").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AlgorithmEstimator {
    arn: Arn,
    takes: sdk::TrainingSpecification,
    hyperparameters: BTreeMap<String, HyperparameterValue>,
    settings: TrainingSettings,
}

impl AlgorithmEstimator {
    /// Asks what the algorithm of an ARN takes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such algorithm.
    pub async fn builder(session: &Session, arn: impl AsRef<str>) -> Result<AlgorithmEstimatorBuilder> {
        let arn = Arn::new(arn.as_ref())?;
        let asked = session.aws().sagemaker().describe_algorithm().algorithm_name(arn.as_str()).send().await;
        let takes = asked.of("DescribeAlgorithm")?.training_specification;
        let takes = takes.ok_or_else(|| Error::invalid("", format!("the algorithm {arn} does not train")))?;
        Ok(AlgorithmEstimatorBuilder(Self {
            arn,
            takes,
            hyperparameters: BTreeMap::new(),
            settings: TrainingSettings::default(),
        }))
    }

    /// An estimator with the algorithm, hyperparameters, tags and settings of a job; see
    /// [`ContainerEstimator::attach`](super::ContainerEstimator::attach).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such job or its algorithm is no longer there,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if an image trained it.
    pub async fn attach(session: &Session, job_name: impl AsRef<str>) -> Result<Self> {
        let job = Attached::of(session, job_name.as_ref()).await?;
        let algorithm = job.description.raw().algorithm_specification();
        let Some(name) = algorithm.and_then(sdk::AlgorithmSpecification::algorithm_name) else {
            return Err(job.refusal("was trained by an image: ContainerEstimator::attach takes it"));
        };
        let of_algorithm = Self::builder(session, name).await?.0;
        let hyperparameters = job.hyperparameters().into_iter().map(|(name, value)| (name, value.into())).collect();
        Ok(Self { hyperparameters, settings: job.settings, ..of_algorithm })
    }

    /// A builder that begins with the settings of this one.
    pub fn edit(self) -> AlgorithmEstimatorBuilder {
        AlgorithmEstimatorBuilder(self)
    }

    fn check_hyperparameters(&self, problems: &mut Problems) {
        let known = self.takes.supported_hyper_parameters();
        for (name, value) in self.hyperparameters() {
            let field = format!("hyperparameters.{name}");
            match known.iter().find(|known| known.name() == Some(name.as_str())) {
                None => {
                    problems.push(field, format!("the algorithm has no such hyperparameter; it has {}", names(known)));
                }
                Some(known) => {
                    if let Some(text) = refusal(known, &value) {
                        problems.push(field, text);
                    }
                }
            }
        }
        for needed in known.iter().filter(|known| known.is_required() == Some(true) && known.default_value().is_none())
        {
            let name = needed.name().unwrap_or_default();
            if !self.hyperparameters.contains_key(name) {
                problems.push(format!("hyperparameters.{name}"), "is needed by the algorithm");
            }
        }
    }

    fn check_machines(&self, problems: &mut Problems) {
        let Some(compute) = &self.settings.compute else { return };
        let known = self.takes.supported_training_instance_types();
        if !known.iter().any(|known| known.as_str() == compute.instance_type()) {
            let known: Vec<&str> = known.iter().map(sdk::TrainingInstanceType::as_str).collect();
            problems.push("compute.instance_type", format!("the algorithm trains on {}", known.join(", ")));
        }
        if compute.instance_count() > 1 && self.takes.supports_distributed_training() == Some(false) {
            problems.push("compute.instance_count", "the algorithm trains on one instance only");
        }
    }

    fn check_channels(&self, channels: &Channels, problems: &mut Problems) {
        let known = self.takes.training_channels();
        for (name, _) in channels.iter() {
            if !known.iter().any(|known| known.name() == Some(name)) {
                let known: Vec<&str> = known.iter().filter_map(sdk::ChannelSpecification::name).collect();
                problems.push(format!("inputs.{name}"), format!("the algorithm has the channels {}", known.join(", ")));
            }
        }
        for needed in known.iter().filter(|known| known.is_required() == Some(true)) {
            let name = needed.name().unwrap_or_default();
            let there = channels.get(name).is_some();
            problems.require(there, &format!("inputs.{name}"), "the algorithm needs this channel");
        }
        let mode = self.settings.input_mode.to_request();
        let modes = known.iter().all(|known| known.supported_input_modes().contains(&mode));
        problems.require(modes, "input_mode", &format!("the algorithm does not read in {} mode", mode.as_str()));
    }
}

impl Estimator for AlgorithmEstimator {
    fn image_uri(&self, _region: &str) -> Result<ImageUri> {
        let text = format!("the algorithm {} is trained without an image of its own", self.arn);
        Err(Error::invalid("image_uri", text))
    }

    fn algorithm(&self, _region: &str) -> Result<AlgorithmSource> {
        Ok(AlgorithmSource::Arn(self.arn.clone()))
    }

    /// With the algorithm's defaults for what was not set.
    fn hyperparameters(&self) -> BTreeMap<String, String> {
        let known = self.takes.supported_hyper_parameters().iter();
        let defaults = known.filter_map(|known| Some((known.name()?.to_owned(), known.default_value()?.to_owned())));
        let own = self.hyperparameters.iter().map(|(name, value)| (name.clone(), value.to_text()));
        defaults.chain(own).collect()
    }

    fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    /// A model package of the algorithm is made first, under the model's name, and waited for while the service checks it.
    fn hosting(&self, session: &Session, trained: &Completed<Training>) -> CreateModel {
        let model = CreateModel::from_algorithm(session, self.arn.clone(), model_data(trained));
        hosted_for(self, model, trained)
    }

    fn check(&self, channels: &Channels, problems: &mut Problems) {
        self.check_hyperparameters(problems);
        self.check_machines(problems);
        self.check_channels(channels, problems);
    }
}

fn names(known: &[sdk::HyperParameterSpecification]) -> String {
    known.iter().filter_map(sdk::HyperParameterSpecification::name).collect::<Vec<_>>().join(", ")
}

/// Why a value is not what the specification allows.
fn refusal(known: &sdk::HyperParameterSpecification, value: &str) -> Option<String> {
    let outside = |number: f64, least: Option<&str>, most: Option<&str>| {
        let bound = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
        let (least, most) = (bound(least), bound(most));
        let outside = least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most);
        let told = |bound: Option<f64>| bound.map_or("any".to_owned(), |bound| bound.to_string());
        outside.then(|| format!("must be between {} and {}, is {value}", told(least), told(most)))
    };
    let range = known.range();
    match known.r#type()? {
        sdk::ParameterType::Integer => {
            let Ok(number) = value.parse::<i64>() else { return Some(format!("must be a whole number, is {value:?}")) };
            let range = range.and_then(|range| range.integer_parameter_range_specification())?;
            outside(number as f64, range.min_value(), range.max_value())
        }
        sdk::ParameterType::Continuous => {
            let Ok(number) = value.parse::<f64>() else { return Some(format!("must be a number, is {value:?}")) };
            let range = range.and_then(|range| range.continuous_parameter_range_specification())?;
            outside(number, range.min_value(), range.max_value())
        }
        sdk::ParameterType::Categorical => {
            let choices = range.and_then(|range| range.categorical_parameter_range_specification())?.values();
            let is_known = choices.iter().any(|choice| choice == value);
            (!is_known).then(|| format!("must be one of {}, is {value:?}", choices.join(", ")))
        }
        _ => None,
    }
}

/// Settings of an [`AlgorithmEstimator`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct AlgorithmEstimatorBuilder(AlgorithmEstimator);

impl AlgorithmEstimatorBuilder {
    training_setters!(self => self.0.settings);

    /// A hyperparameter of the algorithm.
    pub fn hyperparameter(mut self, name: impl Into<String>, value: impl Into<HyperparameterValue>) -> Self {
        self.0.hyperparameters.insert(name.into(), value.into());
        self
    }

    /// Several hyperparameters, beside and in place of those that were set before.
    pub fn hyperparameters<N: Into<String>, V: Into<HyperparameterValue>>(
        mut self,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.0.hyperparameters.extend(values.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Checks everything but the channels.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<AlgorithmEstimator> {
        let mut problems = Problems::default();
        self.0.check_hyperparameters(&mut problems);
        self.0.check_machines(&mut problems);
        self.0.settings.check_alone(&self.0, &mut problems);
        problems.into_result()?;
        Ok(self.0)
    }
}
