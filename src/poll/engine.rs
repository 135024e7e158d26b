use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Clock, PollPolicy, Tolerance, within};
use crate::{Error, ErrorKind, Result};

/// The last question is asked when the deadline has come: what is ready by then counts, if it is told soon.
const LAST_ANSWER: Duration = Duration::from_secs(5);

/// One answer of what is polled.
pub(crate) enum Polled<T> {
    Ready(T),
    /// Not yet; the text says where it stands, for the error of a missed deadline.
    Pending(String),
    /// As `Pending`, and the answer tells how long the wait may take at most, counted from its start.
    PendingAtMost(String, Duration),
}

/// Pauses between questions, counts the time, and tells a passing failure from a lasting one.
#[derive(Debug)]
pub(crate) struct Poller {
    clock: Arc<dyn Clock>,
    policy: PollPolicy,
    started: SystemTime,
    timeout: Option<Duration>,
    pause: Duration,
    shortest: Duration,
    /// The clock's mark when the last question was asked.
    mark: u64,
    tolerance: Tolerance,
}

impl Poller {
    pub(crate) fn new(clock: Arc<dyn Clock>, policy: PollPolicy, timeout: Option<Duration>) -> Self {
        let (started, mark) = (clock.now(), clock.mark());
        Self {
            clock,
            policy,
            started,
            timeout,
            pause: policy.first(),
            shortest: Duration::ZERO,
            mark,
            tolerance: Tolerance::default(),
        }
    }

    /// No pause grows longer than this.
    pub(crate) fn pausing_at_most(mut self, longest: Duration) -> Self {
        self.policy = self.policy.at_most(longest);
        self
    }

    /// Asks until it is ready. `what` names it in the error of a missed deadline.
    pub(crate) async fn until<T, F, Fut>(mut self, what: &str, mut ask: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Polled<T>>>,
    {
        let mut state = "in a state not known yet".to_owned();
        loop {
            self.asks();
            let Some(answer) = within(&*self.clock, self.left().max(LAST_ANSWER), ask()).await else {
                return Err(self.missed(what, &format!("{state}, the last question unanswered,")));
            };
            match self.tolerate(answer)? {
                Some(Polled::Ready(value)) => return Ok(value),
                Some(Polled::Pending(now)) => state = now,
                Some(Polled::PendingAtMost(now, limit)) => {
                    state = now;
                    self.timeout = Some(limit);
                }
                None => {}
            }
            self.pause_or_miss(what, &state).await?;
        }
    }

    /// Sleeps till the next question, or fails once the deadline has come.
    pub(crate) async fn pause_or_miss(&mut self, what: &str, state: &str) -> Result<()> {
        let left = self.left();
        if left.is_zero() {
            return Err(self.missed(what, state));
        }
        self.pause_within(left).await;
        Ok(())
    }

    /// `None` for a failure that may pass; the error once there were too many in a row.
    pub(crate) fn tolerate<T>(&mut self, answer: Result<T>) -> Result<Option<T>> {
        self.tolerance.check(answer)
    }

    /// Sleeps till the next question; each time longer.
    pub(crate) async fn pause(&mut self) {
        self.pause_within(Duration::MAX).await;
    }

    /// A question begins: what changes from now on cuts the next pause short.
    pub(crate) fn asks(&mut self) {
        self.mark = self.clock.mark();
    }

    /// No pause is shorter than this from now on, for questions that cost much.
    pub(crate) fn pausing_at_least(&mut self, shortest: Duration) {
        self.shortest = shortest;
    }

    /// Something came: the next pause is short again.
    pub(crate) fn hurry(&mut self) {
        self.pause = self.policy.first();
    }

    async fn pause_within(&mut self, left: Duration) {
        let pause = self.pause.max(self.shortest).min(left);
        self.clock.pause_since(self.mark, pause).await;
        self.pause = self.policy.after(self.pause);
    }

    fn left(&self) -> Duration {
        let elapsed = self.clock.now().duration_since(self.started).unwrap_or_default();
        self.timeout.unwrap_or(Duration::MAX).saturating_sub(elapsed)
    }

    fn missed(&self, what: &str, state: &str) -> Error {
        let text = format!(
            "{what} was still {state} after {} s; it goes on remotely: wait again with a longer timeout, or stop or \
             delete it",
            self.timeout.unwrap_or_default().as_secs()
        );
        Error::new(ErrorKind::DeadlineExceeded, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::sync::Mutex;

    /// Jumps ahead instead of sleeping, and notes each pause.
    #[derive(Debug)]
    struct Jumping(Mutex<(SystemTime, Vec<u64>)>);

    impl Jumping {
        fn new() -> Arc<Self> {
            Arc::new(Self(Mutex::new((SystemTime::UNIX_EPOCH, Vec::new()))))
        }

        fn pauses(&self) -> Vec<u64> {
            self.0.lock().unwrap().1.clone()
        }
    }

    impl Clock for Jumping {
        fn now(&self) -> SystemTime {
            self.0.lock().unwrap().0
        }

        fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            let mut inner = self.0.lock().unwrap();
            inner.0 += duration;
            inner.1.push(duration.as_secs());
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn pauses_grow_to_the_longest() {
        let clock = Jumping::new();
        let mut asked = 0;
        let done = Poller::new(clock.clone(), PollPolicy::default(), None)
            .until("job x", || {
                asked += 1;
                let ready = asked > 10;
                async move { Ok(if ready { Polled::Ready(asked) } else { Polled::Pending("InProgress".into()) }) }
            })
            .await
            .unwrap();
        assert_eq!(done, 11);
        assert_eq!(clock.pauses(), [2, 3, 4, 6, 10, 15, 22, 30, 30, 30]);
    }

    #[tokio::test]
    async fn a_missed_deadline_names_the_last_state() {
        let clock = Jumping::new();
        let error = Poller::new(clock.clone(), PollPolicy::default(), Some(Duration::from_secs(60)))
            .until::<(), _, _>("training job x", || async { Ok(Polled::Pending("InProgress".into())) })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(error.to_string().contains("training job x was still InProgress after 60 s"), "{error}");
        let waited = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(waited, Duration::from_secs(60), "to the deadline and not past it");
    }

    #[tokio::test]
    async fn passing_failures_are_tolerated_lasting_ones_are_not() {
        for (kind, asked_in_all) in [(ErrorKind::Throttled, 6), (ErrorKind::NotFound, 1)] {
            let mut asked = 0;
            let error = Poller::new(Jumping::new(), PollPolicy::default(), None)
                .until::<(), _, _>("job x", || {
                    asked += 1;
                    async move { Err(Error::new(kind, "no")) }
                })
                .await
                .unwrap_err();
            assert_eq!((error.kind(), asked), (kind, asked_in_all));
        }
    }

    #[tokio::test]
    async fn a_question_without_an_answer_ends_with_the_deadline() {
        let clock = Jumping::new();
        let mut asked = 0;
        let error = Poller::new(clock.clone(), PollPolicy::default(), Some(Duration::from_secs(60)))
            .until::<(), _, _>("training job x", || {
                asked += 1;
                let hangs = asked == 3;
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(Polled::Pending("InProgress".into()))
                }
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(error.to_string().contains("still InProgress, the last question unanswered, after 60 s"), "{error}");
        assert_eq!(clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap(), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn what_changes_between_question_and_pause_is_not_slept_over() {
        /// Counts the changes, and pauses only if there were none since the mark.
        #[derive(Debug)]
        struct Marked(Arc<Jumping>, std::sync::atomic::AtomicU64);

        impl Clock for Marked {
            fn now(&self) -> SystemTime {
                self.0.now()
            }

            fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
                self.0.pause(duration)
            }

            fn mark(&self) -> u64 {
                self.1.load(std::sync::atomic::Ordering::Relaxed)
            }

            fn pause_since(&self, mark: u64, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
                if self.mark() == mark { self.pause(duration) } else { Box::pin(std::future::ready(())) }
            }
        }

        let clock = Arc::new(Marked(Jumping::new(), 0.into()));
        let mut asked = 0;
        Poller::new(clock.clone(), PollPolicy::default(), None)
            .until("job x", || {
                asked += 1;
                // It changes while the answer is on its way, but not the third time.
                let changes = u64::from(asked != 3);
                clock.1.fetch_add(changes, std::sync::atomic::Ordering::Relaxed);
                let ready = asked == 5;
                async move { Ok(if ready { Polled::Ready(()) } else { Polled::Pending(String::new()) }) }
            })
            .await
            .unwrap();
        assert_eq!(clock.0.pauses(), [4]);
    }

    #[tokio::test]
    async fn what_is_ready_at_the_deadline_counts() {
        for timeout in [0, 60] {
            let clock = Jumping::new();
            let end = SystemTime::UNIX_EPOCH + Duration::from_secs(timeout);
            Poller::new(clock.clone(), PollPolicy::default(), Some(Duration::from_secs(timeout)))
                .until("job x", || {
                    let clock = clock.clone();
                    async move {
                        // An answer takes a moment.
                        tokio::task::yield_now().await;
                        Ok(if clock.now() >= end { Polled::Ready(()) } else { Polled::Pending(String::new()) })
                    }
                })
                .await
                .unwrap();
        }
    }

    #[tokio::test]
    async fn pauses_that_end_early_are_no_deadline() {
        /// Ends each pause after a second, as if something had changed.
        #[derive(Debug)]
        struct Restless(Arc<Jumping>);

        impl Clock for Restless {
            fn now(&self) -> SystemTime {
                self.0.now()
            }

            fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
                self.0.pause(duration.min(Duration::from_secs(1)))
            }
        }

        let jumping = Jumping::new();
        let clock = Restless(jumping.clone());
        assert_eq!(within(&clock, Duration::from_secs(30), std::future::pending::<()>()).await, None);
        crate::poll::rest(&clock, Duration::from_secs(30)).await;
        assert_eq!(jumping.pauses(), [1; 60]);
        assert_eq!(within(&clock, Duration::ZERO, std::future::ready(7)).await, Some(7));
    }

    #[tokio::test]
    async fn an_answer_may_tell_how_long_the_wait_may_take() {
        let clock = Jumping::new();
        let error = Poller::new(clock.clone(), PollPolicy::default(), Some(Duration::from_secs(10)))
            .until::<(), _, _>("job x", || async {
                Ok(Polled::PendingAtMost("InProgress".into(), Duration::from_secs(90)))
            })
            .await
            .unwrap_err();
        assert!(error.to_string().contains("after 90 s"), "{error}");
        assert_eq!(clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap(), Duration::from_secs(90));
    }

    #[tokio::test]
    async fn pauses_have_a_bound_and_shrink_when_something_comes() {
        let clock = Jumping::new();
        let mut poller =
            Poller::new(clock.clone(), PollPolicy::default(), None).pausing_at_most(Duration::from_secs(5));
        for came in [false, false, false, false, true, false] {
            if came {
                poller.hurry();
            }
            poller.pause().await;
        }
        assert_eq!(clock.pauses(), [2, 3, 4, 5, 2, 3]);

        let slow = PollPolicy::new(Duration::from_secs(60), Duration::from_secs(300)).unwrap();
        assert_eq!(slow.at_most(Duration::from_secs(5)).after(Duration::from_secs(60)), Duration::from_secs(60));
    }
}
