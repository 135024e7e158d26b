//! The task behind a resource: it sleeps on the clock between its stages and keeps the resource's state.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::clock::BusyGuard;
use crate::local::faults::JobFaults;
use crate::local::kinds::Kind;
use crate::local::state::Resource;

/// Tells a job to stop.
#[derive(Debug, Default)]
pub(in crate::local) struct StopSignal(watch::Sender<bool>);

impl StopSignal {
    pub(in crate::local) fn ask(&self) {
        self.0.send_replace(true);
    }

    pub(in crate::local) fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes once a stop was asked for.
    pub(in crate::local) async fn wait(&self) {
        // The sender lives as long as `self`, so there is no error.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

/// The Tokio runtime that handles a request, and runs the task that the request starts.
pub(in crate::local) struct Runtime(Handle);

impl Runtime {
    pub(in crate::local) fn current() -> Result<Self, AwsError> {
        let message = "The local backend needs a Tokio runtime to run jobs: send the request from within one.";
        Handle::try_current().map(Self).map_err(|_| AwsError::new(500, "InternalFailure", message))
    }

    pub(in crate::local) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }
}

/// A task's resource by its identity: what the task leaves in the world goes through here, so that nothing is left there
/// once the resource is gone.
#[derive(Clone)]
pub(in crate::local) struct Owner {
    pub(in crate::local) core: Arc<Core>,
    pub(in crate::local) name: String,
    kind: Kind,
    key: String,
    id: u64,
    /// Whether what the task started may still log.
    logs: Arc<AtomicBool>,
}

impl Owner {
    /// Acts while the resource exists; `None` if it is gone. A reset cannot come in between.
    pub(in crate::local) fn act<T>(&self, act: impl FnOnce(&Core) -> T) -> Option<T> {
        let state = self.core.state();
        state.is_same(self.kind, &self.key, self.id).then(|| act(&self.core))
    }

    /// Logs what a container says. What it says after its end is lost, as with a killed container.
    pub(in crate::local) fn log(&self, group: &str, stream: &str, text: &str) {
        if self.logs.load(Ordering::Acquire) {
            self.act(|core| core.logs.append(core, group, stream, text));
        }
    }

    /// Tells whether what the task started is over, or is to end at once; keeps nothing alive.
    pub(in crate::local) fn closed(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let logs = self.logs.clone();
        move || !logs.load(Ordering::Acquire)
    }

    /// Tells whether the resource is gone, for what outlives the task; keeps nothing alive.
    pub(in crate::local) fn gone(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let (core, kind, key, id) = (Arc::downgrade(&self.core), self.kind, self.key.clone(), self.id);
        move || core.upgrade().is_none_or(|core| !core.state().is_same(kind, &key, id))
    }

    /// A log for what outlives the task: it takes lines as long as the resource exists, and keeps nothing alive.
    pub(in crate::local) fn lasting_log(&self, group: String, stream: String) -> Arc<dyn Fn(&str) + Send + Sync> {
        let (core, name, kind, id) = (Arc::downgrade(&self.core), self.name.clone(), self.kind, self.id);
        let key = self.key.clone();
        Arc::new(move |line| {
            if let Some(core) = core.upgrade() {
                let logs = Arc::new(AtomicBool::new(true));
                let owner = Self { core, name: name.clone(), key: key.clone(), kind, id, logs };
                owner.log(&group, &stream, line);
            }
        })
    }

    /// Nothing that is said from now on is logged.
    pub(in crate::local) fn close_logs(&self) {
        self.logs.store(false, Ordering::Release);
    }

    /// The last part of the resource's key: its name or the identifier that the service made.
    pub(in crate::local) fn key(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// Reads the resource; `None` if it is gone.
    pub(in crate::local) fn read<T>(&self, read: impl FnOnce(&Resource) -> T) -> Option<T> {
        self.core.state().same(self.kind, &self.key, self.id).map(|resource| read(resource))
    }

    /// Changes the resource; `None` if it is gone.
    pub(in crate::local) fn update<T>(&self, change: impl FnOnce(&mut Resource, SystemTime) -> T) -> Option<T> {
        let now = self.core.clock.now();
        self.core.change(|state| {
            let resource = state.same(self.kind, &self.key, self.id)?;
            resource.modified = now;
            Some(change(resource, now))
        })
    }
}

/// What a task that attends to others woke up for.
pub(in crate::local) enum Event<T> {
    Happened(T),
    Stopped,
    Overtime,
}

/// A task's hold on its resource. While it exists and does not sleep, time does not jump.
///
/// Dropped before [`finish`](Self::finish), it marks the resource as failed: the runtime ended, or the task panicked.
pub(in crate::local) struct Run {
    pub(in crate::local) owner: Owner,
    pub(in crate::local) stop: Arc<StopSignal>,
    pub(in crate::local) faults: JobFaults,
    guard: Option<BusyGuard>,
    finished: bool,
}

impl Run {
    pub(in crate::local) fn new(core: &Arc<Core>, kind: Kind, resource: &Resource) -> Self {
        Self {
            owner: Owner {
                core: core.clone(),
                name: resource.name.clone(),
                kind,
                key: resource.key.clone(),
                id: resource.id,
                logs: Arc::new(AtomicBool::new(true)),
            },
            stop: resource.stop.clone(),
            faults: core.faults.of_job(kind, resource),
            guard: Some(core.clock.busy()),
            finished: false,
        }
    }

    pub(in crate::local) fn now(&self) -> SystemTime {
        self.owner.core.clock.now()
    }

    /// Lets virtual time pass; for ever, if a fault says that the resource is stuck.
    pub(in crate::local) async fn pass(&mut self, seconds: u64) {
        self.hold().await;
        let guard = self.guard.take();
        self.guard = Some(self.owner.core.clock.rest(Duration::from_secs(seconds), guard).await);
    }

    /// Goes on only when no fault holds the resource in its status.
    pub(in crate::local) async fn hold(&mut self) {
        if !self.faults.may_hold() {
            return;
        }
        let Owner { core, name, kind, id, .. } = &self.owner;
        let held = core.state().same(*kind, name, *id).is_some_and(|resource| {
            let secondary = resource.state.get("SecondaryStatus").and_then(Value::as_str);
            self.faults.hold(&[resource.status(kind.row()), secondary.unwrap_or_default()])
        });
        if held {
            self.guard = None; // others go on
            self.guard = Some(self.owner.core.faults.hold(&self.faults).await);
            self.faults.release();
        }
    }

    /// Lets virtual time pass, or less if a stop is asked for; whether one was.
    pub(in crate::local) async fn pass_unless_stopped(&mut self, seconds: u64) -> bool {
        let stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stop.wait() => {}
            () = self.pass(seconds) => {}
        }
        self.guard.get_or_insert_with(|| self.owner.core.clock.busy());
        stop.asked()
    }

    /// Lets time pass until something happens (which may bring the guard of who made it happen), a stop is asked for
    /// (unless `stopped`, when it was already heard), or the limit is over.
    pub(in crate::local) async fn attend<T>(
        &mut self,
        event: impl Future<Output = (T, Option<BusyGuard>)>,
        stopped: bool,
        limit: Option<Duration>,
    ) -> Event<T> {
        let (clock, stop, guard) = (self.owner.core.clock.clone(), self.stop.clone(), self.guard.take());
        let limit = async {
            match limit {
                Some(limit) => clock.rest(limit, guard).await,
                None => {
                    drop(guard);
                    std::future::pending().await
                }
            }
        };
        let (event, guard) = tokio::select! {
            biased;
            (value, guard) = event => (Event::Happened(value), guard),
            () = stop.wait(), if !stopped => (Event::Stopped, None),
            guard = limit => (Event::Overtime, Some(guard)),
        };
        self.guard = Some(guard.unwrap_or_else(|| clock.busy()));
        event
    }

    /// Changes the resource; `None` if it is gone.
    pub(in crate::local) fn update<T>(&self, change: impl FnOnce(&mut Resource, SystemTime) -> T) -> Option<T> {
        self.owner.update(change)
    }

    /// Whether the resource is gone: deleted, or the backend was reset.
    pub(in crate::local) fn is_orphaned(&self) -> bool {
        self.owner.act(|_| ()).is_none()
    }

    /// Runs code of an engine, which may block or panic, on a thread of its own.
    pub(in crate::local) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => Ok(result),
            Err(error) if error.is_panic() => Err(panic_message(error.into_panic().as_ref())),
            Err(_) => Err("the runtime ended".to_owned()),
        }
    }

    /// Removes the resource.
    pub(in crate::local) fn remove(mut self) {
        self.finished = true;
        let Owner { core, key, kind, id, .. } = &self.owner;
        core.change(|state| {
            if state.same(*kind, key, *id).is_some() {
                let _ = state.remove(kind.row(), &core.place, key);
            }
        });
    }

    /// Ends without a last change.
    pub(in crate::local) fn abandon(mut self) {
        self.finished = true;
    }

    /// The last change to the resource.
    /// The guard is for whoever waits for the end: time does not jump before they have heard of it.
    pub(in crate::local) fn finish(mut self, change: impl FnOnce(&mut Resource, SystemTime)) -> Option<BusyGuard> {
        self.finished = true;
        self.update(change);
        self.guard.take()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.owner.close_logs();
        if self.finished {
            return;
        }
        // The runtime waits for what runs on its threads: an engine must hear that it is to end.
        self.stop.ask();
        let reason = if std::thread::panicking() {
            "InternalServerError: the task that ran this panicked."
        } else {
            "InternalServerError: the task that ran this was dropped, because its Tokio runtime ended."
        };
        let kind = self.owner.kind;
        self.update(|resource, now| fail(kind, resource, now, reason));
    }
}

/// Marks a resource as failed whose task is no more.
pub(super) fn fail(kind: Kind, resource: &mut Resource, now: SystemTime, reason: &str) {
    match kind {
        Kind::TrainingJob => super::training::fail(resource, now, reason),
        Kind::TransformJob => super::transform::fail(resource, now, reason),
        Kind::HyperParameterTuningJob => super::tuning::fail(resource, now, reason),
        Kind::ProcessingJob => super::processing::fail(resource, now, reason),
        Kind::Endpoint => super::hosting::fail(resource, reason),
        Kind::InferenceComponent => super::hosting::component::fail(resource, reason),
        Kind::PipelineExecution => super::pipeline::fail(resource, reason),
        // What walks through its states has nothing to clean up.
        _ => {}
    }
}

/// What a panic said.
pub(in crate::local) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the engine panicked: {}", text.unwrap_or("no message"))
}
