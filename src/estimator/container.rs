use std::collections::BTreeMap;

use super::{Estimator, TrainingSettings, training_setters};
use crate::Result;
use crate::error::Problems;
use crate::source::SourceCode;
use crate::training::HyperparameterValue;
use crate::types::ImageUri;

/// An estimator of any container image that follows the SageMaker training contract.
///
/// ```
/// use sagemaker::estimator::ContainerEstimator;
/// use sagemaker::types::Compute;
///
/// let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecaster:3")
///     .compute(Compute::instances("ml.m5.xlarge", 1))
///     .hyperparameter("horizon", 24)
///     .build()?;
/// # let _ = estimator;
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ContainerEstimator {
    image_uri: String,
    hyperparameters: BTreeMap<String, HyperparameterValue>,
    source: Option<SourceCode>,
    settings: TrainingSettings,
}

impl ContainerEstimator {
    /// An estimator of the image.
    pub fn builder(image_uri: impl Into<String>) -> ContainerEstimatorBuilder {
        ContainerEstimatorBuilder(Self {
            image_uri: image_uri.into(),
            hyperparameters: BTreeMap::new(),
            source: None,
            settings: TrainingSettings::default(),
        })
    }
}

impl ContainerEstimator {
    pub(super) fn of_parts(
        image_uri: String,
        hyperparameters: BTreeMap<String, HyperparameterValue>,
        settings: TrainingSettings,
    ) -> Self {
        Self { image_uri, hyperparameters, source: None, settings }
    }

    /// A builder that begins with the settings of this one.
    pub fn edit(self) -> ContainerEstimatorBuilder {
        ContainerEstimatorBuilder(self)
    }
}

impl Estimator for ContainerEstimator {
    fn image_uri(&self, _region: &str) -> Result<ImageUri> {
        ImageUri::new(self.image_uri.as_str())
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        let written = |value: &HyperparameterValue| match &self.source {
            // The toolkits that run scripts read JSON.
            Some(_) => value.to_json(),
            None => value.to_text(),
        };
        self.hyperparameters.iter().map(|(name, value)| (name.clone(), written(value))).collect()
    }

    fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    fn source(&self) -> Option<&SourceCode> {
        self.source.as_ref()
    }
}

/// Settings of a [`ContainerEstimator`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ContainerEstimatorBuilder(ContainerEstimator);

impl ContainerEstimatorBuilder {
    training_setters!(self => self.0.settings);

    /// A hyperparameter; it is written as the Python SDK writes it, see [`HyperparameterValue::to_text`]. With
    /// [`source`](Self::source) it is JSON, see [`HyperparameterValue::to_json`].
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

    /// A script of yours that the image runs, if it has the SageMaker training toolkit. Default: none.
    pub fn source(mut self, source: impl Into<SourceCode>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<ContainerEstimator> {
        let mut problems = Problems::default();
        if let Some(source) = &self.0.source {
            source.check(&mut problems);
        }
        self.0.settings.check_alone(&self.0, &mut problems);
        problems.into_result()?;
        Ok(self.0)
    }
}
