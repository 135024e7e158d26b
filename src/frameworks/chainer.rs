use std::collections::BTreeMap;

use super::attach::ScriptJob;
use super::framework::{Framework, framework_estimator};
use super::script::Script;
use super::{FrameworkModel, script_setters};
use crate::Result;
use crate::error::Problems;
use crate::images::{self, ImageQuery, ImageScope};
use crate::source::{SourceCode, json_text};

const USE_MPI: &str = "sagemaker_use_mpi";
const PROCESSES: &str = "sagemaker_num_processes";
const SLOTS: &str = "sagemaker_process_slots_per_host";
const MPI_OPTIONS: &str = "sagemaker_additional_mpi_options";

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

impl Framework for Chainer {
    const NAME: &'static str = "Chainer";

    fn script(&self) -> &Script {
        &self.script
    }

    fn script_mut(&mut self) -> &mut Script {
        &mut self.script
    }

    fn query(&self) -> ImageQuery {
        images::image_uri("chainer").scope(ImageScope::Training)
    }

    fn told(&self) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        if self.use_mpi {
            told.insert(USE_MPI.to_owned(), "true".to_owned());
        }
        for (name, number) in [(PROCESSES, self.num_processes), (SLOTS, self.process_slots_per_host)] {
            if number > 0 {
                told.insert(name.to_owned(), number.to_string());
            }
        }
        if !self.additional_mpi_options.is_empty() {
            told.insert(MPI_OPTIONS.to_owned(), json_text(&self.additional_mpi_options));
        }
        told
    }

    fn check_own(&self, _problems: &mut Problems) {}

    fn of_job(job: &mut ScriptJob) -> Result<Self> {
        let mut number = |name| job.take(name).and_then(|value| u32::try_from(value.as_u64()?).ok()).unwrap_or(0);
        let (num_processes, process_slots_per_host) = (number(PROCESSES), number(SLOTS));
        let options = job.take(MPI_OPTIONS).and_then(|value| value.as_str().map(str::to_owned));
        Ok(Self {
            use_mpi: job.take(USE_MPI).and_then(|value| value.as_bool()).unwrap_or(false),
            num_processes,
            process_slots_per_host,
            additional_mpi_options: options.unwrap_or_default(),
            script: job.begun(),
        })
    }

    fn serving(&self) -> FrameworkModel {
        FrameworkModel::chainer(self.script.version(), self.script.python())
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
}

framework_estimator!(Chainer, ChainerBuilder);
