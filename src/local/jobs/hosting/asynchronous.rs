//! The queue of an endpoint with an `AsyncInferenceConfig`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::types::S3Uri;

/// How many requests an instance answers at a time where the configuration leaves it to the service.
const CONCURRENCY: u64 = 4;

/// How many requests wait at most.
const MAX_WAITING: usize = 10_000;

/// Where answers go, and how many requests are answered at a time.
pub(in crate::local) struct AsyncQueue {
    pub(in crate::local) output: S3Uri,
    pub(in crate::local) failure: Option<S3Uri>,
    pub(in crate::local) places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A request that waits.
pub(in crate::local) struct Waiting(Arc<AsyncQueue>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncQueue {
    /// From an `AsyncInferenceConfig` for so many instances.
    pub(super) fn new(config: &Value, instances: u64) -> Option<Self> {
        let place = |member: &str| config["OutputConfig"][member].as_str()?.parse().ok();
        let each = config["ClientConfig"]["MaxConcurrentInvocationsPerInstance"].as_u64().unwrap_or(CONCURRENCY);
        let places = usize::try_from(each.saturating_mul(instances.max(1))).unwrap_or(1);
        Some(Self {
            output: place("S3OutputPath")?,
            failure: place("S3FailurePath"),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
        })
    }

    /// Lets a request wait; `None` if too many do.
    pub(in crate::local) fn enter(self: &Arc<Self>) -> Option<Waiting> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            return Some(Waiting(self.clone()));
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        None
    }
}
