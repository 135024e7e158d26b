//! What one client may take, so that the others are still served.

use std::time::Duration;

/// Limits of a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How long a connection may stay without a complete request head.
    pub(super) head: Duration,
    /// How long one part of a body may take, in either direction.
    pub(super) body: Duration,
    /// Connections at once.
    pub(super) connections: usize,
    /// Bytes of bodies at once.
    pub(super) memory: u64,
    /// How long the requests under way may take after the server was told to stop.
    pub(super) grace: Duration,
}

/// The slowest sender that is waited for, in bytes a second.
pub(super) const MIN_RATE: u64 = 1024;
/// The largest request head in bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// Bytes of request bodies that are held at once for requests under way, of all connections. See [`Budget`].
///
/// [`Budget`]: super::upload::Budget
pub(super) const MAX_UNDER_WAY: u64 = 1 << 30;
/// Connections that may wait to be accepted.
pub(super) const BACKLOG: u32 = 4096;
/// Connections that may be about to close besides those that are open. Fewer than [`OTHER_FILES`].
pub(super) const MAX_CLOSING: usize = 128;
/// Bytes of each body that do not count for it.
pub(super) const FREE: u64 = 64 * 1024;
/// How long the other side of a connection is waited for in any case, when others wait for a connection.
pub(super) const STALLED: Duration = Duration::from_millis(250);

const CONNECTIONS: usize = 4096;
/// Files that the process needs for other things.
const OTHER_FILES: u64 = 256;

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(60),
            body: Duration::from_secs(30),
            connections: CONNECTIONS,
            memory: MAX_UNDER_WAY,
            grace: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// No more connections than the process may have files, after asking for more of them.
    pub(super) fn within_the_process(mut self) -> Self {
        if let Some(files) = raise_file_limit(self.connections as u64 + OTHER_FILES) {
            let room = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
            self.connections = self.connections.min(room.max(16));
        }
        self
    }
}

/// Raises how many files the process may open to what is wanted, as far as it may; gives back the limit, if there is one.
#[cfg(unix)]
fn raise_file_limit(wanted: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let now = current?;
    let raised = wanted.min(maximum.unwrap_or(u64::MAX));
    if raised > now && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok() {
        return Some(raised);
    }
    Some(now)
}

#[cfg(not(unix))]
fn raise_file_limit(_: u64) -> Option<u64> {
    None
}
