//! A training job, from `Starting` to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::containers::no_engine;
use super::run::Owner;
use super::{GRACE, NO_CAPACITY, Run};
use crate::local::archive;
use crate::local::backend::Core;
use crate::local::clock::BusyGuard;
use crate::local::data::{self, Budget};
use crate::local::engines::{Channel, Checkpoints, EngineFailure, HostLog, InputMode, TrainingOutput, TrainingTask};
use crate::local::kinds::Kind;
use crate::local::metrics::{self, Metric};
use crate::local::profile::Nothing;
use crate::local::state::Resource;
use crate::local::time::{epoch, seconds_since, timestamp};
use crate::types::S3Uri;

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
const MODEL: &str = "model.tar.gz";

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
    pub(in crate::local) checkpoints: Option<CheckpointPlan>,
    pub(in crate::local) output: S3Uri,
    pub(in crate::local) max_runtime: Duration,
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

/// Where checkpoints are kept, and where the container has them.
pub(in crate::local) struct CheckpointPlan {
    pub(in crate::local) place: S3Uri,
    pub(in crate::local) path: String,
}

impl CheckpointPlan {
    fn connect(&self, owner: &Owner) -> Checkpoints {
        let (of_load, of_save) = (owner.clone(), owner.clone());
        let (from, to) = (self.place.clone(), self.place.clone());
        Checkpoints {
            path: self.path.clone(),
            load: Arc::new(move || {
                let mut budget = Budget::new(MAX_INPUT);
                // A job's first start finds none.
                let found = data::resolve(&of_load.core, "S3Prefix", &from.to_string(), "").unwrap_or_default();
                let read = |input: data::Input| Ok((input.path.clone(), budget.read(&of_load.core, &input, false)?));
                found.into_iter().map(read).collect()
            }),
            save: Arc::new(move |path, content| {
                let place = to.join(path);
                let object = of_save.core.s3.prepare(content, None);
                of_save.act(|core| core.s3.store(place.bucket(), place.key(), object));
            }),
        }
    }
}

/// What is downloaded for a job.
#[derive(Default)]
pub(in crate::local) struct Inputs {
    pub(in crate::local) role: String,
    pub(in crate::local) channels: Vec<ChannelPlan>,
}

pub(in crate::local) struct ChannelPlan {
    pub(in crate::local) name: String,
    pub(in crate::local) content_type: Option<String>,
    pub(in crate::local) input_mode: InputMode,
    pub(in crate::local) sharded: bool,
    pub(in crate::local) record_io: bool,
    pub(in crate::local) gzip: bool,
    pub(in crate::local) data_type: String,
    pub(in crate::local) uri: String,
}

/// How a job ended.
enum End {
    Completed,
    Failed(String),
    Stopped { overtime: bool },
}

/// What became of the engine.
enum Trained {
    Output(TrainingOutput),
    Failed(String),
    /// It left nothing within the grace period, or said that it left nothing.
    Nothing,
}

/// The first state of a job.
pub(in crate::local) fn begin(resource: &mut Resource, now: SystemTime, output: &S3Uri) {
    resource.set("TrainingJobStatus", "InProgress");
    // A required member of the answer: it says where the model will be, whether or not there ever is one.
    let model = folder(output, &resource.name).join(MODEL);
    resource.set("ModelArtifacts", json!({"S3ModelArtifacts": model.to_string()}));
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
    let terminal = matches!(status, "Completed" | "Failed" | "Stopped" | "MaxRuntimeExceeded");
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

/// Runs a job to its end. The guard is for who waits for it.
pub(in crate::local) async fn run(mut run: Run, mut plan: Plan) -> Option<BusyGuard> {
    let mut started = None;
    let end = walk(&mut run, &mut plan, &mut started).await;
    if run.is_orphaned() {
        return run.finish(|_, _| {});
    }
    let (core, stream) = (run.owner.core.clone(), stream(&run, started));
    let metrics = std::mem::take(&mut plan.metrics);
    let values = run.work(move || metrics::final_values(&metrics, core.logs.newest_first(LOG_GROUP, &stream))).await;
    let values = values.unwrap_or_default();
    run.finish(|resource, now| {
        end_times(resource, now);
        if !values.is_empty() {
            resource.set("FinalMetricDataList", values);
        }
        let (status, secondary, message) = match end {
            // A stop may have come while the model was uploaded.
            End::Completed if !resource.stop.asked() => ("Completed", "Completed", "Training job completed"),
            End::Failed(reason) => return fail(resource, now, &reason),
            End::Stopped { overtime: true } => {
                ("Stopped", "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds provided")
            }
            End::Completed | End::Stopped { overtime: false } => ("Stopped", "Stopped", "Training job stopped"),
        };
        resource.set("TrainingJobStatus", status);
        transition(resource, now, secondary, message);
    })
}

/// The end of a job that failed.
pub(super) fn fail(resource: &mut Resource, now: SystemTime, reason: &str) {
    end_times(resource, now);
    resource.set_failure(reason);
    resource.set("TrainingJobStatus", "Failed");
    transition(resource, now, "Failed", "Training job failed");
}

/// When a job ended that had begun to run.
fn end_times(resource: &mut Resource, now: SystemTime) {
    let start = resource.state.get("TrainingStartTime");
    let Some(seconds) = start.and_then(|start| seconds_since(start, now)) else { return };
    resource.set("TrainingEndTime", timestamp(now));
    resource.set("TrainingTimeInSeconds", seconds);
    resource.set("BillableTimeInSeconds", seconds);
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
    *started = Some(start);
    run.update(|resource, now| resource.set("TrainingStartTime", timestamp(now)));
    enter(run, "Downloading", "Downloading input data");
    if run.pass_unless_stopped(DOWNLOADING_DATA).await {
        return stopped_early(run).await;
    }
    let core = run.owner.core.clone();
    let inputs = std::mem::take(&mut plan.inputs);
    let channels = match run.work(move || download(&core, &inputs, MAX_INPUT)).await {
        Ok(Ok(channels)) => channels,
        Ok(Err(reason)) => return End::Failed(reason),
        Err(panic) => return End::Failed(format!("InternalServerError: {panic}")),
    };
    enter(run, "Downloading", "Downloading the training image");
    if run.pass_unless_stopped(DOWNLOADING_IMAGE).await {
        return stopped_early(run).await;
    }
    for _ in 0..run.faults.interruptions {
        if interrupt(run).await {
            return stopped_early(run).await;
        }
    }
    enter(run, "Training", "Training image download completed. Training in progress.");
    run.hold().await;
    let (trained, overtime) = train(run, plan, channels, start).await;
    let stopped = overtime || run.stop.asked();
    match trained {
        Trained::Failed(reason) if !stopped => return End::Failed(reason),
        Trained::Output(output) => {
            enter(run, "Uploading", "Uploading generated training model");
            run.pass(UPLOADING).await;
            if let Err(reason) = upload(run, plan, output).await {
                return End::Failed(reason);
            }
        }
        Trained::Failed(_) | Trained::Nothing => run.pass(STOPPING).await,
    }
    if stopped { End::Stopped { overtime } } else { End::Completed }
}

/// Enters a stage, unless a stop came in between: what is stopping stays so until its data is uploaded.
fn enter(run: &Run, status: &str, message: &str) {
    run.update(|resource, now| {
        if resource.status(Kind::TrainingJob.row()) != "Stopping" || status == "Uploading" {
            transition(resource, now, status, message);
        }
    });
}

/// Trains until the instances are taken away, and gets new ones; whether a stop came.
async fn interrupt(run: &mut Run) -> bool {
    enter(run, "Training", "Training image download completed. Training in progress.");
    if run.pass_unless_stopped(INTERRUPTED_AFTER).await {
        return true;
    }
    enter(run, "Interrupted", "The job stopped because the managed spot training instances were interrupted.");
    if run.pass_unless_stopped(INTERRUPTED).await {
        return true;
    }
    enter(run, "Restarting", "Restarting the training job");
    if run.pass_unless_stopped(RESTARTING).await {
        return true;
    }
    enter(run, "Downloading", "Downloading the training image");
    run.pass_unless_stopped(DOWNLOADING_IMAGE).await
}

async fn stopped_early(run: &mut Run) -> End {
    run.pass(STOPPING).await;
    End::Stopped { overtime: false }
}

/// Reads all channels, as they are when the job downloads them; `limit` is in bytes. May block.
fn download(core: &Core, inputs: &Inputs, limit: u64) -> Result<Vec<Channel>, String> {
    let mut budget = Budget::new(limit);
    let channel = |channel: &ChannelPlan| {
        let files = data::resolve(core, &channel.data_type, &channel.uri, &inputs.role).map_err(|e| e.message)?;
        let read = files.into_iter().map(|input| Ok((input.path.clone(), budget.read(core, &input, channel.gzip)?)));
        let files = read.collect::<Result<_, String>>()?;
        Ok(Channel {
            name: channel.name.clone(),
            content_type: channel.content_type.clone(),
            input_mode: channel.input_mode,
            sharded: channel.sharded,
            record_io: channel.record_io,
            files,
        })
    };
    let channels = inputs.channels.iter().map(channel).collect::<Result<_, String>>();
    channels.map_err(|why| format!("ClientError: Data download failed: {why}"))
}

/// Runs the engine until it ends, is stopped or has run for too long; whether it has.
async fn train(run: &Run, plan: &Plan, channels: Vec<Channel>, start: SystemTime) -> (Trained, bool) {
    let task = task(run, plan, channels, start);
    let Some(engine) = run.owner.core.training_engine(&task) else {
        return (Trained::Failed(format!("ClientError: {}", no_engine(&plan.image))), false);
    };
    let no_data = !task.channels.is_empty() && task.channels.iter().all(|channel| channel.files.is_empty());
    let engine = if no_data && run.owner.core.is_lenient() { Arc::new(Nothing) } else { engine };
    let clock = run.owner.core.clock.clone();
    let stop = run.stop.clone();
    let mut overtime = false;
    let result = {
        let work = run.work(move || engine.train(&task));
        tokio::pin!(work);
        let early = tokio::select! {
            biased;
            result = &mut work => Some(result),
            () = stop.wait() => None,
            () = clock.sleep(plan.max_runtime) => { overtime = true; None }
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
    (trained, overtime)
}

/// What the container on an instance says: it is logged, and watched where somebody waits for a metric.
fn said(run: &Run, plan: &Plan, started: i64) -> HostLog {
    let (owner, watch) = (run.owner.clone(), plan.watch.clone());
    Arc::new(move |instance, text| {
        owner.log(LOG_GROUP, &format!("{}/algo-{instance}-{started}", owner.name), text);
        if watch.as_ref().is_some_and(|watch| watch.sees(text)) {
            owner.update(|resource, now| {
                if resource.status(Kind::TrainingJob.row()) == "InProgress" {
                    stopping(resource, now);
                }
            });
        }
    })
}

fn task(run: &Run, plan: &Plan, channels: Vec<Channel>, start: SystemTime) -> TrainingTask {
    let (core, stop) = (&run.owner.core, run.stop.clone());
    let say = said(run, plan, epoch(start));
    let first = say.clone();
    TrainingTask {
        job_name: run.owner.name.clone(),
        job_arn: Kind::TrainingJob.row().arn(&core.place, &run.owner.name),
        image: plan.image.clone(),
        hyperparameters: plan.hyperparameters.clone(),
        channels,
        environment: plan.environment.clone(),
        instance_count: plan.instance_count,
        instance_type: plan.instance_type.clone(),
        entrypoint: plan.entrypoint.clone(),
        arguments: plan.arguments.clone(),
        checkpoints: plan.checkpoints.as_ref().map(|plan| plan.connect(&run.owner)),
        log: Arc::new(move |text| first(1, text)),
        log_of: say,
        stopping: Arc::new(move || stop.asked()),
        killed: Arc::new(run.owner.closed()),
        s3: core.read_object(),
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

/// Where a job's outputs go.
fn folder(output: &S3Uri, job: &str) -> S3Uri {
    output.join(job).join("output")
}

/// Packs and stores what the engine left.
async fn upload(run: &Run, plan: &Plan, output: TrainingOutput) -> Result<(), String> {
    let folder = folder(&plan.output, &run.owner.name);
    let owner = run.owner.clone();
    let packed = run.work(move || {
        let mut archives = vec![(folder.join(MODEL), output.model)];
        if !output.data.is_empty() {
            archives.push((folder.join("output.tar.gz"), output.data));
        }
        for (place, files) in archives {
            let packed = archive::pack(&files).map_err(|why| format!("ClientError: Cannot pack {place}: {why}"))?;
            let object = owner.core.s3.prepare(packed, Some("application/x-tar"));
            let stored = owner.act(|core| core.s3.store(place.bucket(), place.key(), object));
            if stored == Some(false) {
                let bucket = place.bucket();
                return Err(format!("ClientError: Artifact upload failed: the bucket {bucket} does not exist"));
            }
        }
        Ok(())
    });
    packed.await.unwrap_or_else(|panic| Err(format!("InternalServerError: {panic}")))
}
