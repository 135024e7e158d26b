use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use aws_sdk_sagemaker::types as sdk;

use super::Endpoint;
use super::wait::DEFAULT_TIMEOUT;
use crate::aws::ServiceCall;
use crate::error::Problems;
use crate::model::Model;
use crate::types::{Compute, ResourceName, Tags};
use crate::{Error, ErrorKind, Result, Session};

/// A deployment that is about to start; `.await` it for an endpoint that is in service.
///
/// If a step fails, what the earlier steps have created is removed again (the model stays). A missed deadline removes
/// nothing: an endpoint cannot be deleted while it is being created, so the error tells its name.
#[must_use = "nothing is deployed until it is awaited"]
pub struct Deploy {
    session: Session,
    model: String,
    compute: Compute,
    endpoint_name: Option<String>,
    variant_name: String,
    tags: Tags,
    wait: Option<Duration>,
}

impl Model {
    /// Deploys the model to an endpoint of its own: `.await` it for an endpoint that is in service.
    pub fn deploy(&self, compute: Compute) -> Deploy {
        Deploy::new(self, compute)
    }
}

impl Deploy {
    fn new(model: &Model, compute: Compute) -> Self {
        Self {
            session: model.session().clone(),
            model: model.name().to_owned(),
            compute,
            endpoint_name: None,
            variant_name: "AllTraffic".to_owned(),
            tags: Tags::default(),
            wait: Some(DEFAULT_TIMEOUT),
        }
    }

    /// The endpoint's name, and that of its configuration. Default: the model's name.
    pub fn endpoint_name(mut self, name: impl Into<String>) -> Self {
        self.endpoint_name = Some(name.into());
        self
    }

    /// The name of the production variant. Default: `AllTraffic`.
    pub fn variant_name(mut self, name: impl Into<String>) -> Self {
        self.variant_name = name.into();
        self
    }

    /// Tags of the endpoint and its configuration. Default: none.
    pub fn tags(mut self, tags: impl Into<Tags>) -> Self {
        self.tags = tags.into();
        self
    }

    /// How long to wait for the endpoint to be in service. Default: 1 hour.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.wait = Some(timeout);
        self
    }

    /// Returns as soon as the service has accepted it; [`Endpoint::wait_in_service`] waits.
    pub fn no_wait(mut self) -> Self {
        self.wait = None;
        self
    }

    async fn start(self) -> Result<Endpoint> {
        let mut problems = Problems::default();
        let compute = problems.check("compute", self.compute.checked());
        let name = match &self.endpoint_name {
            Some(name) => problems.check("endpoint_name", ResourceName::new(name.as_str())),
            None => problems.check("model", ResourceName::new(self.model.as_str())),
        };
        let variant = problems.check("variant_name", ResourceName::new(self.variant_name.as_str()));
        if compute.as_ref().is_some_and(|compute| compute.volume_gb.is_some()) {
            problems.push("compute.volume_gb", "cannot be chosen for endpoints");
        }
        self.tags.validate(&mut problems);
        problems.into_result()?;
        let (Some(compute), Some(name), Some(variant)) = (compute, name, variant) else {
            unreachable!("each missing part is a problem above")
        };

        let sagemaker = self.session.aws().sagemaker();
        let tags = |(key, value)| sdk::Tag::builder().key(key).value(value).build();
        let tags: Vec<_> = self.tags.iter().map(tags).collect();
        let variant = sdk::ProductionVariant::builder()
            .variant_name(variant.as_str())
            .model_name(&self.model)
            .instance_type(sdk::ProductionVariantInstanceType::from(compute.instance_type.as_str()))
            .initial_instance_count(compute.count)
            .initial_variant_weight(1.0)
            .build();
        tracing::debug!(endpoint = %name, model = %self.model, "deploy");
        let config =
            sagemaker.create_endpoint_config().endpoint_config_name(name.as_str()).production_variants(variant);
        let config = config.set_tags((!tags.is_empty()).then(|| tags.clone())).send().await.of("CreateEndpointConfig");
        config.map_err(|error| taken("endpoint configuration", &name, error))?;

        let endpoint = Endpoint::new(self.session.clone(), name);
        let created = sagemaker.create_endpoint().endpoint_name(endpoint.name()).endpoint_config_name(endpoint.name());
        if let Err(error) = created.set_tags(Some(tags)).send().await.of("CreateEndpoint") {
            let undone = sagemaker.delete_endpoint_config().endpoint_config_name(endpoint.name()).send().await;
            if let Err(left) = undone.of("DeleteEndpointConfig") {
                tracing::warn!(config = endpoint.name(), error = %left, "the configuration was not removed again");
            }
            return Err(match ResourceName::new(endpoint.name()) {
                Ok(name) => taken("endpoint", &name, error),
                Err(_) => error,
            });
        }
        let Some(timeout) = self.wait else { return Ok(endpoint) };
        match endpoint.wait_in_service().timeout(timeout).await {
            Ok(_) => Ok(endpoint),
            Err(error) if matches!(error.kind(), ErrorKind::EndpointFailed | ErrorKind::Capacity) => {
                if let Err(left) = endpoint.delete().await {
                    tracing::error!(endpoint = endpoint.name(), error = %left, "the failed endpoint was not deleted");
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

fn taken(noun: &str, name: &ResourceName, error: Error) -> Error {
    if error.kind() != ErrorKind::AlreadyExists {
        return error;
    }
    let text = format!("there is an {noun} {name} already; pass another .endpoint_name(..), or delete it first");
    Error::new(ErrorKind::AlreadyExists, text).with_source(error)
}

impl IntoFuture for Deploy {
    type Output = Result<Endpoint>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl fmt::Debug for Deploy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deploy").field("model", &self.model).field("compute", &self.compute).finish_non_exhaustive()
    }
}
