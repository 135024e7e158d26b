use std::collections::{BTreeMap, HashMap};

use aws_sdk_sagemaker::types as sdk;

use super::{ChannelInput, FileSystemInput, InputMode, JobOfChannels, TrainingInput};
use crate::error::Problems;
use crate::types::S3Uri;

/// The channels of a training job by name, in order.
///
/// Made from pairs, a map, or from a single input, which becomes the channel `training`; a single input's mode is then the job's.
///
/// ```
/// use sagemaker::training::{Channels, FileSystemInput, TrainingInput};
///
/// let alike = Channels::from([("train", "s3://my-bucket/train/"), ("validation", "s3://my-bucket/validation/")]);
/// let mixed = Channels::default()
///     .with("train", TrainingInput::csv("s3://my-bucket/train.csv"))
///     .with("images", FileSystemInput::efs("fs-0123456789abcdef0", "/images"));
/// assert!(alike.get("train").is_some() && mixed.get("images").is_some());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    named: Vec<(String, ChannelInput)>,
    is_single: bool,
    records: BTreeMap<String, RecordShape>,
}

/// What is known of the records of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordShape {
    pub(crate) num_records: u64,
    pub(crate) feature_dim: u64,
}

impl Channels {
    /// With one more channel.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, input: impl Into<ChannelInput>) -> Self {
        self.named.push((name.into(), input.into()));
        self.is_single = false;
        self
    }

    /// The same with what is known of the records of a channel.
    pub(crate) fn with_records(mut self, name: &str, shape: RecordShape) -> Self {
        self.records.insert(name.to_owned(), shape);
        self
    }

    /// What is known of the records of a channel that was given as a [`RecordSet`](crate::training::RecordSet).
    pub(crate) fn records(&self, name: &str) -> Option<RecordShape> {
        self.records.get(name).copied()
    }

    /// The channel of a name.
    pub fn get(&self, name: &str) -> Option<&ChannelInput> {
        self.named.iter().find(|(channel, _)| channel == name).map(|(_, input)| input)
    }

    /// Names and inputs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ChannelInput)> {
        self.named.iter().map(|(name, input)| (name.as_str(), input))
    }

    /// The mode of an input that was given alone.
    pub(crate) fn single_mode(&self) -> Option<InputMode> {
        self.named.first().filter(|_| self.is_single).and_then(|(_, input)| input.input_mode())
    }

    fn single(input: impl Into<ChannelInput>) -> Self {
        Self { named: vec![("training".to_owned(), input.into())], is_single: true, records: BTreeMap::new() }
    }

    /// Checks names, places and combinations, and puts them in the service's words.
    pub(crate) fn to_request(&self, job: &JobOfChannels<'_>, problems: &mut Problems) -> Vec<sdk::Channel> {
        if self.named.len() > 20 {
            problems.push("inputs", format!("a job has at most 20 channels, these are {}", self.named.len()));
        }
        let mut seen = BTreeMap::new();
        let mut channels = Vec::with_capacity(self.named.len());
        for (name, input) in &self.named {
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
            if let Some(channel) = problems.check(&field, input.to_request(name, job)) {
                channels.push(channel);
            }
        }
        channels
    }
}

impl From<TrainingInput> for Channels {
    fn from(input: TrainingInput) -> Self {
        Self::single(input)
    }
}

impl From<FileSystemInput> for Channels {
    fn from(input: FileSystemInput) -> Self {
        Self::single(input)
    }
}

impl From<&str> for Channels {
    fn from(uri: &str) -> Self {
        Self::single(uri)
    }
}

impl From<String> for Channels {
    fn from(uri: String) -> Self {
        Self::single(uri)
    }
}

impl From<&S3Uri> for Channels {
    fn from(uri: &S3Uri) -> Self {
        Self::single(uri)
    }
}

impl From<ChannelInput> for Channels {
    fn from(input: ChannelInput) -> Self {
        Self::single(input)
    }
}

impl<N: Into<String>, I: Into<ChannelInput>> From<BTreeMap<N, I>> for Channels {
    fn from(channels: BTreeMap<N, I>) -> Self {
        channels.into_iter().collect()
    }
}

/// In the order of the names.
impl<N: Into<String>, I: Into<ChannelInput>, S> From<HashMap<N, I, S>> for Channels {
    fn from(channels: HashMap<N, I, S>) -> Self {
        let mut all: Self = channels.into_iter().collect();
        all.named.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }
}

impl From<S3Uri> for Channels {
    fn from(uri: S3Uri) -> Self {
        Self::single(uri)
    }
}

impl<N: Into<String>, I: Into<ChannelInput>> FromIterator<(N, I)> for Channels {
    fn from_iter<C: IntoIterator<Item = (N, I)>>(channels: C) -> Self {
        channels.into_iter().fold(Self::default(), |all, (name, input)| all.with(name, input))
    }
}

impl<N: Into<String>, I: Into<ChannelInput>, const LENGTH: usize> From<[(N, I); LENGTH]> for Channels {
    fn from(channels: [(N, I); LENGTH]) -> Self {
        channels.into_iter().collect()
    }
}

impl<N: Into<String>, I: Into<ChannelInput>> From<Vec<(N, I)>> for Channels {
    fn from(channels: Vec<(N, I)>) -> Self {
        channels.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_made_of_whatever_names_data() {
        let text = "s3://bucket/train/";
        let uri: S3Uri = text.parse().unwrap();
        let single = Channels::from(text);
        assert_eq!(Channels::from(text.to_owned()), single);
        assert_eq!(Channels::from(&uri), Channels::from(uri.clone()));
        assert_eq!(Channels::from(ChannelInput::from(text)), single);
        let pipe = ChannelInput::from(TrainingInput::new(text).input_mode(InputMode::Pipe));
        assert_eq!(Channels::from(pipe).single_mode(), Some(InputMode::Pipe));

        let pairs = [("a", "s3://b/a"), ("b", "s3://b/b"), ("c", "s3://b/c"), ("d", "s3://b/d")];
        let expected = Channels::from(pairs);
        assert_eq!(Channels::from(BTreeMap::from(pairs)), expected);
        assert_eq!(Channels::from(HashMap::from(pairs)), expected);
    }
}
