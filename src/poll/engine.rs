use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::policy::TOLERATED_FAILURES;
use super::{Clock, PollPolicy};
use crate::{Error, ErrorKind, Result};

/// One answer of what is polled.
pub(crate) enum Polled<T> {
    Ready(T),
    /// Not yet; the text says where it stands, for the error of a missed deadline.
    Pending(String),
}

/// Pauses between questions, counts the time, and tells a passing failure from a lasting one.
#[derive(Debug)]
pub(crate) struct Poller {
    clock: Arc<dyn Clock>,
    policy: PollPolicy,
    started: SystemTime,
    timeout: Option<Duration>,
    pause: Duration,
    failures: u32,
}

impl Poller {
    pub(crate) fn new(clock: Arc<dyn Clock>, policy: PollPolicy, timeout: Option<Duration>) -> Self {
        let started = clock.now();
        Self { clock, policy, started, timeout, pause: policy.first(), failures: 0 }
    }

    /// Asks until it is ready. `what` names it in the error of a missed deadline.
    pub(crate) async fn until<T, F, Fut>(mut self, what: &str, mut ask: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Polled<T>>>,
    {
        let mut state = "not known yet".to_owned();
        loop {
            match self.tolerate(ask().await)? {
                Some(Polled::Ready(value)) => return Ok(value),
                Some(Polled::Pending(now)) => state = now,
                None => {}
            }
            self.pause(what, &state).await?;
        }
    }

    /// `None` for a failure that may pass; the error once there were too many in a row.
    pub(crate) fn tolerate<T>(&mut self, answer: Result<T>) -> Result<Option<T>> {
        match answer {
            Ok(value) => {
                self.failures = 0;
                Ok(Some(value))
            }
            Err(error) if error.is_transient() && self.failures < TOLERATED_FAILURES => {
                self.failures += 1;
                tracing::debug!(failures = self.failures, kind = %error.kind(), "asking failed, will ask again");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Sleeps till the next question, or fails once the deadline has passed.
    pub(crate) async fn pause(&mut self, what: &str, state: &str) -> Result<()> {
        let mut pause = self.pause;
        if let Some(timeout) = self.timeout {
            let elapsed = self.clock.now().duration_since(self.started).unwrap_or_default();
            let left = timeout.saturating_sub(elapsed);
            if left.is_zero() {
                let text = format!(
                    "{what} was still {state} after {} s; it goes on remotely: wait again with a longer timeout, or stop \
                     or delete it",
                    timeout.as_secs()
                );
                return Err(Error::new(ErrorKind::DeadlineExceeded, text));
            }
            pause = pause.min(left);
        }
        self.clock.pause(pause).await;
        self.pause = self.policy.after(self.pause);
        Ok(())
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
}
