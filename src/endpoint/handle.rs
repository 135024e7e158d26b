use std::future::Future;

use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput;

use super::{DeleteEndpoint, EndpointGuard, EndpointStatus, WaitInService};
use crate::aws::ServiceCall;
use crate::predictor::Predictor;
use crate::types::ResourceName;
use crate::{Result, Session};

/// A handle to an endpoint: a name, cheap to clone.
///
/// # Dropping
/// Dropping the handle deletes nothing, and the endpoint goes on costing money. Call [`delete`](Self::delete), run the
/// work in [`scoped`](Self::scoped), which always deletes, or hold a [`guard`](Self::guard).
#[derive(Debug, Clone)]
pub struct Endpoint {
    session: Session,
    name: ResourceName,
}

/// What the service tells of an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointDescription(DescribeEndpointOutput);

impl EndpointDescription {
    /// All that the service told.
    pub fn raw(&self) -> &DescribeEndpointOutput {
        &self.0
    }

    /// Where it stands.
    pub fn status(&self) -> EndpointStatus {
        self.0.endpoint_status().map_or("", |status| status.as_str()).into()
    }

    /// Why it, or its last update, failed.
    pub fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason()
    }

    /// The name of its configuration.
    pub fn config_name(&self) -> Option<&str> {
        self.0.endpoint_config_name()
    }
}

impl Endpoint {
    pub(super) fn new(session: Session, name: ResourceName) -> Self {
        Self { session, name }
    }

    /// A handle to an endpoint that is there already; asks once whether it is.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such endpoint.
    pub async fn attach(session: &Session, name: impl AsRef<str>) -> Result<Self> {
        let endpoint = Self::new(session.clone(), ResourceName::new(name.as_ref())?);
        endpoint.describe().await?;
        Ok(endpoint)
    }

    pub(super) fn resource_name(&self) -> &ResourceName {
        &self.name
    }

    /// The endpoint's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The session that the handle was made from.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Asks the service once.
    pub async fn describe(&self) -> Result<EndpointDescription> {
        let asked = self.session.aws().sagemaker().describe_endpoint().endpoint_name(self.name()).send().await;
        asked.of("DescribeEndpoint").map(EndpointDescription)
    }

    /// Waits until it answers requests.
    pub fn wait_in_service(&self) -> WaitInService {
        WaitInService::new(self.clone())
    }

    /// Sends values through the serializer, and gives answers through the deserializer.
    pub fn predictor<S, D>(&self, serializer: S, deserializer: D) -> Predictor<S, D> {
        Predictor::new(self.session.aws().runtime().clone(), self.name(), serializer, deserializer)
    }

    /// Deletes the endpoint and then its configuration: `.await` it; `.with_models()` deletes the models too.
    pub fn delete(&self) -> DeleteEndpoint {
        DeleteEndpoint::new(self.clone())
    }

    /// Runs the work and then always deletes the endpoint and its configuration, however the work ended.
    ///
    /// A panic in the work is passed on after the deletion. If the deletion fails, or the future itself is dropped, the
    /// deletion is queued for [`Session::drain`]. Work that has deleted the endpoint itself is fine.
    ///
    /// # Errors
    /// The work's error; if the work went well, the deletion's.
    pub async fn scoped<T, E>(&self, work: impl AsyncFnOnce(&Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<crate::Error>,
    {
        use futures_util::FutureExt;
        let guard = self.guard();
        let ended = std::panic::AssertUnwindSafe(work(self)).catch_unwind().await;
        let deleted = guard.delete().await;
        if let Err(error) = &deleted {
            tracing::error!(
                endpoint = self.name(),
                %error,
                "the endpoint was not deleted and goes on costing money: session.drain().await tries again"
            );
        }
        match ended {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(Ok(value)) => deleted.map(|_| value).map_err(E::from),
            Ok(Err(error)) => Err(error),
        }
    }

    /// Queues the deletion on the session when it is dropped; `session.drain().await` carries it out.
    pub fn guard(&self) -> EndpointGuard {
        EndpointGuard::new(self.clone())
    }

    /// The names of the models behind it.
    pub(super) fn models_of(&self, config_name: &str) -> impl Future<Output = Result<Vec<String>>> + Send {
        let request = self.session.aws().sagemaker().describe_endpoint_config().endpoint_config_name(config_name);
        async move {
            let config = request.send().await.of("DescribeEndpointConfig")?;
            let mut models = Vec::new();
            for variant in config.production_variants().iter().chain(config.shadow_production_variants()) {
                if let Some(model) = variant.model_name()
                    && !models.iter().any(|known| known == model)
                {
                    models.push(model.to_owned());
                }
            }
            Ok(models)
        }
    }
}
