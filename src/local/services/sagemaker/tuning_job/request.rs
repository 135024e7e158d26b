//! The request of a tuning job, its limits, and the requests of training jobs that follow from it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::MOST_JOBS;
use super::ranges::ParameterRanges;
use super::warm_start::WarmStartConfig;
use crate::local::aws_error::AwsError;
use crate::local::jobs::tuning::Definition;
use crate::local::tuning::Hyperband;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateTuningJob {
    pub(super) hyper_parameter_tuning_job_config: Config,
    pub(super) training_job_definition: Option<TrainingDefinition>,
    pub(super) training_job_definitions: Option<Vec<TrainingDefinition>>,
    pub(super) warm_start_config: Option<WarmStartConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Config {
    pub(super) strategy: String,
    pub(super) strategy_config: Option<StrategyConfig>,
    pub(super) hyper_parameter_tuning_job_objective: Option<ObjectiveRequest>,
    pub(super) resource_limits: ResourceLimits,
    pub(super) parameter_ranges: Option<ParameterRanges>,
    pub(super) training_job_early_stopping_type: Option<String>,
    pub(super) tuning_job_completion_criteria: Option<Criteria>,
    pub(super) random_seed: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StrategyConfig {
    hyperband_strategy_config: Option<HyperbandConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HyperbandConfig {
    min_resource: Option<u32>,
    max_resource: Option<u32>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ObjectiveRequest {
    pub(super) r#type: String,
    pub(super) metric_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceLimits {
    max_number_of_training_jobs: Option<u32>,
    max_parallel_training_jobs: u32,
    pub(super) max_runtime_in_seconds: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Criteria {
    pub(super) target_objective_metric_value: Option<f64>,
    pub(super) best_objective_not_improving: Option<NotImproving>,
    pub(super) convergence_detected: Option<Convergence>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NotImproving {
    pub(super) max_number_of_training_jobs_not_improving: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Convergence {
    pub(super) complete_on_convergence: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TrainingDefinition {
    pub(super) definition_name: Option<String>,
    pub(super) tuning_objective: Option<ObjectiveRequest>,
    pub(super) hyper_parameter_ranges: Option<ParameterRanges>,
    #[serde(default)]
    pub(super) static_hyper_parameters: BTreeMap<String, String>,
    pub(super) algorithm_specification: Value,
}

/// How many training jobs there are, and how many at a time.
pub(super) struct Limits {
    pub(super) jobs: u32,
    pub(super) parallel: u32,
}

/// The limits, checked against each other and against the number of combinations.
pub(super) fn limits(config: &Config, definitions: &[Definition]) -> Result<Limits, AwsError> {
    let refuse = |message: String| Err(AwsError::validation(message));
    let ResourceLimits { max_number_of_training_jobs: given, max_parallel_training_jobs: parallel, .. } =
        config.resource_limits;
    // Each definition has its own combinations; without end if one of them is.
    let mut counts = definitions.iter().filter_map(|one| one.search.as_ref()).map(|search| search.space().count());
    let combinations = counts.try_fold(0u64, |sum, count| Some(sum.saturating_add(count?)));
    if config.strategy == "Grid" {
        let combinations = combinations.unwrap_or(u64::MAX);
        if combinations > u64::from(MOST_JOBS) {
            return refuse(format!(
                "The number of hyperparameter combinations for Grid search [{combinations}] must be less than or equal \
                 to {MOST_JOBS}."
            ));
        }
        if given.is_some_and(|given| u64::from(given) != combinations) {
            return refuse(format!(
                "MaxNumberOfTrainingJobs must be equal to the number of hyperparameter combinations \
                 [{combinations}] when using the Grid strategy, or must not be specified."
            ));
        }
        return check_parallel(combinations as u32, parallel);
    }
    let jobs = match given {
        Some(given) if given > MOST_JOBS => {
            return Err(AwsError::new(
                400,
                "ResourceLimitExceeded",
                format!(
                    "The account-level service limit 'Maximum number of training jobs per hyperparameter tuning job' \
                     is {MOST_JOBS} Jobs, with current utilization of 0 Jobs and a request delta of {given} Jobs. \
                     Please use AWS Service Quotas to request an increase for this quota."
                ),
            ));
        }
        Some(given) => given,
        None if config.resource_limits.max_runtime_in_seconds.is_some()
            || config.tuning_job_completion_criteria.is_some() =>
        {
            combinations.map_or(MOST_JOBS, |combinations| combinations.min(u64::from(MOST_JOBS)) as u32)
        }
        None => {
            return refuse(
                "MaxNumberOfTrainingJobs is required in ResourceLimits, unless MaxRuntimeInSeconds or \
                 TuningJobCompletionCriteria is specified."
                    .to_owned(),
            );
        }
    };
    if let Some(combinations) = combinations.filter(|&combinations| combinations < u64::from(jobs)) {
        return refuse(format!(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter \
             combinations for the provided ranges [{combinations}.0] must be equal or greater than the value of \
             MaxNumberOfJobs, [{jobs}]. Provide additional ranges."
        ));
    }
    check_parallel(jobs, parallel)
}

fn check_parallel(jobs: u32, parallel: u32) -> Result<Limits, AwsError> {
    if parallel > jobs {
        return Err(AwsError::validation(format!(
            "MaxParallelTrainingJobs [{parallel}] must be less than or equal to MaxNumberOfTrainingJobs [{jobs}]."
        )));
    }
    Ok(Limits { jobs, parallel })
}

/// Hyperband stops trainings in its own way.
pub(super) fn check_early_stopping(config: &Config, early_stopping: bool) -> Result<(), AwsError> {
    if early_stopping && matches!(config.strategy.as_str(), "Hyperband" | "Grid") {
        let strategy = &config.strategy;
        return Err(AwsError::validation(format!(
            "TrainingJobEarlyStoppingType must be Off when the strategy is {strategy}."
        )));
    }
    Ok(())
}

/// The epochs of Hyperband; the most of them may be among the hyperparameters that do not change.
pub(super) fn hyperband(config: &Config, fixed: &BTreeMap<String, String>) -> Result<Hyperband, AwsError> {
    let given = config.strategy_config.as_ref().and_then(|config| config.hyperband_strategy_config.as_ref());
    let inferred = || {
        let names = ["epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"];
        names.iter().find_map(|name| fixed.get(*name)?.trim_matches('"').parse::<u32>().ok())
    };
    let max = given.and_then(|given| given.max_resource).or_else(inferred);
    let Some(max) = max else {
        return Err(AwsError::validation(
            "MaxResource is required in HyperbandStrategyConfig, because it cannot be inferred from the \
             StaticHyperParameters: none of epochs, numepochs, n-epochs, n_epochs, num_epochs is there.",
        ));
    };
    let min = given.and_then(|given| given.min_resource).unwrap_or(1);
    if min >= max {
        return Err(AwsError::validation(format!(
            "MinResource [{min}] must be less than MaxResource [{max}] in HyperbandStrategyConfig."
        )));
    }
    if max > 20_000 {
        return Err(AwsError::validation(format!("MaxResource [{max}] must be less than or equal to 20000.")));
    }
    Ok(Hyperband { min, max })
}

/// The request of a training job, but for its name and hyperparameters.
pub(super) fn training_request(definition: &Value, tags: Value) -> Result<Value, AwsError> {
    let mut request = Map::new();
    for member in [
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "VpcConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
        "CheckpointConfig",
        "RetryStrategy",
        "Environment",
    ] {
        if let Some(value) = definition.get(member).filter(|value| !value.is_null()) {
            request.insert(member.to_owned(), value.clone());
        }
    }
    if tags.as_array().is_some_and(|tags| !tags.is_empty()) {
        request.insert("Tags".to_owned(), tags);
    }
    let flexible = definition.get("HyperParameterTuningResourceConfig").filter(|value| !value.is_null());
    match (request.contains_key("ResourceConfig"), flexible) {
        (true, None) => {}
        (false, Some(flexible)) => {
            request.insert("ResourceConfig".to_owned(), resources(flexible));
        }
        _ => {
            return Err(AwsError::validation(
                "Specify either ResourceConfig or HyperParameterTuningResourceConfig in a training job definition, \
                 not both.",
            ));
        }
    }
    Ok(Value::Object(request))
}

/// The resources of a training job: of several instance types the first one, as there is always capacity here.
fn resources(flexible: &Value) -> Value {
    let mut resources = json!({});
    let first = flexible.get("InstanceConfigs").and_then(Value::as_array).and_then(|configs| configs.first());
    for source in [Some(flexible), first].into_iter().flatten() {
        for member in ["InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"] {
            if let Some(value) = source.get(member).filter(|value| !value.is_null()) {
                resources[member] = value.clone();
            }
        }
    }
    resources
}
