//! An engine that runs commands as containers: the contract of `/opt/ml`, `train` and `serve`.
//!
//! | the contract | here |
//! |---|---|
//! | `/opt/ml` | a private folder; `SAGEMAKER_LOCAL_OPT_ML` and `SAGEMAKER_BASE_DIR` name it, and `/opt/ml` in arguments and variables of a request becomes it |
//! | `train` | `<command> train`, or the job's `ContainerEntrypoint` and `ContainerArguments` |
//! | Pipe mode | a named pipe an epoch, `input/data/train_0`, `train_1` ..: the next one is there as soon as one is opened, and one that was read or closed is gone |
//! | FastFile mode | a folder with the files |
//! | EFS, FSx for Lustre | a link to the folder that [stands for it](crate::local::LocalBackendBuilder::file_system); with the access mode `ro` a copy with read-only files |
//! | `TRAINING_JOB_NAME`, `TRAINING_JOB_ARN` | the same, and the `SM_` variables that framework images set: `SM_MODEL_DIR`, `SM_CHANNEL_TRAIN`, `SM_HPS` .. |
//! | a processing job | its `ContainerEntrypoint` and `ContainerArguments`, or the engine's command with the arguments; one process for all instances |
//! | several instances | a process and a folder each, up to 16; files of all hosts come into one `model.tar.gz`, of one name that of the first host |
//! | `serve` on port 8080 | `<command> serve` on a free port of 127.0.0.1, named by `SAGEMAKER_BIND_TO_PORT` and `PORT` |
//! | standard output and error | CloudWatch Logs, line by line; lines are cut at 87,372 bytes, and 64 MiB a process are kept |
//! | SIGTERM, then SIGKILL | the whole process group, after 120 s on the backend's clock (real time unless the clock is scaled) for training and 30 s of real time for serving |
//! | `/opt/ml/output/failure`, exit code | `AlgorithmError: <first characters>, exit code: <code>` |
//!
//! A command sees `PATH`, `HOME` and a few more variables of this process, but none of its AWS credentials; it runs as the
//! same user, with the same files and network: it is a stand-in for a container, not a sandbox. When the backend is
//! dropped, whatever still runs is killed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;

use super::image::ImagePattern;
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, ProcessingTask, TrainingOutput, TrainingTask};
use crate::{Error, Result};
use client::Io;
use group::Groups;
use serve::Server;

mod client;
mod command;
mod environment;
mod folder;
mod group;
mod output;
mod pipe;
mod processing;
mod run;
mod serve;
mod train;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(in crate::local) use tests::has_python;

pub(super) use command::CommandLine;
pub(super) use environment::Variables;

/// How long an answer may take: as long as the longest of whoever asks would wait, an asynchronous endpoint.
const ANSWER_LIMIT: Duration = Duration::from_secs(3600);

/// Trains and serves an image by commands that follow the container contract.
///
/// ```
/// use sagemaker::local::LocalBackend;
/// use sagemaker::local::engines::process::ProcessEngine;
///
/// let backend = LocalBackend::builder()
///     // Runs `python3 app.py train` and `python3 app.py serve`.
///     .engine(ProcessEngine::new("my-image", ["python3", "app.py"]))
///     // Each as it is.
///     .engine(ProcessEngine::for_image("other-*").train_with(["./train.sh"]).serve_with(["./serve.sh", "--quick"]))
///     .build();
/// # drop(backend);
/// ```
///
/// From text, such as an argument of a program, it is `IMAGE=COMMAND`: words are split at white space, and quotes keep them
/// together.
///
/// ```
/// use sagemaker::local::engines::process::ProcessEngine;
///
/// let engine: ProcessEngine = "my-image=python3 app.py".parse()?;
/// assert!("my-image".parse::<ProcessEngine>().is_err());
/// # drop(engine);
/// # Ok::<(), sagemaker::Error>(())
/// ```
pub struct ProcessEngine {
    image: ImagePattern,
    train: Option<CommandLine>,
    serve: Option<CommandLine>,
    process: Option<CommandLine>,
    /// What the job's own arguments are given to.
    program: Option<CommandLine>,
    setting: Setting,
    processes: Owned,
}

/// What holds for all commands of an engine.
#[derive(Clone)]
pub(super) struct Setting {
    /// On top of what the contract and the request say.
    pub(super) environment: Variables,
    /// `/opt/ml` stands for the private folder; `None` for this process's own.
    pub(super) working_directory: Option<PathBuf>,
    /// `None` for what the model's endpoint says.
    pub(super) ping_limit: Option<Duration>,
    pub(super) answer_limit: Duration,
}

/// What the processes of an engine share.
#[derive(Default)]
pub(super) struct Processes {
    groups: Groups,
    io: OnceLock<std::result::Result<Io, String>>,
}

/// The processes of an engine, which end when it goes.
#[derive(Default)]
pub(super) struct Owned(Arc<Processes>);

/// A command with what it finds.
pub(super) struct Launch {
    pub(super) command: CommandLine,
    pub(super) setting: Setting,
    /// What is put below `/opt/ml/code`.
    pub(super) code: Vec<(String, Bytes)>,
}

impl ProcessEngine {
    /// An engine that runs `<command> train` and `<command> serve`.
    ///
    /// The image is a whole URI, the name of a repository with or without its tag, or a pattern with `*`. The command is a
    /// program and its arguments; a program without a slash is looked up in `PATH`.
    pub fn new(image: impl Into<String>, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::of(ImagePattern::new(image), Some(CommandLine::new(command)))
    }

    /// An engine without a command yet: see [`train_with`](Self::train_with) and [`serve_with`](Self::serve_with).
    pub fn for_image(image: impl Into<String>) -> Self {
        Self::of(ImagePattern::new(image), None)
    }

    fn of(image: ImagePattern, program: Option<CommandLine>) -> Self {
        Self {
            image,
            train: program.as_ref().map(|program| program.and("train")),
            serve: program.as_ref().map(|program| program.and("serve")),
            process: None,
            program,
            setting: Setting::default(),
            processes: Owned::default(),
        }
    }

    /// The command that trains, run as it is.
    #[must_use]
    pub fn train_with(mut self, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.train = Some(CommandLine::new(command));
        self
    }

    /// The command that serves, run as it is.
    #[must_use]
    pub fn serve_with(mut self, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.serve = Some(CommandLine::new(command));
        self
    }

    /// The command that runs processing jobs; it is given the job's `ContainerArguments`. A job with a
    /// `ContainerEntrypoint` runs that instead.
    #[must_use]
    pub fn process_with(mut self, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.process = Some(CommandLine::new(command));
        self
    }

    /// A variable that every command finds; it wins over one of the request.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.setting.environment.insert(name.into(), value.into());
        self
    }

    /// Where commands run. Default: where this process runs. `/opt/ml/code` and the like lead into the private folder.
    #[must_use]
    pub fn working_directory(mut self, place: impl Into<PathBuf>) -> Self {
        self.setting.working_directory = Some(place.into());
        self
    }

    /// How long a server may take until it answers `GET /ping` with 200. Default: what its endpoint says
    /// (`ContainerStartupHealthCheckTimeoutInSeconds`), else 4 minutes. Of real time.
    #[must_use]
    pub fn ping_limit(mut self, limit: Duration) -> Self {
        self.setting.ping_limit = Some(limit);
        self
    }

    /// How long an answer to `POST /invocations` may take, if that is to be less than AWS allows: 60 s for an endpoint, up
    /// to an hour for an asynchronous one and for a transform job. Of real time.
    #[must_use]
    pub fn answer_limit(mut self, limit: Duration) -> Self {
        self.setting.answer_limit = limit;
        self
    }

    fn launch(&self, command: CommandLine) -> Launch {
        Launch { command, setting: self.setting.clone(), code: Vec::new() }
    }

    /// The command of a job: its own entry point, else the engine's program with the job's own arguments, else what the
    /// engine trains with.
    fn training_command(&self, job: &TrainingTask) -> Option<CommandLine> {
        match (job.entrypoint.is_empty(), job.arguments.is_empty()) {
            (false, _) => Some(CommandLine::new(job.entrypoint.iter().chain(&job.arguments))),
            (true, false) => {
                let program = self.program.as_ref().or(self.train.as_ref())?;
                Some(program.and_all(&job.arguments))
            }
            (true, true) => self.train.clone(),
        }
    }

    fn processing_command(&self, job: &ProcessingTask) -> Option<CommandLine> {
        if !job.entrypoint.is_empty() {
            return Some(CommandLine::new(job.entrypoint.iter().chain(&job.arguments)));
        }
        let program = self.process.as_ref().or(self.program.as_ref())?;
        Some(program.and_all(&job.arguments))
    }

    fn lacks(&self, what: &str) -> EngineFailure {
        let image = self.image.as_str();
        EngineFailure::client(format!("the engine for the image \"{image}\" has no command that {what}"))
    }
}

impl Engine for ProcessEngine {
    fn runs(&self, image: &str) -> bool {
        self.image.matches(image)
    }

    fn reads_mounts(&self) -> bool {
        true
    }

    fn train(&self, job: &TrainingTask) -> std::result::Result<TrainingOutput, EngineFailure> {
        let command = self.training_command(job).ok_or_else(|| self.lacks("trains (ProcessEngine::train_with)"))?;
        self.processes.train(&self.launch(command), job)
    }

    fn process(&self, job: &ProcessingTask) -> std::result::Result<(), EngineFailure> {
        let command = self.processing_command(job);
        let command = command.ok_or_else(|| self.lacks("processes (ProcessEngine::process_with)"))?;
        self.processes.process(&self.launch(command), job)
    }

    fn close(&self) {
        self.processes.close();
    }

    fn load(&self, model: &ModelFiles) -> std::result::Result<Arc<dyn LoadedModel>, EngineFailure> {
        let command = self.serve.clone().ok_or_else(|| self.lacks("serves (ProcessEngine::serve_with)"))?;
        self.processes.serve(self.launch(command), model)
    }
}

impl FromStr for ProcessEngine {
    type Err = Error;

    /// Reads `IMAGE=COMMAND`.
    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &dyn fmt::Display| Error::invalid("engine", format!("{text:?} is no IMAGE=COMMAND: {why}"));
        let (image, command) = text.split_once('=').ok_or_else(|| bad(&"there is no ="))?;
        if image.trim().is_empty() {
            return Err(bad(&"there is no image"));
        }
        let command = CommandLine::parse(command).map_err(|why| bad(&why))?;
        Ok(Self::of(ImagePattern::new(image.trim()), Some(command)))
    }
}

impl fmt::Debug for ProcessEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessEngine").field("image", &self.image.as_str()).finish_non_exhaustive()
    }
}

impl Default for Setting {
    fn default() -> Self {
        Self { environment: Variables::new(), working_directory: None, ping_limit: None, answer_limit: ANSWER_LIMIT }
    }
}

impl Launch {
    fn cannot_start(&self, why: &io::Error) -> String {
        format!("the command \"{}\" cannot be started: {why}", self.command.program())
    }
}

impl Processes {
    fn io(&self) -> std::result::Result<&Io, String> {
        let started = self.io.get_or_init(|| Io::start().map_err(|error| error.to_string()));
        started.as_ref().map_err(Clone::clone)
    }
}

impl Owned {
    pub(super) fn close(&self) {
        self.0.groups.close();
    }

    pub(super) fn train(
        &self,
        launch: &Launch,
        job: &TrainingTask,
    ) -> std::result::Result<TrainingOutput, EngineFailure> {
        train::train(&self.0, launch, job)
    }

    pub(super) fn process(&self, launch: &Launch, job: &ProcessingTask) -> std::result::Result<(), EngineFailure> {
        processing::process(&self.0, launch, job)
    }

    pub(super) fn serve(
        &self,
        launch: Launch,
        model: &ModelFiles,
    ) -> std::result::Result<Arc<dyn LoadedModel>, EngineFailure> {
        Ok(Arc::new(Server::start(self.0.clone(), launch, model)?))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.close();
    }
}
