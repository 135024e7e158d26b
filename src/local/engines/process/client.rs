//! Asks a server on this machine, over connections that are kept.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// The largest answer in bytes.
const MAX_ANSWER: usize = 256 << 20;
/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How many parts of an answer wait for who reads them.
const WAITING: usize = 4;
/// How many connections are kept for later.
const MAX_IDLE: usize = 32;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Connection = SendRequest<Full<Bytes>>;

/// A thread with a runtime of its own: connections outlive the runtime of whoever asks first.
pub(super) struct Io(mpsc::UnboundedSender<Task>);

impl Io {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, mut tasks) = mpsc::unbounded_channel::<Task>();
        std::thread::Builder::new().name("sagemaker-local-http".to_owned()).spawn(move || {
            runtime.block_on(async move {
                while let Some(task) = tasks.recv().await {
                    tokio::spawn(task);
                }
            });
        })?;
        Ok(Self(sender))
    }

    /// Runs a future; nobody waits for it.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // The thread ends only with this.
        let _ = self.0.send(Box::pin(future));
    }

    /// Runs a future and blocks until it is done.
    fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let task = async move {
            let _ = sender.send(future.await);
        };
        self.0.send(Box::pin(task)).ok()?;
        receiver.recv().ok()
    }
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The time was over.
    TimedOut,
    /// There was no connection, or it broke.
    Broken(String),
}

impl NoAnswer {
    fn broken(error: impl fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The parts of a body as they come. Asking for the next one blocks.
pub(super) struct Parts(mpsc::Receiver<Result<Bytes, NoAnswer>>);

impl Iterator for Parts {
    type Item = Result<Bytes, NoAnswer>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.blocking_recv()
    }
}

/// The connections to one server.
#[derive(Clone)]
pub(super) struct Client(Arc<Connections>);

struct Connections {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub(super) fn new(port: u16) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self(Arc::new(Connections { address, idle: Mutex::default() }))
    }

    /// Sends a request and blocks until the answer begins. The limit is one of real time, for the beginning and then for
    /// each part.
    pub(super) fn ask(&self, io: &Io, request: Request<Bytes>, limit: Duration) -> Result<Response<Parts>, NoAnswer> {
        let client = self.clone();
        let answered = io.run(async move {
            let answered = tokio::time::timeout(limit, client.exchange(request)).await;
            let (connection, answer) = answered.unwrap_or(Err(NoAnswer::TimedOut))?;
            let (head, body) = answer.into_parts();
            let (sender, parts) = mpsc::channel(WAITING);
            tokio::spawn(async move {
                if client.send_parts(body, limit, sender).await.is_some() {
                    client.keep(connection);
                }
            });
            Ok(Response::from_parts(head, Parts(parts)))
        });
        answered.unwrap_or_else(|| Err(NoAnswer::broken("the local backend has ended")))
    }

    /// Hands the body on; `None` if it broke, or if nobody wants it any more.
    async fn send_parts(
        &self,
        body: Incoming,
        limit: Duration,
        to: mpsc::Sender<Result<Bytes, NoAnswer>>,
    ) -> Option<()> {
        let mut body = Limited::new(body, MAX_ANSWER);
        loop {
            let part = match tokio::time::timeout(limit, body.frame()).await {
                Ok(None) => return Some(()),
                Ok(Some(Ok(frame))) => frame.into_data().map_or(Ok(Bytes::new()), Ok),
                Ok(Some(Err(error))) => Err(NoAnswer::broken(error)),
                Err(_) => Err(NoAnswer::TimedOut),
            };
            let broken = part.is_err();
            to.send(part).await.ok()?;
            if broken {
                return None;
            }
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<(Connection, Response<Incoming>), NoAnswer> {
        // A server may close a kept connection at any time: then the request goes through a new one.
        if let Some(kept) = self.take()
            && let Ok(answered) = self.exchange_on(kept, request.clone()).await
        {
            return Ok(answered);
        }
        self.exchange_on(self.connect().await?, request).await
    }

    async fn exchange_on(
        &self,
        mut connection: Connection,
        request: Request<Bytes>,
    ) -> Result<(Connection, Response<Incoming>), NoAnswer> {
        connection.ready().await.map_err(NoAnswer::broken)?;
        let (mut parts, body) = request.into_parts();
        if let Ok(host) = http::HeaderValue::from_str(&self.0.address.to_string()) {
            parts.headers.insert(http::header::HOST, host);
        }
        let request = Request::from_parts(parts, Full::new(body));
        let answer = connection.send_request(request).await.map_err(NoAnswer::broken)?;
        Ok((connection, answer))
    }

    async fn connect(&self) -> Result<Connection, NoAnswer> {
        let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(self.0.address)).await;
        let stream = stream.map_err(|_| NoAnswer::TimedOut)?.map_err(NoAnswer::broken)?;
        stream.set_nodelay(true).map_err(NoAnswer::broken)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await.map_err(NoAnswer::broken)?;
        tokio::spawn(async move {
            // What breaks here is told to whoever waits for the answer.
            let _ = driver.await;
        });
        Ok(connection)
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.is_closed() && idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }
}
