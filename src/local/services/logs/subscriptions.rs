//! Subscription filters. What they would deliver to is not part of the backend, so they are kept and deliver nothing.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::pattern::Pattern;
use super::{Answer, destinations, group_mut, limit_exceeded, no_group, page};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

/// How many filters a group has at most.
const MAX_FILTERS: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    destination_arn: String,
    role_arn: Option<String>,
    distribution: Option<String>,
    #[serde(flatten)]
    further: Map<String, Value>,
}

/// Sends the test message, as the service does: only destinations of CloudWatch Logs are part of the backend.
fn check_destination(core: &Core, request: &Put) -> Result<(), AwsError> {
    let arn = &request.destination_arn;
    let mut parts = arn.split(':');
    let (Some("arn"), Some(service)) = (parts.next(), parts.nth(1)) else {
        return Err(AwsError::invalid_parameter("The specified destinationArn is invalid."));
    };
    if service == "lambda" && parts.nth(1) != Some(&core.place.account) {
        let message = "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create \
                       cross account lambda triggers.";
        return Err(AwsError::new(400, "AccessDeniedException", message));
    }
    let has_role = request.role_arn.is_some();
    match service {
        "kinesis" | "firehose" if !has_role => {
            let message = format!("destinationArn for vendor {service} cannot be used without roleArn");
            Err(AwsError::invalid_parameter(message))
        }
        "lambda" | "logs" if has_role => {
            let message = format!("destinationArn for vendor {service} cannot be used with roleArn");
            Err(AwsError::invalid_parameter(message))
        }
        "logs" if destinations::exists(core, arn) => Ok(()),
        "logs" => Err(AwsError::invalid_parameter("The specified destination does not exist.")),
        _ if core.is_lenient() => Ok(()),
        "lambda" => Err(AwsError::invalid_parameter(
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your \
             function.",
        )),
        "kinesis" => Err(AwsError::invalid_parameter(
            "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE \
             state. ",
        )),
        "firehose" => Err(AwsError::invalid_parameter(
            "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE \
             state.",
        )),
        other => {
            let message = format!("PutSubscriptionFilter operation cannot work with destinationArn for vendor {other}");
            Err(AwsError::invalid_parameter(message))
        }
    }
}

pub(super) fn put(core: &Core, request: Put) -> Answer {
    Pattern::parse(&request.filter_pattern)?;
    core.logs.read(|groups| groups.contains_key(&request.log_group_name).then_some(()).ok_or_else(no_group))?;
    check_destination(core, &request)?;
    core.logs.change(core, |groups| {
        let group = group_mut(groups, &request.log_group_name)?;
        let filters = &mut group.settings.subscriptions;
        let before = filters.get(&request.filter_name);
        if before.is_none() && filters.len() >= MAX_FILTERS {
            return Err(limit_exceeded());
        }
        let created = before.map_or_else(|| json!(millis(core.clock.now())), |filter| filter["creationTime"].clone());
        let mut filter = Map::from_iter([("applyOnTransformedLogs".to_owned(), json!(false))]);
        filter.extend(request.further);
        filter.extend([
            ("filterName".to_owned(), json!(request.filter_name)),
            ("logGroupName".to_owned(), json!(request.log_group_name)),
            ("filterPattern".to_owned(), json!(request.filter_pattern)),
            ("destinationArn".to_owned(), json!(request.destination_arn)),
            ("distribution".to_owned(), json!(request.distribution.as_deref().unwrap_or("ByLogStream"))),
            ("creationTime".to_owned(), created),
        ]);
        filter.extend(request.role_arn.map(|role| ("roleArn".to_owned(), json!(role))));
        filters.insert(request.filter_name, Value::Object(filter));
        core.logs.journal.settings(&request.log_group_name, group);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    log_group_name: String,
    filter_name: String,
}

pub(super) fn delete(core: &Core, request: Delete) -> Answer {
    core.logs.change(core, |groups| {
        let group = group_mut(groups, &request.log_group_name)?;
        group.settings.subscriptions.remove(&request.filter_name).ok_or_else(|| {
            AwsError::new(400, "ResourceNotFoundException", "The specified subscription filter does not exist.")
        })?;
        core.logs.journal.settings(&request.log_group_name, group);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: String,
    filter_name_prefix: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    let prefix = request.filter_name_prefix.as_deref().unwrap_or_default();
    core.logs.read(|groups| {
        let filters = &groups.get(&request.log_group_name).ok_or_else(no_group)?.settings.subscriptions;
        let found = filters.iter().filter(|(name, _)| name.starts_with(prefix));
        let found = found.map(|(name, filter)| (name.clone(), filter.clone())).collect();
        page(found, false, "subscriptionFilters", request.limit.unwrap_or(50), request.next_token.as_deref())
    })
}
