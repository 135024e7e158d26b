//! SageMaker's control plane.

use std::sync::Arc;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::{processing, training, transform, tuning};
use crate::local::kinds::{self, Kind};
use crate::local::state::{Resource, text};

mod account;
mod automl;
mod clusters;
mod edge;
mod endpoint;
mod endpoint_config;
mod endpoint_policies;
mod experiments;
mod feature_store;
mod hubs;
mod images;
mod inference_component;
mod inference_routers;
mod labeling;
mod lineage;
mod model;
mod model_cards;
mod monitoring;
mod pipeline_executions;
mod pipelines;
mod presigned;
mod processing_job;
mod registry;
mod search;
mod table;
mod tags;
mod training_job;
mod training_plans;
mod transform_job;
mod tuning_job;

pub(in crate::local) use training_job::{Launch, prepare as prepare_training};

type Answer = Result<Value, AwsError>;

/// An operation with behaviour of its own.
type Own = (&'static str, fn(&Arc<Core>, &Value) -> Answer);

/// The operations that do more than the table of kinds says.
static OWN: &[&[Own]] = &[
    &[
        ("CreateTrainingJob", training_job::create),
        ("StopTrainingJob", |core, request| stop(core, Kind::TrainingJob, training::stopping, request)),
        ("UpdateTrainingJob", |core, request| training_job::update(core, request)),
        ("DeleteTrainingJob", |core, request| training_job::delete(core, request)),
        ("CreateTransformJob", transform_job::create),
        ("StopTransformJob", |core, request| stop(core, Kind::TransformJob, transform::stopping, request)),
        ("CreateProcessingJob", processing_job::create),
        ("StopProcessingJob", |core, request| stop(core, Kind::ProcessingJob, processing::stopping, request)),
        ("DeleteProcessingJob", |core, request| processing_job::delete(core, request)),
        ("CreateHyperParameterTuningJob", tuning_job::create),
        ("StopHyperParameterTuningJob", |core, request| {
            stop(core, Kind::HyperParameterTuningJob, tuning::stopping, request)
        }),
        ("DeleteHyperParameterTuningJob", |core, request| tuning_job::delete(core, request)),
        ("ListTrainingJobsForHyperParameterTuningJob", |core, request| tuning_job::training_jobs(core, request)),
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
    account::OPERATIONS,
    automl::OPERATIONS,
    edge::OPERATIONS,
    endpoint_policies::OPERATIONS,
    experiments::OPERATIONS,
    feature_store::OPERATIONS,
    hubs::OPERATIONS,
    images::OPERATIONS,
    inference_routers::OPERATIONS,
    labeling::OPERATIONS,
    lineage::OPERATIONS,
    model_cards::OPERATIONS,
    monitoring::OPERATIONS,
    pipeline_executions::OPERATIONS,
    pipelines::OPERATIONS,
    presigned::OPERATIONS,
    registry::OPERATIONS,
    search::OPERATIONS,
    tags::OPERATIONS,
    training_plans::OPERATIONS,
];

/// The operation with behaviour of its own of that name.
pub(in crate::local) fn own(operation: &str) -> Option<fn(&Arc<Core>, &Value) -> Answer> {
    all().find(|(name, _)| *name == operation).map(|(_, answer)| *answer)
}

fn all() -> impl Iterator<Item = &'static Own> {
    OWN.iter().chain(clusters::OPERATIONS).copied().flatten()
}

/// The names of all operations with behaviour of their own.
#[cfg(test)]
pub(in crate::local) fn own_names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| *name)
}

/// Answers an operation: those with behaviour of their own first, then what follows from the table of kinds.
pub(in crate::local) fn handle(core: &Arc<Core>, operation: &str, request: &Value) -> Answer {
    if !core.is_lenient() {
        tags::check(request)?;
    }
    if let Some(answer) = own(operation) {
        return answer(core, request);
    }
    match kinds::operation(operation) {
        Some((verb, row)) => table::handle(core, operation, verb, row, request),
        None => Err(AwsError::unsupported("sagemaker", operation)),
    }
}

/// Stops a job that runs; one that does not cannot be stopped.
fn stop(core: &Core, kind: Kind, stopping: fn(&mut Resource, SystemTime), request: &Value) -> Answer {
    let row = kind.row();
    let name = text(request, row.name)?;
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
    let mut words = String::new();
    for letter in noun.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

fn parse<T: DeserializeOwned>(request: &Value) -> Result<T, AwsError> {
    T::deserialize(request).map_err(AwsError::serialization)
}
