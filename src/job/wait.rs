use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use super::share::Shared;
use super::{Completed, Job, JobDescription, JobKind, JobStatus, Outcome, Stopped, is_over};
use crate::error::JobFailure;
use crate::logs::LastLines;
use crate::poll::{Polled, within};
use crate::{Error, ErrorKind, Result};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Beyond its own limit a job starts and saves.
const STARTING_AND_SAVING: Duration = HOUR;
/// For jobs without a limit of their own.
const DEFAULT_TIMEOUT: Duration = HOUR.saturating_mul(25);
const LAST_LINES: usize = 20;
/// The outcome is known by then, and matters more.
const LAST_LINES_LIMIT: Duration = Duration::from_secs(60);

/// A wait for the end of a job; `.await` it.
///
/// Any number of waits may go on at once, as with [`join_all`](https://docs.rs/futures/latest/futures/future/fn.join_all.html).
/// From four on, the waits of a session for jobs of one kind ask together: they list what has changed, so that the calls
/// grow with the time and not with the number of jobs. Each job is described at the beginning, at the end and every quarter
/// of an hour. Who may not list jobs describes each; so does, for five minutes at a time, who would have to list too many.
///
/// # Errors
/// [`ErrorKind::JobFailed`] and [`ErrorKind::JobStopped`] with [`Error::job_failure`]: the reason and the last log lines.
/// [`ErrorKind::DeadlineExceeded`] once the time-out has passed (the job goes on). Passing failures to ask are retried.
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<K: JobKind> {
    job: Job<K>,
    timeout: Option<Duration>,
}

impl<K: JobKind> Wait<K> {
    pub(super) fn new(job: Job<K>) -> Self {
        Self { job, timeout: None }
    }

    /// How long to wait at most. Default: what the job itself may take (its longest wait for spot instances, else its
    /// longest run) and an hour, or 25 hours for jobs without such a limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits and gives every ending as a value: only "could not ask" and a missed deadline are errors.
    pub async fn outcome(self) -> Result<Outcome<K>> {
        let what = format!("{} {}", K::NOUN, self.job.name());
        let poller = self.job.session().poller(Some(self.timeout.unwrap_or(DEFAULT_TIMEOUT)));
        let shared = Shared::new(&self.job);
        let description = poller
            .until(&what, || async {
                if let Some(status) = shared.going_on().await? {
                    return Ok(Polled::Pending(status));
                }
                let description = self.job.describe().await?;
                shared.described(&description);
                if is_over(&description) {
                    return Ok(Polled::Ready(description));
                }
                let status = description.status().as_str().to_owned();
                Ok(match (self.timeout, description.time_limit()) {
                    (None, Some(limit)) => Polled::PendingAtMost(status, limit.saturating_add(STARTING_AND_SAVING)),
                    _ => Polled::Pending(status),
                })
            })
            .await?;
        drop(shared);
        let status = description.status();
        if status == JobStatus::Completed {
            return Ok(Outcome::Completed(Completed::new(self.job, description)));
        }
        let failure = failure(&self.job, &description).await;
        Ok(match status {
            JobStatus::Stopped => Outcome::Stopped(Stopped::new(self.job, description, failure)),
            _ => Outcome::Failed(failure),
        })
    }
}

async fn failure<K: JobKind>(job: &Job<K>, description: &K::Description) -> JobFailure {
    let mut last = LastLines::default();
    let mut tail = job.tail();
    let clock = job.session().clock();
    let in_time = within(&*clock, LAST_LINES_LIMIT, tail.last_lines(LAST_LINES, &mut last)).await.is_some();
    let logs_error = match last.failure {
        Some(error) => Some(error.to_string()),
        None => (!in_time).then(|| format!("they were not read within {} s", LAST_LINES_LIMIT.as_secs())),
    };
    let reason = description.failure_reason();
    JobFailure {
        job_name: job.name().to_owned(),
        status: description.status().as_str().to_owned(),
        secondary_status: description.secondary_status().map(str::to_owned),
        reason: reason.map(str::to_owned),
        exit_code: reason.and_then(JobFailure::exit_code_in),
        last_log_lines: last.events.into_iter().map(|line| line.message).collect(),
        logs_error,
        see_more: see_more(job),
        console_url: (!job.session().is_local()).then(|| console_url(job.session().region(), K::LOG_GROUP, job.name())),
    }
}

fn see_more<K: JobKind>(job: &Job<K>) -> String {
    let (group, name) = (K::LOG_GROUP, job.name());
    if job.session().is_local() {
        return format!("job.logs() gives the whole log, of the streams {name}/.. in {group} of the local backend");
    }
    let region = job.session().region();
    format!("aws logs tail {group} --log-stream-name-prefix {name}/ --since 7d --region {region}")
}

/// The console takes a path in the fragment that is encoded twice, with `$` for the second `%`.
fn console_url(region: &str, group: &str, name: &str) -> String {
    let host = match region {
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    let group = group.replace('/', "$252F");
    format!(
        "https://{region}.{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}$3FlogStreamNameFilter$3D{name}$252F"
    )
}

impl<K: JobKind> IntoFuture for Wait<K> {
    type Output = Result<Completed<K>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (kind, failure) = match self.outcome().await? {
                Outcome::Completed(done) => return Ok(done),
                Outcome::Stopped(stopped) => (ErrorKind::JobStopped, stopped.failure().clone()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_shows_the_streams_of_the_job() {
        assert_eq!(
            console_url("eu-west-1", "/aws/sagemaker/TrainingJobs", "my-job"),
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/\
             $252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Dmy-job$252F"
        );
        assert!(console_url("cn-north-1", "/g", "j").starts_with("https://cn-north-1.console.amazonaws.cn/"));
    }
}
