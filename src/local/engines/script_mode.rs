//! AWS's framework images (scikit-learn, PyTorch, TensorFlow, Hugging Face, MXNet, Chainer, and XGBoost with a script) in
//! script mode, by the Python on this machine.
//!
//! A job brings its code as `sourcedir.tar.gz`, named by the hyperparameters `sagemaker_submit_directory` and
//! `sagemaker_program`. It is run by PyPI's `sagemaker-training`, the program that AWS's images run as well. Where that is
//! not installed, the job fails and says how to install it.
//!
//! A model brings its code the same way, named by the variables `SAGEMAKER_SUBMIT_DIRECTORY` and `SAGEMAKER_PROGRAM`, or
//! in the folder `code` of its `model.tar.gz`. A small server that comes with this crate calls `model_fn`, `input_fn`,
//! `predict_fn` and `output_fn` (or `transform_fn`) of it, one request at a time; it needs Python's standard library only. What
//! a module does not define is as in AWS's scikit-learn image: JSON, CSV and, with numpy, NPY are read and written, and
//! `model.predict` is called. `model_fn` must be there.
//!
//! This is the Python of the machine: its releases of the frameworks, not those of the image's tag. `requirements.txt` and
//! `setup.py` are left out unless [`install_requirements`](ScriptModeEngine::install_requirements) says otherwise.

use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;

use super::process::{CommandLine, Launch, Owned, Setting};
use super::{Engine, EngineFailure, LoadedModel, ModelFiles, ProcessingTask, TrainingOutput, TrainingTask};
use framework::Framework;

mod code;
mod framework;

#[cfg(test)]
mod tests;

const PROGRAM: &str = "sagemaker_program";
const SUBMIT_DIRECTORY: &str = "sagemaker_submit_directory";
/// Which Python runs, unless the engine is told.
const PYTHON_VARIABLE: &str = "SAGEMAKER_LOCAL_PYTHON";
const SERVER: &str = include_str!("script_mode/server.py");
const SERVER_NAME: &str = "sagemaker_local_server.py";
/// What AWS's own images look for when no program is named.
const DEFAULT_PROGRAM: &str = "inference.py";

/// Runs framework images in script mode. It is among the engines that every backend has; register one of your own to choose
/// the Python.
///
/// ```
/// use sagemaker::local::LocalBackend;
/// use sagemaker::local::engines::script_mode::ScriptModeEngine;
///
/// let engine = ScriptModeEngine::new().python(".venv/bin/python").env("OMP_NUM_THREADS", "2");
/// let backend = LocalBackend::builder().engine(engine).build();
/// # drop(backend);
/// ```
#[derive(Default)]
pub struct ScriptModeEngine {
    python: Option<String>,
    install_requirements: bool,
    /// Leaves to others what it could not run.
    modest: bool,
    setting: Setting,
    processes: Owned,
}

impl ScriptModeEngine {
    /// With the Python that the environment variable `SAGEMAKER_LOCAL_PYTHON` names, else `python3`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The Python that runs scripts: a path, or a name that is looked up in `PATH`.
    #[must_use]
    pub fn python(mut self, program: impl Into<String>) -> Self {
        self.python = Some(program.into());
        self
    }

    /// Whether `requirements.txt` and `setup.py` of the user's code are installed into that Python, with pip. Default: no.
    #[must_use]
    pub fn install_requirements(mut self, install: bool) -> Self {
        self.install_requirements = install;
        self
    }

    /// A variable that every script finds; it wins over one of the request.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.setting.environment.insert(name.into(), value.into());
        self
    }

    /// As one of the engines that every backend has; in the lenient profile another one takes what cannot run here.
    pub(in crate::local) fn bundled(mut self, lenient: bool) -> Self {
        self.modest = lenient;
        self
    }

    fn interpreter(&self) -> String {
        let named = || std::env::var(PYTHON_VARIABLE).ok().filter(|named| !named.is_empty());
        self.python.clone().or_else(named).unwrap_or_else(|| "python3".to_owned())
    }

    /// Refuses to train where `sagemaker-training` is not installed.
    fn check_toolkit(&self, python: &str, framework: Framework) -> Result<(), EngineFailure> {
        let find = "import importlib.util as u, sys; sys.exit(u.find_spec('sagemaker_training') is None)";
        let mut command = Command::new(python);
        command.args(["-c", find]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let packages = framework.packages;
        let how = format!(
            "Install it with: {python} -m pip install sagemaker-training {packages}; or name another Python with the \
             environment variable {PYTHON_VARIABLE} or ScriptModeEngine::python(..)."
        );
        let message = match command.status() {
            Ok(found) if found.success() => return Ok(()),
            Ok(_) => {
                format!("script mode needs the Python package sagemaker-training, which {python} does not have. {how}")
            }
            Err(error) => format!(
                "script mode needs Python with the package sagemaker-training, and {python} cannot be started ({error}). {how}"
            ),
        };
        Err(EngineFailure::client(message))
    }

    /// The files of the user's code as far as they are to be there.
    fn wanted(&self, files: Vec<(String, Bytes)>, log: &dyn Fn(&str)) -> Vec<(String, Bytes)> {
        let unwanted = |path: &str| !self.install_requirements && matches!(path, "requirements.txt" | "setup.py");
        let (out, kept): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| unwanted(path));
        for (path, _) in out {
            log(&format!(
                "[sagemaker-local] {path} is not installed: ScriptModeEngine::install_requirements(true) would do it"
            ));
        }
        kept
    }

    fn training_code(&self, job: &TrainingTask) -> Result<Vec<(String, Bytes)>, EngineFailure> {
        let Some(place) = job.hyperparameters.get(SUBMIT_DIRECTORY).map(|place| code::unquote(place)) else {
            return Ok(Vec::new());
        };
        let files = match place.starts_with("s3://") {
            true => code::download(&place, &job.s3),
            false => code::of_channel(&place, &job.channels).map(Option::unwrap_or_default),
        };
        let files = files.map_err(|why| EngineFailure::client(format!("Data download failed: {why}")))?;
        Ok(self.wanted(files, &|line| job.log(line)))
    }

    fn launch(&self, command: CommandLine, code: Vec<(String, Bytes)>) -> Launch {
        let mut setting = self.setting.clone();
        setting.working_directory.get_or_insert_with(|| "/opt/ml".into());
        Launch { command, setting, code }
    }
}

impl Engine for ScriptModeEngine {
    fn runs(&self, image: &str) -> bool {
        Framework::of_image(image).is_some()
    }

    fn trains(&self, job: &TrainingTask) -> bool {
        let brings_code = job.hyperparameters.contains_key(PROGRAM) || !job.entrypoint.is_empty();
        Framework::of_image(&job.image).is_some_and(|framework| match self.modest {
            true => brings_code && self.check_toolkit(&self.interpreter(), framework).is_ok(),
            false => brings_code || !framework.is_algorithm_too,
        })
    }

    fn processes(&self, job: &ProcessingTask) -> bool {
        self.runs(&job.image) && (!self.modest || !job.entrypoint.is_empty())
    }

    fn serves(&self, model: &ModelFiles) -> bool {
        let brings_code = model.environment.contains_key("SAGEMAKER_PROGRAM");
        let packs_code = || model.files.iter().any(|(path, _)| path.starts_with("code/"));
        Framework::of_image(&model.image).is_some_and(|framework| match self.modest {
            true => brings_code || !framework.is_algorithm_too && packs_code(),
            false => brings_code || !framework.is_algorithm_too,
        })
    }

    fn reads_mounts(&self) -> bool {
        true
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        let framework = Framework::of_image(&job.image);
        let framework = framework.ok_or_else(|| EngineFailure::client("the image is no framework image"))?;
        let code = self.training_code(job)?;
        if !job.entrypoint.is_empty() {
            let command = CommandLine::new(job.entrypoint.iter().chain(&job.arguments));
            return self.processes.train(&self.launch(command, code), job);
        }
        if !job.hyperparameters.contains_key(PROGRAM) {
            let message =
                format!("the job names no script: the hyperparameters {PROGRAM} and {SUBMIT_DIRECTORY} are missing");
            return Err(EngineFailure::client(message));
        }
        let python = self.interpreter();
        self.check_toolkit(&python, framework)?;
        let mut launch = self.launch(CommandLine::new([python.as_str(), "-m", "sagemaker_training.cli.train"]), code);
        // Else it would wait until the names of the job's hosts can be looked up.
        launch.setting.environment.insert("SM_STUDIO_LOCAL_MODE".to_owned(), "True".to_owned());
        self.processes.train(&launch, job)
    }

    fn process(&self, job: &ProcessingTask) -> Result<(), EngineFailure> {
        let Some((program, arguments)) = job.entrypoint.split_first() else {
            return Err(EngineFailure::client("a processing job on a framework image needs a ContainerEntrypoint"));
        };
        let python = self.interpreter();
        // What the image calls so is the Python that scripts run with here.
        let program = if matches!(program.as_str(), "python" | "python3") { &python } else { program };
        let command = CommandLine::new([program].into_iter().chain(arguments).chain(&job.arguments));
        self.processes.process(&self.launch(command, Vec::new()), job)
    }

    fn close(&self) {
        self.processes.close();
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        let variable = |name: &str| model.environment.get(name).filter(|value| !value.is_empty());
        let submitted = variable("SAGEMAKER_SUBMIT_DIRECTORY").filter(|place| place.starts_with("s3://"));
        let (folder, mut code) = match submitted {
            Some(place) => ("/opt/ml/code", code::download(place, &model.s3).map_err(EngineFailure::client)?),
            None => ("/opt/ml/model/code", Vec::new()),
        };
        let program = variable("SAGEMAKER_PROGRAM").map_or(DEFAULT_PROGRAM, String::as_str);
        code = self.wanted(code, &|line| (model.log)(line));
        code.push((SERVER_NAME.to_owned(), Bytes::from_static(SERVER.as_bytes())));
        let server = format!("/opt/ml/code/{SERVER_NAME}");
        let mut launch = self.launch(CommandLine::new([&self.interpreter(), &server, folder, program]), code);
        if self.install_requirements {
            let variable = "SAGEMAKER_LOCAL_INSTALL_REQUIREMENTS".to_owned();
            launch.setting.environment.insert(variable, "true".to_owned());
        }
        self.processes.serve(launch, model)
    }
}

impl std::fmt::Debug for ScriptModeEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { python, install_requirements, .. } = self;
        let mut shown = f.debug_struct("ScriptModeEngine");
        shown.field("python", python).field("install_requirements", install_requirements).finish_non_exhaustive()
    }
}
