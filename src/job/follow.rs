//! The one loop that watches a job: describe, new statuses, new log lines, pause.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use futures_util::{Stream, stream};

use super::{Job, JobDescription, JobEvent, JobKind, StatusChange, is_over};
use crate::logs::{LogEvent, RoundEnd, Tail};
use crate::poll::{self, Poller, Tolerance};
use crate::{Error, Result};

/// CloudWatch shows a line some seconds after it was written.
const LOG_DELAY: Duration = Duration::from_secs(5);

/// Who follows the lines of a job wants to see them soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// CloudWatch allows an account some 10 reads of a stream a second, which others need too: the more streams a job has, the
/// longer the pauses. A job of 40 instances is asked every 8 s, one of 120 every 24 s.
const FOR_EACH_STREAM: Duration = Duration::from_millis(200);

struct Follower<K: JobKind> {
    job: Job<K>,
    poller: Poller,
    tail: Tail,
    /// How often CloudWatch has failed since the job's end; before it, the job's own statuses show that all is well.
    drains: Tolerance,
    seen: Vec<StatusChange>,
    /// Statuses that wait for older lines.
    waiting: Vec<StatusChange>,
    ready: VecDeque<JobEvent>,
    /// Comes after what is ready.
    failed: Option<Error>,
    pause: bool,
    stage: Stage,
    instances: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// The job goes on.
    Watch,
    /// It has ended; its last lines are on their way to CloudWatch.
    Settle,
    /// Reads what is left.
    Drain,
    Over,
}

pub(super) fn events<K: JobKind>(job: Job<K>) -> impl Stream<Item = Result<JobEvent>> + Send + 'static {
    let follower = Follower {
        poller: job.session().poller(None).pausing_at_most(LONGEST_PAUSE),
        tail: job.tail(),
        drains: Tolerance::default(),
        job,
        seen: Vec::new(),
        waiting: Vec::new(),
        ready: VecDeque::new(),
        failed: None,
        pause: false,
        stage: Stage::Watch,
        instances: 1,
    };
    stream::try_unfold(
        follower,
        |mut follower| async move { Ok(follower.next().await?.map(|event| (event, follower))) },
    )
}

impl<K: JobKind> Follower<K> {
    async fn next(&mut self) -> Result<Option<JobEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.stage == Stage::Over {
                return Ok(None);
            }
            if let Err(error) = self.look().await {
                let lines = self.tail.take_held();
                self.give(lines, None);
                self.failed = Some(error);
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        if std::mem::take(&mut self.pause) {
            self.poller.pause().await;
        }
        self.poller.asks();
        let mut over = false;
        match self.stage {
            Stage::Watch => {
                let Some(description) = self.poller.tolerate(self.job.describe().await)? else {
                    self.pause = true;
                    return Ok(());
                };
                self.note(&description);
                over = is_over(&description);
            }
            Stage::Settle => {
                poll::rest(&*self.job.session().clock(), LOG_DELAY).await;
                self.tail.last_pass();
                self.stage = Stage::Drain;
            }
            Stage::Drain | Stage::Over => {}
        }
        self.read(over).await
    }

    fn note(&mut self, description: &K::Description) {
        self.instances = description.instance_count();
        let news = description.status_changes().into_iter().filter(|change| !self.seen.contains(change));
        let news: Vec<StatusChange> = news.collect();
        if !news.is_empty() {
            self.seen.extend(news.iter().cloned());
            self.waiting.extend(news);
            self.tail.look_around();
            self.poller.hurry();
        }
    }

    /// `over` if the job has ended since the last time.
    async fn read(&mut self, over: bool) -> Result<()> {
        let round = self.tail.round(self.instances).await;
        let streams = u32::try_from(self.tail.streams()).unwrap_or(u32::MAX);
        self.poller.pausing_at_least(FOR_EACH_STREAM.saturating_mul(streams));
        if round.answered {
            self.drains.answered();
        }
        if !round.events.is_empty() {
            self.poller.hurry();
        }
        // Lines that the round had no room for may be older than a status.
        let until = match round.end {
            RoundEnd::More => Some(round.events.last().map_or(SystemTime::UNIX_EPOCH, |line| line.timestamp)),
            RoundEnd::CaughtUp | RoundEnd::Failed(_) => None,
        };
        self.give(round.events, until);
        match (round.end, self.stage) {
            (RoundEnd::More, _) => return Ok(()),
            (RoundEnd::CaughtUp, Stage::Drain) => self.stage = Stage::Over,
            (RoundEnd::CaughtUp, _) => {}
            (RoundEnd::Failed(error), Stage::Drain) => self.drains.failed(error)?,
            (RoundEnd::Failed(error), _) if !error.is_transient() => return Err(error),
            (RoundEnd::Failed(error), _) => {
                tracing::warn!(job = self.job.name(), kind = %error.kind(), "log lines could not be read, will try again");
            }
        }
        if over {
            self.stage = Stage::Settle;
        } else {
            self.pause = true;
        }
        Ok(())
    }

    /// Makes lines ready, with the statuses up to a time.
    fn give(&mut self, lines: Vec<LogEvent>, until: Option<SystemTime>) {
        let (now, later) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|change| until.is_none_or(|until| change.at <= until));
        self.waiting = later;
        let statuses: Vec<StatusChange> = now;
        self.ready.extend(statuses.into_iter().map(JobEvent::Status).chain(lines.into_iter().map(JobEvent::Log)));
        self.ready.make_contiguous().sort_by_key(JobEvent::timestamp);
    }
}
