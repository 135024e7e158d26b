//! Reading the channels of a training job.

use bytes::Bytes;

use super::content::{self, Format};
use super::matrix::Matrix;
use super::{csv, records, refused};
use crate::local::engines::{Channel, EngineFailure, TrainingTask};

/// The rows of a channel.
#[derive(Debug)]
pub(in crate::local::engines) struct Dataset {
    pub(in crate::local::engines) features: Matrix,
    /// One a row; empty if the data has none.
    pub(in crate::local::engines) labels: Vec<f32>,
}

impl Dataset {
    pub(in crate::local::engines) fn rows(&self) -> usize {
        self.features.rows()
    }
}

/// What an algorithm's channels hold.
#[derive(Debug, Clone, Copy)]
pub(in crate::local::engines) struct Channels {
    /// The names of the channels beside `train`.
    pub(in crate::local::engines) optional: &'static [&'static str],
    /// The content types.
    pub(in crate::local::engines) accepted: &'static [&'static str],
    /// Whether the rows of `train` need labels.
    pub(in crate::local::engines) labelled: bool,
}

/// Most numbers that one channel may have in memory.
pub(in crate::local::engines) const LIMIT: usize = 1 << 29;

/// Checks the names and content types of all channels.
pub(in crate::local::engines) fn check(task: &TrainingTask, channels: Channels) -> Result<(), EngineFailure> {
    let invalid = |what: String| {
        refused(format!(
            "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by \
             ValidationError)\n\nCaused by: {what}"
        ))
    };
    let known = |name: &str| name == "train" || channels.optional.contains(&name);
    if let Some(channel) = task.channels.iter().find(|channel| !known(&channel.name)) {
        let name = &channel.name;
        return Err(invalid(format!("Additional properties are not allowed ('{name}' was unexpected)")));
    }
    if task.channel("train").is_none() {
        return Err(invalid("'train' is a required property".to_owned()));
    }
    for channel in &task.channels {
        content::format(channel, channels.accepted)?;
    }
    Ok(())
}

/// Reads the channel `train`, of `columns` features if that is given.
pub(in crate::local::engines) fn train(
    task: &TrainingTask,
    channels: Channels,
    columns: Option<usize>,
) -> Result<Dataset, EngineFailure> {
    let empty = || refused("Channel 'train' is empty: no record was found in its files.");
    let read = channel(task, "train", channels, columns)?.filter(|data| data.rows() > 0).ok_or_else(empty)?;
    match channels.labelled && read.labels.is_empty() {
        true => Err(refused("Channel 'train' has no labels, which this algorithm needs.")),
        false => Ok(read),
    }
}

/// Reads a channel; `None` if the job does not have it.
pub(in crate::local::engines) fn channel(
    task: &TrainingTask,
    name: &str,
    channels: Channels,
    columns: Option<usize>,
) -> Result<Option<Dataset>, EngineFailure> {
    let Some(channel) = task.channel(name) else { return Ok(None) };
    let format = content::format(channel, channels.accepted)?;
    let mut data = Dataset { features: Matrix::new(columns), labels: Vec::new() };
    for (path, content) in &channel.files {
        read(content, format, &mut data).map_err(|why| unreadable(channel, format, path, &why))?;
        if task.is_stopping() {
            return Err(EngineFailure::Stopped);
        }
    }
    if data.features.has_strange_values() || data.labels.iter().any(|label| !label.is_finite()) {
        return Err(refused(format!("Channel '{name}' holds a number that is not finite (NaN or infinity).")));
    }
    if !data.labels.is_empty() && data.labels.len() != data.rows() {
        return Err(refused(format!("Channel '{name}': {} of {} rows have a label.", data.labels.len(), data.rows())));
    }
    Ok(Some(data))
}

fn read(content: &Bytes, format: Format, data: &mut Dataset) -> Result<(), String> {
    match format {
        Format::RecordIo => records::rows(content, |label| data.labels.push(label), &mut data.features),
        Format::Csv { label_size } => csv::rows(content, |row| {
            let (label, features) = row.split_at(label_size.min(row.len()));
            data.features.push_dense(features)?;
            data.labels.extend_from_slice(label);
            Ok(())
        }),
    }
}

fn unreadable(channel: &Channel, format: Format, path: &str, why: &str) -> EngineFailure {
    refused(format!(
        "Unable to read data channel '{}'. Requested content-type is '{}'. Please verify the data matches the requested \
         content-type. (file '{path}': {why})",
        channel.name,
        format.name()
    ))
}
