//! What a training job's options may not be, or not be together. A lenient backend forgives all of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CreateTrainingJob, ResourceConfig};
use crate::local::aws_error::AwsError;

/// The longest time that a job may run: 28 days, in seconds.
const LONGEST: u64 = 28 * 86_400;

/// Checks what needs no look at anything else.
pub(super) fn check(request: &CreateTrainingJob) -> Result<(), AwsError> {
    let refuse = |message: &str| Err(AwsError::validation(message));
    let spot = request.enable_managed_spot_training;
    let stopping = &request.stopping_condition;
    if stopping.max_wait_time_in_seconds.is_some() && !spot {
        return refuse(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
        );
    }
    if let Some(longer) = stopping.max_runtime_in_seconds.filter(|&seconds| seconds > LONGEST) {
        return refuse(&format!(
            "1 validation error detected: Value '{longer}' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy \
             constraint: Member must have value less than or equal to {LONGEST}"
        ));
    }
    let resources = &request.resource_config;
    if spot && resources.keep_alive_period_in_seconds.is_some_and(|seconds| seconds > 0) {
        return refuse("KeepAlivePeriodInSeconds is not supported when EnableManagedSpotTraining is set to true.");
    }
    check_resources(resources)?;
    let mut names = BTreeSet::new();
    match request.input_data_config.iter().find(|channel| !names.insert(channel.channel_name.as_str())) {
        Some(twice) => {
            let name = &twice.channel_name;
            refuse(&format!("Channel names must be unique in InputDataConfig: \"{name}\" is there more than once."))
        }
        None => Ok(()),
    }
}

/// One kind of instance and how many of it, or groups of them.
fn check_resources(resources: &ResourceConfig) -> Result<(), AwsError> {
    let refuse = |message: &str| Err(AwsError::validation(message));
    let single = resources.instance_type.is_some() || resources.instance_count.is_some();
    let groups = &resources.instance_groups;
    if single && !groups.is_empty() {
        return refuse("InstanceGroups cannot be specified together with InstanceType or InstanceCount.");
    }
    let mut counts = resources.instance_count.iter().chain(groups.iter().map(|group| &group.instance_count));
    if counts.any(|&count| count == 0) {
        return refuse(
            "1 validation error detected: Value '0' at 'resourceConfig.instanceCount' failed to satisfy constraint: \
             Member must have value greater than or equal to 1",
        );
    }
    // The service chooses the type among preferences, and a plan has types and counts of its own.
    let chosen = |member: &Option<Value>| member.as_ref().is_some_and(|value| !value.is_null());
    if chosen(&resources.instance_preferences) || chosen(&resources.training_plan_arn) || !groups.is_empty() {
        return Ok(());
    }
    if resources.instance_type.is_none() || resources.instance_count.is_none() {
        return refuse("ResourceConfig must have both an InstanceType and an InstanceCount, or InstanceGroups.");
    }
    Ok(())
}
