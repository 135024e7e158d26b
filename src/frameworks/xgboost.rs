use std::collections::BTreeMap;

use super::script::{self, Script};
use super::script_setters;
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, TrainingSettings};
use crate::images::{self, ImageScope};
use crate::source::SourceCode;
use crate::training::Channels;
use crate::types::ImageUri;

/// An estimator of a script that uses XGBoost. For the built-in algorithm, which needs no script, see
/// [`algorithms::xgboost`](crate::algorithms::xgboost).
///
/// ```
/// use sagemaker::estimator::Estimator;
/// use sagemaker::frameworks::XGBoost;
/// use sagemaker::types::Compute;
///
/// let xgboost = XGBoost::builder("abalone.py")
///     .source_dir("xgb")
///     .framework_version("1.7-1")
///     .hyperparameter("num_round", 50)
///     .compute(Compute::instances("ml.m5.2xlarge", 2))
///     .build()?;
/// assert_eq!(xgboost.image_uri("us-west-2")?.tag(), Some("1.7-1"));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct XGBoost(Script);

impl XGBoost {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> XGBoostBuilder {
        XGBoostBuilder(Self(Script { py_version: Some("py3".to_owned()), ..Script::new(entry_point.into()) }))
    }
}

impl Estimator for XGBoost {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        self.0.image(images::image_uri("xgboost").scope(ImageScope::Training), region)
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
        problems.require(python_3, "py_version", "XGBoost's images have py3");
        let version = self.0.framework_version.as_deref();
        let without_scripts = version.is_some_and(|version| ["1", "latest"].contains(&version));
        problems.require(!without_scripts, "framework_version", "scripts run from 0.90-1 on");
    }
}

/// Settings of an [`XGBoost`] training. The version of Python is `py3`.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct XGBoostBuilder(XGBoost);

impl XGBoostBuilder {
    script_setters!(self => self.0.0);

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<XGBoost> {
        script::built(self.0)
    }
}
