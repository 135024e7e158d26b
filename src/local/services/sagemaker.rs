//! SageMaker's control plane.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds;

mod endpoint;
mod endpoint_config;
mod inference_component;
mod model;
mod table;
mod tags;
mod training_job;
mod transform_job;

type Answer = Result<Value, AwsError>;

/// An operation with behaviour of its own.
type Own = (&'static str, fn(&Arc<Core>, &Value) -> Answer);

/// The operations that do more than the table of kinds says.
static OWN: &[&[Own]] = &[
    &[
        ("CreateTrainingJob", training_job::create),
        ("StopTrainingJob", |core, request| training_job::stop(core, request)),
        ("DeleteTrainingJob", |core, request| training_job::delete(core, request)),
        ("CreateTransformJob", transform_job::create),
        ("StopTransformJob", |core, request| transform_job::stop(core, request)),
        ("CreateModel", |core, request| model::create(core, request)),
        ("CreateEndpointConfig", |core, request| endpoint_config::create(core, request)),
        ("CreateEndpoint", endpoint::create),
        ("UpdateEndpoint", endpoint::update),
        ("UpdateEndpointWeightsAndCapacities", endpoint::update_weights),
        ("DeleteEndpoint", endpoint::delete),
    ],
    &[
        ("CreateInferenceComponent", inference_component::create),
        ("UpdateInferenceComponent", inference_component::update),
        ("UpdateInferenceComponentRuntimeConfig", inference_component::update_runtime_config),
        ("DeleteInferenceComponent", inference_component::delete),
    ],
    tags::OPERATIONS,
];

/// The operation with behaviour of its own of that name.
pub(in crate::local) fn own(operation: &str) -> Option<fn(&Arc<Core>, &Value) -> Answer> {
    OWN.iter().copied().flatten().find(|(name, _)| *name == operation).map(|(_, answer)| *answer)
}

/// Answers an operation: those with behaviour of their own first, then what follows from the table of kinds.
pub(super) fn handle(core: &Arc<Core>, operation: &str, request: &Value) -> Answer {
    if let Some(answer) = own(operation) {
        return answer(core, request);
    }
    match kinds::operation(operation) {
        Some((verb, row)) => table::handle(core, operation, verb, row, request),
        None => Err(AwsError::unsupported("sagemaker", operation)),
    }
}

fn parse<T: DeserializeOwned>(request: &Value) -> Result<T, AwsError> {
    T::deserialize(request).map_err(AwsError::serialization)
}
