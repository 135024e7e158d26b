//! A processing job: its inputs become files in a private folder, an engine works there, and its outputs are stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::containers::no_engine;
use super::{GRACE, NO_CAPACITY, Run};
use crate::local::backend::Core;
use crate::local::engines::{EngineFailure, HostLog, ProcessingTask};
use crate::local::kinds::Kind;
use crate::local::state::Resource;
use crate::local::time::{epoch, timestamp};
use crate::types::S3Uri;

mod files;

const STARTING: u64 = 20;
const DOWNLOADING: u64 = 5;
const UPLOADING: u64 = 5;
const STOPPING: u64 = 2;

const LOG_GROUP: &str = "/aws/sagemaker/ProcessingJobs";
/// The longest `ExitMessage`, in characters.
const MAX_MESSAGE: usize = 1024;

/// What a processing job does, taken from its request.
pub(in crate::local) struct Plan {
    pub(in crate::local) image: String,
    pub(in crate::local) entrypoint: Vec<String>,
    pub(in crate::local) arguments: Vec<String>,
    pub(in crate::local) environment: BTreeMap<String, String>,
    pub(in crate::local) instance_count: u32,
    pub(in crate::local) instance_type: String,
    pub(in crate::local) max_runtime: Duration,
    pub(in crate::local) folders: Folders,
    pub(in crate::local) outputs: Vec<OutputPlan>,
}

/// What the container finds.
#[derive(Clone)]
pub(in crate::local) struct Folders {
    pub(in crate::local) role: String,
    pub(in crate::local) inputs: Vec<InputPlan>,
    /// The folders of the outputs, relative to the container's root.
    pub(in crate::local) outputs: Vec<PathBuf>,
    /// `processingjobconfig.json`.
    pub(in crate::local) config: Value,
    pub(in crate::local) instance_count: u32,
}

/// An input that is downloaded.
#[derive(Clone)]
pub(in crate::local) struct InputPlan {
    pub(in crate::local) data_type: String,
    pub(in crate::local) uri: String,
    pub(in crate::local) gzip: bool,
    /// Relative to the container's root.
    pub(in crate::local) folder: PathBuf,
}

/// An output that is stored.
#[derive(Clone)]
pub(in crate::local) struct OutputPlan {
    pub(in crate::local) place: S3Uri,
    /// Relative to the container's root.
    pub(in crate::local) folder: PathBuf,
    /// What was written before a failure or a stop counts, too.
    pub(in crate::local) continuous: bool,
}

enum End {
    Completed,
    Failed(String),
    Stopped,
}

/// Stop was asked for.
pub(in crate::local) fn stopping(resource: &mut Resource, _now: SystemTime) {
    resource.set("ProcessingJobStatus", "Stopping");
    resource.stop.ask();
}

/// The end of a job that failed.
pub(super) fn fail(resource: &mut Resource, now: SystemTime, reason: &str) {
    resource.set_failure(reason);
    end(resource, now, "Failed");
}

fn end(resource: &mut Resource, now: SystemTime, status: &str) {
    resource.set("ProcessingJobStatus", status);
    resource.set("ProcessingEndTime", timestamp(now));
}

/// Runs a job to its end.
pub(in crate::local) async fn run(mut run: Run, plan: Plan) {
    let mut message = None;
    let ended = walk(&mut run, plan, &mut message).await;
    drop(run.finish(|resource, now| {
        if let Some(message) = message {
            resource.set("ExitMessage", message);
        }
        match ended {
            End::Failed(reason) => fail(resource, now, &reason),
            // A stop may have come while the outputs were stored.
            End::Completed if !resource.stop.asked() => end(resource, now, "Completed"),
            End::Completed | End::Stopped => end(resource, now, "Stopped"),
        }
    }));
}

async fn walk(run: &mut Run, plan: Plan, message: &mut Option<String>) -> End {
    if run.pass_unless_stopped(STARTING).await {
        run.pass(STOPPING).await;
        return End::Stopped;
    }
    if run.faults.capacity {
        return End::Failed(NO_CAPACITY.to_owned());
    }
    run.update(|resource, now| resource.set("ProcessingStartTime", timestamp(now)));
    if run.pass_unless_stopped(DOWNLOADING).await {
        run.pass(STOPPING).await;
        return End::Stopped;
    }
    let (core, folders) = (run.owner.core.clone(), plan.folders.clone());
    let laid_out = run.work(move || files::lay_out(&core, &folders)).await;
    // It lives until the engine lets go of it, even if the job does not wait for that.
    let root: Arc<TempDir> = match laid_out {
        Ok(Ok(root)) => Arc::new(root),
        Ok(Err(reason)) => return End::Failed(format!("ClientError: Data download failed: {reason}")),
        Err(panic) => return End::Failed(format!("InternalServerError: {panic}")),
    };
    let task = task(run, &plan, root.path());
    let Some(engine) = run.owner.core.processing_engine(&task) else {
        return End::Failed(format!("ClientError: {}", no_engine(&plan.image)));
    };
    let held = root.clone();
    let work = run.work(move || {
        let result = engine.process(&task);
        drop(held);
        result
    });
    let (result, overtime) = within(run, work, plan.max_runtime).await;
    run.owner.close_logs();
    let stopped = overtime || run.stop.asked();
    let ended = match result {
        Some(Ok(Ok(()))) if !stopped => End::Completed,
        Some(Ok(Err(EngineFailure::Stopped))) if stopped => End::Stopped,
        Some(Ok(Err(failure))) if !stopped => End::Failed(failure.to_string()),
        Some(Err(panic)) if !stopped => End::Failed(EngineFailure::algorithm(panic).to_string()),
        _ => End::Stopped,
    };
    *message = exit_message(root.path());
    let completed = matches!(ended, End::Completed);
    run.pass(if completed { UPLOADING } else { STOPPING }).await;
    let outputs = plan.outputs.iter().filter(|output| completed || output.continuous).cloned().collect();
    match store(run, root, outputs).await {
        Err(reason) if completed => End::Failed(reason),
        _ => ended,
    }
}

/// What the work gave, if it ended before the limit, or within the grace period after a stop; whether the limit was
/// passed.
async fn within<T>(run: &Run, work: impl Future<Output = T>, limit: Duration) -> (Option<T>, bool) {
    let (clock, stop) = (run.owner.core.clock.clone(), run.stop.clone());
    tokio::pin!(work);
    let mut overtime = false;
    tokio::select! {
        biased;
        result = &mut work => return (Some(result), false),
        () = stop.wait() => {}
        () = clock.sleep(limit) => overtime = true,
    }
    run.update(stopping);
    tokio::select! {
        biased;
        result = &mut work => (Some(result), overtime),
        () = clock.sleep(GRACE) => (None, overtime),
    }
}

fn task(run: &Run, plan: &Plan, root: &Path) -> ProcessingTask {
    let (owner, stop) = (run.owner.clone(), run.stop.clone());
    let started = epoch(run.now());
    let log_of: HostLog = Arc::new(move |instance, text| {
        owner.log(LOG_GROUP, &format!("{}/algo-{instance}-{started}", owner.name), text);
    });
    let first = log_of.clone();
    ProcessingTask {
        job_name: run.owner.name.clone(),
        job_arn: Kind::ProcessingJob.row().arn(&run.owner.core.place, &run.owner.name),
        image: plan.image.clone(),
        entrypoint: plan.entrypoint.clone(),
        arguments: plan.arguments.clone(),
        environment: plan.environment.clone(),
        instance_count: plan.instance_count,
        instance_type: plan.instance_type.clone(),
        root: root.to_owned(),
        log: Arc::new(move |text| first(1, text)),
        log_of,
        stopping: Arc::new(move || stop.asked()),
        killed: Arc::new(run.owner.closed()),
    }
}

/// What the container left in `/opt/ml/output/message`.
fn exit_message(root: &Path) -> Option<String> {
    let bytes = files::read_start(&root.join("opt/ml/output/message"), 4 * MAX_MESSAGE as u64)?;
    let message: String = String::from_utf8_lossy(&bytes).trim().chars().take(MAX_MESSAGE).collect();
    (!message.is_empty()).then_some(message)
}

/// Stores what is in the folders of outputs.
async fn store(run: &Run, root: Arc<TempDir>, outputs: Vec<OutputPlan>) -> Result<(), String> {
    let owner = run.owner.clone();
    let stored = run.work(move || {
        let mut budget = files::MAX_BYTES;
        for output in outputs {
            let found = files::collect(&root.path().join(&output.folder), &mut budget);
            for (path, content) in found.map_err(|why| format!("ClientError: Data upload failed: {why}"))? {
                let place = output.place.join(&path);
                let object = owner.core.s3.prepare(content, None);
                let stored = owner.act(|core: &Core| core.s3.store(place.bucket(), place.key(), object));
                if stored == Some(false) {
                    let bucket = place.bucket();
                    return Err(format!("ClientError: Data upload failed: the bucket {bucket} does not exist"));
                }
            }
        }
        Ok(())
    });
    stored.await.unwrap_or_else(|panic| Err(format!("InternalServerError: {panic}")))
}

/// `resourceconfig.json` of the first instance.
fn resource_config(instance_count: u32) -> Value {
    let mut hosts: Vec<String> = (1..=instance_count).map(|number| format!("algo-{number}")).collect();
    hosts.sort();
    json!({"current_host": "algo-1", "hosts": hosts})
}
