use std::collections::BTreeMap;

use super::attach::ScriptJob;
use super::distribution::{Distribution, Toolkit};
use super::framework::{Framework, framework_estimator};
use super::script::{self, Script, TrainingCompiler};
use super::{FrameworkModel, script_setters};
use crate::Result;
use crate::error::Problems;
use crate::images::{self, ImageQuery, ImageScope};
use crate::source::SourceCode;

/// What Hugging Face's libraries stand on, with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaseFramework {
    /// PyTorch.
    PyTorch(String),
    /// TensorFlow.
    TensorFlow(String),
}

impl BaseFramework {
    /// PyTorch of a version such as `2.0.0`.
    pub fn pytorch(version: impl Into<String>) -> Self {
        Self::PyTorch(version.into())
    }

    /// TensorFlow of a version such as `2.6.3`.
    pub fn tensorflow(version: impl Into<String>) -> Self {
        Self::TensorFlow(version.into())
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::PyTorch(_) => "pytorch",
            Self::TensorFlow(_) => "tensorflow",
        }
    }

    pub(super) fn version(&self) -> &str {
        match self {
            Self::PyTorch(version) | Self::TensorFlow(version) => version,
        }
    }

    /// As the tables of images have it: `pytorch2.0.0`.
    pub(super) fn full_name(&self) -> String {
        format!("{}{}", self.name(), self.version())
    }
}

/// An estimator of a script that uses Hugging Face's Transformers; `framework_version` is theirs.
///
/// ```
/// use sagemaker::estimator::Estimator;
/// use sagemaker::frameworks::{BaseFramework, HuggingFace};
/// use sagemaker::types::Compute;
///
/// let trainer = HuggingFace::builder("run.py", BaseFramework::pytorch("2.0.0"))
///     .source_dir("scripts")
///     .framework_version("4.28.1")
///     .py_version("py310")
///     .compute(Compute::instances("ml.g5.2xlarge", 1))
///     .build()?;
/// let tag = "2.0.0-transformers4.28.1-gpu-py310-cu118-ubuntu20.04";
/// assert_eq!(trainer.image_uri("us-west-2")?.tag(), Some(tag));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HuggingFace {
    script: Script,
    base: BaseFramework,
    distribution: Option<Distribution>,
    compiler: Option<TrainingCompiler>,
}

impl HuggingFace {
    /// Begins with the script, or a whole [`SourceCode`], and what the libraries stand on.
    pub fn builder(entry_point: impl Into<SourceCode>, base: BaseFramework) -> HuggingFaceBuilder {
        let script = Script::new(entry_point.into());
        HuggingFaceBuilder(Self { script, base, distribution: None, compiler: None })
    }
}

impl Framework for HuggingFace {
    const NAME: &'static str = "HuggingFace";

    fn script(&self) -> &Script {
        &self.script
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.script
    }

    fn query(&self) -> ImageQuery {
        let query = images::image_uri("huggingface").scope(ImageScope::Training).base_framework(self.base.full_name());
        if self.compiler.is_some() { query.training_compiler() } else { query }
    }

    fn told(&self) -> BTreeMap<String, String> {
        script::launch_hyperparameters(&self.script, Toolkit::HuggingFace, self.distribution.as_ref(), self.compiler)
    }

    fn check_own(&self, problems: &mut Problems) {
        script::check_training_compiler(&self.script, self.compiler, self.distribution.as_ref(), problems);
        if let (Some(version), None) = (&self.script.framework_version, &self.script.image_uri) {
            let parts = |version: &str| version.split('.').count();
            let alike = parts(version) == parts(self.base.version());
            let text = format!("write both versions in full or both short: {version} and {}", self.base.full_name());
            problems.require(alike, "framework_version", &text);
        }
        if let Some(distribution) = &self.distribution {
            distribution.check(&self.script.setting(self.base.name(), Some(self.base.version())), problems);
        }
    }

    fn keeps_metrics(&self) -> bool {
        true
    }

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        let version = job.tag.base_version.clone().ok_or_else(|| job.unknown_image())?;
        let base = match job.image.repository().contains("tensorflow") {
            true => BaseFramework::TensorFlow(version),
            false => BaseFramework::PyTorch(version),
        };
        Ok(Self {
            base,
            distribution: job.take_distribution(Toolkit::HuggingFace, Distribution::hyperparameters),
            compiler: job.take_training_compiler(),
            script: job.begun(),
        })
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::huggingface(self.script.version(), self.base.clone(), self.script.python())
    }
}

/// Settings of a [`HuggingFace`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct HuggingFaceBuilder(HuggingFace);

impl HuggingFaceBuilder {
    script_setters!(self => self.0.script);
    script::distribution_setter!();
    script::training_compiler_setter!();
}

framework_estimator!(HuggingFace, HuggingFaceBuilder);
