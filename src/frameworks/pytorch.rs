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

/// An estimator of a script that uses PyTorch.
///
/// ```
/// # #[cfg(feature = "local")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// use sagemaker::frameworks::PyTorch;
/// use sagemaker::{Session, estimator::Estimator, types::Compute};
///
/// let session = Session::local();
/// let torch = PyTorch::builder("train.py")
///     .framework_version("2.0.1")
///     .py_version("py310")
///     .hyperparameter("epochs", 5)
///     .compute(Compute::instances("ml.g5.xlarge", 1))
///     .build()?;
/// assert!(torch.image_uri(session.region())?.as_str().contains("pytorch-training:2.0.1-gpu-py310"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "local"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct PyTorch {
    script: Script,
    distribution: Option<Distribution>,
    training_compiler: bool,
}

impl PyTorch {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> PyTorchBuilder {
        PyTorchBuilder(Self { script: Script::new(entry_point.into()), distribution: None, training_compiler: false })
    }

    /// SageMaker's library for models in parallel has images of its own, by the version of CUDA.
    fn smp_container_version(&self) -> &'static str {
        let version = self.script.framework_version.as_deref().unwrap_or_default();
        let is = |known: &[&str]| known.iter().any(|known| version.contains(known));
        match () {
            () if is(&["2.5"]) => "cu124",
            () if self.script.instance_type().is_some_and(|instance| instance.contains("p5")) => "cu121",
            () if is(&["2.1", "2.2", "2.3", "2.4"]) => "cu121",
            () => "cu118",
        }
    }
}

impl Estimator for PyTorch {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        let smp = self.distribution.as_ref().is_some_and(Distribution::is_model_parallel_under_torchrun);
        let mut query = match smp {
            true => images::image_uri("pytorch-smp").container_version(self.smp_container_version()),
            false => images::image_uri("pytorch"),
        };
        if self.distribution.as_ref().is_some_and(Distribution::is_smdistributed) {
            query = query.smdistributed();
        }
        if self.training_compiler {
            query = query.training_compiler();
        }
        self.script.image(query.scope(ImageScope::Training), region)
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
        if let Some(distribution) = &self.distribution {
            distribution.check(&self.script.setting("pytorch", self.script.framework_version.as_deref()), problems);
        }
    }

    fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
        script::planned_with_metrics(self, self.script.is_at_least("1.3"), context, channels)
    }
}

/// Settings of a [`PyTorch`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct PyTorchBuilder(PyTorch);

impl PyTorchBuilder {
    script_setters!(self => self.0.script);
    script::distribution_setter!();
    script::training_compiler_setter!();

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<PyTorch> {
        script::built(self.0)
    }
}
