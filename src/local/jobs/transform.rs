//! A batch transform job: each object goes through the model, in records, and comes out as an object of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use bytes::Bytes;

use super::containers::{self, Container, LoadFailure, Surroundings};
use super::hosting::instance_id;
use super::run::Owner;
use super::{GRACE, Run};
use crate::local::backend::Core;
use crate::local::data::{self, Budget, Input};
use crate::local::engines::Invocation;
use crate::local::s3::Prepared;
use crate::local::state::Resource;
use crate::local::time::{date_time, epoch, timestamp};
use crate::types::S3Uri;

const STARTING: u64 = 30;
const STOPPING: u64 = 2;
/// What a job may read in all, in bytes: its outputs are kept in memory until its end.
const MAX_INPUT: u64 = 8 << 30;

const LOG_GROUP: &str = "/aws/sagemaker/TransformJobs";

/// What a transform job does, taken from its request.
#[derive(Clone)]
pub(in crate::local) struct Plan {
    pub(in crate::local) model: String,
    pub(in crate::local) data_type: String,
    pub(in crate::local) uri: String,
    pub(in crate::local) content_type: String,
    pub(in crate::local) gzip: bool,
    pub(in crate::local) by_line: bool,
    pub(in crate::local) multi_record: bool,
    /// In bytes; `None` for no limit.
    pub(in crate::local) max_payload: Option<usize>,
    pub(in crate::local) accept: String,
    pub(in crate::local) assemble_lines: bool,
    pub(in crate::local) output: S3Uri,
    pub(in crate::local) environment: BTreeMap<String, String>,
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
    run.update(|resource, now| resource.set("TransformStartTime", timestamp(now)));
    let log = Log::new(run);
    let surroundings = Surroundings::new(run, LOG_GROUP, &log.container);
    let (core, clock, stop) = (run.owner.core.clone(), run.owner.core.clock.clone(), run.stop.clone());
    let worked = {
        let work = run.work(move || {
            let job = Job { core: &core, plan: &plan, log: &log, surroundings: &surroundings };
            job.transform(&|| stop.asked())
        });
        tokio::pin!(work);
        tokio::select! {
            biased;
            worked = &mut work => Some(worked),
            () = async { run.stop.wait().await; clock.sleep(GRACE).await } => None,
        }
    };
    run.owner.close_logs();
    let Some(worked) = worked.filter(|_| !run.stop.asked()) else {
        run.pass(STOPPING).await;
        return End::Stopped;
    };
    match worked {
        Ok(Ok(outputs)) => End::Completed(outputs),
        Ok(Err(reason)) => End::Failed(reason),
        Err(panic) => End::Failed(format!("AlgorithmError: {panic}")),
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
    core: &'a Arc<Core>,
    plan: &'a Plan,
    log: &'a Log,
    surroundings: &'a Surroundings,
}

impl Job<'_> {
    /// All outputs, or why the job failed. Ends early, with whatever there is, when it is stopped.
    fn transform(&self, stopped: &dyn Fn() -> bool) -> Result<Outputs, String> {
        let plan = self.plan;
        let containers =
            containers::load(self.core, &plan.model, &plan.environment, self.surroundings).map_err(|failure| {
                match failure {
                    LoadFailure::NoModel(why) | LoadFailure::Data(why) | LoadFailure::NoEngine(why) => {
                        format!("ClientError: {why}")
                    }
                    LoadFailure::Engine(why) => {
                        self.log.container(&why);
                        format!("AlgorithmError: {why}")
                    }
                }
            })?;
        self.log.container("Model loaded, listening on port 8080");
        let strategy = if plan.multi_record { "MULTI_RECORD" } else { "SINGLE_RECORD" };
        let megabytes = plan.max_payload.unwrap_or(0) >> 20;
        self.log.data(&format!("MaxConcurrentTransforms=1, MaxPayloadInMB={megabytes}, BatchStrategy={strategy}"));
        let inputs = data::resolve(self.core, &plan.data_type, &plan.uri, "");
        let inputs = inputs.map_err(|error| format!("ClientError: {}", error.message))?;
        let mut outputs = Vec::with_capacity(inputs.len());
        let mut budget = Budget::new(MAX_INPUT);
        for input in &inputs {
            if stopped() {
                break;
            }
            let body = self.object(&containers, input, &mut budget, stopped)?;
            let object = self.core.s3.prepare(Bytes::from(body), None);
            outputs.push((plan.output.join(&format!("{}.out", input.path)), object));
        }
        Ok(outputs)
    }

    fn object(
        &self,
        containers: &[Container],
        input: &Input,
        budget: &mut Budget,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, String> {
        let name = format!("{}/{}", input.bucket, input.key);
        let body = budget.read(self.core, input, self.plan.gzip).map_err(|why| format!("ClientError: {why}"))?;
        let payloads = payloads(self.plan, &body).map_err(|too_large| {
            self.log.data(&format!("{name}: ClientError: {too_large}"));
            format!("ClientError: s3://{name}: {too_large}")
        })?;
        let mut out = Vec::new();
        for payload in payloads {
            if stopped() {
                break;
            }
            let request = Invocation {
                content_type: self.plan.content_type.clone(),
                accept: self.plan.accept.clone(),
                body: payload,
            };
            match containers::invoke(containers, request, &AtomicUsize::new(0)) {
                Ok(reply) => {
                    out.extend_from_slice(&reply.body);
                    if self.plan.assemble_lines && !out.ends_with(b"\n") {
                        out.push(b'\n');
                    }
                }
                Err((_, failure)) => {
                    let class = if failure.status < 500 { "ClientError" } else { "AlgorithmError" };
                    self.log.data(&format!("{name}: {class}: {}", failure.status));
                    self.log.data(&format!("{name}: "));
                    self.log.data(&format!("{name}: Message:"));
                    self.log.data(&format!("{name}: {}", failure.message.replace('\n', " ")));
                    return Err(format!("{class}: See job logs for more information"));
                }
            }
        }
        Ok(out)
    }
}

/// What is sent to the model, one body a call.
fn payloads(plan: &Plan, body: &Bytes) -> Result<Vec<Bytes>, String> {
    let limit = plan.max_payload.unwrap_or(usize::MAX);
    let fits = |payload: Bytes| {
        if payload.len() <= limit {
            return Ok(payload);
        }
        Err(format!("a record of {} bytes is larger than MaxPayloadInMB allows ({limit} bytes)", payload.len()))
    };
    match (plan.by_line, plan.multi_record) {
        (false, _) => Ok(vec![fits(body.clone())?]),
        (true, false) => lines(body).map(|(start, end)| fits(body.slice(start..end))).collect(),
        (true, true) => {
            let mut out = Vec::new();
            let (mut start, mut end) = (0, 0);
            for (line_start, line_end) in lines(body) {
                fits(body.slice(line_start..line_end))?;
                if line_end - start > limit {
                    out.push(body.slice(start..end));
                    start = line_start;
                }
                end = line_end;
            }
            if end > start {
                out.push(body.slice(start..end));
            }
            Ok(out)
        }
    }
}

/// Where each line begins and ends, without its line feed.
fn lines(body: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let rest = body.get(next..).filter(|rest| !rest.is_empty())?;
        let start = next;
        let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        next = start + length + 1;
        Some((start, start + length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(by_line: bool, multi_record: bool, max_payload: Option<usize>) -> Plan {
        Plan {
            model: String::new(),
            data_type: String::new(),
            uri: String::new(),
            content_type: String::new(),
            gzip: false,
            by_line,
            multi_record,
            max_payload,
            accept: String::new(),
            assemble_lines: false,
            output: S3Uri::new("bucket", "").unwrap(),
            environment: BTreeMap::new(),
        }
    }

    fn split(plan: &Plan, body: &'static str) -> Vec<Bytes> {
        payloads(plan, &Bytes::from(body)).unwrap()
    }

    #[test]
    fn objects_are_split_into_payloads() {
        assert_eq!(split(&plan(false, true, None), "a\nb\n"), ["a\nb\n"]);
        assert_eq!(split(&plan(true, false, None), "a\nbc\n"), ["a", "bc"]);
        assert_eq!(split(&plan(true, false, None), "a\n\nb"), ["a", "", "b"]);
        assert_eq!(split(&plan(true, true, None), "a\nbc\nd\n"), ["a\nbc\nd"]);
        assert_eq!(split(&plan(true, true, Some(4)), "a\nbc\nd\n"), ["a\nbc", "d"]);
        assert!(split(&plan(true, true, None), "").is_empty());
        assert!(payloads(&plan(true, true, Some(2)), &Bytes::from("a\nlong\n")).is_err());
        assert!(payloads(&plan(false, true, Some(2)), &Bytes::from("long")).is_err());
    }

    proptest! {
        #[test]
        fn no_line_is_lost_and_no_payload_is_too_large(rows in proptest::collection::vec("[a-z]{1,9}", 1..40), limit in 9usize..40) {
            let body = Bytes::from(rows.join("\n") + "\n");
            let payloads = payloads(&plan(true, true, Some(limit)), &body).unwrap();
            prop_assert!(payloads.iter().all(|payload| payload.len() <= limit));
            let joined: Vec<String> = payloads.iter().flat_map(|payload| payload.split(|&b| b == b'\n')).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
            prop_assert_eq!(joined, rows);
        }
    }
}
