//! What stands in for containers: an [`Engine`] trains and serves the images that it knows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "algorithms")]
pub mod xgboost;

/// Trains and serves models for the images that it knows, as a container with such an image would.
///
/// All methods may block: the backend calls them on threads of their own.
pub trait Engine: Send + Sync + 'static {
    /// Whether this engine stands in for the image.
    fn runs(&self, image: &str) -> bool;

    /// Trains: reads the channels, logs, and gives back the files that the container would leave.
    ///
    /// # Errors
    /// The text becomes the job's `FailureReason`.
    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure>;

    /// Loads a model for serving.
    ///
    /// # Errors
    /// The endpoint or transform job fails with the text.
    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure>;
}

/// A model that answers requests, as a serving container does on `POST /invocations`.
pub trait LoadedModel: Send + Sync + 'static {
    /// Answers one request.
    ///
    /// # Errors
    /// The container's status and message.
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure>;
}

/// What a training container finds: hyperparameters, channels, environment, a place to log, a sign to stop.
pub struct TrainingTask {
    /// The job's name.
    pub job_name: String,
    /// The training image: its tag says which release the engine stands in for.
    pub image: String,
    /// `hyperparameters.json`: all values are strings.
    pub hyperparameters: BTreeMap<String, String>,
    /// The input channels in the order of the request.
    pub channels: Vec<Channel>,
    /// The request's environment variables.
    pub environment: BTreeMap<String, String>,
    /// The number of instances that the job asked for.
    pub instance_count: u32,
    /// Takes each line that the container would print; the second argument of a call to `log`.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
    /// True once the job was asked to stop.
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl TrainingTask {
    /// Logs a line to the job's stream in CloudWatch Logs.
    pub fn log(&self, line: impl AsRef<str>) {
        (self.log)(line.as_ref());
    }

    /// Whether the job was asked to stop: finish soon, what is returned within 120 s is kept.
    pub fn is_stopping(&self) -> bool {
        (self.stopping)()
    }

    /// The channel of a name.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}

impl fmt::Debug for TrainingTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrainingTask").field("job_name", &self.job_name).finish_non_exhaustive()
    }
}

/// One input channel with its data.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The channel's name, such as `train`.
    pub name: String,
    /// The content type that the request declared, if any.
    pub content_type: Option<String>,
    /// The files below the channel's prefix, in key order: path relative to the prefix, content.
    pub files: Vec<(String, Bytes)>,
}

/// What a training container leaves behind.
#[derive(Debug, Clone, Default)]
pub struct TrainingOutput {
    /// `/opt/ml/model`: becomes `model.tar.gz`.
    pub model: Vec<(String, Bytes)>,
    /// `/opt/ml/output/data`: becomes `output.tar.gz` if there is any.
    pub data: Vec<(String, Bytes)>,
}

/// What a serving container finds.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    /// The image.
    pub image: String,
    /// The unpacked `model.tar.gz`: path, content.
    pub files: Vec<(String, Bytes)>,
    /// The model's environment variables.
    pub environment: BTreeMap<String, String>,
}

impl ModelFiles {
    /// The content of a file.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.iter().find(|(path, _)| path == name).map(|(_, content)| content)
    }
}

/// A request to a serving container.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// `Content-Type` of the body; empty if the caller gave none.
    pub content_type: String,
    /// `Accept`; `*/*` if the caller gave none.
    pub accept: String,
    /// The body.
    pub body: Bytes,
}

/// A serving container's answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `Content-Type` of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// A serving container's error answer.
#[derive(Debug, Clone)]
pub struct InvocationFailure {
    /// The HTTP status that the container gave, such as 400, 415 or 500.
    pub status: u16,
    /// The body that the container gave.
    pub message: String,
}

/// Why an engine gave up.
#[derive(Debug, Clone)]
pub enum EngineFailure {
    /// The user's data or settings are wrong: `AlgorithmError: .., exit code: N`.
    Algorithm {
        /// The text.
        message: String,
        /// The container's exit code.
        exit_code: i32,
    },
    /// The job was asked to stop and left nothing behind.
    Stopped,
}

impl EngineFailure {
    /// The user's data or settings are wrong; the container would end with exit code 1.
    pub fn algorithm(message: impl Into<String>) -> Self {
        Self::Algorithm { message: message.into(), exit_code: 1 }
    }
}

impl fmt::Display for EngineFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm { message, exit_code } => write!(f, "AlgorithmError: {message}, exit code: {exit_code}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for EngineFailure {}
