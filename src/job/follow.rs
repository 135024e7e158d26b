//! The one loop that watches a job: describe, new statuses, new log lines, pause.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{Stream, stream};

use super::{Job, JobDescription, JobEvent, JobKind, StatusChange};
use crate::Result;
use crate::logs::Tail;
use crate::poll::Poller;

/// CloudWatch shows a line some seconds after it was written.
const LOG_DELAY: Duration = Duration::from_secs(5);

struct Follower<K: JobKind> {
    job: Job<K>,
    poller: Poller,
    tail: Tail,
    seen: Vec<StatusChange>,
    ready: VecDeque<JobEvent>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Start,
    Watching(String),
    Over,
}

pub(super) fn events<K: JobKind>(job: Job<K>) -> impl Stream<Item = Result<JobEvent>> + Send + 'static {
    let follower = Follower {
        poller: job.session().poller(None),
        tail: job.tail(),
        job,
        seen: Vec::new(),
        ready: VecDeque::new(),
        state: State::Start,
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
            match &self.state {
                State::Over => return Ok(None),
                State::Start => {}
                State::Watching(state) => self.poller.pause(self.job.name(), state).await?,
            }
            self.look().await?;
        }
    }

    async fn look(&mut self) -> Result<()> {
        let Some(description) = self.poller.tolerate(self.job.describe().await)? else {
            self.state = State::Watching("not known".to_owned());
            return Ok(());
        };
        for change in description.status_changes() {
            if !self.seen.contains(&change) {
                self.seen.push(change.clone());
                self.ready.push_back(JobEvent::Status(change));
            }
        }
        let ended = description.status().is_terminal();
        let expected = description.instance_count();
        let mut more = self.read_logs(expected).await?;
        if ended {
            self.job.session().clock().pause(LOG_DELAY).await;
            more |= self.read_logs(expected).await?;
        }
        self.ready.make_contiguous().sort_by_key(JobEvent::timestamp);
        self.state = match ended && !more {
            true => State::Over,
            false => State::Watching(description.status().as_str().to_owned()),
        };
        Ok(())
    }

    async fn read_logs(&mut self, expected: usize) -> Result<bool> {
        let round = self.tail.round(expected).await;
        let Some(round) = self.poller.tolerate(round)? else { return Ok(true) };
        self.ready.extend(round.events.into_iter().map(JobEvent::Log));
        Ok(round.more)
    }
}
