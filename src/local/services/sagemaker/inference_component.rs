//! Inference components: models on an endpoint whose configuration names none.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::jobs::hosting::component::{self, Plan};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::state::{Resource, State, text};

const KIND: Kind = Kind::InferenceComponent;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    endpoint_name: String,
    variant_name: Option<String>,
    specification: Option<Value>,
    #[serde(default)]
    specifications: Vec<Value>,
    runtime_config: Option<Value>,
}

/// `CreateInferenceComponent`: the endpoint must be in service and without a model of its own.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let create: Create = parse(request)?;
    let specification = one_specification(create.specification, &create.specifications)?
        .ok_or_else(|| AwsError::validation("You must specify a Specification."))?;
    check(core, &specification)?;
    let copies = copies(create.runtime_config.as_ref()).unwrap_or(1);
    let (run, arn, plan) = core.change(|state| {
        let (endpoint_arn, variant) = place(core, state, &create.endpoint_name, create.variant_name)?;
        let mut members = Map::new();
        members.insert("InferenceComponentStatus".to_owned(), json!("Creating"));
        members.insert("EndpointArn".to_owned(), json!(endpoint_arn));
        members.insert("VariantName".to_owned(), json!(variant));
        members.insert("RuntimeConfig".to_owned(), json!({"DesiredCopyCount": copies, "CurrentCopyCount": 0}));
        let resource = state.insert(KIND.row(), &core.place, core.clock.now(), request, members)?;
        resource.request.remove("Specifications"); // it is told as the one that it is
        let plan = Plan { variant, specification: Some(specification.clone()), copies };
        Ok((Run::new(core, KIND, resource), resource.arn.clone(), plan))
    })?;
    let summary = component::summary(&specification, core);
    run.update(|resource, _| resource.set("Specification", summary));
    runtime.spawn(component::create(run, plan));
    Ok(json!({"InferenceComponentArn": arn}))
}

/// The endpoint's ARN and the variant that hosts the component.
fn place(core: &Core, state: &State, endpoint: &str, variant: Option<String>) -> Result<(String, String), AwsError> {
    let endpoint = state.get(Kind::Endpoint.row(), &core.place, endpoint)?;
    let status = endpoint.status(Kind::Endpoint.row());
    let deployment = endpoint.deployment.as_ref().filter(|_| status == "InService").ok_or_else(|| {
        let message = format!("Endpoint \"{}\" is in status {status}; it must be InService.", endpoint.arn);
        AwsError::validation(message)
    })?;
    if deployment.variants.iter().any(|variant| !variant.serving.containers.is_empty()) {
        return Err(AwsError::validation(
            "Invalid request provided: Inference Components are not supported in this Endpoint. Please make sure this \
             endpoint can deploy inference components.",
        ));
    }
    let names: Vec<&str> = deployment.variants.iter().map(|variant| variant.name.as_str()).collect();
    match variant {
        Some(variant) if names.contains(&variant.as_str()) => Ok((endpoint.arn.clone(), variant)),
        Some(variant) => {
            let message = format!("Could not find variant \"{variant}\" of endpoint \"{}\".", endpoint.arn);
            Err(AwsError::validation(message))
        }
        None => match names.as_slice() {
            [only] => Ok((endpoint.arn.clone(), (*only).to_owned())),
            _ => Err(AwsError::validation("You must specify a VariantName: the endpoint has several variants.")),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    specification: Option<Value>,
    #[serde(default)]
    specifications: Vec<Value>,
    runtime_config: Option<Value>,
    deployment_config: Option<Value>,
}

/// `UpdateInferenceComponent`: what was up answers until the new one is.
pub(super) fn update(core: &Arc<Core>, request: &Value) -> Answer {
    let update: Update = parse(request)?;
    let specification = one_specification(update.specification, &update.specifications)?;
    if let Some(specification) = &specification {
        check(core, specification)?;
    }
    change(core, request, specification, copies(update.runtime_config.as_ref()), update.deployment_config)
}

/// `UpdateInferenceComponentRuntimeConfig`: other copies.
pub(super) fn update_runtime_config(core: &Arc<Core>, request: &Value) -> Answer {
    change(core, request, None, copies(request.get("DesiredRuntimeConfig")), None)
}

fn change(
    core: &Arc<Core>,
    request: &Value,
    specification: Option<Value>,
    copies: Option<u64>,
    rollout: Option<Value>,
) -> Answer {
    let runtime = Runtime::current()?;
    let name = text(request, "InferenceComponentName")?;
    let (run, arn, plan) = core.change(|state| {
        let component = idle(core, state, name)?;
        if component.status(KIND.row()) == "Failed" {
            let message = format!("Cannot update inference component \"{}\" in status Failed.", component.arn);
            return Err(AwsError::validation(message));
        }
        let current = component.state["RuntimeConfig"]["CurrentCopyCount"].as_u64().unwrap_or(0);
        let copies = copies.unwrap_or(current);
        component.set("InferenceComponentStatus", "Updating");
        component.set("RuntimeConfig", json!({"DesiredCopyCount": copies, "CurrentCopyCount": current}));
        if let Some(rollout) = rollout {
            component.set("LastDeploymentConfig", rollout);
        }
        component.modified = core.clock.now();
        let variant = component.state["VariantName"].as_str().unwrap_or_default().to_owned();
        let plan = Plan { variant, specification, copies };
        Ok((Run::new(core, KIND, component), component.arn.clone(), plan))
    })?;
    runtime.spawn(component::update(run, plan));
    Ok(json!({"InferenceComponentArn": arn}))
}

/// `DeleteInferenceComponent`.
pub(super) fn delete(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let name = text(request, "InferenceComponentName")?;
    let run = core.change(|state| {
        let component = idle(core, state, name)?;
        component.set("InferenceComponentStatus", "Deleting");
        component.deployment = None;
        component.modified = core.clock.now();
        Ok(Run::new(core, KIND, component))
    })?;
    runtime.spawn(component::delete(run));
    Ok(Value::Null)
}

/// The component, unless it is on its way to another state.
fn idle<'a>(core: &Core, state: &'a mut State, name: &str) -> Result<&'a mut Resource, AwsError> {
    let component = state.get_mut(KIND.row(), &core.place, name)?;
    match component.status(KIND.row()) {
        "Creating" | "Updating" | "Deleting" => {
            Err(AwsError::validation(format!("Cannot update in-progress inference component \"{}\".", component.arn)))
        }
        _ => Ok(component),
    }
}

fn copies(config: Option<&Value>) -> Option<u64> {
    config?["CopyCount"].as_u64()
}

/// The specification, which may also come as a list of one.
fn one_specification(single: Option<Value>, list: &[Value]) -> Result<Option<Value>, AwsError> {
    match (single, list) {
        (Some(_), [_, ..]) => {
            Err(AwsError::validation("You can use either Specification or Specifications, but not both."))
        }
        (single, []) => Ok(single),
        (None, [only]) => Ok(Some(only.clone())),
        (None, _) => {
            Err(AwsError::validation("The local backend does not support more than one of Specifications yet."))
        }
    }
}

fn check(core: &Core, specification: &Value) -> Result<(), AwsError> {
    let given = |member: &str| !specification[member].is_null();
    if given("BaseInferenceComponentName") {
        return Err(AwsError::validation("The local backend does not support BaseInferenceComponentName yet."));
    }
    if let Some(model) = specification["ModelName"].as_str() {
        core.state().get(Kind::Model.row(), &core.place, model)?;
    } else if specification["Container"]["Image"].is_null() {
        return Err(AwsError::validation("A Specification must have a ModelName or a Container with an Image."));
    }
    if !given("ComputeResourceRequirements") {
        return Err(AwsError::validation("A Specification must have ComputeResourceRequirements."));
    }
    if let Some(uri) = specification["Container"]["ArtifactUrl"].as_str() {
        let place = data::s3_uri(uri)?;
        if core.s3.get(place.bucket(), place.key()).is_none() {
            return Err(AwsError::validation(format!("Could not find model data at {uri}.")));
        }
    }
    Ok(())
}
