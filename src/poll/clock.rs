use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// Time as the waits of a session see it; a test or the local backend brings its own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present.
    fn now(&self) -> SystemTime;

    /// Ends after `duration`, or earlier when the clock knows that asking again is worth it.
    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// How often something has changed, for clocks that know. A wait takes the mark before it asks.
    fn mark(&self) -> u64 {
        0
    }

    /// As [`pause`](Self::pause), and ends at once if something has changed since the mark: what came between question
    /// and pause is not slept over. Default: a pause.
    fn pause_since(&self, mark: u64, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let _ = mark;
        self.pause(duration)
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the real time")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps for real")]
    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
