use std::collections::BTreeMap;

use aws_sdk_sagemaker::types as sdk;

use crate::error::Problems;
use crate::types::{ContentType, S3Uri};
use crate::{Error, Result};

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

/// What a channel's URI names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum S3DataType {
    /// Every object whose key begins with the URI's key.
    S3Prefix,
    /// A JSON manifest that lists the objects.
    ManifestFile,
}

/// The data of one training channel in S3.
///
/// ```
/// use sagemaker::training::{InputMode, TrainingInput};
///
/// let train = TrainingInput::csv("s3://my-bucket/bike/train.csv").input_mode(InputMode::FastFile);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingInput {
    pub(crate) uri: String,
    content_type: Option<ContentType>,
    distribution: DataDistribution,
    pub(crate) data_type: S3DataType,
    input_mode: Option<InputMode>,
    gzip: bool,
}

impl TrainingInput {
    /// Data of any kind; the URI is checked when the job is planned.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            content_type: None,
            distribution: DataDistribution::FullyReplicated,
            data_type: S3DataType::S3Prefix,
            input_mode: None,
            gzip: false,
        }
    }

    /// CSV (`text/csv`). For the built-in algorithms: the label first, no header.
    pub fn csv(uri: impl Into<String>) -> Self {
        Self::new(uri).content_type(ContentType::CSV)
    }

    /// LIBSVM (`text/libsvm`).
    pub fn libsvm(uri: impl Into<String>) -> Self {
        Self::new(uri).content_type(ContentType::LIBSVM)
    }

    /// The content type that the container is told. Default: none.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<ContentType>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// How objects are spread over the instances. Default: each gets all.
    #[must_use]
    pub fn distribution(mut self, distribution: DataDistribution) -> Self {
        self.distribution = distribution;
        self
    }

    /// What the URI names. Default: a prefix.
    #[must_use]
    pub fn data_type(mut self, data_type: S3DataType) -> Self {
        self.data_type = data_type;
        self
    }

    /// How this channel reaches the container. Default: as the job's.
    #[must_use]
    pub fn input_mode(mut self, mode: InputMode) -> Self {
        self.input_mode = Some(mode);
        self
    }

    /// The objects are gzipped and are to be unpacked on the way (Pipe mode only).
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }
}

/// The channels of a training job by name, in order.
///
/// Made from pairs, or from a single [`TrainingInput`], which becomes the channel `training`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels(Vec<(String, TrainingInput)>);

impl Channels {
    /// The channel of a name.
    pub fn get(&self, name: &str) -> Option<&TrainingInput> {
        self.0.iter().find(|(channel, _)| channel == name).map(|(_, input)| input)
    }

    /// Names and inputs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TrainingInput)> {
        self.0.iter().map(|(name, input)| (name.as_str(), input))
    }

    /// Checks names, URIs and combinations, and puts them in the service's words.
    pub(super) fn to_request(&self, problems: &mut Problems) -> Vec<sdk::Channel> {
        if self.0.len() > 20 {
            problems.push("inputs", format!("a job has at most 20 channels, these are {}", self.0.len()));
        }
        let mut seen = BTreeMap::new();
        let mut channels = Vec::with_capacity(self.0.len());
        for (name, input) in &self.0 {
            let field = if name.is_empty() { "inputs".to_owned() } else { format!("inputs.{name}") };
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
                let text =
                    format!("a channel name has 1 to 64 letters, digits, dots, hyphens and underscores ({name:?})");
                problems.push(field.as_str(), text);
            }
            if seen.insert(name.as_str(), ()).is_some() {
                problems.push(field.as_str(), "two channels have this name");
            }
            if let Some(channel) = problems.check(&field, input.to_request(name)) {
                channels.push(channel);
            }
        }
        channels
    }
}

impl TrainingInput {
    fn to_request(&self, name: &str) -> Result<sdk::Channel> {
        let uri: S3Uri = self.uri.parse()?;
        if self.gzip && self.input_mode != Some(InputMode::Pipe) {
            return Err(Error::invalid("gzip", "is unpacked in Pipe mode only; add .input_mode(InputMode::Pipe)"));
        }
        let s3 = sdk::S3DataSource::builder()
            .s3_data_type(match self.data_type {
                S3DataType::S3Prefix => sdk::S3DataType::S3Prefix,
                S3DataType::ManifestFile => sdk::S3DataType::ManifestFile,
            })
            .s3_uri(uri.to_string())
            .s3_data_distribution_type(match self.distribution {
                DataDistribution::FullyReplicated => sdk::S3DataDistribution::FullyReplicated,
                DataDistribution::ShardedByS3Key => sdk::S3DataDistribution::ShardedByS3Key,
            });
        let channel = sdk::Channel::builder()
            .channel_name(name)
            .data_source(sdk::DataSource::builder().s3_data_source(s3.build()).build())
            .set_content_type(self.content_type.as_ref().map(ToString::to_string))
            .set_compression_type(self.gzip.then_some(sdk::CompressionType::Gzip))
            .set_input_mode(self.input_mode.map(InputMode::to_request));
        Ok(channel.build())
    }
}

impl InputMode {
    pub(super) fn to_request(self) -> sdk::TrainingInputMode {
        match self {
            Self::File => sdk::TrainingInputMode::File,
            Self::Pipe => sdk::TrainingInputMode::Pipe,
            Self::FastFile => sdk::TrainingInputMode::Fastfile,
        }
    }
}

impl From<TrainingInput> for Channels {
    fn from(input: TrainingInput) -> Self {
        Self(vec![("training".to_owned(), input)])
    }
}

impl<N: Into<String>> FromIterator<(N, TrainingInput)> for Channels {
    fn from_iter<I: IntoIterator<Item = (N, TrainingInput)>>(channels: I) -> Self {
        Self(channels.into_iter().map(|(name, input)| (name.into(), input)).collect())
    }
}

impl<N: Into<String>, const LENGTH: usize> From<[(N, TrainingInput); LENGTH]> for Channels {
    fn from(channels: [(N, TrainingInput); LENGTH]) -> Self {
        channels.into_iter().collect()
    }
}

impl<N: Into<String>> From<Vec<(N, TrainingInput)>> for Channels {
    fn from(channels: Vec<(N, TrainingInput)>) -> Self {
        channels.into_iter().collect()
    }
}
