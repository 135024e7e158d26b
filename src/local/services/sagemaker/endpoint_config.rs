//! Endpoint configurations: which models on which instances.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::kinds::Kind;
use crate::local::services::iam;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateEndpointConfig {
    production_variants: Vec<Variant>,
    #[serde(default)]
    shadow_production_variants: Vec<Variant>,
    async_inference_config: Option<Value>,
    data_capture_config: Option<Value>,
    explainer_config: Option<Value>,
    execution_role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Variant {
    variant_name: String,
    model_name: Option<String>,
    instance_type: Option<String>,
    instance_pools: Option<Value>,
    serverless_config: Option<Value>,
}

/// `CreateEndpointConfig`: the models must exist.
pub(super) fn create(core: &Core, request: &Value) -> Answer {
    let config: CreateEndpointConfig = parse(request)?;
    let mut names = BTreeSet::new();
    check_memory(&config)?;
    for variant in config.production_variants.iter().chain(&config.shadow_production_variants) {
        check(core, variant)?;
        if !names.insert(&variant.variant_name) {
            let message = format!("Duplicate variant name \"{}\" found in production variants.", variant.variant_name);
            return Err(AwsError::validation(message));
        }
    }
    check_together(core, &config)?;
    let mut document = request.clone();
    for member in ["ProductionVariants", "ShadowProductionVariants"] {
        let variants = document.get_mut(member).and_then(Value::as_array_mut);
        for variant in variants.into_iter().flatten().filter(|variant| variant.get("InitialVariantWeight").is_none()) {
            variant["InitialVariantWeight"] = json!(1.0);
        }
    }
    table::insert(core, "CreateEndpointConfig", Kind::EndpointConfig.row(), &document, Map::new())
}

/// What a serverless variant may have, in MB; the model only says what is the least and the most.
const MEMORY_SIZES: [u64; 6] = [1024, 2048, 3072, 4096, 5120, 6144];

fn check_memory(config: &CreateEndpointConfig) -> Result<(), AwsError> {
    let lists = [
        ("productionVariants", &config.production_variants),
        ("shadowProductionVariants", &config.shadow_production_variants),
    ];
    for (list, variants) in lists {
        for (variant, number) in variants.iter().zip(1..) {
            let size = variant.serverless_config.as_ref().and_then(|config| config["MemorySizeInMB"].as_u64());
            if let Some(size) = size.filter(|size| !MEMORY_SIZES.contains(size)) {
                return Err(AwsError::validation(format!(
                    "1 validation error detected: Value '{size}' at '{list}.{number}.member.serverlessConfig.memorySizeInMB' \
                     failed to satisfy constraint: Member must satisfy enum value set: {MEMORY_SIZES:?}"
                )));
            }
        }
    }
    Ok(())
}

fn check(core: &Core, variant: &Variant) -> Result<(), AwsError> {
    if let Some(model) = &variant.model_name {
        core.state().get(Kind::Model.row(), &core.place, model)?;
    }
    let name = &variant.variant_name;
    let instances = variant.instance_type.is_some() || variant.instance_pools.is_some();
    if instances == variant.serverless_config.is_some() {
        let message = format!("Production variant \"{name}\" must have either an InstanceType or a ServerlessConfig.");
        return Err(AwsError::validation(message));
    }
    Ok(())
}

/// What depends on more than one member.
fn check_together(core: &Core, config: &CreateEndpointConfig) -> Result<(), AwsError> {
    let refuse = |message: &str| Err(AwsError::validation(message));
    let variants = &config.production_variants;
    let without_model = variants.iter().filter(|variant| variant.model_name.is_none()).count();
    match &config.execution_role_arn {
        Some(role) => iam::check_assumable(core, role)?,
        None if without_model > 0 => {
            return refuse(
                "An ExecutionRoleArn is required for endpoints to which you plan to deploy inference components: a \
                 production variant has no ModelName.",
            );
        }
        None => {}
    }
    if without_model > 0 && (without_model < variants.len() || variants.iter().any(|v| v.serverless_config.is_some())) {
        return refuse("Production variants with and without a ModelName cannot be mixed, and none may be serverless.");
    }
    if !config.shadow_production_variants.is_empty()
        && (variants.len() != 1 || config.shadow_production_variants.len() != 1)
    {
        return refuse("You can only specify one production variant and one shadow production variant.");
    }
    if let Some(capture) = &config.data_capture_config {
        data::s3_uri(capture["DestinationS3Uri"].as_str().unwrap_or_default())?;
    }
    if config.explainer_config.is_some() {
        return refuse("The local backend does not support ExplainerConfig yet.");
    }
    let Some(asynchronous) = &config.async_inference_config else { return Ok(()) };
    if variants.iter().any(|variant| variant.serverless_config.is_some()) {
        return refuse("AsyncInferenceConfig is not supported for serverless production variants.");
    }
    let output = &asynchronous["OutputConfig"];
    let Some(place) = output["S3OutputPath"].as_str() else {
        return refuse("The local backend needs an S3OutputPath in the OutputConfig of AsyncInferenceConfig.");
    };
    data::s3_uri(place)?;
    output["S3FailurePath"].as_str().map(data::s3_uri).transpose()?;
    Ok(())
}
