use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Jobs of each kind that are waited for in this session, so that waits can share their questions.
#[derive(Default)]
pub(crate) struct Watches(Mutex<HashMap<&'static str, Arc<Watch>>>);

impl Watches {
    /// The watch over jobs of a kind.
    pub(crate) fn of(&self, noun: &'static str) -> Arc<Watch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(noun).or_default().clone()
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watches")
    }
}

/// What listings have told of the jobs of a kind that are waited for.
#[derive(Default)]
pub(crate) struct Watch {
    jobs: Mutex<HashMap<String, Watched>>,
    /// Held while somebody lists; the others wait and read what came.
    pub(crate) listing: tokio::sync::Mutex<Listing>,
}

#[derive(Default)]
struct Watched {
    waits: usize,
    status: Option<String>,
    /// When it had changed last, by the first description.
    changed: Option<SystemTime>,
}

/// How far the listings have come.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// When the last one was made, on the session's clock.
    pub(crate) at: Option<SystemTime>,
    /// The latest modification that one has told, on the service's clock: the next one begins a little before.
    pub(crate) reached: Option<SystemTime>,
    /// The caller may not list.
    pub(crate) refused: bool,
    /// The last one was too long: none is made before that time.
    pub(crate) not_before: Option<SystemTime>,
}

impl Listing {
    /// What changed shortly before a listing may be missing in it.
    pub(crate) const OVERLAP: Duration = Duration::from_secs(60);
}

impl Watch {
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A wait for a job begins, till the value is dropped.
    pub(crate) fn begin(self: &Arc<Self>, job: &str) -> WatchedJob {
        self.jobs().entry(job.to_owned()).or_default().waits += 1;
        WatchedJob { watch: self.clone(), job: job.to_owned() }
    }

    /// How many jobs are waited for.
    pub(crate) fn len(&self) -> usize {
        self.jobs().len()
    }

    /// The change that the first listing must go back to; `None` if it is not known.
    pub(crate) fn oldest_change(&self) -> Option<SystemTime> {
        self.jobs().values().filter_map(|watched| watched.changed).min()
    }

    /// A listing tells the status of a job; that of one that nobody waits for is of no interest.
    pub(crate) fn tell(&self, job: &str, status: &str) {
        if let Some(watched) = self.jobs().get_mut(job) {
            watched.status = Some(status.to_owned());
        }
    }
}

/// A wait for a job under the watch.
pub(crate) struct WatchedJob {
    watch: Arc<Watch>,
    job: String,
}

impl WatchedJob {
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The job was asked for itself. What a listing has told stays: the answer may be older.
    pub(crate) fn described(&self, status: &str, changed: Option<SystemTime>) {
        if let Some(watched) = self.watch.jobs().get_mut(&self.job) {
            watched.status.get_or_insert_with(|| status.to_owned());
            watched.changed = watched.changed.or(changed);
        }
    }

    /// What listings have told last.
    pub(crate) fn status(&self) -> Option<String> {
        self.watch.jobs().get(&self.job)?.status.clone()
    }
}

impl Drop for WatchedJob {
    fn drop(&mut self) {
        let mut jobs = self.watch.jobs();
        if let Some(watched) = jobs.get_mut(&self.job) {
            watched.waits -= 1;
            if watched.waits == 0 {
                jobs.remove(&self.job);
            }
        }
    }
}
