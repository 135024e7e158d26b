//! A batch transform job: each object goes through the model, in records, and comes out as an object of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::Run;
use super::containers::{self, Container, LoadFailure};
use super::hosting::instance_id;
use crate::local::archive;
use crate::local::backend::Core;
use crate::local::data::{self, Input};
use crate::local::engines::Invocation;
use crate::local::state::Resource;
use crate::local::time::{date_time, epoch, timestamp};
use crate::types::S3Uri;

const STARTING: u64 = 30;
const STOPPING: u64 = 2;

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
    Completed,
    Failed(String),
    Stopped,
}

/// Objects that are written when the whole job is done.
type Outputs = Vec<(S3Uri, Bytes)>;

/// Stop was asked for.
pub(in crate::local) fn stopping(resource: &mut Resource, _now: SystemTime) {
    resource.set("TransformJobStatus", "Stopping");
    resource.stop.ask();
}

/// Runs a job to its end.
pub(in crate::local) async fn run(mut run: Run, plan: Plan) {
    let end = walk(&mut run, plan).await;
    run.finish(|resource, now| {
        let status = match end {
            End::Completed => "Completed",
            End::Stopped => "Stopped",
            End::Failed(reason) => {
                resource.set("FailureReason", reason);
                "Failed"
            }
        };
        resource.set("TransformJobStatus", status);
        resource.set("TransformEndTime", timestamp(now));
    });
}

async fn walk(run: &mut Run, plan: Plan) -> End {
    if run.pass_unless_stopped(STARTING).await {
        run.pass(STOPPING).await;
        return End::Stopped;
    }
    run.update(|resource, now| resource.set("TransformStartTime", timestamp(now)));
    let log = Log::new(run);
    let (core, stop) = (run.core.clone(), run.stop.clone());
    let worked = run.work(move || {
        let job = Job { core: &core, plan: &plan, log: &log };
        job.transform(&|| stop.asked())
    });
    let worked = worked.await;
    if run.stop.asked() {
        run.pass(STOPPING).await;
        return End::Stopped;
    }
    match worked {
        Ok(Ok(outputs)) => match write(run, outputs) {
            Ok(()) => End::Completed,
            Err(reason) => End::Failed(reason),
        },
        Ok(Err(reason)) => End::Failed(reason),
        Err(panic) => End::Failed(format!("AlgorithmError: {panic}")),
    }
}

fn write(run: &Run, outputs: Outputs) -> Result<(), String> {
    for (place, body) in outputs {
        if !run.core.s3.put(place.bucket(), place.key(), body, None) {
            return Err(format!("ClientError: Upload failed: the bucket {} does not exist", place.bucket()));
        }
    }
    Ok(())
}

/// The job's two log streams.
struct Log {
    core: Arc<Core>,
    container: String,
    data: String,
}

impl Log {
    fn new(run: &Run) -> Self {
        let container = format!("{}/{}-{}", run.name, instance_id(&run.name), epoch(run.now()));
        Self { core: run.core.clone(), data: format!("{container}/data-log"), container }
    }

    fn container(&self, line: &str) {
        self.core.logs.append(&self.core, LOG_GROUP, &self.container, line);
    }

    fn data(&self, line: &str) {
        let time = date_time(self.core.clock.now());
        self.core.logs.append(&self.core, LOG_GROUP, &self.data, &format!("{time}:[sagemaker logs]: {line}"));
    }
}

struct Job<'a> {
    core: &'a Core,
    plan: &'a Plan,
    log: &'a Log,
}

impl Job<'_> {
    /// All outputs, or why the job failed. Ends early, with whatever there is, when it is stopped.
    fn transform(&self, stopped: &dyn Fn() -> bool) -> Result<Outputs, String> {
        let plan = self.plan;
        let containers =
            containers::load(self.core, &plan.model, &plan.environment).map_err(|failure| match failure {
                LoadFailure::NoModel(why) | LoadFailure::Data(why) | LoadFailure::NoEngine(why) => {
                    format!("ClientError: {why}")
                }
                LoadFailure::Engine(why) => {
                    self.log.container(&why);
                    format!("AlgorithmError: {why}")
                }
            })?;
        self.log.container("Model loaded, listening on port 8080");
        let strategy = if plan.multi_record { "MULTI_RECORD" } else { "SINGLE_RECORD" };
        let megabytes = plan.max_payload.unwrap_or(0) >> 20;
        self.log.data(&format!("MaxConcurrentTransforms=1, MaxPayloadInMB={megabytes}, BatchStrategy={strategy}"));
        let inputs = data::resolve(self.core, &plan.data_type, &plan.uri, "");
        let inputs = inputs.map_err(|error| format!("ClientError: {}", error.message))?;
        let mut outputs = Vec::with_capacity(inputs.len());
        for input in &inputs {
            if stopped() {
                break;
            }
            let body = self.object(&containers, input, stopped)?;
            outputs.push((plan.output.join(&format!("{}.out", input.path)), Bytes::from(body)));
        }
        Ok(outputs)
    }

    fn object(&self, containers: &[Container], input: &Input, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, String> {
        let name = format!("{}/{}", input.bucket, input.key);
        let mut body = input.read(self.core).ok_or_else(|| format!("ClientError: s3://{name} does not exist"))?;
        if self.plan.gzip {
            body = archive::gunzip(&body).map_err(|why| format!("ClientError: s3://{name}: {why}"))?;
        }
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
            match containers::invoke(containers, request) {
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
