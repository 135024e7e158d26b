//! Warm start: what earlier tuning jobs found.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::tuning::{self, Best, Definition};
use crate::local::kinds::Kind;
use crate::local::state::{Resource, State};
use crate::local::tuning::Trial;

/// The most training jobs of parents that are looked at.
const MOST_JOBS: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WarmStartConfig {
    parent_hyper_parameter_tuning_jobs: Vec<Parent>,
    warm_start_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parent {
    hyper_parameter_tuning_job_name: Option<String>,
}

/// Hands the results of parents to the searches; gives the best of them.
pub(super) fn take_over(
    core: &Core,
    config: Option<WarmStartConfig>,
    plans: &mut [Definition],
) -> Result<Option<Best>, AwsError> {
    let Some(config) = config else { return Ok(None) };
    let [plan] = plans else {
        return Err(AwsError::validation(
            "WarmStartConfig is not supported with more than one training job definition.",
        ));
    };
    let state = core.state();
    let identical = config.warm_start_type == "IdenticalDataAndAlgorithm";
    let mut names: Vec<&str> = Vec::new();
    for parent in &config.parent_hyper_parameter_tuning_jobs {
        let Some(name) = parent.hyper_parameter_tuning_job_name.as_deref() else {
            return Err(AwsError::validation("HyperParameterTuningJobName is required for each parent tuning job."));
        };
        let row = Kind::HyperParameterTuningJob.row();
        let resource = state.get(row, &core.place, name)?;
        check(resource, resource.status(row), plan, identical)?;
        if names.contains(&name) {
            return Err(AwsError::validation(format!("The parent tuning job {name} is specified more than once.")));
        }
        names.push(name);
    }
    let mut best: Option<Best> = None;
    let mut jobs = 0;
    for job in ancestors(core, &state, &names).into_iter().flat_map(|parent| tuning::training_jobs(&state, parent)) {
        let Some(value) = tuning::objective_value(job) else { continue };
        jobs += 1;
        if jobs > MOST_JOBS {
            return Err(AwsError::validation(format!(
                "The parent tuning jobs have more than {MOST_JOBS} training jobs in total."
            )));
        }
        if best.as_ref().is_none_or(|best| plan.objective.is_better(value, best.value)) {
            best = Some(Best { value, summary: tuning::summary(job) });
        }
        let hyperparameters: BTreeMap<String, String> = job
            .request
            .get("HyperParameters")
            .and_then(|values| BTreeMap::deserialize(values).ok())
            .unwrap_or_default();
        let point = plan.search.as_ref().and_then(|search| search.space().point(&hyperparameters));
        if let Some(point) = point {
            plan.earlier.push(Trial { point, value: plan.objective.lower_is_better(value) });
        }
    }
    Ok(best)
}

fn check(parent: &Resource, status: &str, plan: &Definition, identical: bool) -> Result<(), AwsError> {
    let name = &parent.name;
    if matches!(status, "InProgress" | "Stopping") {
        return Err(AwsError::validation(format!(
            "The parent tuning job {name} is not in a terminal state: its status is {status}."
        )));
    }
    let definition = parent.request.get("TrainingJobDefinition").unwrap_or(&Value::Null);
    if definition.is_null() {
        return Err(AwsError::validation(format!(
            "The parent tuning job {name} has more than one training job definition, which WarmStartConfig does not \
             support."
        )));
    }
    if !identical {
        return Ok(());
    }
    let objective = &parent.request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"];
    if objective["MetricName"] != plan.objective.metric.as_str() {
        return Err(AwsError::validation(format!(
            "The objective metric must be the same as that of the parent tuning job {name} when WarmStartType is \
             IdenticalDataAndAlgorithm."
        )));
    }
    let data = |request: &Value| {
        let channels = request.get("InputDataConfig").and_then(Value::as_array).into_iter().flatten();
        channels.map(|channel| channel["DataSource"].to_string()).collect::<BTreeSet<String>>()
    };
    if definition["AlgorithmSpecification"]["TrainingImage"] != plan.template["AlgorithmSpecification"]["TrainingImage"]
        || data(definition) != data(&plan.template)
    {
        return Err(AwsError::validation(format!(
            "The input data and the training image must be the same as those of the parent tuning job {name} when \
             WarmStartType is IdenticalDataAndAlgorithm."
        )));
    }
    Ok(())
}

/// The parents, and the parents of the parents, each once.
fn ancestors<'a>(core: &Core, state: &'a State, names: &[&str]) -> Vec<&'a Resource> {
    let mut found: Vec<&Resource> = Vec::new();
    let mut left: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    while let Some(name) = left.pop() {
        let Ok(parent) = state.get(Kind::HyperParameterTuningJob.row(), &core.place, &name) else { continue };
        if found.iter().any(|other| other.id == parent.id) {
            continue;
        }
        found.push(parent);
        let config = parent.request.get("WarmStartConfig");
        let parents = config.and_then(|config| config.get("ParentHyperParameterTuningJobs")?.as_array());
        let name = |parent: &Value| Some(parent.get("HyperParameterTuningJobName")?.as_str()?.to_owned());
        left.extend(parents.into_iter().flatten().filter_map(name));
    }
    found.sort_by_key(|parent| parent.id);
    found
}
