use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::script::{self, Script};
use super::script_setters;
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, PlanContext, TrainingPlan, TrainingSettings};
use crate::images::{self, ImageScope};
use crate::source::SourceCode;
use crate::training::Channels;
use crate::types::ImageUri;

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
    training_compiler: bool,
}

impl HuggingFace {
    /// Begins with the script, or a whole [`SourceCode`], and what the libraries stand on.
    pub fn builder(entry_point: impl Into<SourceCode>, base: BaseFramework) -> HuggingFaceBuilder {
        let script = Script::new(entry_point.into());
        HuggingFaceBuilder(Self { script, base, distribution: None, training_compiler: false })
    }
}

impl Estimator for HuggingFace {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        let query = images::image_uri("huggingface").scope(ImageScope::Training).base_framework(self.base.full_name());
        let query = if self.training_compiler { query.training_compiler() } else { query };
        self.script.image(query, region)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        let mut all = self.script.hyperparameters();
        all.extend(self.distribution.iter().flat_map(|it| it.hyperparameters(self.script.instance_type())));
        if self.training_compiler {
            all.extend(script::compiler_hyperparameters());
        }
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

    fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
        script::planned_with_metrics(self, true, context, channels)
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

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<HuggingFace> {
        script::built(self.0)
    }
}
