//! Endpoints: created, updated, weighed anew, deleted.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::hosting::{self, Desired};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::state::{Resource, State, text};
use crate::local::time::timestamp;

/// `CreateEndpoint`: the configuration must exist; the models come up in the background.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let config = text(request, "EndpointConfigName")?;
    let variants = variants(core, &core.state(), config)?;
    let pending = pending(core, config, hosting::summaries(&variants, "Creating", core));
    let (run, arn) = core.change(|state| {
        let mut members = Map::new();
        members.insert("EndpointStatus".to_owned(), json!("Creating"));
        members.insert("PendingDeploymentSummary".to_owned(), pending);
        let resource = state.insert(Kind::Endpoint.row(), &core.place, core.clock.now(), request, members)?;
        Ok((Run::new(core, Kind::Endpoint, resource), resource.arn.clone()))
    })?;
    runtime.spawn(hosting::create(run, variants));
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
}

/// `UpdateEndpoint`: the old variants answer until the new ones are up.
pub(super) fn update(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let update: UpdateEndpoint = parse(request)?;
    let config = update.endpoint_config_name;
    let mut variants = {
        let state = core.state();
        state.get(Kind::Endpoint.row(), &core.place, &update.endpoint_name)?;
        variants(core, &state, &config)?
    };
    if update.retain_all_variant_properties {
        let excluded = |property: &str| {
            update.exclude_retained_variant_properties.iter().any(|entry| entry["VariantPropertyType"] == property)
        };
        let state = core.state();
        let endpoint = state.get(Kind::Endpoint.row(), &core.place, &update.endpoint_name)?;
        retain(endpoint, &mut variants, excluded("DesiredWeight"), excluded("DesiredInstanceCount"));
    }
    let pending = pending(core, &config, hosting::summaries(&variants, "Creating", core));
    let (run, arn) = core.change(|state| {
        let endpoint = idle(core, state, &update.endpoint_name)?;
        if endpoint.status(Kind::Endpoint.row()) == "Failed" {
            let message = format!("Cannot update endpoint \"{}\" in status Failed.", endpoint.arn);
            return Err(AwsError::validation(message));
        }
        endpoint.set("EndpointStatus", "Updating");
        endpoint.set("PendingDeploymentSummary", pending);
        endpoint.modified = core.clock.now();
        Ok((Run::new(core, Kind::Endpoint, endpoint), endpoint.arn.clone()))
    })?;
    runtime.spawn(hosting::update(run, config, variants));
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
        for change in &desired {
            if !deployment.variants.iter().any(|variant| variant.name == change.variant) {
                let message =
                    format!("Could not find variant \"{}\" of endpoint \"{}\".", change.variant, endpoint.arn);
                return Err(AwsError::validation(message));
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
        let endpoint = idle(core, state, name)?;
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
        "Creating" | "Updating" | "Deleting" => {
            Err(AwsError::validation(format!("Cannot update in-progress endpoint \"{}\".", endpoint.arn)))
        }
        _ => Ok(endpoint),
    }
}

/// The variants of a configuration, as they are now: it may be deleted later.
fn variants(core: &Core, state: &State, config: &str) -> Result<Vec<Value>, AwsError> {
    let config = state.get(Kind::EndpointConfig.row(), &core.place, config)?;
    Ok(config.request.get("ProductionVariants").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn pending(core: &Core, config: &str, variants: Vec<Value>) -> Value {
    json!({"EndpointConfigName": config, "ProductionVariants": variants, "StartTime": timestamp(core.clock.now())})
}

/// Carries weights and instance counts over to variants of the same name.
fn retain(endpoint: &Resource, variants: &mut [Value], new_weights: bool, new_counts: bool) {
    let current = endpoint.state.get("ProductionVariants").and_then(Value::as_array);
    for variant in variants {
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
