use std::fmt;

use super::{Job, JobKind};
use crate::error::JobFailure;

/// A job that has completed: what models, endpoints and downloads start from.
pub struct Completed<K: JobKind> {
    job: Job<K>,
    description: K::Description,
}

impl<K: JobKind> Completed<K> {
    pub(super) fn new(job: Job<K>, description: K::Description) -> Self {
        Self { job, description }
    }

    /// The job.
    pub fn job(&self) -> &Job<K> {
        &self.job
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        self.job.name()
    }

    /// Its description as it was when it had completed.
    pub fn description(&self) -> &K::Description {
        &self.description
    }
}

impl<K: JobKind> Clone for Completed<K> {
    fn clone(&self) -> Self {
        Self { job: self.job.clone(), description: self.description.clone() }
    }
}

impl<K: JobKind> fmt::Debug for Completed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Completed").field(&self.job).finish()
    }
}

/// A job that was stopped, or ran too long: what it had saved by then may be usable.
pub struct Stopped<K: JobKind> {
    ended: Completed<K>,
    failure: JobFailure,
}

impl<K: JobKind> Stopped<K> {
    pub(super) fn new(job: Job<K>, description: K::Description, failure: JobFailure) -> Self {
        Self { ended: Completed::new(job, description), failure }
    }

    /// The job.
    pub fn job(&self) -> &Job<K> {
        self.ended.job()
    }

    /// Its description as it was when it had stopped.
    pub fn description(&self) -> &K::Description {
        self.ended.description()
    }

    /// Why it stopped, with its last log lines.
    pub fn failure(&self) -> &JobFailure {
        &self.failure
    }

    /// Takes what it had saved for its result: for training that may be stopped at any time.
    pub fn accept(self) -> Completed<K> {
        self.ended
    }
}

impl<K: JobKind> fmt::Debug for Stopped<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopped").field("job", self.job()).field("failure", &self.failure).finish()
    }
}

/// How a job ended.
#[derive(Debug)]
#[must_use = "a job may have failed or been stopped"]
pub enum Outcome<K: JobKind> {
    /// It ended well.
    Completed(Completed<K>),
    /// It was stopped, or ran too long.
    Stopped(Stopped<K>),
    /// It failed.
    Failed(JobFailure),
}
