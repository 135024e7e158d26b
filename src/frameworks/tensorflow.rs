use std::collections::BTreeMap;

use super::attach::ScriptJob;
use super::distribution::{Distribution, Toolkit};
use super::framework::{Framework, framework_estimator};
use super::script::{self, Script, TrainingCompiler};
use super::{FrameworkModel, script_setters, versions};
use crate::Result;
use crate::error::Problems;
use crate::images::{self, ImageQuery, ImageScope};
use crate::source::{SourceCode, json_text};
use crate::types::S3Uri;

/// What the script gets as `--model_dir`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelDir {
    /// `<output path>/<job>/model`, and `/opt/ml/model` under MPI.
    #[default]
    OfJob,
    /// A place of your own: an `s3://` URI or a path in the container.
    At(String),
    /// The script takes no such argument.
    None,
}

/// An estimator of a script that uses TensorFlow.
///
/// ```
/// use sagemaker::estimator::Estimator;
/// use sagemaker::frameworks::{Distribution, TensorFlow};
/// use sagemaker::types::Compute;
///
/// let tensorflow = TensorFlow::builder("train.py")
///     .framework_version("2.11")
///     .py_version("py39")
///     .distribution(Distribution::multi_worker_mirrored())
///     .compute(Compute::instances("ml.m5.xlarge", 2))
///     .build()?;
/// assert_eq!(tensorflow.image_uri("us-west-2")?.tag(), Some("2.11-cpu-py39"));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TensorFlow {
    script: Script,
    distribution: Option<Distribution>,
    compiler: Option<TrainingCompiler>,
    model_dir: ModelDir,
}

impl TensorFlow {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> TensorFlowBuilder {
        let script = Script::new(entry_point.into());
        TensorFlowBuilder(Self { script, distribution: None, compiler: None, model_dir: ModelDir::OfJob })
    }
}

impl Framework for TensorFlow {
    const NAME: &'static str = "TensorFlow";

    fn script(&self) -> &Script {
        &self.script
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.script
    }

    fn query(&self) -> ImageQuery {
        let mut query = images::image_uri("tensorflow").scope(ImageScope::Training);
        if self.compiler.is_some() {
            query = query.training_compiler();
        }
        match self.distribution.as_ref().is_some_and(Distribution::is_smdistributed) {
            true => query.smdistributed(),
            false => query,
        }
    }

    fn told(&self) -> BTreeMap<String, String> {
        script::launch_hyperparameters(&self.script, Toolkit::Other, self.distribution.as_ref(), self.compiler)
    }

    fn told_of_job(&self, job_name: &str, output: Option<&S3Uri>) -> BTreeMap<String, String> {
        let place = match &self.model_dir {
            ModelDir::None => None,
            ModelDir::At(place) => Some(place.clone()),
            ModelDir::OfJob if self.distribution.as_ref().is_some_and(Distribution::is_mpi) => {
                Some(IN_CONTAINER.to_owned())
            }
            ModelDir::OfJob => output.map(|output| model_dir_of_job(output, job_name)),
        };
        place.into_iter().map(|place| ("model_dir".to_owned(), json_text(&place))).collect()
    }

    fn check_own(&self, problems: &mut Problems) {
        let version = self.script.framework_version.as_deref();
        if let (Some(version), None) = (version, &self.script.image_uri) {
            let text = format!("TensorFlow {version} does not run scripts this way; versions from 1.11 on do");
            problems.require(versions::is_at_least(version, "1.11"), "framework_version", &text);
        }
        let python_2 = self.script.py_version.as_deref() == Some("py2");
        if python_2 && version.is_some_and(|version| versions::is_at_least(version, "2.1.2")) {
            problems.push("py_version", "TensorFlow has Python 2 up to version 2.1.1 only");
        }
        script::check_training_compiler(&self.script, self.compiler, self.distribution.as_ref(), problems);
        if let Some(distribution) = &self.distribution {
            distribution.check(&self.script.setting("tensorflow", version), problems);
        }
    }

    fn keeps_metrics(&self) -> bool {
        self.script.is_at_least("1.15")
    }

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        let distribution = job.take_distribution(Toolkit::Other, Distribution::hyperparameters);
        let of_job = match distribution.as_ref().is_some_and(Distribution::is_mpi) {
            true => Some(IN_CONTAINER.to_owned()),
            false => job.output.parse().ok().map(|output| model_dir_of_job(&output, &job.job_name)),
        };
        let model_dir = match job.take("model_dir").and_then(|place| place.as_str().map(str::to_owned)) {
            None => ModelDir::None,
            place if place == of_job => ModelDir::OfJob,
            Some(place) => ModelDir::At(place),
        };
        Ok(Self { distribution, compiler: job.take_training_compiler(), model_dir, script: job.begun() })
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::tensorflow(self.script.version())
    }
}

/// Where the script leaves the model under MPI.
const IN_CONTAINER: &str = "/opt/ml/model";

fn model_dir_of_job(output: &S3Uri, job_name: &str) -> String {
    output.join(&format!("{job_name}/model")).to_string()
}

/// Settings of a [`TensorFlow`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct TensorFlowBuilder(TensorFlow);

impl TensorFlowBuilder {
    script_setters!(self => self.0.script);
    script::distribution_setter!();
    script::training_compiler_setter!();

    /// What the script gets as `--model_dir`. Default: a place of the job's own.
    pub fn model_dir(mut self, place: ModelDir) -> Self {
        self.0.model_dir = place;
        self
    }
}

framework_estimator!(TensorFlow, TensorFlowBuilder);
