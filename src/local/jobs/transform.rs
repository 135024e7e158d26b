//! A batch transform job: each object goes through the model, in records, and comes out as an object of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt as _;

use super::calls;
use super::containers::{self, Container, LoadFailure, Serving, Surroundings};
use super::hosting::instance_id;
use super::run::Owner;
use super::{GRACE, NO_CAPACITY, Run};
use crate::local::backend::Core;
use crate::local::data::{self, Budget, Input};
use crate::local::engines::{ExecutionParameters, Invocation, InvocationFailure, Reply};
use crate::local::s3::Prepared;
use crate::local::state::Resource;
use crate::local::time::{date_time, epoch, timestamp};
use crate::types::S3Uri;

mod data_processing;
mod json_path;
mod split;

pub(in crate::local) use data_processing::{DataProcessing, Form};
pub(in crate::local) use json_path::JsonPath;
pub(in crate::local) use split::Split;
#[cfg(fuzzing)]
pub(in crate::local) use split::payloads;

/// How many payloads are at a model at a time at most: more than this would only cost threads.
pub(in crate::local) const MAX_CONCURRENT: u32 = 64;
const STARTING: u64 = 30;
const STOPPING: u64 = 2;
/// What a job may read in all, in bytes: its outputs are kept in memory until its end.
const MAX_INPUT: u64 = 8 << 30;

const LOG_GROUP: &str = "/aws/sagemaker/TransformJobs";

/// What a transform job does, taken from its request.
#[derive(Clone)]
pub(in crate::local) struct Plan {
    /// What the request leaves to the container.
    pub(in crate::local) open: Open,
    pub(in crate::local) model: String,
    pub(in crate::local) data_type: String,
    pub(in crate::local) uri: String,
    pub(in crate::local) content_type: String,
    pub(in crate::local) gzip: bool,
    pub(in crate::local) split: Split,
    pub(in crate::local) multi_record: bool,
    /// In bytes; `None` for no limit.
    pub(in crate::local) max_payload: Option<usize>,
    pub(in crate::local) accept: String,
    pub(in crate::local) assemble_lines: bool,
    pub(in crate::local) output: S3Uri,
    pub(in crate::local) environment: BTreeMap<String, String>,
    /// How many payloads of an object are at the model at a time; at least one.
    pub(in crate::local) max_concurrent: u32,
    /// How long the model may take for an answer.
    pub(in crate::local) answer_limit: Duration,
    /// How often it is asked again when it fails by its own fault.
    pub(in crate::local) max_retries: u32,
    /// Filters and join, if there are any.
    pub(in crate::local) processing: Option<Arc<DataProcessing>>,
}

/// What a request does not say, so that the container may.
#[derive(Clone, Copy, Default)]
pub(in crate::local) struct Open {
    pub(in crate::local) max_concurrent: bool,
    pub(in crate::local) max_payload: bool,
    pub(in crate::local) multi_record: bool,
}

impl Plan {
    /// The plan with what the container wants where the request is open.
    fn as_wanted(&self, wanted: &ExecutionParameters) -> Self {
        let mut plan = self.clone();
        if let Some(concurrent) = wanted.max_concurrent_transforms.filter(|_| self.open.max_concurrent) {
            plan.max_concurrent = concurrent.clamp(1, MAX_CONCURRENT);
        }
        if let Some(megabytes) = wanted.max_payload_in_mb.filter(|_| self.open.max_payload) {
            plan.max_payload = (megabytes > 0).then_some((megabytes as usize).min(100) << 20);
        }
        if let Some(multi_record) = wanted.multi_record.filter(|_| self.open.multi_record) {
            plan.multi_record = multi_record;
        }
        plan
    }
}

enum End {
    Completed(Outputs),
    Failed(String),
    Stopped,
}

/// Objects that are stored when the whole job is done.
type Outputs = Vec<(S3Uri, Prepared)>;

/// Stop was asked for.
pub(in crate::local) fn stopping(resource: &mut Resource, _now: SystemTime) {
    resource.set("TransformJobStatus", "Stopping");
    resource.stop.ask();
}

/// Runs a job to its end.
pub(in crate::local) async fn run(mut run: Run, plan: Plan) {
    let end = walk(&mut run, plan).await;
    let core = run.owner.core.clone();
    let _ = run.finish(|resource, now| {
        let status = match end {
            // A stopped job stores nothing, however late the stop came.
            End::Completed(outputs) if !resource.stop.asked() => match write(&core, outputs) {
                Ok(()) => "Completed",
                Err(reason) => return fail(resource, now, &reason),
            },
            End::Completed(_) | End::Stopped => "Stopped",
            End::Failed(reason) => return fail(resource, now, &reason),
        };
        resource.set("TransformJobStatus", status);
        resource.set("TransformEndTime", timestamp(now));
    });
}

/// The end of a job that failed.
pub(super) fn fail(resource: &mut Resource, now: SystemTime, reason: &str) {
    resource.set_failure(reason);
    resource.set("TransformJobStatus", "Failed");
    resource.set("TransformEndTime", timestamp(now));
}

async fn walk(run: &mut Run, plan: Plan) -> End {
    if run.pass_unless_stopped(STARTING).await {
        run.pass(STOPPING).await;
        return End::Stopped;
    }
    if run.faults.capacity {
        return End::Failed(NO_CAPACITY.to_owned());
    }
    run.update(|resource, now| resource.set("TransformStartTime", timestamp(now)));
    let log = Log::new(run);
    let surroundings = Arc::new(Surroundings::new(run, LOG_GROUP, &log.container));
    let job = Job { run, core: run.owner.core.clone(), log, plan: Arc::new(plan), surroundings };
    let (clock, stop) = (run.owner.core.clock.clone(), run.stop.clone());
    let worked = {
        let work = Box::pin(job.transform());
        tokio::pin!(work);
        tokio::select! {
            biased;
            worked = &mut work => Some(worked),
            () = async { stop.wait().await; clock.sleep(GRACE).await } => None,
        }
    };
    run.owner.close_logs();
    let Some(worked) = worked.filter(|_| !run.stop.asked()) else {
        run.pass(STOPPING).await;
        return End::Stopped;
    };
    match worked {
        Ok(outputs) => End::Completed(outputs),
        Err(reason) => End::Failed(reason),
    }
}

fn write(core: &Core, outputs: Outputs) -> Result<(), String> {
    for (place, object) in outputs {
        if !core.s3.store(place.bucket(), place.key(), object) {
            return Err(format!("ClientError: Upload failed: the bucket {} does not exist", place.bucket()));
        }
    }
    Ok(())
}

/// The job's two log streams.
struct Log {
    owner: Owner,
    container: String,
    data: String,
}

impl Log {
    fn new(run: &Run) -> Self {
        let container = format!("{}/{}-{}", run.owner.name, instance_id(&run.owner.name), epoch(run.now()));
        Self { owner: run.owner.clone(), data: format!("{container}/data-log"), container }
    }

    fn container(&self, line: &str) {
        self.owner.log(LOG_GROUP, &self.container, line);
    }

    fn data(&self, line: &str) {
        let time = date_time(self.owner.core.clock.now());
        self.owner.log(LOG_GROUP, &self.data, &format!("{time}:[sagemaker logs]: {line}"));
    }
}

struct Job<'a> {
    run: &'a Run,
    core: Arc<Core>,
    plan: Arc<Plan>,
    log: Log,
    surroundings: Arc<Surroundings>,
}

impl Job<'_> {
    /// All outputs, or why the job failed. Ends early, with whatever there is, when it is stopped.
    async fn transform(mut self) -> Result<Outputs, String> {
        let serving = Arc::new(self.load().await?);
        let first = serving.clone();
        let ask = move || first.containers.first().and_then(Container::execution_parameters);
        if let Some(wanted) = self.run.work(ask).await.map_err(internal)? {
            self.plan = Arc::new(self.plan.as_wanted(&wanted));
        }
        self.log.container("Model loaded, listening on port 8080");
        let plan = &self.plan;
        let strategy = if plan.multi_record { "MULTI_RECORD" } else { "SINGLE_RECORD" };
        let (concurrent, megabytes) = (plan.max_concurrent, plan.max_payload.unwrap_or(0) >> 20);
        self.log.data(&format!(
            "MaxConcurrentTransforms={concurrent}, MaxPayloadInMB={megabytes}, BatchStrategy={strategy}"
        ));
        let inputs = data::resolve(&self.core, &plan.data_type, &plan.uri, "");
        let inputs = inputs.map_err(|error| format!("ClientError: {}", error.message))?;
        let mut outputs = Vec::with_capacity(inputs.len());
        let mut budget = Budget::new(MAX_INPUT);
        for input in inputs {
            if self.run.stop.asked() {
                break;
            }
            let place = plan.output.join(&format!("{}.out", input.path));
            let (left, body) = self.object(&serving, input, budget).await?;
            budget = left;
            let core = self.core.clone();
            let prepared = self.run.work(move || core.s3.prepare(Bytes::from(body), None)).await;
            outputs.push((place, prepared.map_err(internal)?));
        }
        Ok(outputs)
    }

    /// The containers of the model, once they are up.
    async fn load(&self) -> Result<Serving, String> {
        let (core, plan, surroundings) = (self.core.clone(), self.plan.clone(), self.surroundings.clone());
        let loaded =
            self.run.work(move || containers::load(&core, &plan.model, &plan.environment, &surroundings)).await;
        let loaded = loaded.map_err(|panic| format!("AlgorithmError: {panic}"))?.map_err(|failure| match failure {
            LoadFailure::NoModel(why) | LoadFailure::Data(why) | LoadFailure::NoEngine(why) => {
                format!("ClientError: {why}")
            }
            LoadFailure::Engine(why) => {
                self.log.container(&why);
                format!("AlgorithmError: {why}")
            }
        })?;
        if loaded.is_multi_model() || loaded.direct {
            let what = if loaded.direct { "containers that are invoked directly" } else { "multi-model containers" };
            return Err(format!("ClientError: Batch transform does not support {what}"));
        }
        Ok(loaded)
    }

    /// What comes out for an object, and what is left of the budget.
    async fn object(
        &self,
        serving: &Arc<Serving>,
        input: Input,
        mut budget: Budget,
    ) -> Result<(Budget, Vec<u8>), String> {
        let name = format!("{}/{}", input.bucket, input.key);
        let (core, plan) = (self.core.clone(), self.plan.clone());
        let read = self.run.work(move || {
            let body = budget.read(&core, &input, plan.gzip)?;
            let payloads = split::payloads(plan.split, plan.multi_record, plan.max_payload, &body)
                .map_err(|why| format!("s3://{}/{}: {why}", input.bucket, input.key))?;
            Ok::<_, String>((budget, payloads))
        });
        let (budget, payloads) = read.await.map_err(internal)?.map_err(|why| {
            self.log.data(&format!("{name}: ClientError: {why}"));
            format!("ClientError: {why}")
        })?;
        let answers = payloads.into_iter().map(|payload| self.payload(serving, &name, payload));
        let mut answers = futures_util::stream::iter(answers).buffered(self.plan.max_concurrent as usize);
        let mut out = Vec::new();
        while let Some(answer) = answers.next().await {
            if self.run.stop.asked() {
                break;
            }
            out.extend_from_slice(&answer?);
            if self.plan.assemble_lines && !out.ends_with(b"\n") {
                out.push(b'\n');
            }
        }
        Ok((budget, out))
    }

    /// What comes out for a payload: filtered, asked, joined and filtered again.
    async fn payload(&self, serving: &Arc<Serving>, name: &str, payload: Bytes) -> Result<Bytes, String> {
        let bad_record = |why: String| {
            self.log.data(&format!("{name}: ClientError: {why}"));
            format!("ClientError: {why}")
        };
        let Some(processing) = &self.plan.processing else {
            return Ok(self.ask(serving, name, payload).await?.body);
        };
        let form = Form::of(&self.plan.content_type).ok_or_else(|| bad_record("the records have no form".into()))?;
        let filtered = processing.input(&payload, form).map_err(bad_record)?;
        let reply = self.ask(serving, name, Bytes::from(filtered)).await?;
        let answer_form = Form::of(&reply.content_type).or(Form::of(&self.plan.accept)).unwrap_or(form);
        processing.output(&payload, form, &reply.body, answer_form).map(Bytes::from).map_err(bad_record)
    }

    /// Asks the model, again if it fails by its own fault.
    async fn ask(&self, serving: &Arc<Serving>, name: &str, body: Bytes) -> Result<Reply, String> {
        let mut retries = self.plan.max_retries;
        loop {
            let request = Invocation {
                content_type: self.plan.content_type.clone(),
                accept: self.plan.accept.clone(),
                body: body.clone(),
            };
            let failure = match self.invoke(serving, request).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let own_fault = !(400..500).contains(&failure.status);
            if own_fault && retries > 0 && !self.run.stop.asked() {
                retries -= 1;
                continue;
            }
            let class = if own_fault { "AlgorithmError" } else { "ClientError" };
            self.log.data(&format!("{name}: {class}: {}", failure.status));
            self.log.data(&format!("{name}: "));
            self.log.data(&format!("{name}: Message:"));
            self.log.data(&format!("{name}: {}", failure.message.replace('\n', " ")));
            return Err(format!("{class}: See job logs for more information"));
        }
    }

    async fn invoke(&self, serving: &Arc<Serving>, request: Invocation) -> Result<Reply, InvocationFailure> {
        let (core, serving) = (self.core.clone(), serving.clone());
        let work = self.run.work(move || calls::invoke(&core, &serving, request));
        tokio::select! {
            biased;
            replied = work => match replied {
                Ok(replied) => replied,
                Err(message) => Err(InvocationFailure { status: 500, message }),
            },
            () = self.core.clock.sleep(self.plan.answer_limit) => {
                let seconds = self.plan.answer_limit.as_secs();
                Err(InvocationFailure { status: 0, message: format!("The model did not answer within {seconds} seconds") })
            }
        }
    }
}

fn internal(panic: String) -> String {
    format!("InternalServerError: {panic}")
}
