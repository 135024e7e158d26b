//! `InvokeEndpoint`: the whole answer at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::aim::{Aim, Begun};
use super::observe::Outcome;
use super::{ATTRIBUTES, CLOSED_SESSION, INFERENCE_ID, Incoming, NEW_SESSION, failure};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::calls::{self, Call, Failure, Progress};
use crate::local::jobs::hosting::Exchange;
use crate::local::reading::Handling;
use crate::local::wire::{self, Answer};

/// Larger bodies are answered on a thread of their own; for smaller ones the hand-over would cost more than it saves,
/// unless the model says that it blocks.
const INLINE: usize = 256 * 1024;
/// How long a model may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A whole answer of a container.
pub(super) struct Whole {
    pub(super) content_type: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

pub(super) async fn answer(
    core: &Arc<Core>,
    incoming: &Incoming,
    body: Bytes,
    handling: &Handling,
) -> Result<Answer, AwsError> {
    let Begun { aim, at: began, slot, call } = Begun::new(core, incoming, body, handling).await?;
    let captured = aim.deployment.captures();
    shadow(core, &aim, &call, incoming, captured);
    let (asked, progress) = (core.clock.now(), Arc::new(Progress::default()));
    let replied = ask(core, &aim, call.clone(), &progress, ANSWER_LIMIT).await?;
    drop(slot);
    let outcome = Outcome { began, asked, status: status(&replied, &aim, &progress) };
    outcome.record(core, &aim);
    let reply = replied.map_err(|failure| failure::error(core, &aim, &progress, &failure))?;
    if captured {
        capture(core, &aim, incoming, &call, &reply);
    }
    let mut answer = wire::answer(200, &reply.content_type, reply.body);
    set_headers(&mut answer, &aim, &reply.headers);
    Ok(answer)
}

/// What the answers of both synchronous operations say besides their body.
pub(super) fn set_headers(answer: &mut Answer, aim: &Aim, said: &BTreeMap<String, String>) {
    wire::set(answer, "x-amzn-invoked-production-variant", &aim.variant.name);
    // What the caller sent is the container's to repeat.
    if let Some(attributes) = said.get(ATTRIBUTES) {
        wire::set(answer, ATTRIBUTES, attributes);
    }
    if let Some(session) = said.get(NEW_SESSION) {
        wire::set(answer, NEW_SESSION, session);
        let id = session.split(';').next().unwrap_or_default().trim();
        aim.deployment.open_session(id, &aim.variant.name);
    }
    if let Some(session) = said.get(CLOSED_SESSION) {
        wire::set(answer, CLOSED_SESSION, session);
    }
}

/// The container's status, for the metrics.
pub(super) fn status<T>(replied: &Result<T, Failure>, aim: &Aim, progress: &Progress) -> u16 {
    match replied {
        Ok(_) => 200,
        Err(Failure::NoTarget { .. }) => 400,
        Err(failure) => failure::original(aim, progress, failure).map_or(500, |failure| failure.status),
    }
}

/// Sends a request through the containers, on a thread of its own if that may take long.
pub(super) async fn ask(
    core: &Arc<Core>,
    aim: &Aim,
    call: Call,
    progress: &Arc<Progress>,
    limit: Duration,
) -> Result<Result<Whole, Failure>, AwsError> {
    let serving = aim.variant.serving.clone();
    if call.request.body.len() <= INLINE && !serving.blocks() {
        return Ok(whole(core, &serving, &call, progress));
    }
    let (of_thread, seen) = (core.clone(), progress.clone());
    let work = tokio::task::spawn_blocking(move || whole(&of_thread, &serving, &call, &seen));
    tokio::select! {
        biased;
        replied = work => {
            replied.map_err(|_| AwsError::new(500, "InternalFailure", "The runtime ended before the endpoint answered."))
        }
        () = core.clock.sleep(limit) => Ok(Err(progress.failure())),
    }
}

fn whole(
    core: &Arc<Core>,
    serving: &crate::local::jobs::Serving,
    call: &Call,
    progress: &Progress,
) -> Result<Whole, Failure> {
    let reply = calls::serve(core, serving, call, progress)?;
    let body = calls::collect(reply.parts).map_err(Failure::Model)?;
    Ok(Whole { content_type: reply.content_type, headers: reply.headers, body })
}

fn capture(core: &Core, aim: &Aim, incoming: &Incoming, call: &Call, reply: &Whole) {
    if let Some(capture) = &aim.deployment.capture {
        let exchange = Exchange {
            input: (&call.request.content_type, &call.request.body),
            output: (&reply.content_type, &reply.body),
            custom_attributes: incoming.header(ATTRIBUTES),
            inference_id: incoming.header(INFERENCE_ID),
        };
        capture.store(core, &aim.endpoint, &aim.variant.name, &exchange);
    }
}

/// Sends a copy to the shadow variant, whose answer nobody waits for.
fn shadow(core: &Arc<Core>, aim: &Aim, call: &Call, incoming: &Incoming, captured: bool) {
    let Some(variant) = aim.deployment.shadow() else { return };
    let (core, aim, call) = (core.clone(), aim.at(variant), call.clone());
    let busy = core.clock.busy();
    let incoming = Incoming {
        operation: incoming.operation,
        endpoint: incoming.endpoint.clone(),
        headers: incoming.headers.clone(),
    };
    tokio::spawn(async move {
        let _busy = busy;
        let (now, progress) = (core.clock.now(), Arc::new(Progress::default()));
        let Ok(replied) = ask(&core, &aim, call.clone(), &progress, ANSWER_LIMIT).await else { return };
        let outcome = Outcome { began: now, asked: now, status: status(&replied, &aim, &progress) };
        outcome.record(&core, &aim);
        match replied {
            Ok(reply) if captured => capture(&core, &aim, &incoming, &call, &reply),
            Ok(_) => {}
            Err(failure) => drop(failure::error(&core, &aim, &progress, &failure)),
        }
    });
}
