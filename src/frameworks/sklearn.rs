use std::collections::BTreeMap;

use super::script::{self, Script};
use super::script_setters;
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, TrainingSettings};
use crate::images;
use crate::source::SourceCode;
use crate::training::Channels;
use crate::types::ImageUri;

/// An estimator of a script that uses scikit-learn, on one instance without a GPU.
///
/// ```
/// use sagemaker::estimator::Estimator;
/// use sagemaker::frameworks::SKLearn;
/// use sagemaker::types::Compute;
///
/// let forest = SKLearn::builder("fit.py")
///     .framework_version("1.2-1")
///     .hyperparameter("n-estimators", 100)
///     .compute(Compute::instances("ml.m5.large", 1))
///     .build()?;
/// assert_eq!(forest.image_uri("us-west-2")?.tag(), Some("1.2-1-cpu-py3"));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SKLearn(Script);

impl SKLearn {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> SKLearnBuilder {
        SKLearnBuilder(Self(Script { py_version: Some("py3".to_owned()), ..Script::new(entry_point.into()) }))
    }
}

impl Estimator for SKLearn {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        self.0.image(images::image_uri("sklearn"), region)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        self.0.hyperparameters()
    }

    fn settings(&self) -> &TrainingSettings {
        &self.0.settings
    }

    fn source(&self) -> Option<&SourceCode> {
        Some(&self.0.source)
    }

    fn check(&self, _channels: &Channels, problems: &mut Problems) {
        self.0.check(false, problems);
        let python_3 = self.0.py_version.as_deref() == Some("py3");
        problems.require(python_3, "py_version", "scikit-learn's images have py3");
        script::check_one_processor(&self.0, "scikit-learn", problems);
    }
}

/// Settings of an [`SKLearn`] training. The version of Python is `py3`.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct SKLearnBuilder(SKLearn);

impl SKLearnBuilder {
    script_setters!(self => self.0.0);

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<SKLearn> {
        script::built(self.0)
    }
}
