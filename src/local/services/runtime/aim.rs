//! Which containers a request is for.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::{Incoming, MAX_SERVERLESS_BODY, Operation, SESSION, TARGET_MODEL, body_too_long};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::calls::Call;
use crate::local::jobs::hosting::{self, COLD_START, Slot};
use crate::local::jobs::{Deployment, Variant};
use crate::local::kinds::Kind;
use crate::local::reading::Handling;

const COMPONENT: &str = "x-amzn-sagemaker-inference-component";
const TARGET_VARIANT: &str = "x-amzn-sagemaker-target-variant";
const TARGET_CONTAINER: &str = "x-amzn-sagemaker-target-container-hostname";
const EXPLANATIONS: &str = "x-amzn-sagemaker-enable-explanations";

/// What answers a request.
#[derive(Clone)]
pub(super) struct Aim {
    pub(super) endpoint: String,
    /// Tells the endpoint from a later one of the same name.
    pub(super) id: u64,
    /// The endpoint's.
    pub(super) deployment: Arc<Deployment>,
    pub(super) variant: Variant,
    pub(super) component: Option<String>,
    /// The only container that is asked, where the request names one.
    pub(super) container: Option<usize>,
}

/// A synchronous request whose containers are up.
pub(super) struct Begun {
    pub(super) aim: Aim,
    /// When the request came.
    pub(super) at: SystemTime,
    /// To be held until there is an answer.
    pub(super) slot: Option<Slot>,
    pub(super) call: Call,
}

impl Begun {
    /// Finds what is to answer, and waits until it is up.
    pub(super) async fn new(
        core: &Core,
        incoming: &Incoming,
        body: Bytes,
        handling: &Handling,
    ) -> Result<Self, AwsError> {
        let aim = Aim::new(core, incoming)?;
        let at = core.clock.now();
        let slot = aim.wake(core, body.len(), handling).await?;
        let call = aim.call(body, incoming);
        Ok(Self { aim, at, slot, call })
    }
}

impl Aim {
    /// By the endpoint's name and the headers that aim a request.
    pub(super) fn new(core: &Core, incoming: &Incoming) -> Result<Self, AwsError> {
        let (id, deployment) = endpoint(core, &incoming.endpoint)?;
        let endpoint = incoming.endpoint.clone();
        if deployment.queue.is_some() != (incoming.operation == Operation::Async) {
            return Err(refused(format!("Endpoint {endpoint} does not support this inference type.")));
        }
        if incoming.header(EXPLANATIONS).is_some() {
            let operation = incoming.operation.name();
            let message = format!("The local backend does not support EnableExplanations of {operation} yet.");
            return Err(refused(message));
        }
        let target = incoming.header(TARGET_VARIANT);
        let chosen = deployment.choose(target, incoming.header(SESSION)).cloned();
        let chosen =
            chosen.ok_or_else(|| refused(format!("Variant {} not found for Request", target.unwrap_or_default())))?;
        let component = incoming.header(COMPONENT);
        let variant = match component {
            Some(name) => of_component(core, &endpoint, name)?,
            None if chosen.serving.containers.is_empty() => return Err(component_missing()),
            None => chosen,
        };
        check_target_model(core, &endpoint, &variant, incoming.header(TARGET_MODEL))?;
        let container = container(&endpoint, &variant, incoming.header(TARGET_CONTAINER))?;
        Ok(Self { endpoint, id, deployment, variant, component: component.map(str::to_owned), container })
    }

    /// The request as the containers get it.
    pub(super) fn call(&self, body: Bytes, incoming: &Incoming) -> Call {
        Call {
            request: incoming.invocation(body),
            headers: incoming.forwarded(),
            target_model: incoming.header(TARGET_MODEL).map(str::to_owned),
            container: self.container,
        }
    }

    /// The same request for another variant.
    pub(super) fn at(&self, variant: &Variant) -> Self {
        Self { variant: variant.clone(), ..self.clone() }
    }

    pub(super) fn log_group(&self) -> String {
        match &self.component {
            Some(component) => hosting::component_log_group(component),
            None => hosting::log_group(&self.endpoint),
        }
    }

    /// Logs, unless the endpoint is gone: nothing comes back after a reset.
    pub(super) fn log(&self, core: &Core, stream: &str, text: &str) {
        let mut state = core.state();
        if state.same(Kind::Endpoint, &self.endpoint, self.id).is_some() {
            core.logs.append(core, &self.log_group(), stream, text);
        }
    }

    /// Waits until a serverless variant is up; the slot is to be held until there is an answer.
    async fn wake(&self, core: &Core, length: usize, handling: &Handling) -> Result<Option<Slot>, AwsError> {
        let Some(serverless) = &self.variant.serverless else { return Ok(None) };
        if length as u64 > MAX_SERVERLESS_BODY {
            return Err(body_too_long(MAX_SERVERLESS_BODY));
        }
        let busy_now = || AwsError::new(429, "ThrottlingException", "Rate exceeded");
        let slot = serverless.enter(core.clock.now()).ok_or_else(busy_now)?;
        if slot.cold {
            handling.sleep(COLD_START).await;
        }
        Ok(Some(slot))
    }
}

fn refused(message: impl Into<String>) -> AwsError {
    AwsError::runtime_validation(message)
}

/// Names of endpoints differ by their case here, unlike in the control plane.
fn endpoint(core: &Core, name: &str) -> Result<(u64, Arc<Deployment>), AwsError> {
    let state = core.state();
    let found = state.get(Kind::Endpoint.row(), &core.place, name).ok().filter(|found| found.name == name);
    let up = found.and_then(|found| Some((found.id, found.deployment.clone()?)));
    up.ok_or_else(|| refused(format!("Endpoint {name} of account {} not found.", core.place.account)))
}

fn component_missing() -> AwsError {
    let message = "Inference Component Name header is required for endpoints to which you plan to deploy inference \
                   components. Please include Inference Component Name header or consider using SageMaker models.";
    refused(message).with("ErrorCode", "INFERENCE_COMPONENT_NAME_MISSING")
}

fn of_component(core: &Core, endpoint: &str, name: &str) -> Result<Variant, AwsError> {
    let state = core.state();
    let found = state.get(Kind::InferenceComponent.row(), &core.place, name).ok();
    let of_endpoint =
        found.filter(|found| found.request.get("EndpointName").and_then(|name| name.as_str()) == Some(endpoint));
    let deployment = of_endpoint.and_then(|found| found.deployment.clone());
    let variant = deployment.and_then(|deployment| deployment.variants.first().cloned());
    let variant =
        variant.ok_or_else(|| refused(format!("Inference Component {name} not found for endpoint {endpoint}.")))?;
    if variant.instances == 0 {
        return Err(refused(
            "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if \
             configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API.",
        ));
    }
    Ok(variant)
}

fn check_target_model(core: &Core, endpoint: &str, variant: &Variant, target: Option<&str>) -> Result<(), AwsError> {
    match (variant.serving.is_multi_model(), target) {
        (true, None) => Err(refused(format!("Request {} is missing a target model header", core.unique_id()))
            .with("ErrorCode", "TARGET_MODEL_HEADER_MISSING")),
        (false, Some(_)) => {
            let message =
                format!("Endpoint {endpoint} is not a multi-model endpoint and does not support target model header.");
            Err(refused(message).with("ErrorCode", "TARGET_MODEL_HEADER_NOT_SUPPORTED"))
        }
        _ => Ok(()),
    }
}

fn container(endpoint: &str, variant: &Variant, host: Option<&str>) -> Result<Option<usize>, AwsError> {
    let serving = &variant.serving;
    match (serving.direct, host) {
        (true, Some(host)) => {
            let named = serving.containers.iter().position(|container| container.name == host);
            let missing = || refused(format!("Container {host} not found for endpoint {endpoint}."));
            named.map(Some).ok_or_else(missing)
        }
        // A model with a single container needs no name for it.
        (true, None) if serving.containers.len() == 1 => Ok(Some(0)),
        (true, None) => Err(refused(format!(
            "Endpoint {endpoint} is a multi-container endpoint with direct invocation and requires the target container \
             hostname header."
        ))),
        (false, Some(_)) => Err(refused(format!(
            "Endpoint {endpoint} is not a multi-container endpoint with direct invocation and does not support target \
             container hostname header."
        ))),
        (false, None) => Ok(None),
    }
}
