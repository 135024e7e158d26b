//! Takes connections in, and makes room for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{self, Shared};
use super::connections::{Connections, Room};
use super::host::Hosts;
use super::limits::Limits;
use super::upload::Budget;
use crate::local::backend::LocalBackend;

/// How long to wait when the system has no room for another connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// The task that accepts connections. Dropped, it closes them all.
pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    pub(super) backend: LocalBackend,
    pub(super) hosts: Arc<Hosts>,
    pub(super) limits: Limits,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Acceptor {
    pub(super) async fn run(self) {
        let Self { listener, backend, hosts, limits, mut stopped } = self;
        let shared = Shared { backend, hosts, limits, budget: Budget::new(limits.memory) };
        let connections = Arc::new(Connections::default());
        let mut tasks = JoinSet::new();
        let every_task_sees = stopped.clone();
        // Accepted, and waiting for room; and whether another connection makes it.
        let (mut newcomer, mut room) = (None, Room::None);
        loop {
            let full = connections.open() >= limits.connections;
            if !full && let Some(stream) = newcomer.take() {
                tasks.spawn(connection::serve(stream, shared.clone(), connections.enter(), every_task_sees.clone()));
                room = Room::None;
                continue;
            }
            tokio::select! {
                biased;
                // An error says that the server is gone.
                _ = stopped.wait_for(|stopped| *stopped) => break,
                Some(_) = tasks.join_next() => {}
                () = connections.spare.notified(), if newcomer.is_some() && room != Room::Made => {
                    room = connections.make_room();
                }
                () = until(room), if newcomer.is_some() && matches!(room, Room::At(_)) => {
                    room = connections.make_room();
                }
                stream = accept(&listener), if newcomer.is_none() => {
                    newcomer = Some(stream);
                    room = if full { connections.make_room() } else { Room::None };
                }
            }
        }
        drop(listener);
        // Each ends by itself within the grace period.
        while tasks.join_next().await.is_some() {}
    }
}

/// Waits until a connection may make room.
async fn until(room: Room) {
    if let Room::At(time) = room {
        tokio::time::sleep_until(time).await;
    }
}

/// The next connection; one that broke before it was accepted is passed over.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::ConnectionAborted) => {}
            // Out of files or of memory: others may be done soon.
            #[expect(clippy::disallowed_methods, reason = "the system is short of files in reality")]
            Err(_) => tokio::time::sleep(EXHAUSTED).await,
        }
    }
}
