use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, SystemTime};

use super::{JobStatus, StatusChange};
use crate::{Result, Session};

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A kind of job: training, transform. Sealed: the kinds are SageMaker's.
pub trait JobKind: sealed::Sealed + Debug + Send + Sync + 'static {
    /// As in a sentence: `training job`.
    const NOUN: &'static str;
    /// The CloudWatch Logs group of its containers.
    const LOG_GROUP: &'static str;
    /// What Describe answers.
    type Description: JobDescription;

    /// Asks the service.
    #[doc(hidden)]
    fn describe(session: &Session, name: &str) -> impl Future<Output = Result<Self::Description>> + Send;

    /// Asks the service to stop it.
    #[doc(hidden)]
    fn stop(session: &Session, name: &str) -> impl Future<Output = Result<()>> + Send;

    /// A page of the jobs that have changed since a time; `None` for kinds that cannot be listed so.
    #[doc(hidden)]
    fn changed(
        session: &Session,
        after: SystemTime,
        token: Option<String>,
    ) -> impl Future<Output = Result<Option<Changed>>> + Send {
        let _ = (session, after, token);
        std::future::ready(Ok(None))
    }
}

/// A page of jobs that have changed.
#[doc(hidden)]
#[derive(Debug)]
pub struct Changed {
    /// Name, status, and when it changed.
    pub(crate) jobs: Vec<(String, String, Option<SystemTime>)>,
    /// The token of the next page.
    pub(crate) next: Option<String>,
}

/// What every job's description tells.
pub trait JobDescription: Debug + Clone + Send + Sync + 'static {
    /// The status.
    fn status(&self) -> JobStatus;

    /// The more precise status, for kinds that have one.
    fn secondary_status(&self) -> Option<&str>;

    /// Why it failed.
    fn failure_reason(&self) -> Option<&str>;

    /// The statuses it went through, oldest first.
    fn status_changes(&self) -> Vec<StatusChange>;

    /// On how many instances its containers run.
    fn instance_count(&self) -> usize;

    /// When the service changed it last.
    fn modified_at(&self) -> Option<SystemTime>;

    /// When it ended, in whatever way; `None` while it goes on, and where the service tells no end.
    fn ended_at(&self) -> Option<SystemTime>;

    /// How long it may wait for instances and run, by its own settings; `None` if it has no such limit.
    fn time_limit(&self) -> Option<Duration>;
}
