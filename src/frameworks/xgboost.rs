use super::attach::ScriptJob;
use super::framework::{Framework, framework_estimator};
use super::script::{self, Script};
use super::{FrameworkModel, script_setters};
use crate::Result;
use crate::error::Problems;
use crate::images::{self, ImageQuery, ImageScope};
use crate::source::SourceCode;

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

impl Framework for XGBoost {
    const NAME: &'static str = "XGBoost";
    const NEEDS_PY_VERSION: bool = false;

    fn script(&self) -> &Script {
        &self.0
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.0
    }

    fn query(&self) -> ImageQuery {
        images::image_uri("xgboost").scope(ImageScope::Training)
    }

    fn check_own(&self, problems: &mut Problems) {
        script::check_python_3(&self.0, problems);
        let without_scripts = ["1", "latest"].contains(&self.0.version());
        problems.require(!without_scripts, "framework_version", "scripts run from 0.90-1 on");
    }

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        job.tag.py_version.get_or_insert_with(|| "py3".to_owned());
        Ok(Self(job.begun()))
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::xgboost(self.0.version())
    }
}

/// Settings of an [`XGBoost`] training. The version of Python is `py3`.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct XGBoostBuilder(XGBoost);

impl XGBoostBuilder {
    script_setters!(self => self.0.0);
}

framework_estimator!(XGBoost, XGBoostBuilder);
