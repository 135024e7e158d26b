//! The data of a training job's channels, and its checkpoints.

use bytes::Bytes;

use crate::local::backend::Core;
use crate::local::data::{self, Budget, Input};
use crate::local::engines::{Channel, InputMode, channel};
use crate::local::file_systems::Directory;
use crate::types::S3Uri;

/// What is downloaded for a job.
#[derive(Default)]
pub(in crate::local) struct Inputs {
    pub(in crate::local) role: String,
    pub(in crate::local) channels: Vec<ChannelPlan>,
    /// Where checkpoints are kept.
    pub(in crate::local) checkpoints: Option<S3Uri>,
}

#[derive(Default)]
pub(in crate::local) struct ChannelPlan {
    pub(in crate::local) name: String,
    pub(in crate::local) content_type: Option<String>,
    pub(in crate::local) input_mode: InputMode,
    pub(in crate::local) sharded: bool,
    pub(in crate::local) record_io: bool,
    pub(in crate::local) gzip: bool,
    pub(in crate::local) data_type: String,
    pub(in crate::local) uri: String,
    /// What is taken of each line of an augmented manifest.
    pub(in crate::local) attributes: Vec<String>,
    /// The seed of a random order.
    pub(in crate::local) shuffle: Option<u64>,
    /// Where the data is if it is not in S3.
    pub(in crate::local) file_system: Option<Directory>,
}

/// What was downloaded.
#[derive(Clone)]
pub(super) struct Downloaded {
    pub(super) channels: Vec<Channel>,
    pub(super) checkpoints: Vec<(String, Bytes)>,
}

/// Reads all channels and checkpoints, as they are when the job downloads them; `limit` is in bytes. May block.
pub(super) fn download(core: &Core, inputs: &Inputs, limit: u64) -> Result<Downloaded, String> {
    let mut budget = Budget::new(limit);
    let client = |why: String| format!("ClientError: {why}");
    let failed = |why: String| client(format!("Data download failed: {why}"));
    let channels = inputs.channels.iter().map(|channel| {
        let (files, mount) = match &channel.file_system {
            Some(directory) => (Vec::new(), Some(core.file_systems.find(directory).map_err(client)?)),
            None => (files(core, channel, &inputs.role, &mut budget).map_err(failed)?, None),
        };
        Ok(Channel {
            name: channel.name.clone(),
            content_type: channel.content_type.clone(),
            input_mode: channel.input_mode,
            sharded: channel.sharded,
            record_io: channel.record_io,
            shuffle_seed: channel.shuffle,
            files_per_record: channel.attributes.len().max(1),
            files,
            mount,
        })
    });
    let channels = channels.collect::<Result<_, String>>()?;
    let checkpoints = checkpoints(core, inputs.checkpoints.as_ref(), &mut budget)?;
    Ok(Downloaded { channels, checkpoints })
}

/// Reads the checkpoints that are there now. May block.
pub(super) fn newest_checkpoints(core: &Core, place: &S3Uri, limit: u64) -> Result<Vec<(String, Bytes)>, String> {
    checkpoints(core, Some(place), &mut Budget::new(limit))
}

fn checkpoints(core: &Core, place: Option<&S3Uri>, budget: &mut Budget) -> Result<Vec<(String, Bytes)>, String> {
    // There are none at first.
    let kept = place.map(|place| data::below(core, place)).unwrap_or_default();
    let checkpoints = kept.into_iter().map(|input| Ok((input.path.clone(), budget.read(core, &input, false)?)));
    let checkpoints = checkpoints.collect::<Result<_, String>>();
    checkpoints.map_err(|why| format!("ClientError: Checkpoint download failed: {why}"))
}

/// Reads the files of channels on file systems, for an engine that does not do it itself; `limit` is in bytes. May block.
pub(super) fn read_mounts(channels: &mut [Channel], limit: u64) -> Result<(), String> {
    let mut budget = Budget::new(limit);
    for channel in channels {
        let Channel { files, mount: Some(mount), .. } = channel else { continue };
        mount.visit(&mut |path, place| {
            files.push((path.to_owned(), budget.read_file(place, path)?));
            Ok(())
        })?;
    }
    Ok(())
}

fn files(core: &Core, channel: &ChannelPlan, role: &str, budget: &mut Budget) -> Result<Vec<(String, Bytes)>, String> {
    let mut files = if channel.data_type == data::AUGMENTED {
        data::augmented(core, &channel.uri, &channel.attributes, budget)?
    } else {
        let inputs = data::resolve(core, &channel.data_type, &channel.uri, role).map_err(|e| e.message)?;
        let read = |input: Input| Ok((input.path.clone(), budget.read(core, &input, channel.gzip)?));
        inputs.into_iter().map(read).collect::<Result<_, String>>()?
    };
    if let Some(seed) = channel.shuffle {
        let mut records: Vec<_> = files.chunks(channel.attributes.len().max(1)).collect();
        channel::shuffle(&mut records, seed, 0);
        files = records.concat();
    }
    Ok(files)
}
