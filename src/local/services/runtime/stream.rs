//! `InvokeEndpointWithResponseStream`: the answer part by part, as the container gives it.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::{mpsc, oneshot};

use super::aim::{Aim, Begun};
use super::event_stream::{self, Broken, MAX_PART};
use super::observe::Outcome;
use super::{Incoming, failure, invoke};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::engines::InvocationFailure;
use crate::local::jobs::calls::{self, Failure, Progress};
use crate::local::jobs::hosting::Slot;
use crate::local::reading::Handling;
use crate::local::wire::{self, Answer};

/// How long a model may take until it begins to answer.
const FIRST_LIMIT: Duration = Duration::from_secs(60);
/// How long a model may take for its whole answer.
const STREAM_LIMIT: Duration = Duration::from_secs(480);
/// How many events wait for a caller who reads slowly.
const WAITING: usize = 4;

/// How an answer begins.
struct Head {
    content_type: String,
    headers: std::collections::BTreeMap<String, String>,
}

type Part = Result<Bytes, InvocationFailure>;

pub(super) async fn answer(
    core: &Arc<Core>,
    incoming: &Incoming,
    body: Bytes,
    handling: &Handling,
) -> Result<Answer, AwsError> {
    let Begun { aim, at: began, slot, call } = Begun::new(core, incoming, body, handling).await?;
    let (asked, progress) = (core.clock.now(), Arc::new(Progress::default()));
    let (head_sender, head) = oneshot::channel();
    let (part_sender, parts) = mpsc::channel(1);
    let (of_thread, serving, seen) = (core.clone(), aim.variant.serving.clone(), progress.clone());
    tokio::task::spawn_blocking(move || match calls::serve(&of_thread, &serving, &call, &seen) {
        Err(failure) => drop(head_sender.send(Err(failure))),
        Ok(reply) => {
            let head = Head { content_type: reply.content_type, headers: reply.headers };
            if head_sender.send(Ok(head)).is_ok() {
                send_parts(reply.parts, &part_sender);
            }
        }
    });
    let replied = tokio::select! {
        biased;
        head = head => {
            head.map_err(|_| AwsError::new(500, "InternalFailure", "The runtime ended before the endpoint answered."))?
        }
        () = core.clock.sleep(FIRST_LIMIT) => Err(progress.failure()),
    };
    let outcome = Outcome { began, asked, status: invoke::status(&replied, &aim, &progress) };
    outcome.record(core, &aim);
    let head = replied.map_err(|failure| failure::error(core, &aim, &progress, &failure))?;
    let mut answer = Response::new(events(core, aim.clone(), progress, parts, slot));
    wire::set(&mut answer, "content-type", "application/vnd.amazon.eventstream");
    wire::set(&mut answer, "x-amzn-sagemaker-content-type", &head.content_type);
    invoke::set_headers(&mut answer, &aim, &head.headers);
    Ok(answer)
}

/// Asks the container for its parts, as long as somebody takes them.
fn send_parts(parts: crate::local::engines::Parts, to: &mpsc::Sender<Part>) {
    for part in parts {
        let pieces = match part {
            Ok(mut part) => {
                let mut pieces = Vec::new();
                while part.len() > MAX_PART {
                    pieces.push(Ok(part.split_to(MAX_PART)));
                }
                pieces.push(Ok(part));
                pieces
            }
            Err(failure) => vec![Err(failure)],
        };
        for piece in pieces {
            if to.blocking_send(piece).is_err() {
                return;
            }
        }
    }
}

/// The body: events as they come. Time stands still while the container works, not while the caller is slow.
fn events(
    core: &Arc<Core>,
    aim: Aim,
    progress: Arc<Progress>,
    mut parts: mpsc::Receiver<Part>,
    slot: Option<Slot>,
) -> SdkBody {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let core = core.clone();
    let mut busy = Some(core.clock.busy());
    tokio::spawn(async move {
        let _slot = slot;
        let mut left = STREAM_LIMIT;
        loop {
            let began = core.clock.now();
            let next = {
                let _working = busy.take().unwrap_or_else(|| core.clock.busy());
                tokio::select! {
                    biased;
                    next = parts.recv() => Ok(next),
                    () = core.clock.sleep(left) => Err(Broken::TimeExceeded),
                }
            };
            left = left.saturating_sub(core.clock.now().duration_since(began).unwrap_or_default());
            let (event, last) = match next {
                Ok(None) => return,
                Ok(Some(Ok(part))) => (event_stream::part(part), false),
                Ok(Some(Err(failure))) => {
                    let text = failure::error(&core, &aim, &progress, &Failure::Model(failure)).message;
                    (event_stream::model_stream_error(Broken::StreamBroken, &failure::cut(&text)), true)
                }
                Err(broken) => {
                    let message = "The model did not finish its response in the time that is allowed.";
                    (event_stream::model_stream_error(broken, message), true)
                }
            };
            if sender.send(event).await.is_err() || last {
                return;
            }
        }
    });
    let frames = stream::poll_fn(move |context| {
        receiver
            .poll_recv(context)
            .map(|event: Option<Bytes>| event.map(|event| Ok::<_, std::convert::Infallible>(Frame::data(event))))
    });
    SdkBody::from_body_1_x(StreamBody::new(frames))
}
