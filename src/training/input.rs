//! What a training job reads: channels of data in S3 or on a file system.

mod channels;
mod file_system;
mod from_job;
mod s3;

use aws_sdk_sagemaker::types as sdk;

use crate::Result;
use crate::types::{ContentType, S3Uri};

pub use channels::Channels;
pub(crate) use channels::RecordShape;
pub use file_system::FileSystemInput;
pub use s3::TrainingInput;

/// How data reaches the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputMode {
    /// Downloaded before training begins.
    File,
    /// Streamed through a named pipe.
    Pipe,
    /// Looks like files, fetched when they are read.
    FastFile,
}

/// How the objects of a channel are spread over several instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataDistribution {
    /// Each instance gets all of them.
    FullyReplicated,
    /// Each instance gets its share.
    ShardedByS3Key,
}

/// The data of one channel: objects in S3 or a folder of a file system.
///
/// A URI alone, as a text or an [`S3Uri`], is all objects whose key begins with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelInput {
    /// Objects in S3.
    S3(TrainingInput),
    /// A folder of a file system in the job's network.
    FileSystem(FileSystemInput),
}

/// What a channel needs to know of its job to be checked.
pub(crate) struct JobOfChannels<'a> {
    pub(crate) input_mode: InputMode,
    pub(crate) has_network: bool,
    /// `None` where all instances are alike.
    pub(crate) instance_groups: Option<Vec<&'a str>>,
}

impl ChannelInput {
    /// The input, if it is in S3.
    pub fn as_s3(&self) -> Option<&TrainingInput> {
        match self {
            Self::S3(input) => Some(input),
            Self::FileSystem(_) => None,
        }
    }

    /// The content type that the container is told.
    pub(crate) fn content_type(&self) -> Option<&ContentType> {
        match self {
            Self::S3(input) => input.own_content_type(),
            Self::FileSystem(input) => input.own_content_type(),
        }
    }

    fn input_mode(&self) -> Option<InputMode> {
        self.as_s3().and_then(TrainingInput::own_input_mode)
    }

    fn to_request(&self, name: &str, job: &JobOfChannels<'_>) -> Result<sdk::Channel> {
        match self {
            Self::S3(input) => input.to_request(name, job),
            Self::FileSystem(input) => input.to_request(name, job),
        }
    }
}

impl InputMode {
    pub(crate) fn to_request(self) -> sdk::TrainingInputMode {
        match self {
            Self::File => sdk::TrainingInputMode::File,
            Self::Pipe => sdk::TrainingInputMode::Pipe,
            Self::FastFile => sdk::TrainingInputMode::Fastfile,
        }
    }
}

impl From<TrainingInput> for ChannelInput {
    fn from(input: TrainingInput) -> Self {
        Self::S3(input)
    }
}

impl From<FileSystemInput> for ChannelInput {
    fn from(input: FileSystemInput) -> Self {
        Self::FileSystem(input)
    }
}

impl From<&str> for ChannelInput {
    fn from(uri: &str) -> Self {
        Self::S3(TrainingInput::new(uri))
    }
}

impl From<String> for ChannelInput {
    fn from(uri: String) -> Self {
        Self::S3(TrainingInput::new(uri))
    }
}

impl From<S3Uri> for ChannelInput {
    fn from(uri: S3Uri) -> Self {
        Self::S3(TrainingInput::new(uri))
    }
}

impl From<&S3Uri> for ChannelInput {
    fn from(uri: &S3Uri) -> Self {
        Self::S3(TrainingInput::new(uri.to_string()))
    }
}
