use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Endpoint, EndpointDescription, EndpointStatus};
use crate::poll::Polled;
use crate::{Error, ErrorKind, Result};

/// Large models may take half an hour to load.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// A wait until an endpoint is in service; `.await` it.
///
/// # Errors
/// [`ErrorKind::EndpointFailed`] with the reason if it comes to a status from which it does not get there,
/// [`ErrorKind::Conflict`] if it was in service before and an update that this wait has watched failed (it goes on with
/// the old configuration; an update that had failed before is in [`EndpointDescription::failure_reason`]),
/// [`ErrorKind::DeadlineExceeded`] once the time-out has passed.
#[derive(Debug)]
#[must_use = "a wait does nothing until it is awaited"]
pub struct WaitInService {
    endpoint: Endpoint,
    timeout: Duration,
}

impl WaitInService {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, timeout: DEFAULT_TIMEOUT }
    }

    /// How long to wait at most. Default: 1 hour.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn wait(self) -> Result<EndpointDescription> {
        let name = self.endpoint.name();
        let poller = self.endpoint.session().poller(Some(self.timeout));
        let what = format!("endpoint {name}");
        // The service keeps the reason of a failed update till the next one: it may be an old story.
        let watched = AtomicBool::new(false);
        let settled = poller.until(&what, || async {
            let description = self.endpoint.describe().await?;
            Ok(match description.status() {
                EndpointStatus::Deleting => Polled::Ready(description),
                status if status.is_under_way() => {
                    watched.store(true, Ordering::Relaxed);
                    Polled::Pending(status.as_str().to_owned())
                }
                _ => Polled::Ready(description),
            })
        });
        let settled = settled.await?;
        let reason = settled.failure_reason();
        let logs = see_more(&self.endpoint);
        match (settled.status(), reason) {
            (EndpointStatus::InService, Some(reason)) if watched.into_inner() => {
                let text =
                    format!("the update of {name} failed and the old configuration answers on: {reason}; {logs}");
                Err(Error::new(ErrorKind::Conflict, text))
            }
            (EndpointStatus::InService, _) => Ok(settled),
            (status, reason) => {
                let reason = reason.unwrap_or("no reason was given");
                let kind =
                    if reason.contains("CapacityError") { ErrorKind::Capacity } else { ErrorKind::EndpointFailed };
                Err(Error::new(kind, format!("{name} is {status}: {reason}; {logs}")))
            }
        }
    }
}

impl IntoFuture for WaitInService {
    type Output = Result<EndpointDescription>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

/// Where to read on. No AWS CLI reaches a backend inside this process.
fn see_more(endpoint: &Endpoint) -> String {
    let group = format!("/aws/sagemaker/Endpoints/{}", endpoint.name());
    let session = endpoint.session();
    if session.is_local() {
        return format!("its logs: session.aws().logs().filter_log_events().log_group_name(\"{group}\")");
    }
    format!("its logs: aws logs tail {group} --region {}", session.region())
}
