//! Endpoints: created, updated, weighed anew, deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::hosting::{self, Desired, Plan};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::state::{Resource, State, text};

const LAST_DEPLOYMENT: &str = "LastDeploymentConfig";

/// `CreateEndpoint`: the configuration must exist; the models come up in the background.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let plan = plan(core, &core.state(), text(request, "EndpointConfigName")?)?;
    let pending = plan.pending(core);
    let (run, arn) = core.change(|state| {
        let mut members = Map::new();
        members.insert("EndpointStatus".to_owned(), json!("Creating"));
        members.insert("PendingDeploymentSummary".to_owned(), pending);
        if let Some(config) = request.get("DeploymentConfig").filter(|config| !config.is_null()) {
            members.insert(LAST_DEPLOYMENT.to_owned(), config.clone());
        }
        let resource = state.insert(Kind::Endpoint.row(), &core.place, core.clock.now(), request, members)?;
        Ok((Run::new(core, Kind::Endpoint, resource), resource.arn.clone()))
    })?;
    runtime.spawn(hosting::create(run, plan));
    Ok(json!({"EndpointArn": arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateEndpoint {
    endpoint_name: String,
    endpoint_config_name: String,
    #[serde(default)]
    retain_all_variant_properties: bool,
    #[serde(default)]
    exclude_retained_variant_properties: Vec<Value>,
    deployment_config: Option<Value>,
    #[serde(default)]
    retain_deployment_config: bool,
}

/// `UpdateEndpoint`: the old variants answer until the new ones are up.
pub(super) fn update(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let update: UpdateEndpoint = parse(request)?;
    if update.deployment_config.is_some() && update.retain_deployment_config {
        let message = "You cannot specify both DeploymentConfig and RetainDeploymentConfig in the same request.";
        return Err(AwsError::validation(message));
    }
    let plan = {
        let state = core.state();
        let endpoint = state.get(Kind::Endpoint.row(), &core.place, &update.endpoint_name)?;
        let mut plan = plan(core, &state, &update.endpoint_config_name)?;
        if update.retain_all_variant_properties {
            retain(endpoint, &mut plan, &update.exclude_retained_variant_properties);
        }
        plan
    };
    let pending = plan.pending(core);
    let (run, arn, rollout) = core.change(|state| {
        let endpoint = idle(core, state, &update.endpoint_name)?;
        if endpoint.status(Kind::Endpoint.row()) == "Failed" {
            let message = format!("Cannot update endpoint \"{}\" in status Failed.", endpoint.arn);
            return Err(AwsError::validation(message));
        }
        let rollout = match update.deployment_config {
            Some(config) => Some(config),
            None if update.retain_deployment_config => endpoint.state.get(LAST_DEPLOYMENT).cloned(),
            None => None,
        };
        match &rollout {
            Some(config) => endpoint.set(LAST_DEPLOYMENT, config.clone()),
            None => drop(endpoint.state.remove(LAST_DEPLOYMENT)),
        }
        endpoint.set("EndpointStatus", "Updating");
        endpoint.set("PendingDeploymentSummary", pending);
        endpoint.modified = core.clock.now();
        Ok((Run::new(core, Kind::Endpoint, endpoint), endpoint.arn.clone(), rollout))
    })?;
    runtime.spawn(hosting::update(run, plan, rollout));
    Ok(json!({"EndpointArn": arn}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateWeights {
    endpoint_name: String,
    desired_weights_and_capacities: Vec<DesiredWeight>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DesiredWeight {
    variant_name: String,
    desired_weight: Option<f64>,
    desired_instance_count: Option<u64>,
}

/// `UpdateEndpointWeightsAndCapacities`.
pub(super) fn update_weights(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let update: UpdateWeights = parse(request)?;
    let desired: Vec<Desired> = update
        .desired_weights_and_capacities
        .into_iter()
        .map(|change| Desired {
            variant: change.variant_name,
            weight: change.desired_weight,
            instances: change.desired_instance_count,
        })
        .collect();
    let (run, arn) = core.change(|state| {
        let endpoint = idle(core, state, &update.endpoint_name)?;
        let Some(deployment) = endpoint.deployment.clone() else {
            let message = format!("Cannot update endpoint \"{}\" in status Failed.", endpoint.arn);
            return Err(AwsError::validation(message));
        };
        let mut names = BTreeSet::new();
        for change in &desired {
            let name = &change.variant;
            let refuse = |message: String| Err(AwsError::validation(message));
            let Some(variant) = deployment.variants.iter().find(|variant| variant.name == *name) else {
                return refuse(format!("Could not find variant \"{name}\" of endpoint \"{}\".", endpoint.arn));
            };
            if !names.insert(name) {
                return refuse(format!("Duplicate variant name \"{name}\" found in DesiredWeightsAndCapacities."));
            }
            if variant.serverless.is_some() && change.instances.is_some() {
                return refuse(format!(
                    "DesiredInstanceCount cannot be specified for the variant \"{name}\", which is serverless."
                ));
            }
        }
        endpoint.set("EndpointStatus", "Updating");
        endpoint.modified = core.clock.now();
        hosting::set_desired(endpoint, &desired, &["Desired"]);
        Ok((Run::new(core, Kind::Endpoint, endpoint), endpoint.arn.clone()))
    })?;
    runtime.spawn(hosting::reweigh(run, desired));
    Ok(json!({"EndpointArn": arn}))
}

/// `DeleteEndpoint`: refused while the endpoint changes.
pub(super) fn delete(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let name = text(request, "EndpointName")?;
    let run = core.change(|state| {
        let of_this = |component: &Resource| {
            let endpoint = component.request.get("EndpointName").and_then(Value::as_str).unwrap_or_default();
            endpoint.eq_ignore_ascii_case(name)
        };
        let with_components = state.all(Kind::InferenceComponent).any(of_this);
        let endpoint = idle(core, state, name)?;
        if with_components {
            let message = format!(
                "Cannot delete endpoint \"{}\" because it hosts inference components. Delete its inference components \
                 first.",
                endpoint.arn
            );
            return Err(AwsError::validation(message));
        }
        endpoint.set("EndpointStatus", "Deleting");
        endpoint.deployment = None;
        endpoint.modified = core.clock.now();
        Ok(Run::new(core, Kind::Endpoint, endpoint))
    })?;
    runtime.spawn(hosting::delete(run));
    Ok(Value::Null)
}

/// The endpoint, unless it is on its way to another state.
fn idle<'a>(core: &Core, state: &'a mut State, name: &str) -> Result<&'a mut Resource, AwsError> {
    let endpoint = state.get_mut(Kind::Endpoint.row(), &core.place, name)?;
    match endpoint.status(Kind::Endpoint.row()) {
        "Creating" | "Updating" | "RollingBack" | "Deleting" => {
            Err(AwsError::validation(format!("Cannot update in-progress endpoint \"{}\".", endpoint.arn)))
        }
        _ => Ok(endpoint),
    }
}

/// The configuration as it is now: it may be deleted later.
fn plan(core: &Core, state: &State, config: &str) -> Result<Plan, AwsError> {
    let document = state.get(Kind::EndpointConfig.row(), &core.place, config)?;
    Ok(Plan::new(&document.name, &document.request))
}

/// Carries weights and instance counts over to variants of the same name.
fn retain(endpoint: &Resource, plan: &mut Plan, excluded: &[Value]) {
    let excluded = |property: &str| excluded.iter().any(|entry| entry["VariantPropertyType"] == property);
    let (new_weights, new_counts) = (excluded("DesiredWeight"), excluded("DesiredInstanceCount"));
    let current = endpoint.state.get("ProductionVariants").and_then(Value::as_array);
    for variant in &mut plan.variants {
        let old = current.and_then(|current| current.iter().find(|old| old["VariantName"] == variant["VariantName"]));
        let Some(old) = old else { continue };
        if let (false, Some(weight)) = (new_weights, old.get("DesiredWeight")) {
            variant["InitialVariantWeight"] = weight.clone();
        }
        if let (false, Some(count)) = (new_counts, old.get("DesiredInstanceCount")) {
            variant["InitialInstanceCount"] = count.clone();
        }
    }
}
