use std::collections::BTreeMap;

use super::script::{self, Script};
use super::script_setters;
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, TrainingSettings};
use crate::images::{self, ImageScope};
use crate::source::{SourceCode, json_text};
use crate::training::Channels;
use crate::types::ImageUri;

/// An estimator of a script that uses Chainer.
///
/// ```
/// use sagemaker::estimator::Estimator;
/// use sagemaker::frameworks::Chainer;
/// use sagemaker::types::Compute;
///
/// let chainer = Chainer::builder("train.py")
///     .framework_version("5.0.0")
///     .py_version("py3")
///     .use_mpi()
///     .num_processes(4)
///     .compute(Compute::instances("ml.p3.2xlarge", 2))
///     .build()?;
/// assert_eq!(chainer.hyperparameters()["sagemaker_use_mpi"], "true");
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chainer {
    script: Script,
    use_mpi: bool,
    num_processes: u32,
    process_slots_per_host: u32,
    additional_mpi_options: String,
}

impl Chainer {
    /// Begins with the script, or with a whole [`SourceCode`].
    pub fn builder(entry_point: impl Into<SourceCode>) -> ChainerBuilder {
        ChainerBuilder(Self {
            script: Script::new(entry_point.into()),
            use_mpi: false,
            num_processes: 0,
            process_slots_per_host: 0,
            additional_mpi_options: String::new(),
        })
    }
}

impl Estimator for Chainer {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        self.script.image(images::image_uri("chainer").scope(ImageScope::Training), region)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        let mut all = self.script.hyperparameters();
        if self.use_mpi {
            all.insert("sagemaker_use_mpi".to_owned(), "true".to_owned());
        }
        for (name, number) in [
            ("sagemaker_num_processes", self.num_processes),
            ("sagemaker_process_slots_per_host", self.process_slots_per_host),
        ] {
            if number > 0 {
                all.insert(name.to_owned(), number.to_string());
            }
        }
        if !self.additional_mpi_options.is_empty() {
            all.insert("sagemaker_additional_mpi_options".to_owned(), json_text(&self.additional_mpi_options));
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
    }
}

/// Settings of a [`Chainer`] training.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ChainerBuilder(Chainer);

impl ChainerBuilder {
    script_setters!(self => self.0.script);

    /// Runs the script under MPI. Default: the toolkit decides.
    pub fn use_mpi(mut self) -> Self {
        self.0.use_mpi = true;
        self
    }

    /// How many processes run in all. Default: the toolkit decides.
    pub fn num_processes(mut self, processes: u32) -> Self {
        self.0.num_processes = processes;
        self
    }

    /// How many processes an instance may run. Default: the toolkit decides.
    pub fn process_slots_per_host(mut self, slots: u32) -> Self {
        self.0.process_slots_per_host = slots;
        self
    }

    /// Options of `mpirun`. Default: none.
    pub fn additional_mpi_options(mut self, options: impl Into<String>) -> Self {
        self.0.additional_mpi_options = options.into();
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<Chainer> {
        script::built(self.0)
    }
}
