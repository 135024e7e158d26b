use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use aws_sdk_sagemaker::operation::create_endpoint::builders::CreateEndpointFluentBuilder;
use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::types as sdk;

use super::Endpoint;
use super::wait::DEFAULT_TIMEOUT;
use crate::aws::{RawChanges, ServiceCall};
use crate::error::Problems;
use crate::model::Model;
use crate::session::Found;
use crate::types::{Compute, ResourceName, Tags};
use crate::{Error, ErrorKind, Result, Session};

/// A deployment that is about to start; `.await` it for an endpoint that is in service.
///
/// If a step fails, what the earlier steps have created is removed again (the model stays), and so is an endpoint that
/// fails to come up. If waiting itself fails, by a missed deadline or because asking is refused, nothing is removed: the
/// endpoint comes up and costs money, and the error tells its name and how to get or delete it.
///
/// # Dropping
/// The service learns nothing of a future that is dropped: what was sent by then goes on. Before the configuration and
/// the endpoint are accepted (seconds), either may be left without anyone knowing it but the name, so do not drop it
/// then; afterwards the endpoint comes up and costs money until [`Endpoint::attach`] finds it and it is deleted. Where a
/// wait may be cut off, take a guard first:
///
/// ```no_run
/// # async fn run(session: sagemaker::Session, model: sagemaker::model::Model) -> sagemaker::Result<()> {
/// # use sagemaker::types::Compute;
/// let endpoint = model.deploy(Compute::instances("ml.m5.large", 1)).no_wait().await?.guard();
/// endpoint.wait_in_service().await?; // dropped here, or failed: session.drain() deletes the endpoint
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidInput`] with every refused value before anything is sent; [`ErrorKind::AlreadyExists`] if the name
/// is taken; [`ErrorKind::EndpointFailed`] and [`ErrorKind::Capacity`] with the reason if the endpoint does not come up;
/// [`ErrorKind::DeadlineExceeded`] once the time-out has passed.
#[must_use = "nothing is deployed until it is awaited"]
pub struct Deploy {
    session: Session,
    model: String,
    compute: Compute,
    endpoint_name: Option<String>,
    variant_name: String,
    tags: Tags,
    wait: Option<Duration>,
    changes: RawChanges<CreateEndpointConfigInputBuilder>,
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
            tags: model.inherited_tags().clone(),
            wait: Some(DEFAULT_TIMEOUT),
            changes: RawChanges::default(),
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

    /// Tags of the endpoint and its configuration. Default: for the model of a training job those of the model, else none.
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

    /// Changes the endpoint configuration before it is sent: the door to what this crate has no setter for.
    pub fn map_raw(
        mut self,
        change: impl FnOnce(CreateEndpointConfigInputBuilder) -> CreateEndpointConfigInputBuilder + Send + 'static,
    ) -> Self {
        self.changes.push(change);
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
        let endpoint = Endpoint::new(self.session.clone(), name);
        let config = CreateEndpointConfigInputBuilder::default()
            .endpoint_config_name(endpoint.name())
            .production_variants(variant.clone())
            .set_tags((!tags.is_empty()).then(|| tags.clone()));
        let defaults = self.session.defaults();
        create_config(&endpoint, &variant, self.changes.apply(defaults.endpoint_config(config))).await?;
        let created = sagemaker
            .create_endpoint()
            .endpoint_name(endpoint.name())
            .endpoint_config_name(endpoint.name())
            .set_tags(Some(defaults.endpoint_tags(tags)));
        if let Err(error) = create_endpoint(&endpoint, created).await {
            undo_config(&endpoint).await;
            return Err(error);
        }
        match self.wait {
            Some(timeout) => wait(endpoint, timeout).await,
            None => Ok(endpoint),
        }
    }
}

async fn create_config(
    endpoint: &Endpoint,
    variant: &sdk::ProductionVariant,
    request: CreateEndpointConfigInputBuilder,
) -> Result<()> {
    let session = endpoint.session();
    let find = || async {
        let asked = session.aws().sagemaker().describe_endpoint_config().endpoint_config_name(endpoint.name());
        let there = asked.send().await.of("DescribeEndpointConfig")?;
        let key = |variant: &sdk::ProductionVariant| {
            (
                variant.model_name().map(str::to_owned),
                variant.instance_type().cloned(),
                variant.initial_instance_count(),
            )
        };
        let as_asked = there.production_variants().iter().map(key).eq([key(variant)]);
        Ok(Found::new(there.creation_time(), as_asked))
    };
    let call = async { request.send_with(session.aws().sagemaker()).await.of("CreateEndpointConfig") };
    let created = session.create(format!("endpoint configuration {}", endpoint.name()), call, find).await;
    created.map_err(|error| taken("endpoint configuration", endpoint.name(), error))
}

async fn create_endpoint(endpoint: &Endpoint, request: CreateEndpointFluentBuilder) -> Result<()> {
    let find = || async {
        let there = endpoint.describe().await?;
        Ok(Found::new(there.raw().creation_time(), there.config_name() == Some(endpoint.name())))
    };
    let call = async { request.send().await.of("CreateEndpoint") };
    let created = endpoint.session().create(format!("endpoint {}", endpoint.name()), call, find).await;
    created.map_err(|error| taken("endpoint", endpoint.name(), error))
}

/// Removes the configuration again, unless an endpoint uses it, or may use it for all we know.
async fn undo_config(endpoint: &Endpoint) {
    let name = endpoint.name();
    let undone = match endpoint.describe().await {
        Ok(there) if there.config_name() == Some(name) => {
            tracing::warn!(config = name, "the configuration was kept: the endpoint of this name uses it");
            return;
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => {
            let request = endpoint.session().aws().sagemaker().delete_endpoint_config().endpoint_config_name(name);
            request.send().await.of("DeleteEndpointConfig").map(drop)
        }
    };
    if let Err(left) = undone {
        tracing::warn!(config = name, error = %left, "the configuration was not removed again");
    }
}

async fn wait(endpoint: Endpoint, timeout: Duration) -> Result<Endpoint> {
    let Err(error) = endpoint.wait_in_service().timeout(timeout).await else { return Ok(endpoint) };
    let name = endpoint.name();
    match error.kind() {
        ErrorKind::NotFound => Err(error), // someone has deleted it meanwhile
        ErrorKind::EndpointFailed | ErrorKind::Capacity => match endpoint.delete().or_gone().await {
            Ok(_) => Err(error),
            Err(left) => {
                tracing::error!(endpoint = name, error = %left, "the failed endpoint was not deleted");
                let text = format!(
                    "the endpoint {name} failed to come up and could not be deleted ({left}): delete it with \
                     Endpoint::attach(&session, \"{name}\").await?.delete().await"
                );
                Err(error.reworded(text))
            }
        },
        _ => {
            let text = format!(
                "the endpoint {name} was created, but waiting for it failed: it goes on, and goes on costing money; \
                 Endpoint::attach(&session, \"{name}\").await gives its handle, to .wait_in_service() or to .delete()"
            );
            Err(error.reworded(text))
        }
    }
}

fn taken(noun: &str, name: &str, error: Error) -> Error {
    if error.kind() != ErrorKind::AlreadyExists {
        return error;
    }
    let text = format!("there is an {noun} {name} already; pass another .endpoint_name(..), or delete it first");
    error.reworded(text)
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
