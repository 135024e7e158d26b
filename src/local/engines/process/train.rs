//! Training by commands: one for each host of the job.

use std::io;
use std::sync::Arc;

use serde_json::json;

use super::environment::{self, Host, host_name};
use super::folder::{OptMl, Seen};
use super::group::Group;
use super::output::{Log, Output};
use super::pipe::{Feed, Source};
use super::run::{Failed, Signs, spawn, wait};
use super::{Launch, Processes};
use crate::local::engines::{EngineFailure, InputMode, TrainingOutput, TrainingTask};

/// How many hosts a job may have here: all of them share one machine.
const MAX_HOSTS: u32 = 16;
/// The longest `FailureReason`, and how much of the file `failure` is read for it.
const MAX_REASON: usize = 1024;

/// A host of the job: its folder and what runs there.
struct Running {
    folder: OptMl,
    group: Arc<Group>,
    output: Option<Output>,
    /// What comes through its pipes.
    feeds: Vec<Feed>,
    /// Those that are in S3.
    checkpoints: Seen,
}

/// Trains with a command on each host.
pub(in crate::local::engines) fn train(
    processes: &Processes,
    launch: &Launch,
    job: &TrainingTask,
) -> Result<TrainingOutput, EngineFailure> {
    if job.instance_count > MAX_HOSTS {
        let message =
            format!("the local backend runs at most {MAX_HOSTS} instances of a job, as processes of one machine");
        return Err(EngineFailure::client(message));
    }
    let mut all: Vec<String> = (1..=job.instance_count.max(1)).map(host_name).collect();
    let in_order = all.clone();
    all.sort();
    let mut hosts = Vec::with_capacity(all.len());
    for (number, name) in (1..).zip(&in_order) {
        hosts.push(start(processes, launch, job, number, &Host { name, all: &all })?);
    }
    let groups: Vec<Arc<Group>> = hosts.iter().map(|host| host.group.clone()).collect();
    let signs = Signs { stopping: &*job.stopping, killed: &*job.killed };
    let failed = wait(&groups, &signs, &mut || save_checkpoints(&mut hosts, job));
    for host in &mut hosts {
        host.feeds.clear();
        if let Some(output) = host.output.take() {
            output.finish();
        }
    }
    save_checkpoints(&mut hosts, job);
    if job.is_killed() {
        return Err(EngineFailure::Stopped);
    }
    if let Some(failed) = failed.filter(|_| !job.is_stopping()) {
        return Err(failure(&hosts, &failed));
    }
    let output = collect(&hosts)?;
    if job.is_stopping() && output.model.is_empty() && output.data.is_empty() {
        return Err(EngineFailure::Stopped);
    }
    Ok(output)
}

fn start(
    processes: &Processes,
    launch: &Launch,
    job: &TrainingTask,
    number: u32,
    host: &Host<'_>,
) -> Result<Running, EngineFailure> {
    let folder = lay_out(launch, job, number, host)?;
    let variables = environment::training(&folder, job, host, &launch.setting.environment);
    let log: Log = {
        let log_of = job.log_of.clone();
        Arc::new(move |line| log_of(number, line))
    };
    let mut checkpoints = Seen::new();
    let place = checkpoint_folder(&job.checkpoint_path)?;
    let _ = folder.read_changed(place, &mut checkpoints);
    let feeds = feeds(processes, &folder, job, (number, host), &log)?;
    let spawned = spawn(processes, launch, folder.root(), variables, log);
    let (group, output) = spawned.map_err(|why| EngineFailure::client(launch.cannot_start(&why)))?;
    Ok(Running { folder, group, output: Some(output), feeds, checkpoints })
}

/// The pipes of the channels in Pipe mode.
fn feeds(
    processes: &Processes,
    folder: &OptMl,
    job: &TrainingTask,
    (number, host): (u32, &Host<'_>),
    log: &Log,
) -> Result<Vec<Feed>, EngineFailure> {
    let piped = job.channels.iter().filter(|channel| channel.input_mode == InputMode::Pipe);
    let feeds = piped.map(|channel| {
        let source = Source {
            folder: folder.path("input/data"),
            channel: channel.clone(),
            host: number as usize - 1,
            hosts: host.all.len(),
            log: log.clone(),
        };
        Feed::start(processes.io()?, source)
    });
    let feeds = feeds.collect::<Result<_, String>>();
    feeds.map_err(|why| EngineFailure::client(format!("Data download failed: {why}")))
}

/// The folder that a container finds.
fn lay_out(launch: &Launch, job: &TrainingTask, number: u32, host: &Host<'_>) -> Result<OptMl, EngineFailure> {
    let disk = |error: io::Error| EngineFailure::client(format!("a folder for the job cannot be written: {error}"));
    let folder = OptMl::new().map_err(disk)?;
    folder.write_json("input/config/hyperparameters.json", &json!(job.hyperparameters)).map_err(disk)?;
    folder.write_json("input/config/inputdataconfig.json", &environment::input_data_config(job)).map_err(disk)?;
    folder.write_json("input/config/resourceconfig.json", &environment::resource_config(job, host)).map_err(disk)?;
    let download = |why: String| EngineFailure::client(format!("Data download failed: {why}"));
    for channel in &job.channels {
        if channel.input_mode == InputMode::Pipe {
            continue;
        }
        let place = format!("input/data/{}", channel.name);
        match &channel.mount {
            Some(mount) if mount.writable => {
                std::os::unix::fs::symlink(&mount.folder, folder.path(&place)).map_err(disk)?;
                continue;
            }
            Some(mount) => {
                folder.copy(&place, mount).map_err(download)?;
                continue;
            }
            None => {}
        }
        std::fs::create_dir_all(folder.path(&place)).map_err(disk)?;
        folder.write(&place, channel.share(0, number as usize - 1, host.all.len())).map_err(download)?;
    }
    let checkpoints = checkpoint_folder(&job.checkpoint_path)?;
    std::fs::create_dir_all(folder.path(checkpoints)).map_err(disk)?;
    folder.write(checkpoints, &job.checkpoints).map_err(download)?;
    folder.write("code", &launch.code).map_err(download)?;
    Ok(folder)
}

/// The folder of checkpoints below `/opt/ml`, which is all that a command's private folder can stand for.
fn checkpoint_folder(path: &str) -> Result<&str, EngineFailure> {
    let below = path.strip_prefix("/opt/ml/").filter(|below| !below.split('/').any(|part| part == ".."));
    below.ok_or_else(|| {
        let message = format!("the local backend keeps checkpoints below /opt/ml only, not in the LocalPath {path}");
        EngineFailure::client(message)
    })
}

/// Stores the checkpoints that are new. What cannot be read now, such as a file that has just been deleted, is left.
fn save_checkpoints(hosts: &mut [Running], job: &TrainingTask) {
    let Ok(place) = checkpoint_folder(&job.checkpoint_path) else { return };
    for host in hosts {
        if let Ok(files) = host.folder.read_changed(place, &mut host.checkpoints) {
            files.into_iter().for_each(|(path, content)| (job.save_checkpoint)(&path, content));
        }
    }
}

/// What a command that failed says: the first 1,024 characters of `/opt/ml/output/failure`.
fn failure(hosts: &[Running], failed: &Failed) -> EngineFailure {
    let host = hosts.get(failed.place);
    let message = host.map(|host| host.folder.beginning("output/failure", MAX_REASON)).unwrap_or_default();
    let around = EngineFailure::algorithm("").with_exit_code(failed.exit_code).to_string().len();
    let message: String = message.trim_end().chars().take(MAX_REASON - around).collect();
    EngineFailure::algorithm(message).with_exit_code(failed.exit_code)
}

/// The files of all hosts; of files with one name, that of the first host.
fn collect(hosts: &[Running]) -> Result<TrainingOutput, EngineFailure> {
    let mut output = TrainingOutput::default();
    for host in hosts {
        for (folder, files) in [("model", &mut output.model), ("output/data", &mut output.data)] {
            let found = host.folder.read(folder);
            let found = found.map_err(|why| EngineFailure::client(format!("Artifact upload failed: {why}")))?;
            for (path, content) in found {
                if hosts.len() == 1 || !files.iter().any(|(other, _)| *other == path) {
                    files.push((path, content));
                }
            }
        }
    }
    Ok(output)
}
