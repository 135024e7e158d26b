//! Keeps the protocol crate from logging: it would log each refused request as an error, malformed ones with their body.

use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::dispatcher::{self, Dispatch};

/// A future that logs nothing.
pub(super) struct Quiet<F>(Pin<Box<F>>, Dispatch);

impl<F> Quiet<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Box::pin(future), Dispatch::none())
    }
}

impl<F: Future> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self(future, nobody) = &mut *self;
        dispatcher::with_default(nobody, || future.as_mut().poll(context))
    }
}
