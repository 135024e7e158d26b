//! The open connections, and which of them has been without a request for the longest time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All open connections of a server.
#[derive(Debug, Default)]
pub(super) struct Connections {
    queue: Mutex<Queue>,
    /// Told when a connection has no request any more.
    pub(super) idle: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// Counts upwards: who came, or finished a request, earlier has the lower number.
    next: u64,
    idle: BTreeMap<u64, Arc<Notify>>,
    open: usize,
}

/// One open connection; dropped when it is closed.
#[derive(Debug)]
pub(super) struct Connection {
    all: Arc<Connections>,
    /// Told when the connection is to make room.
    pub(super) close: Arc<Notify>,
    place: Mutex<Option<u64>>,
}

/// A request under way on a connection.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Connection>);

impl Connections {
    /// Enters a new connection; without a request, at first.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Connection> {
        self.queue().open += 1;
        let connection = Connection { all: self.clone(), close: Arc::default(), place: Mutex::default() };
        connection.idle();
        Arc::new(connection)
    }

    pub(super) fn open(&self) -> usize {
        self.queue().open
    }

    /// Tells the connection that has been without a request for the longest time to close; whether there was one.
    pub(super) fn make_room(&self) -> bool {
        let oldest = self.queue().idle.pop_first();
        oldest.is_some_and(|(_, close)| {
            close.notify_one();
            true
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.leave_queue();
        UnderWay(self.clone())
    }

    fn idle(&self) {
        let mut queue = self.all.queue();
        let place = queue.next;
        queue.next += 1;
        queue.idle.insert(place, self.close.clone());
        *self.place() = Some(place);
        drop(queue);
        self.all.idle.notify_one();
    }

    fn leave_queue(&self) {
        let mut queue = self.all.queue();
        if let Some(place) = self.place().take() {
            queue.idle.remove(&place);
        }
    }

    fn place(&self) -> MutexGuard<'_, Option<u64>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.idle();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave_queue();
        self.all.queue().open -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(connection: &Connection) -> bool {
        use futures_util::FutureExt;
        connection.close.notified().now_or_never().is_some()
    }

    #[test]
    fn who_has_been_idle_longest_makes_room() {
        let all = Arc::new(Connections::default());
        let [first, second, third] = [all.enter(), all.enter(), all.enter()];
        let under_way = first.begin();
        assert!(all.make_room());
        assert_eq!([told(&first), told(&second), told(&third)], [false, true, false]);
        drop(under_way);
        assert!(all.make_room() && all.make_room() && !all.make_room());
        assert_eq!([told(&first), told(&second), told(&third)], [true, false, true]);
        drop((second, third));
        assert_eq!(all.open(), 1);
        drop(first);
        assert_eq!(all.open(), 0);
    }

    #[test]
    fn a_request_under_way_is_not_closed() {
        let all = Arc::new(Connections::default());
        let only = all.enter();
        let under_way = only.begin();
        assert!(!all.make_room());
        drop(under_way);
        assert!(all.make_room() && told(&only));
    }
}
