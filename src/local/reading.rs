//! Time must not jump while a request is handled, but a sender that is slow must not hold it up either.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::clock::{BusyGuard, LocalClock};

/// Keeps time from jumping while a request is handled, except while its body is waited for.
pub(super) struct Handling {
    clock: LocalClock,
    guard: Arc<Mutex<Option<BusyGuard>>>,
}

impl Handling {
    pub(super) fn new(clock: &LocalClock) -> Self {
        Self { clock: clock.clone(), guard: Arc::new(Mutex::new(Some(clock.busy()))) }
    }

    /// The request's body; one that is in memory is never waited for and stays as it is.
    pub(super) fn read(&self, body: SdkBody) -> SdkBody {
        if body.bytes().is_some() {
            return body;
        }
        SdkBody::from_body_1_x(Reading { body, clock: self.clock.clone(), guard: self.guard.clone() })
    }

    /// Lets virtual time pass before the request is handled.
    pub(super) async fn sleep(&self, time: Duration) {
        let guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner).take();
        let guard = self.clock.rest(time, guard).await;
        let before = self.guard.lock().unwrap_or_else(PoisonError::into_inner).replace(guard);
        drop(before);
    }
}

struct Reading {
    body: SdkBody,
    clock: LocalClock,
    guard: Arc<Mutex<Option<BusyGuard>>>,
}

impl Reading {
    fn guard(&self) -> MutexGuard<'_, Option<BusyGuard>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resume(&self) {
        let busy = self.clock.busy();
        self.guard().get_or_insert(busy);
    }
}

impl Body for Reading {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending() {
            let freed = this.guard().take();
            drop(freed); // after the lock: a jump of time wakes others
        } else {
            this.resume();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.resume();
    }
}
