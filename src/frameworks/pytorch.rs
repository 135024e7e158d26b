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
    compiler: Option<TrainingCompiler>,
}

impl PyTorch {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> PyTorchBuilder {
        PyTorchBuilder(Self { script: Script::new(entry_point.into()), distribution: None, compiler: None })
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

impl Framework for PyTorch {
    const NAME: &'static str = "PyTorch";

    fn script(&self) -> &Script {
        &self.script
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.script
    }

    fn query(&self) -> ImageQuery {
        let smp = self.distribution.as_ref().is_some_and(Distribution::is_model_parallel_under_torchrun);
        let mut query = match smp {
            true => images::image_uri("pytorch-smp").container_version(self.smp_container_version()),
            false => images::image_uri("pytorch"),
        };
        if self.distribution.as_ref().is_some_and(Distribution::is_smdistributed) {
            query = query.smdistributed();
        }
        if self.compiler.is_some() {
            query = query.training_compiler();
        }
        query.scope(ImageScope::Training)
    }

    fn told(&self) -> BTreeMap<String, String> {
        script::launch_hyperparameters(&self.script, Toolkit::PyTorch, self.distribution.as_ref(), self.compiler)
    }

    fn check_own(&self, problems: &mut Problems) {
        script::check_training_compiler(&self.script, self.compiler, self.distribution.as_ref(), problems);
        if let Some(distribution) = &self.distribution {
            distribution.check(&self.script.setting("pytorch", self.script.framework_version.as_deref()), problems);
        }
    }

    fn keeps_metrics(&self) -> bool {
        self.script.is_at_least("1.3")
    }

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        Ok(Self {
            distribution: job.take_distribution(Toolkit::PyTorch, Distribution::hyperparameters),
            compiler: job.take_training_compiler(),
            script: job.begun(),
        })
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::pytorch(self.script.version(), self.script.python())
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
}

framework_estimator!(PyTorch, PyTorchBuilder);
