use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Session;
use crate::types::ResourceName;
use crate::{Error, Result};

/// Removes what the name stands for. A plain function: were it a future with a handle in it, the session would own
/// itself and never be dropped.
pub(crate) type CleanUp = fn(Session, ResourceName) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Clean-up that dropped guards have asked for; there is no async drop, so it waits here.
#[derive(Default)]
pub(crate) struct Pending(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    entries: Vec<Entry>,
    last_id: u64,
}

#[derive(Clone)]
struct Entry {
    /// Tells it from one that is queued for the same name while it is being carried out.
    id: u64,
    name: ResourceName,
    clean_up: CleanUp,
}

impl Pending {
    pub(crate) fn push(&self, name: ResourceName, clean_up: CleanUp) {
        let mut queue = self.queue();
        queue.last_id += 1;
        let id = queue.last_id;
        queue.entries.push(Entry { id, name, clean_up });
    }

    fn entries(&self) -> Vec<Entry> {
        self.queue().entries.clone()
    }

    fn done(&self, ids: &[u64]) {
        self.queue().entries.retain(|entry| !ids.contains(&entry.id));
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let queue = self.queue();
        for entry in &queue.entries {
            tracing::error!(
                endpoint = %entry.name,
                "the endpoint's guard was dropped and the endpoint was not deleted: it goes on costing money; call \
                 session.drain().await before the session ends"
            );
        }
    }
}

/// What [`Session::drain`] did.
#[derive(Debug)]
#[must_use = "an endpoint that could not be deleted goes on costing money"]
pub struct Drained {
    /// The names of the endpoints that are gone.
    pub deleted: Vec<String>,
    /// What could not be deleted, and why. It stays queued: the next `drain` tries again.
    pub failed: Vec<Error>,
}

impl Session {
    /// Deletes what dropped [`EndpointGuard`](crate::endpoint::EndpointGuard)s have queued, and waits for it.
    ///
    /// An endpoint leaves the queue only once it is gone. If this future is dropped half-way, the next `drain` goes on
    /// with the rest.
    pub async fn drain(&self) -> Drained {
        // Two guards of one endpoint ask for one deletion.
        let mut works: Vec<(Entry, Vec<u64>)> = Vec::new();
        for entry in self.pending().entries() {
            match works.iter_mut().find(|(first, _)| first.name == entry.name) {
                Some((_, ids)) => ids.push(entry.id),
                None => works.push((entry.clone(), vec![entry.id])),
            }
        }
        let works = works.into_iter().map(|(entry, ids)| async move {
            (entry.clean_up)(self.clone(), entry.name.clone()).await?;
            self.pending().done(&ids);
            Ok(String::from(entry.name))
        });
        let mut drained = Drained { deleted: Vec::new(), failed: Vec::new() };
        for result in futures_util::future::join_all(works).await {
            match result {
                Ok(name) => drained.deleted.push(name),
                Err(error) => drained.failed.push(error),
            }
        }
        drained
    }
}
