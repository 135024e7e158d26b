//! What stands in for containers: an [`Engine`] trains and serves the images that it knows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

pub(in crate::local) mod channel;
mod closure;
mod defaults;
#[cfg(feature = "algorithms")]
pub mod factorization_machines;
mod failure;
mod image;
#[cfg(feature = "algorithms")]
pub mod kmeans;
#[cfg(feature = "algorithms")]
pub mod knn;
#[cfg(feature = "algorithms")]
pub mod linear_learner;
mod mount;
#[cfg(feature = "algorithms")]
mod numeric;
#[cfg(feature = "algorithms")]
pub mod pca;
#[cfg(unix)]
pub mod process;
#[cfg(feature = "algorithms")]
pub mod random_cut_forest;
#[cfg(unix)]
pub mod script_mode;
#[cfg(feature = "algorithms")]
pub mod xgboost;

#[cfg(all(test, feature = "algorithms"))]
mod stopping;

pub use closure::FnEngine;
pub use failure::{EngineFailure, InvocationFailure};
pub use mount::Mount;

/// Trains and serves models for the images that it knows, as a container with such an image would.
///
/// All methods may block: the backend calls them on threads of their own.
pub trait Engine: Send + Sync + 'static {
    /// Whether this engine stands in for the image.
    fn runs(&self, image: &str) -> bool;

    /// Whether this engine trains the job. By its image alone, unless an engine knows better: the XGBoost image, for
    /// one, is another program when the job brings a script.
    fn trains(&self, job: &TrainingTask) -> bool {
        self.runs(&job.image)
    }

    /// Whether this engine serves the model. By its image alone, unless an engine knows better.
    fn serves(&self, model: &ModelFiles) -> bool {
        self.runs(&model.image)
    }

    /// Whether this engine runs the processing job. By its image alone, unless an engine knows better.
    fn processes(&self, job: &ProcessingTask) -> bool {
        self.runs(&job.image)
    }

    /// Whether this engine reads channels on file systems from their folders ([`Channel::mount`]), so that the files need
    /// not be in memory. No, unless an engine says otherwise.
    fn reads_mounts(&self) -> bool {
        false
    }

    /// Trains: reads the channels, logs, and gives back the files that the container would leave.
    ///
    /// # Errors
    /// The text becomes the job's `FailureReason`.
    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure>;

    /// Processes: reads below the task's folder, logs, and leaves its outputs there. An engine that does not say
    /// otherwise refuses.
    ///
    /// # Errors
    /// The text becomes the job's `FailureReason`.
    fn process(&self, job: &ProcessingTask) -> Result<(), EngineFailure> {
        let image = &job.image;
        Err(EngineFailure::client(format!("the engine for the image \"{image}\" runs no processing jobs")))
    }

    /// The last handle to the backend is gone: whatever this engine has started outside this process is to end now.
    fn close(&self) {}

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

    /// Answers one request with all that a container hears and may say: the `X-Amzn-SageMaker-*` headers of the
    /// request (custom attributes, inference id, session id, target model; names in lower case), headers of the answer,
    /// and a body that comes in parts. What endpoints call; the default asks [`invoke`](Self::invoke).
    ///
    /// A model that streams gives its parts one by one as they are asked for: the backend takes the next one when the
    /// caller has room for it. A model with sessions answers `NEW_SESSION` in `x-amzn-sagemaker-session-id` with the
    /// header `x-amzn-sagemaker-new-session-id`, whose form is `ID; Expires=2026-01-31T08:05:09Z`.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use bytes::Bytes;
    /// use sagemaker::local::engines::{Invocation, InvocationFailure, LoadedModel, Reply, ServedReply};
    ///
    /// struct Words;
    ///
    /// impl LoadedModel for Words {
    ///     fn invoke(&self, _: &Invocation) -> Result<Reply, InvocationFailure> {
    ///         Ok(Reply { content_type: "text/plain".into(), body: Bytes::from("one two") })
    ///     }
    ///
    ///     fn serve(&self, _: &Invocation, _: &BTreeMap<String, String>) -> Result<ServedReply, InvocationFailure> {
    ///         let parts = ["one ", "two"].into_iter().map(|word| Ok(Bytes::from(word)));
    ///         Ok(ServedReply::new("text/plain", parts))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The container's status and message. A part that is an error breaks the stream off.
    fn serve(
        &self,
        request: &Invocation,
        headers: &BTreeMap<String, String>,
    ) -> Result<ServedReply, InvocationFailure> {
        let _ = headers;
        self.invoke(request).map(ServedReply::from)
    }

    /// What the container says on `GET /execution-parameters`, which a transform job asks for what its request leaves
    /// open. May block.
    fn execution_parameters(&self) -> Option<ExecutionParameters> {
        None
    }

    /// Whether [`invoke`](Self::invoke) may take long, for whatever reason. True unless a model knows better.
    ///
    /// A model that says false is asked on the caller's own async thread when the request is small, which saves the
    /// hand-over to another thread. It then has no time limit.
    fn blocks(&self) -> bool {
        true
    }
}

/// How long a container may take until it answers its first ping, unless a request says otherwise.
pub(in crate::local) const STARTUP_LIMIT: Duration = Duration::from_secs(240);

/// Takes the number of an instance, beginning with 1, and a line that its container prints.
pub type HostLog = Arc<dyn Fn(u32, &str) + Send + Sync>;

/// Takes the path of a checkpoint below `/opt/ml/checkpoints`, and its content.
pub type SaveCheckpoint = Arc<dyn Fn(&str, Bytes) + Send + Sync>;

/// Reads an object of the backend's S3 by bucket and key.
pub type ReadObject = Arc<dyn Fn(&str, &str) -> Option<Bytes> + Send + Sync>;

/// How a container wants to be asked in a transform job; what is `None` is as if it had said nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExecutionParameters {
    /// `MaxConcurrentTransforms`.
    pub max_concurrent_transforms: Option<u32>,
    /// Whether `BatchStrategy` is `MULTI_RECORD`.
    pub multi_record: Option<bool>,
    /// `MaxPayloadInMB`.
    pub max_payload_in_mb: Option<u32>,
}

/// What a training container finds: hyperparameters, channels, environment, a place to log, a sign to stop.
///
/// The default is an empty task whose log goes nowhere, for tests of an engine.
pub struct TrainingTask {
    /// The job's name.
    pub job_name: String,
    /// The job's ARN.
    pub job_arn: String,
    /// The training image: its tag says which release the engine stands in for.
    pub image: String,
    /// `hyperparameters.json`: all values are strings.
    pub hyperparameters: BTreeMap<String, String>,
    /// The input channels in the order of the request.
    pub channels: Vec<Channel>,
    /// `/opt/ml/checkpoints`, as an earlier job left it at the place of `CheckpointConfig`: path, content.
    pub checkpoints: Vec<(String, Bytes)>,
    /// Where the container has them: `CheckpointConfig.LocalPath`, `/opt/ml/checkpoints` unless the request says otherwise.
    pub checkpoint_path: String,
    /// Whether the job has a place for checkpoints.
    pub keeps_checkpoints: bool,
    /// Stores a checkpoint there at once; does nothing for a job without `CheckpointConfig`.
    pub save_checkpoint: SaveCheckpoint,
    /// The request's environment variables.
    pub environment: BTreeMap<String, String>,
    /// The number of instances that the job asked for.
    pub instance_count: u32,
    /// Such as `ml.m5.large`; empty if the job has instance groups.
    pub instance_type: String,
    /// `AlgorithmSpecification.ContainerEntrypoint`: what runs in place of the image's own program.
    pub entrypoint: Vec<String>,
    /// `AlgorithmSpecification.ContainerArguments`: what it is given in place of `train`.
    pub arguments: Vec<String>,
    /// Takes each line that the container would print.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
    /// Takes each line that the container on the instance of a number would print; the first is 1.
    pub log_of: HostLog,
    /// True once the job was asked to stop.
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    /// True once nothing that is returned is kept any more: the time to stop is over, or the backend's runtime ended.
    pub killed: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Reads what the job's role could read.
    pub s3: ReadObject,
    /// The time on the backend's clock.
    pub now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
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

    /// Whether the time to stop is over: give up at once.
    pub fn is_killed(&self) -> bool {
        (self.killed)()
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

/// What a processing container finds: folders with its inputs and for its outputs, environment, a place to log, a sign
/// to stop.
///
/// The default is an empty task without a folder, for tests of an engine.
pub struct ProcessingTask {
    /// The job's name.
    pub job_name: String,
    /// The job's ARN.
    pub job_arn: String,
    /// The processing image.
    pub image: String,
    /// `ContainerEntrypoint`; empty for the image's own.
    pub entrypoint: Vec<String>,
    /// `ContainerArguments`.
    pub arguments: Vec<String>,
    /// The request's environment variables.
    pub environment: BTreeMap<String, String>,
    /// The number of instances that the job asked for.
    pub instance_count: u32,
    /// Such as `ml.m5.large`.
    pub instance_type: String,
    /// The folder that stands for the container's `/`. Below it are `opt/ml/processing/..` with the inputs and an empty
    /// folder for each output, `opt/ml/config/processingjobconfig.json` and `opt/ml/config/resourceconfig.json`, and
    /// `opt/ml/output`, where a file `message` becomes the job's `ExitMessage`. It is gone after the job.
    pub root: PathBuf,
    /// Takes each line that the container would print.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
    /// Takes each line that the container on the instance of a number would print; the first is 1.
    pub log_of: HostLog,
    /// True once the job was asked to stop.
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    /// True once nothing that is left behind is kept any more.
    pub killed: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl ProcessingTask {
    /// Logs a line to the job's stream in CloudWatch Logs.
    pub fn log(&self, line: impl AsRef<str>) {
        (self.log)(line.as_ref());
    }

    /// Whether the job was asked to stop: finish within 120 s.
    pub fn is_stopping(&self) -> bool {
        (self.stopping)()
    }

    /// Whether the time to stop is over: give up at once.
    pub fn is_killed(&self) -> bool {
        (self.killed)()
    }

    /// Where a path of the container, such as `/opt/ml/processing/input/a.csv`, is on this machine.
    pub fn path(&self, in_container: &str) -> PathBuf {
        self.root.join(in_container.trim_start_matches('/'))
    }
}

impl fmt::Debug for ProcessingTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessingTask").field("job_name", &self.job_name).finish_non_exhaustive()
    }
}

/// How a container is given the data of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputMode {
    /// All files are there before it starts.
    #[default]
    File,
    /// The files come through a named pipe, one after the other.
    Pipe,
    /// As `File`, but a file is fetched when it is read; not told from `File` here.
    FastFile,
}

/// One input channel with its data.
#[derive(Clone, Default)]
pub struct Channel {
    /// The channel's name, such as `train`.
    pub name: String,
    /// The content type that the request declared, if any.
    pub content_type: Option<String>,
    /// How the data is handed over.
    pub input_mode: InputMode,
    /// Whether each instance gets a part of the files (`ShardedByS3Key`) instead of all of them.
    pub sharded: bool,
    /// Whether each file is to be wrapped as a RecordIO record.
    pub record_io: bool,
    /// The seed of `ShuffleConfig`: `files` come in the order of the first epoch, each epoch of Pipe mode has another one.
    pub shuffle_seed: Option<u64>,
    /// How many files in a row belong together, 0 being as 1: the attributes of a line of an augmented manifest.
    pub files_per_record: usize,
    /// The folder of a file system that the channel is; `None` for data in S3.
    pub mount: Option<Mount>,
    /// The files below the channel's prefix, in key order: path relative to the prefix, content. None of a channel on a
    /// file system if the engine [reads that itself](Engine::reads_mounts).
    pub files: Vec<(String, Bytes)>,
}

/// What a training container leaves behind.
#[derive(Clone, Default)]
pub struct TrainingOutput {
    /// `/opt/ml/model`: becomes `model.tar.gz`.
    pub model: Vec<(String, Bytes)>,
    /// `/opt/ml/output/data`: becomes `output.tar.gz` if there is any.
    pub data: Vec<(String, Bytes)>,
}

/// What a serving container finds.
///
/// The default is an empty model whose log goes nowhere, for tests of an engine.
#[derive(Clone)]
pub struct ModelFiles {
    /// The image.
    pub image: String,
    /// The unpacked `model.tar.gz`: path, content.
    pub files: Vec<(String, Bytes)>,
    /// The model's environment variables.
    pub environment: BTreeMap<String, String>,
    /// The region that the model is served in.
    pub region: String,
    /// Takes each line that the container prints, for as long as its endpoint or job exists.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
    /// True once nobody waits for the model to come up any more.
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    /// How long the container may take until it answers its first ping: 4 minutes, unless the variant's
    /// `ContainerStartupHealthCheckTimeoutInSeconds` says otherwise.
    pub startup_limit: Duration,
    /// Reads what the model's role could read.
    pub s3: ReadObject,
}

impl ModelFiles {
    /// The content of a file.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.iter().find(|(path, _)| path == name).map(|(_, content)| content)
    }
}

/// A request to a serving container.
#[derive(Clone)]
pub struct Invocation {
    /// `Content-Type` of the body; empty if the caller gave none.
    pub content_type: String,
    /// `Accept`; `*/*` if the caller gave none.
    pub accept: String,
    /// The body.
    pub body: Bytes,
}

/// A serving container's answer.
#[derive(Clone)]
pub struct Reply {
    /// `Content-Type` of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// A serving container's answer with its headers and a body that may come in parts.
pub struct ServedReply {
    /// `Content-Type` of the body.
    pub content_type: String,
    /// Those headers of the answer that begin with `x-amzn-sagemaker-`; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, part by part.
    pub parts: Parts,
}

/// The parts of a body. Asking for the next one may block.
pub type Parts = Box<dyn Iterator<Item = Result<Bytes, InvocationFailure>> + Send>;

impl ServedReply {
    /// An answer without headers.
    pub fn new(
        content_type: impl Into<String>,
        parts: impl IntoIterator<Item = Result<Bytes, InvocationFailure>, IntoIter: Send + 'static>,
    ) -> Self {
        Self { content_type: content_type.into(), headers: BTreeMap::new(), parts: Box::new(parts.into_iter()) }
    }
}

impl From<Reply> for ServedReply {
    fn from(reply: Reply) -> Self {
        Self::new(reply.content_type, std::iter::once(Ok(reply.body)))
    }
}

impl fmt::Debug for ServedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedReply").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// Files in debug output: their names and lengths, never what is in them.
struct Lengths<'a>(&'a [(String, Bytes)]);

impl fmt::Debug for Lengths<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, content)| (name, Length(content)))).finish()
    }
}

/// A body in debug output.
struct Length<'a>(&'a Bytes);

impl fmt::Debug for Length<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, content_type, input_mode, files, .. } = self;
        let mut shown = f.debug_struct("Channel");
        shown.field("name", name).field("content_type", content_type).field("input_mode", input_mode);
        shown.field("files", &Lengths(files)).finish()
    }
}

impl fmt::Debug for TrainingOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, data } = self;
        f.debug_struct("TrainingOutput").field("model", &Lengths(model)).field("data", &Lengths(data)).finish()
    }
}

impl fmt::Debug for ModelFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, files, environment, .. } = self;
        let names: Vec<&String> = environment.keys().collect();
        let mut shown = f.debug_struct("ModelFiles");
        shown.field("image", image).field("files", &Lengths(files)).field("environment", &names).finish_non_exhaustive()
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content_type, accept, body } = self;
        let mut shown = f.debug_struct("Invocation");
        shown.field("content_type", content_type).field("accept", accept).field("body", &Length(body)).finish()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content_type, body } = self;
        f.debug_struct("Reply").field("content_type", content_type).field("body", &Length(body)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_content() {
        let files = vec![("a.csv".to_owned(), Bytes::from("secret"))];
        let environment = BTreeMap::from([("TOKEN".to_owned(), "secret".to_owned())]);
        let (kind, body) = (|| "text/csv".to_owned(), Bytes::from("secret"));
        let shown = [
            format!("{:?}", Channel { name: "train".into(), files: files.clone(), ..Channel::default() }),
            format!("{:?}", TrainingOutput { model: files.clone(), data: files.clone() }),
            format!("{:?}", ModelFiles { image: "i".into(), files, environment, ..ModelFiles::default() }),
            format!("{:?}", Invocation { content_type: kind(), accept: kind(), body: body.clone() }),
            format!("{:?}", Reply { content_type: kind(), body }),
        ];
        for text in shown {
            assert!(text.contains("6 bytes") && !text.contains("secret"), "{text}");
        }
    }
}
