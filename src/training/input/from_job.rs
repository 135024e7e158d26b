//! Channels as a job tells them.

use aws_sdk_sagemaker::types as sdk;

use super::{ChannelInput, Channels, DataDistribution, FileSystemInput, InputMode, TrainingInput};
use crate::{Error, ErrorKind, Result};

impl Channels {
    /// The channels that a job was started with.
    pub(crate) fn of_job(channels: &[sdk::Channel]) -> Result<Self> {
        channels.iter().try_fold(Self::default(), |all, channel| {
            let name = channel.channel_name().unwrap_or_default();
            input(channel).map(|input| all.with(name, input)).map_err(|error| {
                error.reworded(format!("the channel {name} is of a kind that this version of the crate does not know"))
            })
        })
    }
}

fn unknown(what: impl std::fmt::Debug) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what:?} is not known"))
}

impl InputMode {
    /// `None` where none was told.
    pub(crate) fn of_request(mode: Option<&sdk::TrainingInputMode>) -> Result<Option<Self>> {
        Ok(match mode {
            None => None,
            Some(sdk::TrainingInputMode::File) => Some(Self::File),
            Some(sdk::TrainingInputMode::Pipe) => Some(Self::Pipe),
            Some(sdk::TrainingInputMode::Fastfile) => Some(Self::FastFile),
            Some(other) => return Err(unknown(other)),
        })
    }
}

fn input(channel: &sdk::Channel) -> Result<ChannelInput> {
    let source = channel.data_source();
    if let Some(folder) = source.and_then(sdk::DataSource::file_system_data_source) {
        return file_system(channel, folder).map(ChannelInput::from);
    }
    let Some(s3) = source.and_then(sdk::DataSource::s3_data_source) else { return Err(unknown("its source")) };
    let uri = s3.s3_uri().unwrap_or_default();
    let mut input = match s3.s3_data_type() {
        Some(sdk::S3DataType::S3Prefix) | None => TrainingInput::new(uri),
        Some(sdk::S3DataType::ManifestFile) => TrainingInput::manifest(uri),
        Some(sdk::S3DataType::AugmentedManifestFile) => {
            TrainingInput::augmented_manifest(uri, s3.attribute_names().iter().map(String::as_str))
        }
        Some(other) => return Err(unknown(other)),
    };
    if s3.s3_data_distribution_type() == Some(&sdk::S3DataDistribution::ShardedByS3Key) {
        input = input.distribution(DataDistribution::ShardedByS3Key);
    }
    if !s3.instance_group_names().is_empty() {
        input = input.instance_groups(s3.instance_group_names().iter().map(String::as_str));
    }
    if s3.model_access_config().and_then(sdk::ModelAccessConfig::accept_eula) == Some(true) {
        input = input.accept_eula();
    }
    if let Some(arn) = s3.hub_access_config().and_then(sdk::HubAccessConfig::hub_content_arn) {
        input = input.hub_content(arn);
    }
    if let Some(content_type) = channel.content_type() {
        input = input.content_type(content_type);
    }
    if let Some(mode) = InputMode::of_request(channel.input_mode())? {
        input = input.input_mode(mode);
    }
    if channel.compression_type() == Some(&sdk::CompressionType::Gzip) {
        input = input.gzip();
    }
    if channel.record_wrapper_type() == Some(&sdk::RecordWrapper::Recordio) {
        input = input.record_io();
    }
    if let Some(seed) = channel.shuffle_config().and_then(sdk::ShuffleConfig::seed) {
        input = input.shuffle(seed);
    }
    Ok(input.into())
}

fn file_system(channel: &sdk::Channel, folder: &sdk::FileSystemDataSource) -> Result<FileSystemInput> {
    let (id, path) = (folder.file_system_id().unwrap_or_default(), folder.directory_path().unwrap_or_default());
    let mut input = match folder.file_system_type() {
        Some(sdk::FileSystemType::Efs) => FileSystemInput::efs(id, path),
        Some(sdk::FileSystemType::Fsxlustre) => FileSystemInput::fsx_lustre(id, path),
        other => return Err(unknown(other)),
    };
    if folder.file_system_access_mode() == Some(&sdk::FileSystemAccessMode::Rw) {
        input = input.read_write();
    }
    if let Some(content_type) = channel.content_type() {
        input = input.content_type(content_type);
    }
    Ok(input)
}
