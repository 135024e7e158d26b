//! `InvokeEndpointAsync`: the request waits in a queue, the answer becomes an object in S3.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::aim::Aim;
use super::observe::Outcome;
use super::{INFERENCE_ID, Incoming, failure, invoke};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::clock::BusyGuard;
use crate::local::data;
use crate::local::jobs::Runtime;
use crate::local::jobs::calls::Progress;
use crate::local::jobs::hosting::{AsyncQueue, Waiting};
use crate::local::time::date_time;
use crate::local::wire::{self, Answer};
use crate::types::S3Uri;

/// How long a request may wait, in seconds, unless it says otherwise.
const TTL: u64 = 21_600;
/// How long a model may take, in seconds, unless the request says otherwise.
const ANSWER_LIMIT: u64 = 900;

/// A request in the queue.
struct Queued {
    aim: Aim,
    incoming: Incoming,
    id: String,
    input: Input,
    output: S3Uri,
    failure: Option<S3Uri>,
    ttl: Duration,
    limit: Duration,
}

enum Input {
    Inline(Bytes),
    Object(S3Uri),
}

pub(super) fn answer(core: &Arc<Core>, incoming: &Incoming, body: Bytes) -> Result<Answer, AwsError> {
    let runtime = Runtime::current()?;
    let aim = Aim::new(core, incoming)?;
    let queue = aim.deployment.queue.clone().ok_or_else(|| {
        AwsError::runtime_validation(format!("Endpoint {} does not support this inference type.", aim.endpoint))
    })?;
    let input = match (incoming.header("x-amzn-sagemaker-inputlocation"), body.is_empty()) {
        (Some(uri), true) => Input::Object(input_place(uri)?),
        (None, false) => Input::Inline(body),
        (Some(_), false) => {
            let message = "Body and InputLocation are mutually exclusive. Provide exactly one of them.";
            return Err(AwsError::runtime_validation(message));
        }
        (None, true) => {
            return Err(AwsError::runtime_validation("Either Body or InputLocation must be provided."));
        }
    };
    let seconds = |name: &str, default: u64| {
        let given = incoming.header(name).and_then(|text| text.parse().ok());
        Duration::from_secs(given.unwrap_or(default))
    };
    let id = incoming.header(INFERENCE_ID).map_or_else(|| core.unique_id(), str::to_owned);
    let (output, failure) = places(&queue, incoming, &id);
    let waiting = queue.enter().ok_or_else(|| {
        AwsError::new(503, "ServiceUnavailable", "The queue of the endpoint is full. Try your call again.")
    })?;
    let mut answer = wire::answer(202, "application/json", json!({"InferenceId": id}).to_string());
    wire::set(&mut answer, "x-amzn-sagemaker-outputlocation", &output.to_string());
    if let Some(failure) = &failure {
        wire::set(&mut answer, "x-amzn-sagemaker-failurelocation", &failure.to_string());
    }
    let queued = Queued {
        ttl: seconds("x-amzn-sagemaker-requestttlseconds", TTL),
        limit: seconds("x-amzn-sagemaker-invocationtimeoutseconds", ANSWER_LIMIT),
        incoming: Incoming {
            operation: incoming.operation,
            endpoint: incoming.endpoint.clone(),
            headers: incoming.headers.clone(),
        },
        aim,
        id,
        input,
        output,
        failure,
    };
    runtime.spawn(process(core.clone(), queue, queued, core.clock.busy(), waiting));
    Ok(answer)
}

/// An object by `s3://` or by a path-style `https://` address.
fn input_place(uri: &str) -> Result<S3Uri, AwsError> {
    let path =
        uri.strip_prefix("https://").and_then(|rest| rest.split_once('/')).map(|(_, path)| format!("s3://{path}"));
    data::s3_uri(path.as_deref().unwrap_or(uri)).map_err(|error| AwsError::runtime_validation(error.message))
}

/// Where the answer goes, and where the error goes.
fn places(queue: &AsyncQueue, incoming: &Incoming, id: &str) -> (S3Uri, Option<S3Uri>) {
    let extension = incoming.header("x-amzn-sagemaker-s3outputpathextension").unwrap_or_default();
    let below = |place: &S3Uri, name: &str| place.join(extension).join(name);
    let (output, error) = match incoming.header("x-amzn-sagemaker-filename") {
        Some(name) => {
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            (name.to_owned(), format!("{stem}-error.out"))
        }
        None => (format!("{id}.out"), format!("{id}-error.out")),
    };
    (below(&queue.output, &output), queue.failure.as_ref().map(|place| below(place, &error)))
}

/// Waits for a place, asks the containers and stores what they say.
async fn process(core: Arc<Core>, queue: Arc<AsyncQueue>, queued: Queued, busy: BusyGuard, waiting: Waiting) {
    let began = core.clock.now();
    let Some((_place, _busy)) = place(&core, &queue, queued.ttl, busy).await else {
        queued.fail(&core, "The request expired before it was processed.", Bytes::new());
        return;
    };
    drop(waiting);
    let body = match &queued.input {
        Input::Inline(body) => Some(body.clone()),
        Input::Object(place) => core.s3.get(place.bucket(), place.key()),
    };
    let Some(body) = body else {
        let message = "Failed to download the input: ensure that there is an object at the InputLocation and that the \
                       role passed to CreateModel has permissions to download it.";
        queued.fail(&core, message, Bytes::new());
        return;
    };
    queued.invoke(&core, body, began).await;
}

/// A place among those that are answered at the same time; `None` if the request waited for too long.
async fn place(
    core: &Core,
    queue: &AsyncQueue,
    ttl: Duration,
    busy: BusyGuard,
) -> Option<(OwnedSemaphorePermit, BusyGuard)> {
    if let Ok(place) = queue.places.clone().try_acquire_owned() {
        return Some((place, busy));
    }
    tokio::select! {
        biased;
        place = queue.places.clone().acquire_owned() => Some((place.ok()?, core.clock.busy())),
        _ = core.clock.rest(ttl, Some(busy)) => None,
    }
}

impl Queued {
    async fn invoke(&self, core: &Arc<Core>, body: Bytes, began: SystemTime) {
        let call = self.aim.call(body, &self.incoming);
        let (asked, progress) = (core.clock.now(), Arc::new(Progress::default()));
        let replied = match invoke::ask(core, &self.aim, call, &progress, self.limit).await {
            Ok(replied) => replied,
            Err(error) => return self.fail(core, &error.message, Bytes::new()),
        };
        let outcome = Outcome { began, asked, status: invoke::status(&replied, &self.aim, &progress) };
        outcome.record(core, &self.aim);
        match replied {
            Ok(reply) => {
                let object = core.s3.prepare(reply.body, Some(&reply.content_type));
                if core.s3.store(self.output.bucket(), self.output.key(), object) {
                    self.log(core, "Inference request succeeded.");
                } else {
                    self.log(core, "Inference request failed: the bucket of the S3OutputPath does not exist.");
                }
            }
            Err(failure) => {
                let original = failure::original(&self.aim, &progress, &failure);
                let error = failure::error(core, &self.aim, &progress, &failure);
                let body = original.map_or_else(|| error.message.clone(), |original| original.message);
                self.fail(core, &error.message, Bytes::from(body));
            }
        }
    }

    /// Stores what went wrong: the container's own words, or why it was not asked.
    fn fail(&self, core: &Core, why: &str, body: Bytes) {
        self.log(core, &format!("Inference request failed: {why}"));
        if let Some(place) = &self.failure {
            let body = if body.is_empty() { Bytes::from(why.to_owned()) } else { body };
            core.s3.store(place.bucket(), place.key(), core.s3.prepare(body, Some("text/plain")));
        }
    }

    fn log(&self, core: &Core, text: &str) {
        let stream = format!("{}/data-log", self.aim.variant.log_stream);
        let time = date_time(core.clock.now());
        self.aim.log(core, &stream, &format!("{time}:[sagemaker logs] [{}] {text}", self.id));
    }
}
