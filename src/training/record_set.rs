use super::{ChannelInput, Channels, DataDistribution, RecordShape, TrainingInput};

/// The data of a channel of which one knows how many records it has, and of how many numbers: a built-in algorithm takes
/// its `feature_dim` from there, and a batch size that fits.
///
/// An algorithm's `record_set` makes one from numbers; for data that is there already it is made by hand.
///
/// ```
/// use sagemaker::training::{Channels, FileSystemInput, RecordSet};
///
/// let train = RecordSet::prefix("s3://my-bucket/digits/train", 60_000, 784);
/// let test = RecordSet::of(FileSystemInput::efs("fs-0123456789abcdef0", "/digits/test"), 10_000, 784).channel("test");
/// let channels = Channels::from([train, test]);
/// assert!(channels.get("train").is_some() && channels.get("test").is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    channel: String,
    input: ChannelInput,
    shape: RecordShape,
}

impl RecordSet {
    /// Data of any kind, on a file system too, for the channel `train`: `num_records` records of `feature_dim` numbers.
    pub fn of(input: impl Into<ChannelInput>, num_records: u64, feature_dim: u64) -> Self {
        Self { channel: "train".to_owned(), input: input.into(), shape: RecordShape { num_records, feature_dim } }
    }

    /// All objects whose key begins with the URI's key; each instance gets its share.
    pub fn prefix(uri: impl Into<String>, num_records: u64, feature_dim: u64) -> Self {
        let input = TrainingInput::new(uri).distribution(DataDistribution::ShardedByS3Key);
        Self::of(input, num_records, feature_dim)
    }

    /// The objects that a manifest lists; each instance gets its share.
    pub fn manifest(uri: impl Into<String>, num_records: u64, feature_dim: u64) -> Self {
        let input = TrainingInput::manifest(uri).distribution(DataDistribution::ShardedByS3Key);
        Self::of(input, num_records, feature_dim)
    }

    /// The channel that it is for. Default: `train`.
    #[must_use]
    pub fn channel(mut self, name: impl Into<String>) -> Self {
        self.channel = name.into();
        self
    }

    /// The channel that it is for.
    pub fn channel_name(&self) -> &str {
        &self.channel
    }

    /// Where the data is.
    pub fn input(&self) -> &ChannelInput {
        &self.input
    }

    /// How many records there are.
    pub fn num_records(&self) -> u64 {
        self.shape.num_records
    }

    /// How many numbers each record has.
    pub fn feature_dim(&self) -> u64 {
        self.shape.feature_dim
    }
}

impl From<RecordSet> for Channels {
    fn from(records: RecordSet) -> Self {
        Self::from([records])
    }
}

impl<const LENGTH: usize> From<[RecordSet; LENGTH]> for Channels {
    fn from(sets: [RecordSet; LENGTH]) -> Self {
        sets.into_iter().collect()
    }
}

impl From<Vec<RecordSet>> for Channels {
    fn from(sets: Vec<RecordSet>) -> Self {
        sets.into_iter().collect()
    }
}

impl FromIterator<RecordSet> for Channels {
    fn from_iter<I: IntoIterator<Item = RecordSet>>(sets: I) -> Self {
        sets.into_iter().fold(Self::default(), |channels, RecordSet { channel, input, shape }| {
            channels.with(&*channel, input).with_records(&channel, shape)
        })
    }
}
