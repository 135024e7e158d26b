use std::fmt;
use std::marker::PhantomData;

use futures_util::{Stream, StreamExt};

use super::follow;
use super::{JobEvent, JobKind, Wait};
use crate::logs::{LogEvent, Tail};
use crate::types::ResourceName;
use crate::{Result, Session};

/// A job by name: a cheap handle without cached state, that any process can make with [`attach`](Self::attach).
///
/// # Dropping
/// Dropping the handle, a wait or a stream stops observing. The job goes on; [`stop`](Self::stop) ends it.
pub struct Job<K> {
    session: Session,
    name: ResourceName,
    kind: PhantomData<fn() -> K>,
}

impl<K: JobKind> Job<K> {
    pub(crate) fn new(session: Session, name: ResourceName) -> Self {
        Self { session, name, kind: PhantomData }
    }

    /// A handle to a job that was started elsewhere; asks once whether there is one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such job.
    pub async fn attach(session: &Session, name: impl AsRef<str>) -> Result<Self> {
        let job = Self::new(session.clone(), ResourceName::new(name.as_ref())?);
        job.describe().await?;
        Ok(job)
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The session that the handle was made from.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Asks the service once.
    pub async fn describe(&self) -> Result<K::Description> {
        K::describe(&self.session, self.name()).await
    }

    /// Waits for the end: `job.wait().await?`, or with a deadline `job.wait().timeout(..).await?`.
    pub fn wait(&self) -> Wait<K> {
        Wait::new(self.clone())
    }

    /// Status changes and log lines in order of time, as they come, until the job has ended and its last line is read.
    ///
    /// A job that fails is no error of the stream: ask [`wait`](Self::wait) for the outcome.
    pub fn events(&self) -> impl Stream<Item = Result<JobEvent>> + Send + Unpin + 'static {
        Box::pin(follow::events(self.clone()))
    }

    /// The log lines of all instances, ordered by time, as they come, until the job has ended and the last one is read.
    pub fn logs(&self) -> impl Stream<Item = Result<LogEvent>> + Send + Unpin + 'static {
        let lines = follow::events(self.clone()).filter_map(|event| {
            std::future::ready(match event {
                Ok(JobEvent::Log(line)) => Some(Ok(line)),
                Ok(JobEvent::Status(_)) => None,
                Err(error) => Some(Err(error)),
            })
        });
        Box::pin(lines)
    }

    /// Asks the job to stop. Its containers get `SIGTERM` and 120 s to save their work; [`wait`](Self::wait) for the end.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it has ended already.
    pub async fn stop(&self) -> Result<()> {
        K::stop(&self.session, self.name()).await
    }

    pub(crate) fn tail(&self) -> Tail {
        Tail::new(self.session.clone(), K::LOG_GROUP, self.name())
    }
}

impl<K> Clone for Job<K> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), name: self.name.clone(), kind: PhantomData }
    }
}

impl<K: JobKind> fmt::Debug for Job<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("kind", &K::NOUN).field("name", &self.name).finish()
    }
}
