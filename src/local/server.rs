//! The backend behind a TCP port, for programs that speak HTTP to AWS.

mod accept;
mod connection;
mod connections;
mod framing;
mod host;
mod limits;
mod socket;
mod upload;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::backend::LocalBackend;
use accept::Acceptor;
use host::Hosts;
use limits::{BACKLOG, Limits};

/// A running server; made by [`LocalBackend::serve`] or by a [`LocalServerBuilder`].
///
/// Dropping it stops the server at once; [`shutdown`](Self::shutdown) lets the requests under way finish. The backend
/// outlives its servers, and may have several.
///
/// ```
/// use sagemaker::local::LocalBackend;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let backend = LocalBackend::new();
/// let server = backend.serve("127.0.0.1:0").await?;
/// println!("AWS_ENDPOINT_URL={}", server.url());
/// server.shutdown().await;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "dropping the server stops it"]
pub struct LocalServer {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// Settings of a [`LocalServer`]; made by [`LocalServer::builder`].
#[must_use = "a builder does nothing until `bind` is called"]
#[derive(Debug)]
pub struct LocalServerBuilder {
    backend: LocalBackend,
    hosts: Vec<String>,
    limits: Limits,
}

impl LocalBackend {
    /// Answers HTTP requests at an address, such as `127.0.0.1:4566`; port 0 picks a free one.
    ///
    /// One URL serves all services, with path-style and virtual-hosted S3. See [`LocalServer::builder`] for settings.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn serve(&self, addr: impl ToSocketAddrs) -> io::Result<LocalServer> {
        LocalServer::builder(self).bind(addr).await
    }
}

impl LocalServer {
    /// Settings other than those of [`LocalBackend::serve`].
    ///
    /// ```
    /// use sagemaker::local::{LocalBackend, LocalServer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let backend = LocalBackend::new();
    /// let server = LocalServer::builder(&backend).allow_host("aws.test").bind("127.0.0.1:0").await?;
    /// assert!(server.addr().ip().is_loopback());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn builder(backend: &LocalBackend) -> LocalServerBuilder {
        LocalServerBuilder { backend: backend.clone(), hosts: Vec::new(), limits: Limits::default() }
    }

    /// The address that the server is bound to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The endpoint URL for clients, such as `http://127.0.0.1:4566`. Of a server that is bound to all addresses it
    /// names the loopback one.
    pub fn url(&self) -> String {
        let mut addr = self.addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(match addr {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{addr}")
    }

    /// Accepts nothing more, lets the requests under way finish for at most 10 seconds, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // It ends by itself within its time; an error would be a panic, which is on stderr already.
        let _ = (&mut self.accepting).await;
    }
}

impl LocalServerBuilder {
    /// Answers requests for this host name too, and for those below it.
    ///
    /// A server is asked by names that lead to this machine: `localhost`, loopback addresses, the names of AWS. Any
    /// other is refused with 403, or a web page could reach the server through a name of its own (DNS rebinding).
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// How long a connection may stay without a complete request head. The default is 60 seconds.
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.limits.head = timeout;
        self
    }

    /// How long the next part of a request's body may take to come, and of an answer's to be taken. The default is 30
    /// seconds; over time, at least 1 KiB a second must come.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body = timeout;
        self
    }

    /// How many connections are open at most. The default is 4,096, or less where the process may open fewer files.
    /// With one more, the connection that has been without a request for the longest time is closed. If there is none,
    /// it is the one whose client has been waited for the longest, and for 250 ms at least: one that does not send the
    /// rest of its request, or does not take its answer. If all are at work, the new one waits.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections.max(1);
        self
    }

    /// How many bytes of request bodies are held at most while they are received and handled, of all connections
    /// together. The default is 1 GiB.
    ///
    /// Beyond it requests are answered with 503 (S3's `SlowDown`), which clients try again, and the connection is closed
    /// whose client has not gone on with its body for the longest time. One request at a time may go beyond the limit,
    /// so that an upload of any size that S3 allows is possible, and the first 64 KiB of each body do not count, so that
    /// small requests are always served. What a client announces takes no memory, only what it sends.
    pub fn max_body_memory(mut self, bytes: u64) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(self, addr: impl ToSocketAddrs) -> io::Result<LocalServer> {
        let listener = listen(addr).await?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let acceptor = Acceptor {
            listener,
            backend: self.backend,
            hosts: Arc::new(Hosts::new(addr.ip(), self.hosts)),
            limits: self.limits.within_the_process(),
            stopped,
        };
        Ok(LocalServer { addr, stop, accepting: tokio::spawn(acceptor.run()) })
    }
}

/// Listens, and lets as many wait as the system does: a crowd that comes at once would otherwise be told to come again
/// a second later.
async fn listen(addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failure = None;
    for addr in tokio::net::lookup_host(addr).await? {
        let listen = || {
            let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            // A port is free again at once when its server is gone; elsewhere it could be taken from a running one.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(addr)?;
            socket.listen(BACKLOG)
        };
        match listen() {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")))
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for LocalServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalServer").field("addr", &self.addr).finish_non_exhaustive()
    }
}
