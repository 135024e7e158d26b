use super::attach::ScriptJob;
use super::framework::{Framework, framework_estimator};
use super::script::{self, Script};
use super::{FrameworkModel, script_setters};
use crate::Result;
use crate::error::Problems;
use crate::images::{self, ImageQuery};
use crate::source::SourceCode;

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

impl Framework for SKLearn {
    const NAME: &'static str = "SKLearn";
    const NEEDS_PY_VERSION: bool = false;

    fn script(&self) -> &Script {
        &self.0
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.0
    }

    fn query(&self) -> ImageQuery {
        images::image_uri("sklearn")
    }

    fn check_own(&self, problems: &mut Problems) {
        script::check_python_3(&self.0, problems);
        script::check_one_processor(&self.0, "scikit-learn", problems);
    }

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        Ok(Self(job.begun()))
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::sklearn(self.0.version())
    }
}

/// Settings of an [`SKLearn`] training. The version of Python is `py3`.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct SKLearnBuilder(SKLearn);

impl SKLearnBuilder {
    script_setters!(self => self.0.0);
}

framework_estimator!(SKLearn, SKLearnBuilder);
