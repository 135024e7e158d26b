//! Asks a server on this machine, over connections that are kept.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
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
/// How many parts of an answer are read before they are asked for.
const AHEAD: usize = 4;
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

    fn start_task(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), NoAnswer> {
        self.0.send(Box::pin(task)).map_err(|_| NoAnswer::broken("the local backend has ended"))
    }

    /// Runs a future and blocks until it is done.
    fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Result<T, NoAnswer> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.start_task(async move {
            let _ = sender.send(future.await);
        })?;
        receiver.recv().map_err(|_| NoAnswer::broken("the local backend has ended"))
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

/// The parts of an answer as they come. Asking for the next one blocks.
pub(super) struct Chunks(mpsc::Receiver<Result<Bytes, NoAnswer>>);

impl Iterator for Chunks {
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

    /// Sends a request and blocks until the whole answer is there; the limit is one of real time.
    pub(super) fn ask(&self, io: &Io, request: Request<Bytes>, limit: Duration) -> Result<Response<Bytes>, NoAnswer> {
        let client = self.clone();
        io.run(async move {
            let answered = tokio::time::timeout(limit, client.exchange(request)).await;
            answered.unwrap_or(Err(NoAnswer::TimedOut))
        })?
    }

    /// Sends a request and blocks until the answer begins; the limit is one of real time, for its beginning and for its
    /// body each.
    pub(super) fn open(&self, io: &Io, request: Request<Bytes>, limit: Duration) -> Result<(Parts, Chunks), NoAnswer> {
        let client = self.clone();
        let begun = io.run(async move {
            let begun = tokio::time::timeout(limit, client.begin(request)).await;
            begun.unwrap_or(Err(NoAnswer::TimedOut))
        })?;
        let (connection, answer) = begun?;
        let (parts, body) = answer.into_parts();
        let (sender, chunks) = mpsc::channel(AHEAD);
        let client = self.clone();
        io.start_task(async move {
            let passed = tokio::time::timeout(limit, client.pass_on(connection, body, &sender)).await;
            if let Err(why) = passed.unwrap_or(Err(NoAnswer::TimedOut)) {
                let _ = sender.send(Err(why)).await;
            }
        })?;
        Ok((parts, Chunks(chunks)))
    }

    async fn pass_on(
        &self,
        connection: Connection,
        mut body: Incoming,
        sender: &mpsc::Sender<Result<Bytes, NoAnswer>>,
    ) -> Result<(), NoAnswer> {
        while let Some(frame) = body.frame().await {
            let Ok(chunk) = frame.map_err(NoAnswer::broken)?.into_data() else { continue };
            if sender.send(Ok(chunk)).await.is_err() {
                // Nobody wants the rest: the connection is not kept.
                return Ok(());
            }
        }
        self.keep(connection);
        Ok(())
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, NoAnswer> {
        let (connection, answer) = self.begin(request).await?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(NoAnswer::broken)?.to_bytes();
        self.keep(connection);
        Ok(Response::from_parts(parts, body))
    }

    /// Sends a request; gives back the connection and the answer as far as its headers.
    async fn begin(&self, request: Request<Bytes>) -> Result<(Connection, Response<Incoming>), NoAnswer> {
        // A server may close a kept connection at any time: then the request goes through a new one.
        if let Some(kept) = self.take()
            && let Ok(begun) = self.begin_on(kept, request.clone()).await
        {
            return Ok(begun);
        }
        self.begin_on(self.connect().await?, request).await
    }

    async fn begin_on(
        &self,
        mut connection: Connection,
        request: Request<Bytes>,
    ) -> Result<(Connection, Response<Incoming>), NoAnswer> {
        connection.ready().await.map_err(NoAnswer::broken)?;
        let (mut parts, body) = request.into_parts();
        if let Ok(host) = http::HeaderValue::from_str(&self.0.address.to_string()) {
            parts.headers.insert(http::header::HOST, host);
        }
        let answer = connection.send_request(Request::from_parts(parts, Full::new(body))).await;
        Ok((connection, answer.map_err(NoAnswer::broken)?))
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
