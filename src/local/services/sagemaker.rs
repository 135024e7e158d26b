//! SageMaker's control plane.

use std::sync::Arc;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::{processing, training, transform, tuning};
use crate::local::kinds::{self, Kind, Row, Verb};
use crate::local::listing;
use crate::local::state::{Resource, text};

mod endpoint;
mod endpoint_config;
mod model;
mod processing_job;
mod tags;
mod training_job;
mod transform_job;
mod tuning_job;

pub(in crate::local) use training_job::{Launch, prepare as prepare_training};

type Answer = Result<Value, AwsError>;

/// Answers an operation: those with behaviour of their own first, then what follows from the table of kinds.
pub(super) fn handle(core: &Arc<Core>, operation: &str, request: &Value) -> Answer {
    match operation {
        "CreateTrainingJob" => training_job::create(core, request),
        "StopTrainingJob" => stop(core, Kind::TrainingJob, training::stopping, request),
        "DeleteTrainingJob" => training_job::delete(core, request),
        "CreateTransformJob" => transform_job::create(core, request),
        "StopTransformJob" => stop(core, Kind::TransformJob, transform::stopping, request),
        "CreateProcessingJob" => processing_job::create(core, request),
        "StopProcessingJob" => stop(core, Kind::ProcessingJob, processing::stopping, request),
        "DeleteProcessingJob" => processing_job::delete(core, request),
        "CreateHyperParameterTuningJob" => tuning_job::create(core, request),
        "StopHyperParameterTuningJob" => stop(core, Kind::HyperParameterTuningJob, tuning::stopping, request),
        "DeleteHyperParameterTuningJob" => tuning_job::delete(core, request),
        "ListTrainingJobsForHyperParameterTuningJob" => tuning_job::training_jobs(core, request),
        "CreateModel" => model::create(core, request),
        "CreateEndpointConfig" => endpoint_config::create(core, request),
        "CreateEndpoint" => endpoint::create(core, request),
        "UpdateEndpoint" => endpoint::update(core, request),
        "UpdateEndpointWeightsAndCapacities" => endpoint::update_weights(core, request),
        "DeleteEndpoint" => endpoint::delete(core, request),
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

/// Stops a job that runs; one that does not cannot be stopped.
fn stop(core: &Core, kind: Kind, stopping: fn(&mut Resource, SystemTime), request: &Value) -> Answer {
    let row = kind.row();
    let name = text(request, &row.name_member())?;
    core.change(|state| {
        let job = state.get_mut(row, &core.place, name)?;
        if job.status(row) == "InProgress" {
            stopping(job, core.clock.now());
            return Ok(Value::Null);
        }
        let (job, status) = (words(row.noun), job.status(row));
        Err(AwsError::validation(format!("The request was rejected because the {job} is in status {status}.")))
    })
}

/// The noun of a kind as words: `training job`.
fn words(noun: &str) -> String {
    let split = |letter: char| match letter.is_ascii_uppercase() {
        true => [' ', letter.to_ascii_lowercase()],
        false => ['\0', letter],
    };
    noun.chars().flat_map(split).filter(|&letter| letter != '\0').skip(1).collect()
}

fn parse<T: DeserializeOwned>(request: &Value) -> Result<T, AwsError> {
    T::deserialize(request).map_err(AwsError::serialization)
}
