use std::collections::BTreeMap;

use super::attach::ScriptJob;
use super::distribution::{Distribution, Launch, Toolkit};
use super::framework::{Framework, framework_estimator};
use super::script::{self, Script};
use super::{FrameworkModel, script_setters, versions};
use crate::Result;
use crate::error::Problems;
use crate::images::{self, ImageQuery, ImageScope};
use crate::source::SourceCode;

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

impl Framework for MXNet {
    const NAME: &'static str = "MXNet";

    fn script(&self) -> &Script {
        &self.script
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.script
    }

    fn query(&self) -> ImageQuery {
        images::image_uri("mxnet").scope(ImageScope::Training)
    }

    fn told(&self) -> BTreeMap<String, String> {
        let launch = Launch::on(Toolkit::Other, self.script.settings.compute.as_ref());
        self.distribution.iter().flat_map(|it| it.mxnet_hyperparameters(&launch)).collect()
    }

    fn check_own(&self, problems: &mut Problems) {
        let Some(distribution) = &self.distribution else { return };
        let version = self.script.framework_version.as_deref();
        let old = version.is_some_and(|version| !versions::is_at_least(version, "1.3"));
        problems.require(!old, "distribution", "is there from MXNet 1.3 on");
        distribution.check(&self.script.setting("mxnet", version), problems);
    }

    fn keeps_metrics(&self) -> bool {
        self.script.is_at_least("1.6")
    }

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        let distribution = job.take_distribution(Toolkit::Other, Distribution::mxnet_hyperparameters);
        Ok(Self { distribution, script: job.begun() })
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::mxnet(self.script.version(), self.script.python())
    }
}

/// Settings of an [`MXNet`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct MXNetBuilder(MXNet);

impl MXNetBuilder {
    script_setters!(self => self.0.script);
    script::distribution_setter!();
}

framework_estimator!(MXNet, MXNetBuilder);
