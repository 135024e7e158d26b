use std::ops::Deref;

use super::{DeletionReport, Endpoint};
use crate::Result;

/// Deletes its endpoint when it is dropped: the deletion is queued on the session, and
/// [`Session::drain`](crate::Session::drain) carries it out, as there is no async drop.
///
/// ```no_run
/// # async fn run(session: sagemaker::Session, model: sagemaker::model::Model) -> sagemaker::Result<()> {
/// # use sagemaker::types::Compute;
/// let guard = model.deploy(Compute::instances("ml.m5.large", 1)).await?.guard();
/// // predict with `guard` as with the endpoint; return early with `?` as you like
/// drop(guard);
/// let drained = session.drain().await;
/// assert!(drained.failed.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard at once queues the deletion at once"]
pub struct EndpointGuard(Option<Endpoint>);

impl EndpointGuard {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self(Some(endpoint))
    }

    /// Deletes now. An endpoint that is gone already is fine.
    ///
    /// # Errors
    /// As [`Endpoint::delete`]. The deletion is queued then, and [`Session::drain`](crate::Session::drain) tries again.
    pub async fn delete(mut self) -> Result<DeletionReport> {
        // Disarmed only afterwards: if it fails, or this future is dropped half-way, the deletion is queued after all.
        let deleted = self.deref().delete().or_gone().await?;
        self.0 = None;
        Ok(deleted)
    }

    /// Lets the endpoint live on, and gives the plain handle.
    pub fn keep(mut self) -> Endpoint {
        let Some(endpoint) = self.0.take() else { unreachable!("only a consumed guard is empty") };
        endpoint
    }
}

impl Deref for EndpointGuard {
    type Target = Endpoint;

    fn deref(&self) -> &Endpoint {
        let Some(endpoint) = &self.0 else { unreachable!("only a consumed guard is empty") };
        endpoint
    }
}

impl Drop for EndpointGuard {
    fn drop(&mut self) {
        if let Some(endpoint) = self.0.take() {
            endpoint.session().pending().push(endpoint.resource_name().clone(), |session, name| {
                Box::pin(async move { Endpoint::new(session, name).delete().or_gone().await.map(drop) })
            });
        }
    }
}
