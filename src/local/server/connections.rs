//! The open connections, and which of them can best be spared.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::{MAX_CLOSING, STALLED};

/// All open connections of a server.
#[derive(Debug, Default)]
pub(super) struct Connections {
    queues: Mutex<Queues>,
    /// Told when there is another connection that could be spared.
    pub(super) spare: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    /// Counts upwards: who came to a queue earlier has the lower number.
    next: u64,
    /// Those without a request.
    idle: BTreeMap<u64, Arc<Close>>,
    /// Those whose other side owes a part of a request, or does not take its answer, and since when.
    stalled: BTreeMap<u64, (Instant, Arc<Close>)>,
    open: usize,
    /// How many of the open ones were told to close and have not done so.
    closing: usize,
}

/// Tells a connection to make room.
#[derive(Debug, Default)]
pub(super) struct Close {
    pub(super) told: Notify,
    is_told: AtomicBool,
}

/// Whether another connection makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Made,
    /// One may, if it does not go on by then.
    At(Instant),
    /// All are at work.
    None,
}

/// One open connection; dropped when it is closed.
#[derive(Debug)]
pub(super) struct Connection {
    all: Arc<Connections>,
    pub(super) close: Arc<Close>,
    /// Whether a head has said in two ways how long its body is.
    pub(super) is_ambiguous: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: u32,
    /// Whether a body comes too slowly.
    reading: bool,
    /// Whether an answer is not taken.
    writing: bool,
    place: Option<(Queue, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    Idle,
    Stalled,
}

impl State {
    fn queue(&self) -> Option<Queue> {
        match self {
            Self { reading: true, .. } | Self { writing: true, .. } => Some(Queue::Stalled),
            Self { requests: 0, .. } => Some(Queue::Idle),
            _ => None,
        }
    }
}

/// A request under way on a connection.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Connection>);

impl Connections {
    /// Enters a new connection; without a request, at first.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Connection> {
        self.queues().open += 1;
        let connection = Connection {
            all: self.clone(),
            close: Arc::default(),
            is_ambiguous: AtomicBool::new(false),
            state: Mutex::default(),
        };
        connection.change(|_| {});
        Arc::new(connection)
    }

    /// How many are open, but for those that are about to close. Those are few, so that the process has files for them.
    pub(super) fn open(&self) -> usize {
        let queues = self.queues();
        queues.open - queues.closing.min(MAX_CLOSING)
    }

    /// Tells a connection to close: the one that has been without a request for the longest time; if there is none,
    /// the one whose other side has been waited for the longest.
    pub(super) fn make_room(&self) -> Room {
        let mut queues = self.queues();
        if let Some((_, close)) = queues.idle.pop_first() {
            queues.close(&close);
            return Room::Made;
        }
        Self::spare_a_stalled_one(&mut queues)
    }

    /// Tells the connection to close whose other side has been waited for the longest, and too long; whether there was
    /// one, and when there may be one if there was none.
    fn spare_a_stalled_one(queues: &mut Queues) -> Room {
        let Some(first) = queues.stalled.first_entry() else { return Room::None };
        let at = first.get().0 + STALLED;
        if at > Instant::now() {
            return Room::At(at);
        }
        let close = first.remove().1;
        queues.close(&close);
        Room::Made
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.change(|state| state.requests += 1);
        UnderWay(self.clone())
    }

    /// Whether the body of a request comes too slowly.
    pub(super) fn owes_body(&self, owes: bool) {
        self.change(|state| state.reading = owes);
    }

    /// Whether the other side does not take its answer.
    pub(super) fn leaves_answer(&self, leaves: bool) {
        self.change(|state| state.writing = leaves);
    }

    /// Closes a connection, if there is one, whose other side has been waited for for too long.
    pub(super) fn spare_a_stalled_one(&self) {
        Connections::spare_a_stalled_one(&mut self.all.queues());
    }

    /// Whether a request or its answer is under way.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.state();
        state.requests > 0 || state.writing
    }

    /// Whether there is a request that is not answered yet.
    pub(super) fn is_asked(&self) -> bool {
        self.state().requests > 0
    }

    /// Whether the other side is waited for.
    pub(super) fn is_stalled(&self) -> bool {
        self.state().queue() == Some(Queue::Stalled)
    }

    /// Changes the state, and the queue that the connection is in. The lock of the state is taken before that of the
    /// queues, always.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let queue = state.queue();
        if state.place.map(|(queue, _)| queue) == queue {
            return;
        }
        let mut queues = self.all.queues();
        queues.leave(state.place.take());
        // One that is to close comes into no queue again, and is not told twice.
        if self.close.is_told.load(Ordering::Relaxed) {
            return;
        }
        state.place = queue.map(|queue| (queue, queues.enter(queue, &self.close)));
        drop(queues);
        if queue.is_some() {
            self.all.spare.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn close(&mut self, close: &Close) {
        close.is_told.store(true, Ordering::Relaxed);
        close.told.notify_one();
        self.closing += 1;
    }

    fn enter(&mut self, queue: Queue, close: &Arc<Close>) -> u64 {
        let place = self.next;
        self.next += 1;
        match queue {
            Queue::Idle => drop(self.idle.insert(place, close.clone())),
            Queue::Stalled => drop(self.stalled.insert(place, (Instant::now(), close.clone()))),
        }
        place
    }

    fn leave(&mut self, place: Option<(Queue, u64)>) {
        match place {
            Some((Queue::Idle, place)) => drop(self.idle.remove(&place)),
            Some((Queue::Stalled, place)) => drop(self.stalled.remove(&place)),
            None => {}
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.change(|state| state.requests -= 1);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let place = self.state().place.take();
        let mut queues = self.all.queues();
        queues.leave(place);
        queues.open -= 1;
        if self.close.is_told.load(Ordering::Relaxed) {
            queues.closing -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(connection: &Connection) -> bool {
        use futures_util::FutureExt;
        connection.close.told.notified().now_or_never().is_some()
    }

    #[tokio::test]
    async fn who_has_been_idle_longest_makes_room() {
        let all = Arc::new(Connections::default());
        let [first, second, third] = [all.enter(), all.enter(), all.enter()];
        let under_way = first.begin();
        assert_eq!(all.make_room(), Room::Made);
        assert_eq!([told(&first), told(&second), told(&third)], [false, true, false]);
        drop(under_way);
        assert_eq!([all.make_room(), all.make_room(), all.make_room()], [Room::Made, Room::Made, Room::None]);
        assert_eq!([told(&first), told(&second), told(&third)], [true, false, true]);
        let counts = || {
            let queues = all.queues();
            (queues.open, queues.closing)
        };
        assert_eq!((all.open(), counts()), (0, (3, 3)), "who is about to close does not count");
        drop((second, third));
        let newcomer = all.enter();
        assert_eq!((all.open(), counts()), (1, (2, 1)));
        drop((first, newcomer));
        assert_eq!(counts(), (0, 0));
    }

    #[tokio::test]
    async fn a_request_under_way_is_not_closed() {
        let all = Arc::new(Connections::default());
        let only = all.enter();
        let under_way = only.begin();
        assert_eq!(all.make_room(), Room::None);
        assert!(only.is_busy() && !only.is_stalled());
        drop(under_way);
        assert_eq!(all.make_room(), Room::Made);
        assert!(told(&only) && !only.is_busy());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_waited_for_makes_room_when_nobody_is_idle() {
        let all = Arc::new(Connections::default());
        let [working, owing, leaving] = [all.enter(), all.enter(), all.enter()];
        let _requests = [working.begin(), owing.begin(), leaving.begin()];
        owing.owes_body(true);
        assert_eq!(all.make_room(), Room::At(Instant::now() + STALLED));
        tokio::time::advance(STALLED / 2).await;
        leaving.leaves_answer(true);
        tokio::time::advance(STALLED / 2).await;
        assert_eq!(all.make_room(), Room::Made);
        assert!(told(&owing) && owing.is_stalled());
        // The other one goes on in time.
        leaving.leaves_answer(false);
        tokio::time::advance(STALLED).await;
        assert_eq!(all.make_room(), Room::None);
        // Who is idle goes first.
        leaving.leaves_answer(true);
        tokio::time::advance(STALLED).await;
        let idle = all.enter();
        assert_eq!(all.make_room(), Room::Made);
        assert!(told(&idle) && !told(&leaving));
    }
}
