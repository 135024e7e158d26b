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

    /// Deletes now.
    ///
    /// # Errors
    /// As [`Endpoint::delete`].
    pub async fn delete(mut self) -> Result<DeletionReport> {
        let Some(endpoint) = self.0.clone() else { unreachable!("only a consumed guard is empty") };
        // Disarmed only afterwards: if this future is dropped half-way, the deletion is queued after all.
        let deleted = endpoint.delete().await;
        self.0 = None;
        deleted
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
        let Some(endpoint) = self.0.take() else { return };
        let session = endpoint.session().clone();
        session.pending().push(async move {
            match endpoint.delete().await {
                Err(error) if error.kind() == crate::ErrorKind::NotFound => Ok(endpoint.name().to_owned()),
                deleted => deleted.map(|_| endpoint.name().to_owned()),
            }
        });
    }
}
