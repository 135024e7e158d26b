//! A training job, from `Starting` to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::{Value, json};

use super::Run;
use super::containers::no_engine;
use crate::local::archive;
use crate::local::data::{self, Input};
use crate::local::engines::{Channel, EngineFailure, TrainingOutput, TrainingTask};
use crate::local::metrics::{self, Metric};
use crate::local::state::Resource;
use crate::local::time::{epoch, seconds_between, timestamp};
use crate::types::S3Uri;

const STARTING: u64 = 5;
const PENDING: u64 = 10;
const DOWNLOADING_DATA: u64 = 5;
const DOWNLOADING_IMAGE: u64 = 5;
const UPLOADING: u64 = 5;
const STOPPING: u64 = 2;
/// What a container gets between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(120);

const LOG_GROUP: &str = "/aws/sagemaker/TrainingJobs";
const MODEL: &str = "model.tar.gz";
const MAX_REASON: usize = 1024;

/// What a training job does, taken from its request.
pub(in crate::local) struct Plan {
    pub(in crate::local) image: String,
    pub(in crate::local) role: String,
    pub(in crate::local) hyperparameters: BTreeMap<String, String>,
    pub(in crate::local) channels: Vec<ChannelPlan>,
    pub(in crate::local) environment: BTreeMap<String, String>,
    pub(in crate::local) instance_count: u32,
    pub(in crate::local) output: S3Uri,
    pub(in crate::local) max_runtime: Duration,
    pub(in crate::local) metrics: Vec<Metric>,
}

pub(in crate::local) struct ChannelPlan {
    pub(in crate::local) name: String,
    pub(in crate::local) content_type: Option<String>,
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

/// Runs a job to its end.
pub(in crate::local) async fn run(mut run: Run, plan: Plan) {
    let mut started = None;
    let end = walk(&mut run, &plan, &mut started).await;
    if run.is_orphaned() {
        return run.finish(|_, _| {});
    }
    let values = metrics::final_values(&plan.metrics, &run.core.logs.lines(LOG_GROUP, &stream(&run, started)));
    run.finish(|resource, now| {
        if let Some(start) = started {
            let seconds = seconds_between(start, now);
            resource.set("TrainingEndTime", timestamp(now));
            resource.set("TrainingTimeInSeconds", seconds);
            resource.set("BillableTimeInSeconds", seconds);
        }
        if !values.is_empty() {
            resource.set("FinalMetricDataList", values);
        }
        let (status, secondary, message) = match end {
            End::Completed => ("Completed", "Completed", "Training job completed"),
            End::Failed(reason) => {
                resource.set("FailureReason", shortened(&reason));
                ("Failed", "Failed", "Training job failed")
            }
            End::Stopped { overtime: true } => {
                ("Stopped", "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds provided")
            }
            End::Stopped { overtime: false } => ("Stopped", "Stopped", "Training job stopped"),
        };
        resource.set("TrainingJobStatus", status);
        transition(resource, now, secondary, message);
    });
}

/// The stages up to the last one.
async fn walk(run: &mut Run, plan: &Plan, started: &mut Option<SystemTime>) -> End {
    if run.pass_unless_stopped(STARTING).await {
        return stopped_early(run).await;
    }
    enter(run, "Pending", "Preparing the instances for training");
    if run.pass_unless_stopped(PENDING).await {
        return stopped_early(run).await;
    }
    let start = run.now();
    *started = Some(start);
    run.update(|resource, now| resource.set("TrainingStartTime", timestamp(now)));
    enter(run, "Downloading", "Downloading input data");
    if run.pass_unless_stopped(DOWNLOADING_DATA).await {
        return stopped_early(run).await;
    }
    let channels = match plan.channels.iter().map(|channel| download(run, plan, channel)).collect() {
        Ok(channels) => channels,
        Err(reason) => return End::Failed(reason),
    };
    enter(run, "Downloading", "Downloading the training image");
    if run.pass_unless_stopped(DOWNLOADING_IMAGE).await {
        return stopped_early(run).await;
    }
    enter(run, "Training", "Training image download completed. Training in progress.");
    let (trained, overtime) = train(run, plan, channels, start).await;
    let stopped = overtime || run.stop.asked();
    match trained {
        Trained::Failed(reason) if !stopped => return End::Failed(reason),
        Trained::Output(output) => {
            enter(run, "Uploading", "Uploading generated training model");
            run.pass(UPLOADING).await;
            if let Err(reason) = upload(run, plan, &output) {
                return End::Failed(reason);
            }
        }
        Trained::Failed(_) | Trained::Nothing => run.pass(STOPPING).await,
    }
    if stopped { End::Stopped { overtime } } else { End::Completed }
}

/// Enters a stage, unless a stop came in between: what is stopping stays so until its data is uploaded.
fn enter(run: &Run, status: &str, message: &str) {
    run.update(|resource, now| transition(resource, now, status, message));
}

async fn stopped_early(run: &mut Run) -> End {
    run.pass(STOPPING).await;
    End::Stopped { overtime: false }
}

/// Reads a channel, as it is when the job downloads it.
fn download(run: &Run, plan: &Plan, channel: &ChannelPlan) -> Result<Channel, String> {
    let failed = |why: &str| format!("ClientError: Data download failed: {why}");
    let inputs = data::resolve(&run.core, &channel.data_type, &channel.uri, &plan.role);
    let inputs = inputs.map_err(|error| failed(&error.message))?;
    let read = |input: Input| {
        let gone = || failed(&format!("s3://{}/{} does not exist", input.bucket, input.key));
        let body = input.read(&run.core).ok_or_else(gone)?;
        let body = if channel.gzip {
            archive::gunzip(&body).map_err(|why| failed(&format!("{}: {why}", input.path)))?
        } else {
            body
        };
        Ok((input.path, body))
    };
    let files = inputs.into_iter().map(read).collect::<Result<_, String>>()?;
    Ok(Channel { name: channel.name.clone(), content_type: channel.content_type.clone(), files })
}

/// Runs the engine until it ends, is stopped or has run for too long; whether it has.
async fn train(run: &Run, plan: &Plan, channels: Vec<Channel>, start: SystemTime) -> (Trained, bool) {
    let Some(engine) = run.core.engine(&plan.image) else {
        return (Trained::Failed(format!("ClientError: {}", no_engine(&plan.image))), false);
    };
    let open = Arc::new(AtomicBool::new(true));
    let task = task(run, plan, channels, &stream(run, Some(start)), &open);
    let clock = run.core.clock.clone();
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
    open.store(false, Ordering::Release);
    let trained = match result {
        Some(Ok(Ok(output))) => Trained::Output(output),
        Some(Ok(Err(EngineFailure::Stopped))) if stop.asked() => Trained::Nothing,
        Some(Ok(Err(failure))) => Trained::Failed(failure.to_string()),
        Some(Err(panic)) => Trained::Failed(EngineFailure::algorithm(panic).to_string()),
        None => Trained::Nothing,
    };
    (trained, overtime)
}

fn task(run: &Run, plan: &Plan, channels: Vec<Channel>, stream: &str, open: &Arc<AtomicBool>) -> TrainingTask {
    let (core, stop, stream, open) = (run.core.clone(), run.stop.clone(), stream.to_owned(), open.clone());
    TrainingTask {
        job_name: run.name.clone(),
        image: plan.image.clone(),
        hyperparameters: plan.hyperparameters.clone(),
        channels,
        environment: plan.environment.clone(),
        instance_count: plan.instance_count,
        log: Arc::new(move |line| {
            // What an abandoned engine says after its end is lost, as with a killed container.
            if open.load(Ordering::Acquire) {
                core.logs.append(&core, LOG_GROUP, &stream, line);
            }
        }),
        stopping: Arc::new(move || stop.asked()),
    }
}

/// The log stream of the job's first instance.
fn stream(run: &Run, started: Option<SystemTime>) -> String {
    format!("{}/algo-1-{}", run.name, started.map_or(0, epoch))
}

/// Where a job's outputs go.
fn folder(output: &S3Uri, job: &str) -> S3Uri {
    output.join(job).join("output")
}

fn upload(run: &Run, plan: &Plan, output: &TrainingOutput) -> Result<(), String> {
    let folder = folder(&plan.output, &run.name);
    put(run, &folder.join(MODEL), &output.model)?;
    if !output.data.is_empty() {
        put(run, &folder.join("output.tar.gz"), &output.data)?;
    }
    Ok(())
}

fn put(run: &Run, place: &S3Uri, files: &[(String, Bytes)]) -> Result<(), String> {
    let packed = archive::pack(files).map_err(|why| format!("ClientError: Cannot pack {place}: {why}"))?;
    if run.core.s3.put(place.bucket(), place.key(), packed, Some("application/x-tar")) {
        return Ok(());
    }
    Err(format!("ClientError: Artifact upload failed: the bucket {} does not exist", place.bucket()))
}

fn shortened(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}
