use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use super::Endpoint;
use super::removal::Removal;
use crate::aws::ServiceCall;
use crate::{Error, ErrorKind, Result};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// A deletion that is about to happen; `.await` it.
///
/// The endpoint goes first, because it is what costs money, then its configuration, then (if asked) its models. The
/// service refuses to delete an endpoint that is being created or updated, so that is waited for. A part that is gone
/// already is fine, so a deletion that failed half-way can be repeated. If the endpoint cannot be deleted, configuration
/// and models are kept, as it needs them.
///
/// # Errors
/// The first failure, after everything was tried; its text lists all parts. [`ErrorKind::DeadlineExceeded`] if the
/// endpoint was still there once the time-out had passed. [`ErrorKind::NotFound`] if there is neither such an endpoint nor
/// a configuration of its name.
#[derive(Debug)]
#[must_use = "nothing is deleted until it is awaited"]
pub struct DeleteEndpoint {
    endpoint: Endpoint,
    with_models: bool,
    wait: Option<Duration>,
    must_exist: bool,
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
    /// It was left as it is: the endpoint that uses it is still there, or what tells its name could not be read.
    Kept,
    /// It is still there.
    Failed(Error),
}

impl DeletionReport {
    /// Whether every part is gone or about to go.
    pub fn is_complete(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part.deletion, Deletion::Failed(_) | Deletion::Kept))
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
            Some(Deletion::Failed(error)) => Err(error.reworded(text)),
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
                Deletion::Kept => f.write_str("was kept")?,
                Deletion::Failed(error) => write!(f, "was NOT deleted ({error})")?,
            }
        }
        Ok(())
    }
}

impl DeleteEndpoint {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, with_models: false, wait: Some(DEFAULT_TIMEOUT), must_exist: true }
    }

    /// Deletes the models behind the endpoint too; their artifacts in S3 stay.
    pub fn with_models(mut self) -> Self {
        self.with_models = true;
        self
    }

    /// How long to wait until the endpoint can be deleted and is gone. Default: 30 minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.wait = Some(timeout);
        self
    }

    /// Does not wait until the endpoint is gone, only until the service has accepted the deletion. An endpoint that is being
    /// created or updated cannot be deleted then, which is [`ErrorKind::Conflict`].
    pub fn no_wait(mut self) -> Self {
        self.wait = None;
        self
    }

    /// Makes nothing being there at all no error: for those who want it gone, whoever has deleted it.
    pub(super) fn or_gone(mut self) -> Self {
        self.must_exist = false;
        self
    }

    async fn run(self) -> Result<DeletionReport> {
        let endpoint = &self.endpoint;
        let mut removal = Removal::new(endpoint);
        let (removed, missing) = match removal.run(self.wait).await {
            Err(error) if error.kind() == ErrorKind::NotFound => (Ok(Deletion::AlreadyGone), Some(error)),
            removed => (removed, None),
        };
        // What this crate deploys has a configuration of the endpoint's own name.
        let config = removal.config.unwrap_or_else(|| endpoint.name().to_owned());

        let mut report = DeletionReport { parts: Vec::new() };
        report.note("endpoint", endpoint.name(), removed);
        // A live endpoint needs its configuration and models, if only to tell what it runs on.
        let gone = report.is_complete();
        let models = if self.with_models { endpoint.models_of(&config).await } else { Ok(Vec::new()) };
        // Once the configuration is gone, nothing tells the models any more.
        let models_told = models.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::NotFound);
        let sagemaker = endpoint.session().aws().sagemaker();
        let deleted = if gone && models_told {
            let deleted = sagemaker.delete_endpoint_config().endpoint_config_name(&config).send().await;
            deleted.of("DeleteEndpointConfig").map(|_| Deletion::Deleted)
        } else {
            Ok(Deletion::Kept)
        };
        report.note("endpoint configuration", &config, deleted);
        match models {
            Ok(models) => {
                for model in models {
                    let deleted = if gone {
                        let deleted = sagemaker.delete_model().model_name(&model).send().await;
                        deleted.of("DeleteModel").map(|_| Deletion::Deleted)
                    } else {
                        Ok(Deletion::Kept)
                    };
                    report.note("model", &model, deleted);
                }
            }
            Err(_) if !gone || models_told => report.note("model", "(unknown)", Ok(Deletion::Kept)),
            Err(error) => report.note("model", "(unknown)", Err(error)),
        }
        tracing::debug!(%report, "deleted");
        match missing {
            Some(error) if self.must_exist && matches!(report.parts[1].deletion, Deletion::AlreadyGone) => {
                let text =
                    format!("there is neither an endpoint {} nor an endpoint configuration {config}", endpoint.name());
                Err(error.reworded(text))
            }
            _ => report.into_result(),
        }
    }
}

impl IntoFuture for DeleteEndpoint {
    type Output = Result<DeletionReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
