use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use super::Endpoint;
use crate::aws::ServiceCall;
use crate::poll::Polled;
use crate::{Error, ErrorKind, Result};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// A deletion that is about to happen; `.await` it.
///
/// The endpoint goes first, because it is what costs money, then its configuration, then (if asked) its models. A part
/// that is gone already is fine; a part that fails does not keep the others.
///
/// # Errors
/// The first failure, after everything was tried; its text lists all parts. [`ErrorKind::NotFound`] if there is no such
/// endpoint.
#[derive(Debug)]
#[must_use = "nothing is deleted until it is awaited"]
pub struct DeleteEndpoint {
    endpoint: Endpoint,
    with_models: bool,
    wait: Option<Duration>,
}

/// What became of each part, in the order in which they were deleted.
#[derive(Debug)]
pub struct DeletionReport {
    /// One entry a part.
    pub parts: Vec<Deleted>,
}

/// One part of a deletion.
#[derive(Debug)]
#[non_exhaustive]
pub struct Deleted {
    /// `endpoint`, `endpoint configuration` or `model`.
    pub resource: &'static str,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub deletion: Deletion,
}

/// What became of a part.
#[derive(Debug)]
#[non_exhaustive]
pub enum Deletion {
    /// It is gone.
    Deleted,
    /// The service has accepted the deletion and was not waited for.
    Accepted,
    /// It was gone before.
    AlreadyGone,
    /// It is still there.
    Failed(Error),
}

impl DeletionReport {
    /// Whether every part is gone or about to go.
    pub fn is_complete(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part.deletion, Deletion::Failed(_)))
    }

    fn note(&mut self, resource: &'static str, name: &str, deleted: Result<Deletion>) {
        let deletion = match deleted {
            Ok(deletion) => deletion,
            Err(error) if error.kind() == ErrorKind::NotFound => Deletion::AlreadyGone,
            Err(error) => Deletion::Failed(error),
        };
        self.parts.push(Deleted { resource, name: name.to_owned(), deletion });
    }

    fn into_result(self) -> Result<Self> {
        let text = self.to_string();
        let failed = self.parts.iter().position(|part| matches!(part.deletion, Deletion::Failed(_)));
        let Some(index) = failed else { return Ok(self) };
        match self.parts.into_iter().nth(index).map(|part| part.deletion) {
            Some(Deletion::Failed(error)) => Err(Error::new(error.kind(), text).with_source(error)),
            _ => unreachable!("the position of a failed part"),
        }
    }
}

impl fmt::Display for DeletionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} {} ", part.resource, part.name)?;
            match &part.deletion {
                Deletion::Deleted => f.write_str("deleted")?,
                Deletion::Accepted => f.write_str("is being deleted")?,
                Deletion::AlreadyGone => f.write_str("was gone already")?,
                Deletion::Failed(error) => write!(f, "was NOT deleted ({error})")?,
            }
        }
        Ok(())
    }
}

impl DeleteEndpoint {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, with_models: false, wait: Some(DEFAULT_TIMEOUT) }
    }

    /// Deletes the models behind the endpoint too; their artifacts in S3 stay.
    pub fn with_models(mut self) -> Self {
        self.with_models = true;
        self
    }

    /// How long to wait until the endpoint is gone. Default: 30 minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.wait = Some(timeout);
        self
    }

    /// Does not wait until the endpoint is gone, only until the service has accepted the deletion.
    pub fn no_wait(mut self) -> Self {
        self.wait = None;
        self
    }

    async fn run(self) -> Result<DeletionReport> {
        let endpoint = &self.endpoint;
        let sagemaker = endpoint.session().aws().sagemaker();
        let described = endpoint.describe().await?;
        let config = described.config_name().unwrap_or(endpoint.name()).to_owned();
        // Once the configuration is gone, nothing tells the models any more.
        let models = if self.with_models { endpoint.models_of(&config).await } else { Ok(Vec::new()) };

        let mut report = DeletionReport { parts: Vec::new() };
        report.note("endpoint", endpoint.name(), self.delete_endpoint().await);
        let deleted = sagemaker.delete_endpoint_config().endpoint_config_name(&config).send().await;
        let deleted = deleted.of("DeleteEndpointConfig").map(|_| Deletion::Deleted);
        report.note("endpoint configuration", &config, deleted);
        match models {
            Ok(models) => {
                for model in models {
                    let deleted = sagemaker.delete_model().model_name(&model).send().await.of("DeleteModel");
                    report.note("model", &model, deleted.map(|_| Deletion::Deleted));
                }
            }
            Err(error) => report.note("model", "(unknown)", Err(error)),
        }
        tracing::debug!(%report, "deleted");
        report.into_result()
    }

    async fn delete_endpoint(&self) -> Result<Deletion> {
        let endpoint = &self.endpoint;
        let request = endpoint.session().aws().sagemaker().delete_endpoint().endpoint_name(endpoint.name());
        request.send().await.of("DeleteEndpoint")?;
        let Some(timeout) = self.wait else { return Ok(Deletion::Accepted) };
        let poller = endpoint.session().poller(Some(timeout));
        let what = format!("endpoint {}", endpoint.name());
        let gone = poller.until(&what, || async {
            match endpoint.describe().await {
                Ok(description) => Ok(Polled::Pending(description.status().as_str().to_owned())),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Polled::Ready(())),
                Err(error) => Err(error),
            }
        });
        gone.await.map(|()| Deletion::Deleted)
    }
}

impl IntoFuture for DeleteEndpoint {
    type Output = Result<DeletionReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
