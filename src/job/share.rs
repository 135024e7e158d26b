//! Many waits on one session ask with one question: the jobs that have changed are listed, not each job described.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Changed, Job, JobDescription, JobKind, JobStatus};
use crate::session::{Listing, WatchedJob};
use crate::{ErrorKind, Result};

/// So many waits are worth a listing; fewer ask for their jobs one by one.
const SHARED_FROM: usize = 4;

/// A listing that has more pages than this is of an account that is too busy for it.
const MOST_PAGES: usize = 20;

/// So long nobody lists then: each wait asks for its own job, and the next listing need not go back so far.
const UNSHARED: Duration = Duration::from_secs(5 * 60);

/// So often each job is asked for itself all the same: a change that reaches the listings late is in none of them.
const ALONE_EVERY: Duration = Duration::from_secs(15 * 60);

/// The part of one wait.
pub(super) struct Shared<K: JobKind> {
    job: Job<K>,
    watched: WatchedJob,
    asked: Mutex<Asked>,
}

/// When this wait has asked last, on the session's clock.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    at_all: Option<SystemTime>,
    alone: Option<SystemTime>,
}

impl<K: JobKind> Shared<K> {
    pub(super) fn new(job: &Job<K>) -> Self {
        let watched = job.session().watches().of(K::NOUN).begin(job.name());
        Self { job: job.clone(), watched, asked: Mutex::default() }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job was asked for itself.
    pub(super) fn described(&self, description: &K::Description) {
        self.asked().alone = Some(self.job.session().now());
        self.watched.described(description.status().as_str(), description.modified_at());
    }

    /// The status of a job that goes on, as far as listings tell; `None` if it has to be asked for itself.
    pub(super) async fn going_on(&self) -> Result<Option<String>> {
        let now = self.job.session().now();
        let last = self.asked().at_all.replace(now);
        let Some(last) = last.filter(|_| self.watched.watch().len() >= SHARED_FROM) else { return Ok(None) };
        let is_recent = |at: SystemTime| now.duration_since(at).unwrap_or_default() < ALONE_EVERY;
        if !self.asked().alone.is_some_and(is_recent) {
            return Ok(None);
        }
        let pause = now.duration_since(last).unwrap_or_default();
        // What another wait has heard since is new enough.
        let new_enough = now.checked_sub(pause / 2);
        let mut listing = self.watched.watch().listing.lock().await;
        if listing.refused || listing.not_before.is_some_and(|time| now < time) {
            return Ok(None);
        }
        if listing.at.is_none() || listing.at < new_enough {
            match self.list(&mut listing).await {
                Ok(Listed::All) => listing.at = Some(now),
                Ok(Listed::Nothing) => return Ok(None),
                Ok(Listed::TooMany) => {
                    tracing::debug!(kind = K::NOUN, "too many jobs have changed; each is asked for itself for a while");
                    listing.not_before = now.checked_add(UNSHARED);
                    return Ok(None);
                }
                Err(error) if error.kind() == ErrorKind::AccessDenied => {
                    tracing::debug!(kind = K::NOUN, "jobs may not be listed; each is asked for itself");
                    listing.refused = true;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        drop(listing);
        Ok(self
            .watched
            .status()
            .filter(|status| matches!(JobStatus::from(status.as_str()), JobStatus::InProgress | JobStatus::Stopping)))
    }

    /// Lists what has changed since the last time.
    async fn list(&self, listing: &mut Listing) -> Result<Listed> {
        let watch = self.watched.watch();
        let Some(reached) = listing.reached.or_else(|| watch.oldest_change()) else { return Ok(Listed::Nothing) };
        let after = reached.checked_sub(Listing::OVERLAP).unwrap_or(SystemTime::UNIX_EPOCH);
        let (mut latest, mut token) = (reached, None);
        for _ in 0..MOST_PAGES {
            let Some(Changed { jobs, next }) = K::changed(self.job.session(), after, token).await? else {
                return Ok(Listed::Nothing);
            };
            for (name, status, at) in &jobs {
                watch.tell(name, status);
                latest = latest.max(at.unwrap_or(reached));
            }
            token = next;
            if token.is_none() {
                listing.reached = Some(latest);
                return Ok(Listed::All);
            }
        }
        // What was not listed of the time before is told by the descriptions, which every wait now asks for.
        listing.reached = Some(latest);
        Ok(Listed::TooMany)
    }
}

/// What came of a listing.
enum Listed {
    All,
    /// It cannot be told what has changed.
    Nothing,
    TooMany,
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
