use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::script::{self, Script};
use super::{script_setters, versions};
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, PlanContext, TrainingPlan, TrainingSettings};
use crate::images::{self, ImageScope};
use crate::source::{SourceCode, json_text};
use crate::training::Channels;
use crate::types::{ImageUri, S3Uri};

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
    model_dir: ModelDir,
}

impl TensorFlow {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> TensorFlowBuilder {
        let script = Script::new(entry_point.into());
        TensorFlowBuilder(Self { script, distribution: None, model_dir: ModelDir::OfJob })
    }
}

impl Estimator for TensorFlow {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        let mut query = images::image_uri("tensorflow").scope(ImageScope::Training);
        if self.distribution.as_ref().is_some_and(Distribution::is_smdistributed) {
            query = query.smdistributed();
        }
        self.script.image(query, region)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        let mut all = self.script.hyperparameters();
        all.extend(self.distribution.iter().flat_map(|it| it.hyperparameters(self.script.instance_type())));
        all
    }

    fn hyperparameters_of_job(&self, job_name: &str, output: &S3Uri) -> BTreeMap<String, String> {
        let place = match &self.model_dir {
            ModelDir::None => return BTreeMap::new(),
            ModelDir::At(place) => place.clone(),
            ModelDir::OfJob if self.distribution.as_ref().is_some_and(Distribution::is_mpi) => {
                "/opt/ml/model".to_owned()
            }
            ModelDir::OfJob => output.join(&format!("{job_name}/model")).to_string(),
        };
        BTreeMap::from([("model_dir".to_owned(), json_text(&place))])
    }

    fn settings(&self) -> &TrainingSettings {
        &self.script.settings
    }

    fn source(&self) -> Option<&SourceCode> {
        Some(&self.script.source)
    }

    fn check(&self, _channels: &Channels, problems: &mut Problems) {
        self.script.check(true, problems);
        let version = self.script.framework_version.as_deref();
        if let (Some(version), None) = (version, &self.script.image_uri) {
            let text = format!("TensorFlow {version} does not run scripts this way; versions from 1.11 on do");
            problems.require(versions::is_at_least(version, "1.11"), "framework_version", &text);
        }
        let python_2 = self.script.py_version.as_deref() == Some("py2");
        if python_2 && version.is_some_and(|version| versions::is_at_least(version, "2.1.2")) {
            problems.push("py_version", "TensorFlow has Python 2 up to version 2.1.1 only");
        }
        if let Some(distribution) = &self.distribution {
            distribution.check(&self.script.setting("tensorflow", version), problems);
        }
    }

    fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
        script::planned_with_metrics(self, self.script.is_at_least("1.15"), context, channels)
    }
}

/// Settings of a [`TensorFlow`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct TensorFlowBuilder(TensorFlow);

impl TensorFlowBuilder {
    script_setters!(self => self.0.script);
    script::distribution_setter!();

    /// What the script gets as `--model_dir`. Default: a place of the job's own.
    pub fn model_dir(mut self, place: ModelDir) -> Self {
        self.0.model_dir = place;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<TensorFlow> {
        script::built(self.0)
    }
}
