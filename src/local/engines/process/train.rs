//! Training by commands: one for each host of the job.

use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use serde_json::json;

use super::environment::{self, Host, Variables, host_name};
use super::folder::OptMl;
use super::group::{Group, Pause, exit_code};
use super::output::{Log, Output};
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
    ended: Option<ExitStatus>,
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
    let first_failure = wait(&mut hosts, job);
    for host in &mut hosts {
        if let Some(output) = host.output.take() {
            output.finish();
        }
    }
    if job.is_killed() {
        return Err(EngineFailure::Stopped);
    }
    if let Some(failed) = first_failure.and_then(|number| hosts.get(number))
        && !job.is_stopping()
    {
        return Err(failure(failed));
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
    let spawned = spawn(processes, launch, &folder, variables, log);
    let (group, output) = spawned.map_err(|why| EngineFailure::client(launch.cannot_start(&why)))?;
    Ok(Running { folder, group, output: Some(output), ended: None })
}

/// Starts a command whose output goes to a log.
pub(super) fn spawn(
    processes: &Processes,
    launch: &Launch,
    folder: &OptMl,
    variables: Variables,
    log: Log,
) -> io::Result<(Arc<Group>, Output)> {
    let moved = |text: &String| environment::relocate(text, folder.root());
    let (reader, writer) = io::pipe()?;
    let mut process = Command::new(environment::relocate(launch.command.program(), folder.root()));
    process.args(launch.command.arguments().iter().map(moved)).env_clear().envs(variables).stdin(Stdio::null());
    process.stdout(writer.try_clone()?).stderr(writer);
    if let Some(place) = &launch.setting.working_directory {
        process.current_dir(environment::relocate(&environment::text(place), folder.root()));
    }
    // The command holds the writing end, and goes with this call: the pipe ends when the processes do.
    let group = processes.groups.spawn(process)?;
    let output = Output::follow(reader, log)?;
    Ok((group, output))
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
            let name = &channel.name;
            let message =
                format!("the local backend does not run commands in Pipe mode (channel {name}): use File mode");
            return Err(EngineFailure::client(message));
        }
        let place = format!("input/data/{}", channel.name);
        // A shard is every so-manieth file.
        let (count, first) = if channel.sharded { (host.all.len(), number as usize - 1) } else { (1, 0) };
        std::fs::create_dir_all(folder.path(&place)).map_err(disk)?;
        folder.write(&place, channel.files.iter().skip(first).step_by(count)).map_err(download)?;
    }
    folder.write("code", &launch.code).map_err(download)?;
    Ok(folder)
}

/// Waits until all commands have ended; the place of the first that failed. When one fails, the others are ended, as AWS
/// does; when a stop is asked for, all are asked to end, and at the end of the time for it they are ended.
fn wait(hosts: &mut [Running], job: &TrainingTask) -> Option<usize> {
    let mut failed = None;
    let mut told = false;
    let mut pause = Pause::default();
    loop {
        let mut running = false;
        for (number, host) in hosts.iter_mut().enumerate().filter(|(_, host)| host.ended.is_none()) {
            host.ended = host.group.ended();
            match host.ended {
                None => running = true,
                Some(status) if !status.success() && failed.is_none() => failed = Some(number),
                Some(_) => {}
            }
        }
        if !running {
            return failed;
        }
        if failed.is_some() || job.is_killed() {
            hosts.iter().for_each(|host| host.group.kill());
        } else if job.is_stopping() && !told {
            told = true;
            hosts.iter().for_each(|host| host.group.terminate());
        }
        pause.take();
    }
}

/// What a command that failed says: the first 1,024 characters of `/opt/ml/output/failure`.
fn failure(host: &Running) -> EngineFailure {
    let code = host.ended.map_or(1, exit_code);
    let message = host.folder.beginning("output/failure", MAX_REASON);
    let around = EngineFailure::algorithm("").with_exit_code(code).to_string().len();
    let message: String = message.trim_end().chars().take(MAX_REASON - around).collect();
    EngineFailure::algorithm(message).with_exit_code(code)
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
