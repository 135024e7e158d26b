//! A request on its way through the containers of a model.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};

use super::containers::{Container, Serving};
use super::run::panic_message;
use crate::local::backend::Core;
use crate::local::engines::{Invocation, InvocationFailure, Parts, Reply, ServedReply};

/// A request and how it is to be answered.
#[derive(Clone)]
pub(in crate::local) struct Call {
    pub(in crate::local) request: Invocation,
    /// The headers that containers see; names in lower case.
    pub(in crate::local) headers: BTreeMap<String, String>,
    pub(in crate::local) target_model: Option<String>,
    /// The only container that is asked, where the request names one.
    pub(in crate::local) container: Option<usize>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::local) enum Failure {
    /// There is no such model below the prefix of a multi-model container.
    NoTarget { bucket: String, key: String },
    /// The container's own error.
    Model(InvocationFailure),
    /// The container did not answer in time.
    Late,
    /// The target model was not loaded in time.
    NotLoaded,
}

impl Call {
    /// A request as batch transform sends it.
    pub(super) fn plain(request: Invocation) -> Self {
        Self { request, headers: BTreeMap::new(), target_model: None, container: None }
    }
}

/// How far a call has come.
#[derive(Debug, Default)]
pub(in crate::local) struct Progress {
    container: AtomicUsize,
    /// Whether the container has its model.
    loaded: std::sync::atomic::AtomicBool,
}

impl Progress {
    /// The container that is being asked.
    pub(in crate::local) fn container(&self) -> usize {
        self.container.load(Ordering::Relaxed)
    }

    /// What it means if nothing more comes.
    pub(in crate::local) fn failure(&self) -> Failure {
        if self.loaded.load(Ordering::Relaxed) { Failure::Late } else { Failure::NotLoaded }
    }
}

/// Sends a request through the containers; the answer's parts are still to be asked for. May block.
pub(in crate::local) fn serve(
    core: &Arc<Core>,
    serving: &Serving,
    call: &Call,
    progress: &Progress,
) -> Result<ServedReply, Failure> {
    let Call { request, headers, target_model, container } = call;
    let last = container.unwrap_or(serving.containers.len().saturating_sub(1));
    let first = container.unwrap_or(0);
    let mut input = request.clone();
    for (number, container) in serving.containers.iter().enumerate().take(last).skip(first) {
        // What the caller accepts is for the last container to say.
        input.accept = "*/*".to_owned();
        let reply = ask(core, (number, container), &input, headers, target_model.as_deref(), progress)?;
        input.content_type = reply.content_type;
        input.body = collect(reply.parts).map_err(Failure::Model)?;
    }
    input.accept.clone_from(&request.accept);
    let Some(container) = serving.containers.get(last) else {
        return Err(Failure::Model(InvocationFailure { status: 500, message: "there is no container".to_owned() }));
    };
    ask(core, (last, container), &input, headers, target_model.as_deref(), progress)
}

fn ask(
    core: &Arc<Core>,
    (number, container): (usize, &Container),
    request: &Invocation,
    headers: &BTreeMap<String, String>,
    target: Option<&str>,
    progress: &Progress,
) -> Result<ServedReply, Failure> {
    progress.loaded.store(false, Ordering::Relaxed);
    progress.container.store(number, Ordering::Relaxed);
    let answered = catch_unwind(AssertUnwindSafe(|| {
        let model = container.hosted.model(core, target)?;
        progress.loaded.store(true, Ordering::Relaxed);
        model.serve(request, headers).map_err(Failure::Model)
    }));
    let mut reply = answered.unwrap_or_else(|panic| Err(Failure::Model(panicked(panic.as_ref()))))?;
    reply.parts = Box::new(Unpanicking(Some(reply.parts)));
    Ok(reply)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> InvocationFailure {
    InvocationFailure { status: 500, message: panic_message(panic) }
}

/// Parts whose panics are errors.
struct Unpanicking(Option<Parts>);

impl Iterator for Unpanicking {
    type Item = Result<Bytes, InvocationFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        let parts = self.0.as_mut()?;
        let next = catch_unwind(AssertUnwindSafe(|| parts.next()));
        if !matches!(next, Ok(Some(Ok(_)))) {
            self.0 = None;
        }
        next.unwrap_or_else(|panic| Some(Err(panicked(panic.as_ref()))))
    }
}

/// The whole body; a single part is not copied.
pub(in crate::local) fn collect(mut parts: Parts) -> Result<Bytes, InvocationFailure> {
    let Some(first) = parts.next() else { return Ok(Bytes::new()) };
    let first = first?;
    let Some(second) = parts.next() else { return Ok(first) };
    let mut whole = BytesMut::from(&*first);
    whole.extend_from_slice(&second?);
    for part in parts {
        whole.extend_from_slice(&part?);
    }
    Ok(whole.freeze())
}

/// The whole answer to one record of a batch.
pub(super) fn invoke(core: &Arc<Core>, serving: &Serving, request: Invocation) -> Result<Reply, InvocationFailure> {
    let served = serve(core, serving, &Call::plain(request), &Progress::default());
    let reply = served.map_err(|failure| match failure {
        Failure::Model(failure) => failure,
        Failure::NoTarget { .. } | Failure::Late | Failure::NotLoaded => {
            InvocationFailure { status: 500, message: "the model is not loaded".to_owned() }
        }
    })?;
    Ok(Reply { content_type: reply.content_type, body: collect(reply.parts)? })
}
