//! The part of a deletion that stops the bill: the endpoint itself.

use std::time::Duration;

use super::{Deletion, Endpoint, EndpointStatus};
use crate::aws::ServiceCall;
use crate::poll::Polled;
use crate::{ErrorKind, Result};

/// Waits until the endpoint can be deleted, asks for it, and waits until it is gone.
pub(super) struct Removal<'a> {
    endpoint: &'a Endpoint,
    /// The name of its configuration, once a description has told it.
    pub(super) config: Option<String>,
    /// The service is deleting it.
    accepted: bool,
    /// The last request was refused although the endpoint had seemed to rest.
    refused: bool,
}

impl<'a> Removal<'a> {
    pub(super) fn new(endpoint: &'a Endpoint) -> Self {
        Self { endpoint, config: None, accepted: false, refused: false }
    }

    /// # Errors
    /// [`ErrorKind::NotFound`] if there was no endpoint to delete.
    pub(super) async fn run(&mut self, timeout: Option<Duration>) -> Result<Deletion> {
        if timeout.is_none() {
            return Ok(match self.step(false).await? {
                Polled::Ready(deletion) => deletion,
                Polled::Pending(_) | Polled::PendingAtMost(..) => Deletion::Accepted,
            });
        }
        let mut poller = self.endpoint.session().poller(timeout);
        let what = format!("endpoint {}", self.endpoint.name());
        let mut state = "there".to_owned();
        loop {
            let step = self.step(true).await;
            match poller.tolerate(step) {
                Ok(Some(Polled::Ready(deletion))) => return Ok(deletion),
                Ok(Some(Polled::Pending(now) | Polled::PendingAtMost(now, _))) => state = now,
                Ok(None) => {}
                Err(error) if self.accepted => {
                    tracing::warn!(endpoint = self.endpoint.name(), %error, "it is being deleted, but cannot be watched");
                    return Ok(Deletion::Accepted);
                }
                Err(error) => return Err(error),
            }
            poller.pause_or_miss(&what, &state).await?;
        }
    }

    /// Looks once, and asks for the deletion if that is due. Pending without waiting means accepted.
    async fn step(&mut self, waiting: bool) -> Result<Polled<Deletion>> {
        let status = match self.endpoint.describe().await {
            Ok(description) => {
                self.config = description.config_name().map(str::to_owned).or(self.config.take());
                Some(description.status())
            }
            Err(error) if error.kind() == ErrorKind::NotFound && self.accepted => {
                return Ok(Polled::Ready(Deletion::Deleted));
            }
            Err(error) if error.kind() == ErrorKind::NotFound || self.accepted => return Err(error),
            Err(error) => {
                // Deleting takes no description, and the endpoint costs money by the second.
                tracing::debug!(endpoint = self.endpoint.name(), %error, "cannot tell how it stands, deletes it anyway");
                None
            }
        };
        match status {
            Some(EndpointStatus::Deleting) => self.accepted = true,
            // The description lags behind.
            Some(_) if self.accepted => {}
            Some(
                status @ (EndpointStatus::Creating
                | EndpointStatus::Updating
                | EndpointStatus::SystemUpdating
                | EndpointStatus::RollingBack),
            ) if waiting => {
                self.refused = false;
                return Ok(Polled::Pending(status.as_str().to_owned()));
            }
            status => return self.ask(status, waiting).await,
        }
        Ok(Polled::Pending(EndpointStatus::Deleting.as_str().to_owned()))
    }

    async fn ask(&mut self, status: Option<EndpointStatus>, waiting: bool) -> Result<Polled<Deletion>> {
        let request = self.endpoint.session().aws().sagemaker().delete_endpoint().endpoint_name(self.endpoint.name());
        let Err(error) = request.send().await.of("DeleteEndpoint") else {
            self.accepted = true;
            return Ok(Polled::Pending(EndpointStatus::Deleting.as_str().to_owned()));
        };
        let may_change = match error.kind() {
            ErrorKind::Conflict if status.is_none() => true,
            // It may have left its rest between the two calls; the next look tells.
            ErrorKind::Conflict | ErrorKind::Rejected => !self.refused && status.is_some(),
            _ => false,
        };
        if !waiting || !may_change {
            return Err(error);
        }
        self.refused = true;
        Ok(Polled::Pending(format!("not to be deleted ({error})")))
    }
}
