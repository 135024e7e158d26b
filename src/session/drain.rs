use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use super::Session;
use crate::{Error, Result};

type Work = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

/// Clean-up that dropped guards have asked for; there is no async drop, so it waits here.
#[derive(Default)]
pub(crate) struct Pending(Mutex<Vec<Work>>);

impl Pending {
    /// `work` gives the name of what it removed.
    pub(crate) fn push(&self, work: impl Future<Output = Result<String>> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(work));
    }

    fn take(&self) -> Vec<Work> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let left = self.len();
        if left > 0 {
            tracing::error!(left, "endpoints whose guard was dropped were not deleted: call session.drain().await");
        }
    }
}

/// What [`Session::drain`] did.
#[derive(Debug)]
#[must_use = "an endpoint that could not be deleted goes on costing money"]
pub struct Drained {
    /// The names of the endpoints that are gone.
    pub deleted: Vec<String>,
    /// What could not be deleted, and why.
    pub failed: Vec<Error>,
}

impl Session {
    /// Deletes what dropped [`EndpointGuard`](crate::endpoint::EndpointGuard)s have queued, and waits for it.
    pub async fn drain(&self) -> Drained {
        let results = futures_util::future::join_all(self.pending().take()).await;
        let mut drained = Drained { deleted: Vec::new(), failed: Vec::new() };
        for result in results {
            match result {
                Ok(name) => drained.deleted.push(name),
                Err(error) => drained.failed.push(error),
            }
        }
        drained
    }
}
