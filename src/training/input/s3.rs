use aws_sdk_sagemaker::types as sdk;

use super::{DataDistribution, InputMode, JobOfChannels};
use crate::Result;
use crate::error::Problems;
use crate::types::{ContentType, S3Uri};

/// The data of one training channel in S3.
///
/// ```
/// use sagemaker::training::{InputMode, TrainingInput};
///
/// let train = TrainingInput::csv("s3://my-bucket/bike/train.csv").input_mode(InputMode::FastFile);
/// let photos = TrainingInput::augmented_manifest("s3://my-bucket/photos.jsonl", ["source-ref", "label"])
///     .input_mode(InputMode::Pipe)
///     .record_io()
///     .shuffle(42);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingInput {
    uri: String,
    objects: Objects,
    content_type: Option<ContentType>,
    distribution: DataDistribution,
    input_mode: Option<InputMode>,
    gzip: bool,
    record_io: bool,
    shuffle: Option<i64>,
    instance_groups: Vec<String>,
    accepts_eula: bool,
    hub_content: Option<String>,
}

/// What the URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Objects {
    Prefix,
    Manifest,
    AugmentedManifest { attributes: Vec<String> },
}

impl TrainingInput {
    /// All objects whose key begins with the URI's key. The URI is checked when the job is planned.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            objects: Objects::Prefix,
            content_type: None,
            distribution: DataDistribution::FullyReplicated,
            input_mode: None,
            gzip: false,
            record_io: false,
            shuffle: None,
            instance_groups: Vec::new(),
            accepts_eula: false,
            hub_content: None,
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

    /// The objects that a manifest lists: a JSON array of a prefix and the rests of the keys.
    pub fn manifest(uri: impl Into<String>) -> Self {
        Self { objects: Objects::Manifest, ..Self::new(uri) }
    }

    /// Records of a JSON Lines file, each with the attributes of these names (1 to 16), in this order. Pipe mode only.
    pub fn augmented_manifest<S: Into<String>>(
        uri: impl Into<String>,
        attributes: impl IntoIterator<Item = S>,
    ) -> Self {
        let attributes = attributes.into_iter().map(Into::into).collect();
        Self { objects: Objects::AugmentedManifest { attributes }, ..Self::new(uri) }
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

    /// Each object, or each record of an augmented manifest, becomes a RecordIO record on the way.
    #[must_use]
    pub fn record_io(mut self) -> Self {
        self.record_io = true;
        self
    }

    /// Objects, or the records of a manifest, come in an order that the seed determines; in Pipe mode another in each
    /// epoch.
    #[must_use]
    pub fn shuffle(mut self, seed: i64) -> Self {
        self.shuffle = Some(seed);
        self
    }

    /// The instance groups of a heterogeneous cluster that get this channel. Default: all.
    #[must_use]
    pub fn instance_groups<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.instance_groups = names.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts the end-user licence agreement of the model that is the data.
    #[must_use]
    pub fn accept_eula(mut self) -> Self {
        self.accepts_eula = true;
        self
    }

    /// The hub content (ARN) through which the data may be read: for models of a private hub.
    #[must_use]
    pub fn hub_content(mut self, arn: impl Into<String>) -> Self {
        self.hub_content = Some(arn.into());
        self
    }

    /// Where it is, as given.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the URI is a prefix of keys.
    pub(crate) fn is_prefix(&self) -> bool {
        self.objects == Objects::Prefix
    }

    pub(super) fn own_input_mode(&self) -> Option<InputMode> {
        self.input_mode
    }

    pub(super) fn own_content_type(&self) -> Option<&ContentType> {
        self.content_type.as_ref()
    }

    pub(super) fn to_request(&self, name: &str, job: &JobOfChannels<'_>) -> Result<sdk::Channel> {
        let mut problems = Problems::default();
        let uri = problems.check("", self.uri.parse::<S3Uri>());
        self.check(job, &mut problems);
        problems.into_result()?;

        let (data_type, attributes) = match &self.objects {
            Objects::Prefix => (sdk::S3DataType::S3Prefix, None),
            Objects::Manifest => (sdk::S3DataType::ManifestFile, None),
            Objects::AugmentedManifest { attributes } => {
                (sdk::S3DataType::AugmentedManifestFile, Some(attributes.clone()))
            }
        };
        let hub = self.hub_content.as_ref().map(|arn| sdk::HubAccessConfig::builder().hub_content_arn(arn).build());
        let s3 = sdk::S3DataSource::builder()
            .s3_data_type(data_type)
            .set_s3_uri(uri.map(String::from))
            .s3_data_distribution_type(match self.distribution {
                DataDistribution::FullyReplicated => sdk::S3DataDistribution::FullyReplicated,
                DataDistribution::ShardedByS3Key => sdk::S3DataDistribution::ShardedByS3Key,
            })
            .set_attribute_names(attributes)
            .set_instance_group_names(Some(self.instance_groups.clone()).filter(|names| !names.is_empty()))
            .set_model_access_config(
                self.accepts_eula.then(|| sdk::ModelAccessConfig::builder().accept_eula(true).build()),
            )
            .set_hub_access_config(hub);
        let channel = sdk::Channel::builder()
            .channel_name(name)
            .data_source(sdk::DataSource::builder().s3_data_source(s3.build()).build())
            .set_content_type(self.content_type.as_ref().map(ToString::to_string))
            .set_compression_type(self.gzip.then_some(sdk::CompressionType::Gzip))
            .set_record_wrapper_type(self.record_io.then_some(sdk::RecordWrapper::Recordio))
            .set_input_mode(self.input_mode.map(InputMode::to_request))
            .set_shuffle_config(self.shuffle.map(|seed| sdk::ShuffleConfig::builder().seed(seed).build()));
        Ok(channel.build())
    }

    fn check(&self, job: &JobOfChannels<'_>, problems: &mut Problems) {
        let is_pipe = self.input_mode.unwrap_or(job.input_mode) == InputMode::Pipe;
        if self.gzip && !is_pipe {
            problems.push("gzip", "is unpacked in Pipe mode only; add .input_mode(InputMode::Pipe)");
        }
        if let Objects::AugmentedManifest { attributes } = &self.objects {
            let count = attributes.len();
            if !is_pipe {
                problems.push("", "an augmented manifest is read in Pipe mode only; add .input_mode(InputMode::Pipe)");
            }
            if !(1..=16).contains(&count) {
                problems.push("attributes", format!("1 to 16 names are needed, these are {count}"));
            }
            if attributes.iter().any(|name| !(1..=256).contains(&name.chars().count())) {
                problems.push("attributes", "a name has 1 to 256 characters");
            }
        }
        match &job.instance_groups {
            None if !self.instance_groups.is_empty() => {
                problems.push("instance_groups", "the job has none: .compute(InstanceGroups::new(..))");
            }
            None => {}
            Some(known) => {
                for name in self.instance_groups.iter().filter(|name| !known.contains(&name.as_str())) {
                    let text = format!("the job has no group {name:?}; its groups are {}", known.join(", "));
                    problems.push("instance_groups", text);
                }
            }
        }
    }
}
