//! The body of a request as it comes in: bounded in time, and in memory over all connections.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::connections::Connection;
use super::limits::{FREE, MIN_RATE};

/// Bytes of bodies that are held for requests under way, and how many may be.
///
/// One request at a time may go beyond the limit, so that the largest upload of S3 is possible whatever the limit is.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    used: AtomicU64,
    /// Whether a request is beyond the limit.
    beyond: AtomicBool,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0), beyond: AtomicBool::new(false) })
    }
}

/// What one request holds of the budget, given back when the request is done.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    held: AtomicU64,
    /// Bytes that count for nobody: small requests are served while large ones fill the memory.
    free: AtomicU64,
    /// Whether it is the one that is beyond the limit.
    beyond: AtomicBool,
}

impl Share {
    pub(super) fn new(budget: &Arc<Budget>) -> Arc<Self> {
        Arc::new(Self {
            budget: budget.clone(),
            held: AtomicU64::new(0),
            free: AtomicU64::new(FREE),
            beyond: AtomicBool::new(false),
        })
    }

    /// Takes more; false if there is not so much left.
    fn take(&self, bytes: u64) -> bool {
        // A body is received by one task at a time.
        let free = self.free.load(Ordering::Relaxed).min(bytes);
        self.free.fetch_sub(free, Ordering::Relaxed);
        let bytes = bytes - free;
        if bytes == 0 || self.beyond.load(Ordering::Relaxed) {
            return true;
        }
        let Budget { limit, used, beyond } = &*self.budget;
        if used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= *limit {
            self.held.fetch_add(bytes, Ordering::Relaxed);
            return true;
        }
        used.fetch_sub(bytes, Ordering::Relaxed);
        let first = beyond.compare_exchange(false, true, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        self.beyond.store(first, Ordering::Relaxed);
        first
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(*self.held.get_mut(), Ordering::Relaxed);
        if *self.beyond.get_mut() {
            self.budget.beyond.store(false, Ordering::Relaxed);
        }
    }
}

/// The body for the backend; one that is empty is in memory already.
pub(super) fn body(incoming: Incoming, limit: Duration, share: &Arc<Share>, connection: &Arc<Connection>) -> SdkBody {
    if incoming.is_end_stream() {
        return SdkBody::empty();
    }
    let (share, connection) = (share.clone(), connection.clone());
    SdkBody::from_body_1_x(Upload { incoming, share, connection, limit, began: None, received: 0, timer: None })
}

struct Upload {
    incoming: Incoming,
    share: Arc<Share>,
    connection: Arc<Connection>,
    limit: Duration,
    /// When it was first waited for.
    began: Option<Instant>,
    received: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Upload {
    /// Until when the slowest sender that is waited for would have sent what has come.
    fn earned(&mut self) -> Instant {
        let began = *self.began.get_or_insert_with(Instant::now);
        began + Duration::from_secs(self.received / MIN_RATE)
    }

    /// Until when the next part must have come: a pause is limited, and so is the time for all that has come.
    fn deadline(&mut self) -> Instant {
        (Instant::now() + self.limit).min(self.earned() + self.limit)
    }

    fn late(&mut self, cx: &mut Context<'_>) -> bool {
        if self.timer.is_none() {
            let deadline = self.deadline();
            self.connection.owes_body(true);
            self.timer = Some(Box::pin(tokio::time::sleep_until(deadline)));
        }
        self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.timer = None;
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                this.received += length;
                // A byte now and then does not make up for the wait.
                if this.began.is_some() && this.earned() >= Instant::now() {
                    this.connection.owes_body(false);
                }
                if this.share.take(length) {
                    Poll::Ready(Some(Ok(frame)))
                } else {
                    // Who does not go on with a large body holds up those who would.
                    this.connection.spare_a_stalled_one();
                    Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::OutOfMemory).into())))
                }
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if this.late(cx) => Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.connection.owes_body(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared_and_given_back() {
        let budget = Budget::new(10);
        let share = || {
            let share = Share::new(&budget);
            assert!(share.take(FREE) && share.take(0));
            share
        };
        let (one, other) = (share(), share());
        assert!(one.take(6) && other.take(4));
        // One may go on, however much it is.
        assert!(other.take(1) && other.take(100) && !one.take(1));
        drop(other);
        assert!(one.take(4));
        let another = share();
        assert!(another.take(1) && !one.take(1));
        drop(another);
        drop(one);
        assert_eq!((budget.used.load(Ordering::Relaxed), budget.beyond.load(Ordering::Relaxed)), (0, false));
    }
}
