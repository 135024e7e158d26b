//! Endpoint configurations: which models on which instances.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, parse, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateEndpointConfig {
    production_variants: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Variant {
    variant_name: String,
    model_name: Option<String>,
    instance_type: Option<String>,
    serverless_config: Option<Value>,
}

/// `CreateEndpointConfig`: the models must exist.
pub(super) fn create(core: &Core, request: &Value) -> Answer {
    let config: CreateEndpointConfig = parse(request)?;
    let mut names = BTreeSet::new();
    for variant in &config.production_variants {
        check(core, variant)?;
        if !names.insert(&variant.variant_name) {
            let message = format!("Duplicate variant name \"{}\" found in production variants.", variant.variant_name);
            return Err(AwsError::validation(message));
        }
    }
    let mut document = request.clone();
    for variant in document["ProductionVariants"].as_array_mut().into_iter().flatten() {
        if variant.get("InitialVariantWeight").is_none() {
            variant["InitialVariantWeight"] = json!(1.0);
        }
    }
    table::insert(core, "CreateEndpointConfig", Kind::EndpointConfig.row(), &document)
}

fn check(core: &Core, variant: &Variant) -> Result<(), AwsError> {
    let Some(model) = &variant.model_name else {
        return Err(AwsError::validation("The local backend does not support variants without a ModelName yet."));
    };
    core.state().get(Kind::Model.row(), &core.place, model)?;
    let name = &variant.variant_name;
    if variant.instance_type.is_some() == variant.serverless_config.is_some() {
        let message = format!("Production variant \"{name}\" must have either an InstanceType or a ServerlessConfig.");
        return Err(AwsError::validation(message));
    }
    Ok(())
}
