//! Hyperparameter tuning jobs: what is refused at once, and what is handed to the task that tunes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Answer, parse, training_job};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::tuning::{self, Definition, Objective, Plan};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::state::{read_tags, text};
use crate::local::time::timestamp;
use crate::local::tuning::{EarlyStop, Search, Strategy};

mod auto;
mod list;
mod ranges;
mod request;
mod warm_start;

pub(super) use list::training_jobs;
use request::{Config, CreateTuningJob, ObjectiveRequest, TrainingDefinition};

/// The most training jobs that one tuning job starts.
const MOST_JOBS: u32 = 750;
/// What a training job finds among its hyperparameters.
const OBJECTIVE_HYPERPARAMETER: &str = "_tuning_objective_metric";

/// `CreateHyperParameterTuningJob`.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let mut document = request.clone();
    let defined =
        ["TrainingJobDefinition", "TrainingJobDefinitions"].iter().any(|member| request.get(member).is_some());
    if core.is_lenient() && !defined {
        return create_empty(core, &document);
    }
    auto::complete(&mut document);
    let parsed: CreateTuningJob = parse(&document)?;
    let plan = plan(core, parsed, &mut document)?;
    let (run, arn) = core.change(|state| {
        let row = Kind::HyperParameterTuningJob.row();
        let resource = state.insert(row, &core.place, core.clock.now(), &document, Map::new())?;
        let config = &document["HyperParameterTuningJobConfig"];
        for member in ["Strategy", "ResourceLimits"] {
            resource.set(member, config[member].clone());
        }
        tuning::begin(resource);
        Ok::<_, AwsError>((Run::new(core, Kind::HyperParameterTuningJob, resource), resource.arn.clone()))
    })?;
    runtime.spawn(tuning::run(run, plan));
    Ok(json!({"HyperParameterTuningJobArn": arn}))
}

/// A job without definitions, which only a lenient backend takes: it is over at once, without training jobs.
fn create_empty(core: &Core, document: &Value) -> Answer {
    core.change(|state| {
        let row = Kind::HyperParameterTuningJob.row();
        let now = core.clock.now();
        let resource = state.insert(row, &core.place, now, document, Map::new())?;
        let config = &document["HyperParameterTuningJobConfig"];
        for member in ["Strategy", "ResourceLimits"] {
            resource.set(member, config[member].clone());
        }
        tuning::begin(resource);
        resource.set(row.status_member(), "Completed");
        resource.set("HyperParameterTuningEndTime", timestamp(now));
        Ok(json!({"HyperParameterTuningJobArn": resource.arn}))
    })
}

/// `DeleteHyperParameterTuningJob`: only after its end; its training jobs stay.
pub(super) fn delete(core: &Core, request: &Value) -> Answer {
    let name = text(request, "HyperParameterTuningJobName")?;
    let row = Kind::HyperParameterTuningJob.row();
    core.change(|state| match state.get(row, &core.place, name)?.status(row) {
        "InProgress" | "Stopping" => {
            let message = format!(
                "The request was rejected because the hyperparameter tuning job {name} is not in a terminal state."
            );
            Err(AwsError::validation(message))
        }
        _ => state.remove(row, &core.place, name).map(|_| Value::Null),
    })
}

fn plan(core: &Core, request: CreateTuningJob, document: &mut Value) -> Result<Plan, AwsError> {
    let name = text(document, "HyperParameterTuningJobName")?.to_owned();
    let several = request.training_job_definitions.is_some();
    let trainings = definitions(&request)?;
    let config = request.hyper_parameter_tuning_job_config;
    let strategy = strategy(&config)?;
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let seed = config.random_seed.unwrap_or_else(|| hasher.finish());
    let early_stopping = config.training_job_early_stopping_type.as_deref() == Some("Auto");
    request::check_early_stopping(&config, early_stopping)?;

    let mut plans = Vec::with_capacity(trainings.len());
    for (number, training) in trainings.iter().enumerate() {
        let (ranges, objective) = match several {
            true => (training.hyper_parameter_ranges.as_ref(), training.tuning_objective.as_ref()),
            false => (config.parameter_ranges.as_ref(), config.hyper_parameter_tuning_job_objective.as_ref()),
        };
        let fixed = &training.static_hyper_parameters;
        let space = ranges::space(ranges, fixed, config.strategy == "Grid")?;
        let objective = self::objective(objective, training)?;
        let early_stop = match config.strategy.as_str() {
            "Hyperband" => Some(EarlyStop::hyperband(request::hyperband(&config, fixed)?)),
            _ => early_stopping.then(EarlyStop::median),
        };
        let mut fixed = fixed.clone();
        fixed.entry(OBJECTIVE_HYPERPARAMETER.to_owned()).or_insert_with(|| objective.metric.clone());
        plans.push(Definition {
            name: training.definition_name.clone(),
            search: Some(Search::new(space, strategy, seed.wrapping_add(number as u64))),
            earlier: Vec::new(),
            objective,
            early_stop: early_stop.map(Arc::new),
            fixed,
            template: Value::Null,
        });
    }
    let limits = request::limits(&config, &plans)?;
    complete_document(document, &plans, several, (strategy == Strategy::Grid).then_some(limits.jobs));
    let tags = tag_list(document);
    for (plan, training) in plans.iter_mut().zip(training_documents(document, several)) {
        plan.template = request::training_request(&training, tags.clone())?;
        check_training(core, &name, plan)?;
    }
    let earlier_best = warm_start::take_over(core, request.warm_start_config, &mut plans)?;
    let criteria = config.tuning_job_completion_criteria.unwrap_or_default();
    Ok(Plan {
        definitions: plans,
        max_jobs: limits.jobs,
        max_parallel: limits.parallel,
        max_runtime: config.resource_limits.max_runtime_in_seconds.map(Duration::from_secs),
        target: criteria.target_objective_metric_value,
        patience: criteria
            .best_objective_not_improving
            .and_then(|limit| limit.max_number_of_training_jobs_not_improving),
        until_converged: criteria
            .convergence_detected
            .is_some_and(|it| it.complete_on_convergence.as_deref() == Some("Enabled")),
        earlier_best,
        seed,
    })
}

/// The definitions of training jobs: one, or a list.
fn definitions(request: &CreateTuningJob) -> Result<Vec<TrainingDefinition>, AwsError> {
    let refuse = |message: &str| Err(AwsError::validation(message));
    let config = &request.hyper_parameter_tuning_job_config;
    match (&request.training_job_definition, &request.training_job_definitions) {
        (Some(single), None) => {
            if single.tuning_objective.is_some() || single.hyper_parameter_ranges.is_some() {
                return refuse(
                    "TuningObjective and HyperParameterRanges can only be specified in TrainingJobDefinitions. For a \
                     single TrainingJobDefinition, specify HyperParameterTuningJobObjective and ParameterRanges in \
                     HyperParameterTuningJobConfig.",
                );
            }
            Ok(vec![single.clone()])
        }
        (None, Some(several)) => {
            if config.parameter_ranges.is_some() || config.hyper_parameter_tuning_job_objective.is_some() {
                return refuse(
                    "ParameterRanges and HyperParameterTuningJobObjective cannot be specified in \
                     HyperParameterTuningJobConfig together with TrainingJobDefinitions. Specify \
                     HyperParameterRanges and TuningObjective in each training job definition.",
                );
            }
            let mut names: Vec<&str> = several.iter().filter_map(|one| one.definition_name.as_deref()).collect();
            if names.len() != several.len() {
                return refuse("DefinitionName is required for each of the TrainingJobDefinitions.");
            }
            names.sort_unstable();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                return refuse("Each DefinitionName in TrainingJobDefinitions must be unique.");
            }
            let mut types = several.iter().filter_map(|one| one.tuning_objective.as_ref()).map(|one| &one.r#type);
            if let Some(first) = types.next()
                && types.any(|other| other != first)
            {
                return refuse("The Type of the TuningObjective must be the same in all TrainingJobDefinitions.");
            }
            Ok(several.clone())
        }
        (Some(_), Some(_)) => {
            refuse("TrainingJobDefinition and TrainingJobDefinitions cannot both be specified. Specify one of them.")
        }
        (None, None) => refuse("Either TrainingJobDefinition or TrainingJobDefinitions must be specified."),
    }
}

fn strategy(config: &Config) -> Result<Strategy, AwsError> {
    if config.strategy != "Hyperband" && config.strategy_config.is_some() {
        let message = format!("StrategyConfig cannot be specified for the strategy {}.", config.strategy);
        return Err(AwsError::validation(message));
    }
    Ok(match config.strategy.as_str() {
        "Bayesian" => Strategy::Bayesian,
        "Grid" => Strategy::Grid,
        _ => Strategy::Random,
    })
}

fn objective(objective: Option<&ObjectiveRequest>, training: &TrainingDefinition) -> Result<Objective, AwsError> {
    let Some(objective) = objective else {
        let message = "A tuning objective is required: specify HyperParameterTuningJobObjective, or TuningObjective \
                       in each training job definition.";
        return Err(AwsError::validation(message));
    };
    let defined = training_job::definitions(&training.algorithm_specification)?;
    if !defined.iter().any(|(name, _)| *name == objective.metric_name) {
        return Err(AwsError::validation(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric \
             definitions.",
        ));
    }
    Ok(Objective { metric: objective.metric_name.clone(), maximize: objective.r#type == "Maximize" })
}

/// What Describe shows beyond the request: what the service fills in.
fn complete_document(document: &mut Value, plans: &[Definition], several: bool, combinations: Option<u32>) {
    let config = &mut document["HyperParameterTuningJobConfig"];
    if config.get("TrainingJobEarlyStoppingType").is_none_or(Value::is_null) {
        config["TrainingJobEarlyStoppingType"] = json!("Off");
    }
    if let Some(combinations) = combinations {
        config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = json!(combinations);
    }
    let complete = |training: &mut Value, plan: &Definition| {
        training["StaticHyperParameters"] = json!(plan.fixed);
        for flag in ["EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"] {
            if training.get(flag).is_none_or(Value::is_null) {
                training[flag] = json!(false);
            }
        }
    };
    match (several, plans) {
        (false, [plan]) => complete(&mut document["TrainingJobDefinition"], plan),
        _ => {
            let trainings = document["TrainingJobDefinitions"].as_array_mut();
            trainings.into_iter().flatten().zip(plans).for_each(|(training, plan)| complete(training, plan));
        }
    }
}

fn training_documents(document: &Value, several: bool) -> Vec<Value> {
    match several {
        true => document["TrainingJobDefinitions"].as_array().cloned().unwrap_or_default(),
        false => vec![document["TrainingJobDefinition"].clone()],
    }
}

/// Training jobs carry the tags of their tuning job.
fn tag_list(document: &Value) -> Value {
    let tags = read_tags(document.get("Tags"));
    tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// Refuses what each training job would be refused for.
fn check_training(core: &Core, name: &str, plan: &Definition) -> Result<(), AwsError> {
    let values = plan.search.as_ref().map(|search| search.space().values(&Vec::new())).unwrap_or_default();
    training_job::check(core, &tuning::training_request(&plan.template, name, &plan.fixed, &values))
}
