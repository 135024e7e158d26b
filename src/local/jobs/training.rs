//! A training job, from `Starting` to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::containers::no_engine;
use super::run::Owner;
use super::{GRACE, NO_CAPACITY, Run};
use crate::local::clock::BusyGuard;
use crate::local::engines::{Channel, Engine, EngineFailure, HostLog, TrainingOutput, TrainingTask};
use crate::local::kinds::Kind;
use crate::local::metrics::{self, Metric};
use crate::local::profile::Nothing;
use crate::local::state::Resource;
use crate::local::time::{epoch, seconds_since, timestamp};

mod inputs;
mod outputs;
pub(in crate::local) mod warm_pool;

use inputs::Downloaded;
pub(in crate::local) use inputs::{ChannelPlan, Inputs};
pub(in crate::local) use outputs::OutputPlan;

const STARTING: u64 = 5;
const PENDING: u64 = 10;
const DOWNLOADING_DATA: u64 = 5;
const DOWNLOADING_IMAGE: u64 = 5;
const UPLOADING: u64 = 5;
const STOPPING: u64 = 2;

/// How long a spot instance trains before it is taken away, and how long there is none.
const INTERRUPTED_AFTER: u64 = 30;
const INTERRUPTED: u64 = 60;
const RESTARTING: u64 = 10;

const LOG_GROUP: &str = "/aws/sagemaker/TrainingJobs";
/// What a job may read in all, in bytes: everything is kept in memory.
const MAX_INPUT: u64 = 8 << 30;
/// What of its time a job on spot instances is billed.
const SPOT_PERCENT: u64 = 30;

/// What a training job does, taken from its request.
pub(in crate::local) struct Plan {
    pub(in crate::local) image: String,
    pub(in crate::local) hyperparameters: BTreeMap<String, String>,
    pub(in crate::local) inputs: Inputs,
    pub(in crate::local) environment: BTreeMap<String, String>,
    pub(in crate::local) instance_count: u32,
    pub(in crate::local) instance_type: String,
    pub(in crate::local) entrypoint: Vec<String>,
    pub(in crate::local) arguments: Vec<String>,
    pub(in crate::local) checkpoint_path: String,
    pub(in crate::local) output: OutputPlan,
    pub(in crate::local) max_runtime: Duration,
    /// From the job's beginning on; for jobs on spot instances.
    pub(in crate::local) max_wait: Option<Duration>,
    pub(in crate::local) metrics: Vec<Metric>,
    pub(in crate::local) watch: Option<Watch>,
}

/// Who follows a metric while the job trains.
#[derive(Clone)]
pub(in crate::local) struct Watch {
    pub(in crate::local) metric: Metric,
    /// Takes each value; true stops the job.
    pub(in crate::local) report: Arc<dyn Fn(f64) -> bool + Send + Sync>,
}

/// How a job ended.
enum End {
    Completed,
    Failed(String),
    Stopped(Limit),
}

/// What stopped a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// None: it was asked to stop.
    None,
    Runtime,
    Wait,
}

/// What became of the engine.
enum Trained {
    Output(TrainingOutput),
    Failed(String),
    /// It left nothing within the grace period, or said that it left nothing.
    Nothing,
}

/// The first state of a job.
pub(in crate::local) fn begin(resource: &mut Resource, now: SystemTime, output: &OutputPlan) {
    resource.set("TrainingJobStatus", "InProgress");
    // A required member of the answer: it says where the model will be, whether or not there ever is one.
    let model = output.model(&resource.name);
    resource.set("ModelArtifacts", json!({"S3ModelArtifacts": model.to_string()}));
    warm_pool::show(resource, "InUse");
    transition(resource, now, "Starting", "Starting the training job");
}

/// Stop was asked for.
pub(in crate::local) fn stopping(resource: &mut Resource, now: SystemTime) {
    resource.set("TrainingJobStatus", "Stopping");
    transition(resource, now, "Stopping", "Stopping the training job");
    resource.stop.ask();
}

/// Enters a secondary status, or changes the message of the one that is open.
pub(in crate::local) fn transition(resource: &mut Resource, now: SystemTime, status: &str, message: &str) {
    let terminal = matches!(status, "Completed" | "Failed" | "Stopped" | "MaxRuntimeExceeded" | "MaxWaitTimeExceeded");
    resource.modified = now;
    resource.set("SecondaryStatus", status);
    let list = resource.state.entry("SecondaryStatusTransitions").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    if let Some(Value::Object(open)) = list.last_mut() {
        if open.get("Status").and_then(Value::as_str) == Some(status) {
            open.insert("StatusMessage".to_owned(), json!(message));
            return;
        }
        open.entry("EndTime").or_insert_with(|| timestamp(now));
    }
    let mut entry = json!({"Status": status, "StartTime": timestamp(now), "StatusMessage": message});
    if terminal {
        entry["EndTime"] = timestamp(now);
    }
    list.push(entry);
}

/// Publishes what the log says in CloudWatch.
fn publish(owner: &Owner, metrics: &[Metric], stream: &str) {
    let lines = owner.core.logs.newest_first(LOG_GROUP, stream);
    metrics::each_value(metrics, lines, |name, value, millis| {
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        let job = [("TrainingJobName", owner.name.as_str())];
        owner.act(|core| core.metrics.add(LOG_GROUP, name, &job, "None", at, value));
    });
}

/// Runs a job to its end. The guard is for who waits for it.
pub(in crate::local) async fn run(mut run: Run, mut plan: Plan) -> Option<BusyGuard> {
    let mut started = None;
    let end = walk(&mut run, &mut plan, &mut started).await;
    if run.is_orphaned() {
        return run.finish(|_, _| {});
    }
    let (core, stream) = (run.owner.core.clone(), stream(&run, started));
    let metrics = std::mem::take(&mut plan.metrics);
    let owner = run.owner.clone();
    let work = run.work(move || {
        publish(&owner, &metrics, &stream);
        metrics::final_values(&metrics, core.logs.newest_first(LOG_GROUP, &stream))
    });
    let values = work.await;
    let values = values.unwrap_or_default();
    let (core, runtime) = (run.owner.core.clone(), Handle::current());
    run.finish(|resource, now| {
        end_times(resource, now);
        if !values.is_empty() {
            resource.set("FinalMetricDataList", values);
        }
        let (status, secondary, message) = match end {
            // A stop may have come while the model was uploaded.
            End::Completed if !resource.stop.asked() => ("Completed", "Completed", "Training job completed"),
            End::Failed(reason) => return fail(resource, now, &reason),
            End::Stopped(Limit::Runtime) => {
                ("Stopped", "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds provided")
            }
            End::Stopped(Limit::Wait) => {
                ("Stopped", "MaxWaitTimeExceeded", "Training job wait time exceeded MaxWaitTimeInSeconds provided")
            }
            End::Completed | End::Stopped(Limit::None) => ("Stopped", "Stopped", "Training job stopped"),
        };
        resource.set("TrainingJobStatus", status);
        transition(resource, now, secondary, message);
        if status == "Completed" && warm_pool::keep_alive(resource).is_some() {
            warm_pool::show(resource, "Available");
            runtime.spawn(warm_pool::keep(Run::new(&core, Kind::TrainingJob, resource)));
        }
    })
}

/// The end of a job that failed.
pub(super) fn fail(resource: &mut Resource, now: SystemTime, reason: &str) {
    end_times(resource, now);
    resource.set_failure(reason);
    warm_pool::show(resource, "Terminated");
    resource.set("TrainingJobStatus", "Failed");
    transition(resource, now, "Failed", "Training job failed");
}

/// When a job ended that had begun to run.
fn end_times(resource: &mut Resource, now: SystemTime) {
    let start = resource.state.get("TrainingStartTime");
    let Some(seconds) = start.and_then(|start| seconds_since(start, now)) else { return };
    resource.set("TrainingEndTime", timestamp(now));
    resource.set("TrainingTimeInSeconds", seconds);
    // Spot instances cost less, which is shown as less time.
    let spot = resource.request.get("EnableManagedSpotTraining").and_then(Value::as_bool) == Some(true);
    let billable = if spot { seconds.saturating_mul(SPOT_PERCENT).div_ceil(100) } else { seconds };
    resource.set("BillableTimeInSeconds", billable);
}

/// The stages up to the last one.
async fn walk(run: &mut Run, plan: &mut Plan, started: &mut Option<SystemTime>) -> End {
    if run.pass_unless_stopped(STARTING).await {
        return stopped_early(run).await;
    }
    enter(run, "Pending", "Preparing the instances for training");
    if run.pass_unless_stopped(PENDING).await {
        return stopped_early(run).await;
    }
    if run.faults.capacity {
        return End::Failed(NO_CAPACITY.to_owned());
    }
    let start = run.now();
    // The time before the instances were there counts as waiting.
    let waited = Duration::from_secs(STARTING + PENDING);
    let left = plan.max_wait.map(|limit| limit.saturating_sub(waited));
    *started = Some(start);
    run.update(|resource, now| resource.set("TrainingStartTime", timestamp(now)));
    enter(run, "Downloading", "Downloading input data");
    if run.pass_unless_stopped(DOWNLOADING_DATA).await {
        return stopped_early(run).await;
    }
    let core = run.owner.core.clone();
    let inputs = std::mem::take(&mut plan.inputs);
    let mut downloaded = match run.work(move || inputs::download(&core, &inputs, MAX_INPUT)).await {
        Ok(Ok(downloaded)) => downloaded,
        Ok(Err(reason)) => return End::Failed(reason),
        Err(panic) => return End::Failed(format!("InternalServerError: {panic}")),
    };
    enter(run, "Downloading", "Downloading the training image");
    if run.pass_unless_stopped(DOWNLOADING_IMAGE).await {
        return stopped_early(run).await;
    }
    for checkpoints in std::mem::take(&mut run.faults.interruptions) {
        match interrupt(run, plan, &mut downloaded, start, checkpoints).await {
            Ok(false) => {}
            Ok(true) => return stopped_early(run).await,
            Err(reason) => return End::Failed(reason),
        }
    }
    enter(run, "Training", "Training image download completed. Training in progress.");
    run.hold().await;
    let passed = run.now().duration_since(start).unwrap_or_default();
    let limit = match left.map(|left| left.saturating_sub(passed)) {
        Some(left) if left < plan.max_runtime => (left, Limit::Wait),
        _ => (plan.max_runtime, Limit::Runtime),
    };
    let (trained, passed_limit) = train(run, plan, downloaded, start, limit).await;
    let stopped = passed_limit != Limit::None || run.stop.asked();
    match trained {
        Trained::Failed(reason) if !stopped => return End::Failed(reason),
        Trained::Output(output) => {
            enter(run, "Uploading", "Uploading generated training model");
            run.pass(UPLOADING).await;
            if let Err(reason) = outputs::upload(run, &plan.output, output).await {
                return End::Failed(reason);
            }
        }
        Trained::Failed(_) | Trained::Nothing => run.pass(STOPPING).await,
    }
    if stopped { End::Stopped(passed_limit) } else { End::Completed }
}

/// Enters a stage, unless a stop came in between: what is stopping stays so until its data is uploaded.
fn enter(run: &Run, status: &str, message: &str) {
    run.update(|resource, now| {
        if resource.status(Kind::TrainingJob.row()) != "Stopping" || status == "Uploading" {
            transition(resource, now, status, message);
        }
    });
}

/// Trains until the instances are taken away, when so many checkpoints were saved, and gets new ones; whether a stop came.
async fn interrupt(
    run: &mut Run,
    plan: &Plan,
    downloaded: &mut Downloaded,
    start: SystemTime,
    checkpoints: u64,
) -> Result<bool, String> {
    enter(run, "Training", "Training image download completed. Training in progress.");
    if run.pass_unless_stopped(INTERRUPTED_AFTER).await {
        return Ok(true);
    }
    if plan.output.checkpoints.is_some() && checkpoints > 0 {
        train_in_vain(run, plan, downloaded.clone(), start, checkpoints).await;
    }
    enter(run, "Interrupted", "The job stopped because the managed spot training instances were interrupted.");
    if run.pass_unless_stopped(INTERRUPTED).await {
        return Ok(true);
    }
    enter(run, "Restarting", "Restarting the training job");
    if run.pass_unless_stopped(RESTARTING).await {
        return Ok(true);
    }
    if let Some(place) = plan.output.checkpoints.clone() {
        let core = run.owner.core.clone();
        let found = run.work(move || inputs::newest_checkpoints(&core, &place, MAX_INPUT)).await;
        downloaded.checkpoints = found.unwrap_or_else(|panic| Err(format!("InternalServerError: {panic}")))?;
    }
    enter(run, "Downloading", "Downloading the training image");
    Ok(run.pass_unless_stopped(DOWNLOADING_IMAGE).await)
}

/// Runs the engine until it has saved so many checkpoints, or ends: only these outlive the instances.
async fn train_in_vain(run: &Run, plan: &Plan, downloaded: Downloaded, start: SystemTime, checkpoints: u64) {
    let mut task = task(run, plan, downloaded, start);
    let Some(engine) = run.owner.core.training_engine(&task) else { return };
    let saved = Arc::new(AtomicU64::new(0));
    let taken = {
        let saved = Arc::clone(&saved);
        move || saved.load(Ordering::Relaxed) >= checkpoints
    };
    let (save, counted, gone) = (task.save_checkpoint.clone(), Arc::clone(&saved), taken.clone());
    task.save_checkpoint = Arc::new(move |path, content| {
        if !gone() {
            save(path, content);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (stopping, gone) = (task.stopping.clone(), taken.clone());
    task.stopping = Arc::new(move || gone() || stopping());
    let killed = task.killed.clone();
    task.killed = Arc::new(move || taken() || killed());
    let clock = run.owner.core.clock.clone();
    let work = run.work(move || work(&*engine, task));
    tokio::select! {
        biased;
        // What it gives back is lost, whether it is a model or a failure.
        _ = work => {}
        () = clock.sleep(plan.max_runtime) => saved.store(checkpoints, Ordering::Relaxed),
    }
}

async fn stopped_early(run: &mut Run) -> End {
    run.pass(STOPPING).await;
    End::Stopped(Limit::None)
}

/// Runs the engine until it ends, is stopped or passes the limit; which limit it passed.
async fn train(
    run: &Run,
    plan: &Plan,
    downloaded: Downloaded,
    start: SystemTime,
    (limit, kind): (Duration, Limit),
) -> (Trained, Limit) {
    let task = task(run, plan, downloaded, start);
    let Some(engine) = run.owner.core.training_engine(&task) else {
        return (Trained::Failed(format!("ClientError: {}", no_engine(&plan.image))), Limit::None);
    };
    let is_empty = |channel: &Channel| channel.files.is_empty() && channel.mount.is_none();
    let no_data = !task.channels.is_empty() && task.channels.iter().all(is_empty);
    let engine = if no_data && run.owner.core.is_lenient() { Arc::new(Nothing) } else { engine };
    let clock = run.owner.core.clock.clone();
    let stop = run.stop.clone();
    let mut passed = Limit::None;
    let result = {
        let work = run.work(move || work(&*engine, task));
        tokio::pin!(work);
        let early = tokio::select! {
            biased;
            result = &mut work => Some(result),
            () = stop.wait() => None,
            () = clock.sleep(limit) => { passed = kind; None }
        };
        match early {
            Some(result) => Some(result),
            None => {
                run.update(stopping);
                tokio::select! {
                    biased;
                    result = &mut work => Some(result),
                    () = clock.sleep(GRACE) => None,
                }
            }
        }
    };
    run.owner.close_logs();
    let trained = match result {
        Some(Ok(Ok(output))) => Trained::Output(output),
        Some(Ok(Err(EngineFailure::Stopped))) if stop.asked() => Trained::Nothing,
        Some(Ok(Err(failure))) => Trained::Failed(failure.to_string()),
        Some(Err(panic)) => Trained::Failed(EngineFailure::algorithm(panic).to_string()),
        None => Trained::Nothing,
    };
    (trained, passed)
}

/// What happens on the engine's thread.
fn work(engine: &dyn Engine, mut task: TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    if !engine.reads_mounts() {
        inputs::read_mounts(&mut task.channels, MAX_INPUT).map_err(EngineFailure::client)?;
    }
    engine.train(&task)
}

fn task(run: &Run, plan: &Plan, downloaded: Downloaded, start: SystemTime) -> TrainingTask {
    let (core, stop) = (&run.owner.core, run.stop.clone());
    let (owner, watch, started) = (run.owner.clone(), plan.watch.clone(), epoch(start));
    let log_of: HostLog = Arc::new(move |instance, text| {
        owner.log(LOG_GROUP, &format!("{}/algo-{instance}-{started}", owner.name), text);
        if watch.as_ref().is_some_and(|watch| watch.sees(text)) {
            owner.update(|resource, now| {
                if resource.status(Kind::TrainingJob.row()) == "InProgress" {
                    stopping(resource, now);
                }
            });
        }
    });
    let first = log_of.clone();
    TrainingTask {
        job_name: run.owner.name.clone(),
        job_arn: Kind::TrainingJob.row().arn(&core.place, &run.owner.name),
        image: plan.image.clone(),
        hyperparameters: plan.hyperparameters.clone(),
        channels: downloaded.channels,
        checkpoints: downloaded.checkpoints,
        keeps_checkpoints: plan.output.checkpoints.is_some(),
        checkpoint_path: plan.checkpoint_path.clone(),
        save_checkpoint: outputs::save_checkpoint(run, &plan.output),
        environment: plan.environment.clone(),
        instance_count: plan.instance_count,
        instance_type: plan.instance_type.clone(),
        entrypoint: plan.entrypoint.clone(),
        arguments: plan.arguments.clone(),
        log: Arc::new(move |text| first(1, text)),
        log_of,
        stopping: Arc::new(move || stop.asked()),
        killed: Arc::new(run.owner.closed()),
        s3: core.read_object(),
        now: {
            let clock = core.clock.clone();
            Arc::new(move || clock.now())
        },
    }
}

impl Watch {
    /// Reports the values in a text; whether the job is to stop.
    fn sees(&self, text: &str) -> bool {
        let mut stop = false;
        for value in text.lines().filter_map(|line| self.metric.value(line)) {
            stop |= (self.report)(value);
        }
        stop
    }
}

/// The log stream of the job's first instance.
fn stream(run: &Run, started: Option<SystemTime>) -> String {
    format!("{}/algo-1-{}", run.owner.name, started.map_or(0, epoch))
}
