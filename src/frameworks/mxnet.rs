use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::script::{self, Script};
use super::{script_setters, versions};
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, PlanContext, TrainingPlan, TrainingSettings};
use crate::images::{self, ImageScope};
use crate::source::SourceCode;
use crate::training::Channels;
use crate::types::ImageUri;

/// An estimator of a script that uses MXNet.
///
/// ```
/// use sagemaker::estimator::Estimator;
/// use sagemaker::frameworks::{Distribution, MXNet};
/// use sagemaker::types::Compute;
///
/// let mxnet = MXNet::builder("train.py")
///     .framework_version("1.9.0")
///     .py_version("py38")
///     .distribution(Distribution::parameter_server())
///     .compute(Compute::instances("ml.m5.xlarge", 2))
///     .build()?;
/// assert_eq!(mxnet.image_uri("us-west-2")?.tag(), Some("1.9.0-cpu-py38"));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MXNet {
    script: Script,
    distribution: Option<Distribution>,
}

impl MXNet {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> MXNetBuilder {
        MXNetBuilder(Self { script: Script::new(entry_point.into()), distribution: None })
    }
}

impl Estimator for MXNet {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        self.script.image(images::image_uri("mxnet").scope(ImageScope::Training), region)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        let mut all = self.script.hyperparameters();
        all.extend(self.distribution.iter().flat_map(Distribution::mxnet_hyperparameters));
        all
    }

    fn settings(&self) -> &TrainingSettings {
        &self.script.settings
    }

    fn source(&self) -> Option<&SourceCode> {
        Some(&self.script.source)
    }

    fn check(&self, _channels: &Channels, problems: &mut Problems) {
        self.script.check(true, problems);
        let Some(distribution) = &self.distribution else { return };
        let version = self.script.framework_version.as_deref();
        let old = version.is_some_and(|version| !versions::is_at_least(version, "1.3"));
        problems.require(!old, "distribution", "is there from MXNet 1.3 on");
        distribution.check(&self.script.setting("mxnet", version), problems);
    }

    fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
        script::planned_with_metrics(self, self.script.is_at_least("1.6"), context, channels)
    }
}

/// Settings of an [`MXNet`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct MXNetBuilder(MXNet);

impl MXNetBuilder {
    script_setters!(self => self.0.script);
    script::distribution_setter!();

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<MXNet> {
        script::built(self.0)
    }
}
