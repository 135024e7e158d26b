//! One connection: request after request, as HTTP/1.1 has it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use aws_smithy_types::body::SdkBody;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::connections::Connection;
use super::host::Hosts;
use super::limits::{Limits, MAX_HEAD};
use super::socket::Socket;
use super::upload::{self, Budget, Share};
use crate::local::backend::LocalBackend;
use crate::local::faults::Broken;
use crate::local::wire;

const TEXT: &str = "text/plain; charset=utf-8";

/// What every connection of a server shares.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) backend: LocalBackend,
    pub(super) hosts: Arc<Hosts>,
    pub(super) limits: Limits,
    pub(super) budget: Arc<Budget>,
}

/// Serves a connection until either side closes it, or the server stops.
pub(super) async fn serve(
    stream: TcpStream,
    shared: Shared,
    connection: Arc<Connection>,
    mut stopped: watch::Receiver<bool>,
) {
    let Limits { head, body, grace, .. } = shared.limits;
    // An answer is written whole: waiting for more to send would only delay it.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Socket::new(stream, body, connection.clone()));
    let service = {
        let connection = connection.clone();
        service_fn(move |request| {
            let (shared, connection, under_way) = (shared.clone(), connection.clone(), connection.begin());
            async move {
                let answer = answer(&shared, &connection, request).await;
                drop(under_way);
                answer
            }
        })
    };
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(MAX_HEAD)
        // Who has sent all that it wants to send may say so, and still wants the answer.
        .half_close(true)
        .serve_connection(io, service);
    tokio::pin!(serving);
    tokio::select! {
        // Errors are the other side's: a reset, a time-out, or what is no HTTP, which has been answered with 400.
        _ = &mut serving => return,
        // Nobody knows how long the other side would still take, and others are waiting.
        () = connection.close.told.notified() => if connection.is_stalled() { return },
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    if connection.is_busy() {
        serving.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(grace, serving).await;
    }
}

/// Answers a request, or refuses it before the backend hears of it. An error closes the connection without an answer.
async fn answer(
    shared: &Shared,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<SdkBody>, Broken> {
    if let Err(refusal) = shared.hosts.check(&request) {
        let mut answer = wire::answer(refusal.status, TEXT, refusal.text);
        wire::set(&mut answer, "x-content-type-options", "nosniff");
        return Ok(answer);
    }
    if connection.is_ambiguous.load(Ordering::Relaxed) {
        let mut answer = wire::answer(400, TEXT, "A request has either a Content-Length or a Transfer-Encoding.\n");
        wire::set(&mut answer, "connection", "close");
        return Ok(answer);
    }
    // Held until the request is answered: what was received is in memory for as long.
    let share = Share::new(&shared.budget);
    let request = request.map(|incoming| upload::body(incoming, shared.limits.body, &share, connection));
    Box::pin(shared.backend.exchange(request)).await
}
