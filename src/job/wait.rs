use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use super::{Completed, Job, JobDescription, JobKind, JobStatus, Outcome};
use crate::error::JobFailure;
use crate::poll::Polled;
use crate::{Error, ErrorKind, Result};

/// A job runs at most 24 hours unless it was told otherwise; the rest is for starting and saving.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(25 * 60 * 60);
const LAST_LINES: usize = 20;

/// A wait for the end of a job; `.await` it.
///
/// # Errors
/// [`ErrorKind::JobFailed`] and [`ErrorKind::JobStopped`] with [`Error::job_failure`]: the reason and the last log lines.
/// [`ErrorKind::DeadlineExceeded`] once the time-out has passed (the job goes on). Passing failures to ask are retried.
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<K: JobKind> {
    job: Job<K>,
    timeout: Duration,
}

impl<K: JobKind> Wait<K> {
    pub(super) fn new(job: Job<K>) -> Self {
        Self { job, timeout: DEFAULT_TIMEOUT }
    }

    /// How long to wait at most. Default: 25 hours.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Waits and gives every ending as a value: only "could not ask" and a missed deadline are errors.
    pub async fn outcome(self) -> Result<Outcome<K>> {
        let what = format!("{} {}", K::NOUN, self.job.name());
        let poller = self.job.session().poller(Some(self.timeout));
        let description = poller
            .until(&what, || async {
                let description = self.job.describe().await?;
                Ok(match description.status() {
                    status if status.is_terminal() => Polled::Ready(description),
                    status => Polled::Pending(status.as_str().to_owned()),
                })
            })
            .await?;
        let status = description.status();
        if status == JobStatus::Completed {
            return Ok(Outcome::Completed(Completed::new(self.job, description)));
        }
        let failure = failure(&self.job, &description).await;
        Ok(match status {
            JobStatus::Stopped => Outcome::Stopped(Completed::new(self.job, description), failure),
            _ => Outcome::Failed(failure),
        })
    }
}

async fn failure<K: JobKind>(job: &Job<K>, description: &K::Description) -> JobFailure {
    // The reason matters more than the lines: a caller without leave to read logs still gets it.
    let lines = job.tail().last_lines(LAST_LINES).await.unwrap_or_else(|error| {
        tracing::debug!(job = job.name(), kind = %error.kind(), "the last log lines could not be read");
        Vec::new()
    });
    let reason = description.failure_reason();
    JobFailure {
        job_name: job.name().to_owned(),
        status: description.status().as_str().to_owned(),
        secondary_status: description.secondary_status().map(str::to_owned),
        reason: reason.map(str::to_owned),
        exit_code: reason.and_then(JobFailure::exit_code_in),
        last_log_lines: lines.into_iter().map(|line| line.message).collect(),
        see_more: format!(
            "aws logs tail {} --log-stream-name-prefix {}/ --since 7d --region {}",
            K::LOG_GROUP,
            job.name(),
            job.session().region()
        ),
    }
}

impl<K: JobKind> IntoFuture for Wait<K> {
    type Output = Result<Completed<K>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (kind, failure) = match self.outcome().await? {
                Outcome::Completed(done) => return Ok(done),
                Outcome::Stopped(_, failure) => (ErrorKind::JobStopped, failure),
                Outcome::Failed(failure) => (ErrorKind::JobFailed, failure),
            };
            let kind = match failure.reason.as_deref() {
                Some(reason) if reason.contains("CapacityError") => ErrorKind::Capacity,
                _ => kind,
            };
            Err(Error::new(kind, failure.to_string()).with_job_failure(failure))
        })
    }
}

impl<K: JobKind> fmt::Debug for Wait<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("job", &self.job).field("timeout", &self.timeout).finish()
    }
}
