//! Virtual time: the only place of the local backend that reads the real clock.
//!
//! A job walks its stages by sleeping on this clock. In instant mode time jumps from one deadline to the next as soon
//! as nothing is at work, so a training job of "an hour" ends when its engine does, and everything still happens in the
//! order in which it would on AWS.
//!
//! Whoever is between two sleeps holds a [`BusyGuard`]; time jumps only while nobody does. A sleeper is woken by being
//! handed a guard, so the next one follows only after it has gone on (or is dropped). There is no thread of its own:
//! the last guard that is dropped makes the next jump.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, oneshot, watch};

#[cfg(test)]
mod tests;

/// The clock of a [`LocalBackend`](super::LocalBackend). Clones share their time.
///
/// ```
/// use std::time::Duration;
/// use sagemaker::local::LocalClock;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let clock = LocalClock::instant();
/// let before = clock.now();
/// clock.sleep(Duration::from_secs(86_400)).await; // returns at once
/// assert!(clock.now() >= before + Duration::from_secs(86_400));
/// # });
/// ```
#[derive(Clone)]
pub struct LocalClock(Arc<Inner>);

/// No sleep is longer: a date far in the future must still be a date.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What a change adds to the count of changes; a log line adds one.
const CHANGE: u64 = 1 << 32;

/// How long log lines are gathered, in reality, before they end a pause.
const BURST: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Instant,
    Scaled(f64),
    Manual,
}

struct Inner {
    mode: Mode,
    origin: SystemTime,
    began: Instant,
    state: Mutex<State>,
    quiet: Notify,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Time that passed without passing in reality.
    skipped: Duration,
    /// How far a manual clock may go.
    limit: Duration,
    busy: usize,
    sleepers: BTreeMap<Deadline, oneshot::Sender<BusyGuard>>,
    next_sleeper: u64,
}

/// When to wake, since the clock's beginning, and a number that keeps equal times in order of arrival.
type Deadline = (Duration, u64);

/// Keeps time from jumping while it lives: an engine works, or a request is being handled.
///
/// Made by [`LocalClock::busy`].
#[must_use = "time may jump again as soon as the guard is dropped"]
pub struct BusyGuard(LocalClock);

/// A place in the queue of sleepers, given up when it is dropped.
struct Place<'a> {
    clock: &'a LocalClock,
    deadline: Deadline,
}

impl LocalClock {
    fn new(mode: Mode) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts from the real time; read here only")]
        let (origin, began) = (Self::real_now(), Instant::now());
        Self(Arc::new(Inner {
            mode,
            origin,
            began,
            state: Mutex::default(),
            quiet: Notify::new(),
            changes: watch::Sender::new(0),
        }))
    }

    /// The real time, for what was dated by somebody who does not know of this clock.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the real time")]
    pub(super) fn real_now() -> SystemTime {
        SystemTime::now()
    }

    /// Waits cost nothing: when nothing is at work, time jumps to the next deadline. The default.
    pub fn instant() -> Self {
        Self::new(Mode::Instant)
    }

    /// Virtual time passes `factor` times as fast as real time; `scaled(1.0)` is real time.
    ///
    /// # Panics
    /// If the factor is not finite or not above zero.
    pub fn scaled(factor: f64) -> Self {
        assert!(factor.is_finite() && factor > 0.0, "the factor of a scaled clock is finite and above zero");
        Self::new(Mode::Scaled(factor))
    }

    /// Time stands still until [`advance`](Self::advance) is called: holds a job in the state that a test wants to see.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sagemaker::local::LocalClock;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let clock = LocalClock::manual();
    /// let start = clock.now();
    /// clock.advance(Duration::from_secs(5));
    /// clock.settle().await;
    /// assert_eq!(clock.now(), start + Duration::from_secs(5));
    /// # });
    /// ```
    pub fn manual() -> Self {
        Self::new(Mode::Manual)
    }

    /// Lets a manual clock go on; who sleeps until then is woken in order. Does nothing to other clocks.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.limit = state.limit.saturating_add(by.min(FOREVER));
        drop(state);
        self.wake_next();
    }

    /// Returns once nothing is at work and nobody is about to be woken: on a manual clock, all that was due has
    /// happened; on the others, also nobody sleeps any more.
    ///
    /// An engine that never returns, or a task whose runtime is not being driven, keeps the clock from settling.
    pub async fn settle(&self) {
        loop {
            let quiet = self.0.quiet.notified();
            tokio::pin!(quiet);
            quiet.as_mut().enable();
            if self.is_quiet() {
                return;
            }
            quiet.await;
        }
    }

    /// The virtual time.
    pub fn now(&self) -> SystemTime {
        let state = self.state();
        self.0.origin + self.elapsed(&state)
    }

    /// Sets the time forward to one that was read before, in an earlier run: nothing may happen before what happened.
    pub(super) fn not_before(&self, time: SystemTime) {
        let mut state = self.state();
        let now = self.0.origin + self.elapsed(&state);
        let behind = time.duration_since(now).unwrap_or_default().min(FOREVER);
        state.skipped += behind;
        state.limit = state.limit.saturating_add(behind);
    }

    /// Completes once `duration` of virtual time has passed.
    ///
    /// # Panics
    /// Outside a Tokio runtime with its timer enabled (except on a manual clock).
    pub async fn sleep(&self, duration: Duration) {
        drop(self.rest(duration, None).await);
    }

    /// Like [`sleep`](Self::sleep), but ends early when something changes on the backend: what pollers use.
    pub async fn pause(&self, duration: Duration) {
        self.pause_since(self.changes(), duration).await;
    }

    /// A mark for [`pause_since`](Self::pause_since): another one after each change.
    pub fn changes(&self) -> u64 {
        *self.0.changes.borrow()
    }

    /// Like [`pause`](Self::pause), but ends at once if something changed since the count `seen` was taken: a poller
    /// that takes it before it asks misses nothing.
    pub async fn pause_since(&self, seen: u64, duration: Duration) {
        let (mut changes, mut lines) = (self.0.changes.subscribe(), self.0.changes.subscribe());
        tokio::select! {
            biased;
            _ = changes.wait_for(|now| now / CHANGE != seen / CHANGE) => {}
            () = async { let _ = lines.wait_for(|now| *now != seen).await; self.gather().await } => {}
            () = self.sleep(duration) => {}
        }
    }

    /// Completes once something changed on the backend since the count `seen` was taken; log lines do not count.
    pub(super) async fn change_since(&self, seen: u64) {
        // The sender lives as long as `self`, so there is no error.
        let _ = self.0.changes.subscribe().wait_for(|now| now / CHANGE != seen / CHANGE).await;
    }

    /// Lets a burst of log lines become one wake-up.
    async fn gather(&self) {
        if self.0.mode != Mode::Manual {
            #[expect(clippy::disallowed_methods, reason = "spares the poller in reality")]
            tokio::time::sleep(BURST).await;
        }
    }

    /// Keeps time from jumping until the guard is dropped.
    pub fn busy(&self) -> BusyGuard {
        self.state().busy += 1;
        BusyGuard(self.clone())
    }

    /// Says that something on the backend changed: ends every pause.
    pub(super) fn changed(&self) {
        self.0.changes.send_modify(|count| *count = count.wrapping_add(CHANGE));
    }

    /// Says that there is a log line: ends every pause, but not at once, as more of them may follow.
    pub(super) fn logged(&self) {
        self.0.changes.send_modify(|count| *count = *count / CHANGE * CHANGE + (*count + 1) % CHANGE);
    }

    /// Sleeps without a gap in which time could jump twice: gives up `guard` once the deadline is queued, and returns
    /// the guard that woke this sleeper.
    pub(super) async fn rest(&self, duration: Duration, guard: Option<BusyGuard>) -> BusyGuard {
        // Dropped in reverse order: the place goes before the receiver, so a sender in the queue always has one.
        let (sender, mut receiver) = oneshot::channel();
        let place = self.enqueue(duration, sender);
        drop(guard);
        self.wake_next();
        if let Ok(guard) = receiver.try_recv() {
            return guard;
        }
        let Some(real) = self.real_wait(place.deadline) else {
            return receiver.await.unwrap_or_else(|_| self.busy());
        };
        #[expect(clippy::disallowed_methods, reason = "real time passes while something is busy, or on a scaled clock")]
        let timer = tokio::time::sleep(real);
        tokio::select! {
            biased;
            guard = &mut receiver => guard.unwrap_or_else(|_| self.busy()),
            () = timer => self.came_due(place.deadline).or_else(|| receiver.try_recv().ok()).unwrap_or_else(|| self.busy()),
        }
    }

    fn enqueue(&self, duration: Duration, sender: oneshot::Sender<BusyGuard>) -> Place<'_> {
        let mut state = self.state();
        let deadline = (self.elapsed(&state).saturating_add(duration.min(FOREVER)), state.next_sleeper);
        state.next_sleeper += 1;
        state.sleepers.insert(deadline, sender);
        Place { clock: self, deadline }
    }

    /// The timer of a sleeper fired: it goes on unless it was woken in the same moment.
    fn came_due(&self, deadline: Deadline) -> Option<BusyGuard> {
        let mut state = self.state();
        state.sleepers.remove(&deadline)?;
        // A runtime with paused time fires timers early: then virtual time follows.
        let ahead = deadline.0.saturating_sub(self.elapsed(&state));
        state.skipped += ahead;
        state.busy += 1;
        Some(BusyGuard(self.clone()))
    }

    /// If nobody is at work, wakes the sleeper that is next, by handing it a guard.
    fn wake_next(&self) {
        let mut state = self.state();
        if state.busy > 0 {
            return;
        }
        let next = state.sleepers.first_key_value().map(|(deadline, _)| *deadline);
        let due = match self.0.mode {
            Mode::Instant => next,
            Mode::Scaled(_) => None,
            Mode::Manual => next.filter(|(at, _)| *at <= state.limit),
        };
        let Some(deadline) = due else {
            if self.0.mode == Mode::Manual {
                state.skipped = state.skipped.max(state.limit);
            }
            self.0.quiet.notify_waiters();
            return;
        };
        let ahead = deadline.0.saturating_sub(self.elapsed(&state));
        state.skipped += ahead;
        let sender = state.sleepers.remove(&deadline);
        state.busy += 1;
        drop(state);
        // Should the sleeper be gone, the guard comes back and its drop wakes the next one.
        if let Some(sender) = sender {
            drop(sender.send(BusyGuard(self.clone())));
        }
    }

    /// How long a sleeper waits at most in reality; `None` on a manual clock.
    fn real_wait(&self, deadline: Deadline) -> Option<Duration> {
        let state = self.state();
        let left = deadline.0.saturating_sub(self.elapsed(&state));
        match self.0.mode {
            Mode::Instant => Some(left),
            Mode::Scaled(factor) => Some(Duration::try_from_secs_f64(left.as_secs_f64() / factor).unwrap_or(left)),
            Mode::Manual => None,
        }
    }

    fn elapsed(&self, state: &State) -> Duration {
        let real = match self.0.mode {
            Mode::Instant => self.0.began.elapsed(),
            Mode::Scaled(factor) => {
                Duration::try_from_secs_f64(self.0.began.elapsed().as_secs_f64() * factor).unwrap_or(Duration::MAX / 2)
            }
            Mode::Manual => Duration::ZERO,
        };
        real.saturating_add(state.skipped)
    }

    fn is_quiet(&self) -> bool {
        let state = self.state();
        let waiting = match self.0.mode {
            Mode::Manual => state.sleepers.first_key_value().is_some_and(|((at, _), _)| *at <= state.limit),
            Mode::Instant | Mode::Scaled(_) => !state.sleepers.is_empty(),
        };
        state.busy == 0 && !waiting
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LocalClock {
    fn default() -> Self {
        Self::instant()
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy -= 1;
        drop(state);
        self.0.wake_next();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let left = self.clock.state().sleepers.remove(&self.deadline);
        if left.is_some() {
            self.clock.wake_next(); // a settling clock may have waited for this sleeper
        }
    }
}

impl fmt::Debug for LocalClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalClock").field("mode", &self.0.mode).finish_non_exhaustive()
    }
}

impl fmt::Debug for BusyGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BusyGuard")
    }
}
