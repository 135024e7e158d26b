use std::future::Future;
use std::time::{Duration, SystemTime};

use super::Clock;

/// A clock that jumps while nobody works may jump over a whole pause in the moment in which an answer arrives: short
/// pauses keep such a jump short.
const SLICE: Duration = Duration::from_secs(5);

/// A clock that ends each pause at once, as a test may use, must not keep the caller for ever.
const EARLY_ENDS: u32 = 1000;

/// What `work` gives, or `None` once the clock says that it has taken longer than `limit`.
///
/// Work that is ready at once is never too late, whatever the limit.
pub(crate) async fn within<T>(clock: &dyn Clock, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let started = clock.now();
    tokio::pin!(work);
    loop {
        let left = left(clock, started, limit);
        let pause = async {
            if !left.is_zero() {
                clock.pause(left.min(SLICE)).await;
            }
        };
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            () = pause => {}
        }
        if left.is_zero() {
            return None;
        }
        // A clock may end its pauses early, again and again: others must get their turn.
        tokio::task::yield_now().await;
    }
}

/// Pauses for the whole of `duration`, also if something changes meanwhile.
pub(crate) async fn rest(clock: &dyn Clock, duration: Duration) {
    let started = clock.now();
    for _ in 0..EARLY_ENDS {
        let left = left(clock, started, duration);
        if left.is_zero() {
            return;
        }
        clock.pause(left).await;
    }
}

fn left(clock: &dyn Clock, started: SystemTime, limit: Duration) -> Duration {
    limit.saturating_sub(clock.now().duration_since(started).unwrap_or_default())
}
