//! SageMaker's control plane.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{self, Row, Verb};
use crate::local::listing;
use crate::local::state::text;

mod endpoint;
mod endpoint_config;
mod inference_component;
mod model;
mod tags;
mod training_job;
mod transform_job;

type Answer = Result<Value, AwsError>;

/// Answers an operation: those with behaviour of their own first, then what follows from the table of kinds.
pub(super) fn handle(core: &Arc<Core>, operation: &str, request: &Value) -> Answer {
    match operation {
        "CreateTrainingJob" => training_job::create(core, request),
        "StopTrainingJob" => training_job::stop(core, request),
        "DeleteTrainingJob" => training_job::delete(core, request),
        "CreateTransformJob" => transform_job::create(core, request),
        "StopTransformJob" => transform_job::stop(core, request),
        "CreateModel" => model::create(core, request),
        "CreateEndpointConfig" => endpoint_config::create(core, request),
        "CreateEndpoint" => endpoint::create(core, request),
        "UpdateEndpoint" => endpoint::update(core, request),
        "UpdateEndpointWeightsAndCapacities" => endpoint::update_weights(core, request),
        "DeleteEndpoint" => endpoint::delete(core, request),
        "CreateInferenceComponent" => inference_component::create(core, request),
        "UpdateInferenceComponent" => inference_component::update(core, request),
        "UpdateInferenceComponentRuntimeConfig" => inference_component::update_runtime_config(core, request),
        "DeleteInferenceComponent" => inference_component::delete(core, request),
        // A transform job stays: the service has no operation to delete one.
        "DeleteTransformJob" => Err(AwsError::unsupported("sagemaker", operation)),
        "AddTags" => tags::add(core, request),
        "ListTags" => tags::list(core, request),
        "DeleteTags" => tags::delete(core, request),
        _ => match kinds::operation(operation) {
            Some((verb, row)) => by_table(core, verb, row, request),
            None => Err(AwsError::unsupported("sagemaker", operation)),
        },
    }
}

fn by_table(core: &Core, verb: Verb, row: &Row, request: &Value) -> Answer {
    let name = || text(request, &row.name_member());
    match verb {
        Verb::Create => insert(core, row, request),
        Verb::Describe => {
            let state = core.state();
            Ok(Value::Object(state.get(row, &core.place, name()?)?.describe(row)))
        }
        Verb::Delete => {
            let name = name()?;
            core.change(|state| state.remove(row, &core.place, name)).map(|_| Value::Null)
        }
        Verb::List => listing::list(&core.state(), row, request),
    }
}

/// Adds a resource that has no behaviour; the answer is its ARN.
fn insert(core: &Core, row: &Row, request: &Value) -> Answer {
    core.change(|state| {
        let resource = state.insert(row, &core.place, core.clock.now(), request, Map::new())?;
        Ok(json!({row.arn_member(): resource.arn}))
    })
}

fn parse<T: DeserializeOwned>(request: &Value) -> Result<T, AwsError> {
    T::deserialize(request).map_err(AwsError::serialization)
}
