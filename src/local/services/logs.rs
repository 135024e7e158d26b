//! CloudWatch Logs.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

mod deliveries;
mod destinations;
mod events;
mod exports;
mod filter;
mod insights;
mod metric_filters;
mod pattern;
mod policies;
mod query_definitions;
mod settings;
mod store;
mod subscriptions;
mod tags;

pub(in crate::local) use insights::QueryStore;
use store::{Group, Groups, Stream};
pub(in crate::local) use store::{LogLine, LogStore};

type Answer = Result<Value, AwsError>;

/// Any text as a filter pattern, which then filters that text, and as a query.
#[cfg(fuzzing)]
pub(in crate::local) fn expressions(text: &str) {
    let _ = pattern::Pattern::parse(text).map(|pattern| pattern.matches(text));
    insights::expression(text);
}

pub(super) fn handle(core: &Core, operation: &str, request: &Value) -> Answer {
    match operation {
        "CreateLogGroup" => create_group(core, parse(request)?),
        "CreateLogStream" => create_stream(core, parse(request)?),
        "DeleteLogGroup" => delete_group(core, parse(request)?),
        "DeleteLogStream" => delete_stream(core, parse(request)?),
        "DescribeLogGroups" => describe_groups(core, parse(request)?),
        "DescribeLogStreams" => describe_streams(core, parse(request)?),
        "PutLogEvents" => events::put(core, parse(request)?),
        "GetLogEvents" => events::get(core, parse(request)?),
        "FilterLogEvents" => filter::filter(core, parse(request)?),
        "PutRetentionPolicy" => settings::put_retention(core, parse(request)?),
        "DeleteRetentionPolicy" => settings::delete_retention(core, parse(request)?),
        "AssociateKmsKey" | "DisassociateKmsKey" => settings::set_key(core, parse(request)?),
        "PutLogGroupDeletionProtection" => settings::protect(core, parse(request)?),
        "PutDataProtectionPolicy" => settings::put_data_protection(core, parse(request)?),
        "GetDataProtectionPolicy" => settings::get_data_protection(core, parse(request)?),
        "DeleteDataProtectionPolicy" => settings::delete_data_protection(core, parse(request)?),
        "PutIndexPolicy" => settings::put_index_policy(core, parse(request)?),
        "DeleteIndexPolicy" => settings::delete_index_policy(core, parse(request)?),
        "DescribeIndexPolicies" => settings::index_policies(core, parse(request)?),
        "TagResource" => tags::tag_resource(core, parse(request)?),
        "UntagResource" => tags::untag_resource(core, parse(request)?),
        "ListTagsForResource" => tags::of_resource(core, parse(request)?),
        "TagLogGroup" => tags::tag_group(core, parse(request)?),
        "UntagLogGroup" => tags::untag_group(core, parse(request)?),
        "ListTagsLogGroup" => tags::tags_of_group(core, parse(request)?),
        "PutMetricFilter" => metric_filters::put(core, parse(request)?),
        "DescribeMetricFilters" => metric_filters::describe(core, parse(request)?),
        "DeleteMetricFilter" => metric_filters::delete(core, parse(request)?),
        "TestMetricFilter" => metric_filters::test(parse(request)?),
        "PutSubscriptionFilter" => subscriptions::put(core, parse(request)?),
        "DescribeSubscriptionFilters" => subscriptions::describe(core, parse(request)?),
        "DeleteSubscriptionFilter" => subscriptions::delete(core, parse(request)?),
        "PutDestination" => destinations::put(core, parse(request)?),
        "PutDestinationPolicy" => destinations::put_policy(core, parse(request)?),
        "DescribeDestinations" => destinations::describe(core, parse(request)?),
        "DeleteDestination" => destinations::delete(core, parse(request)?),
        "PutResourcePolicy" => policies::put(core, parse(request)?),
        "DescribeResourcePolicies" => policies::describe(core, parse(request)?),
        "DeleteResourcePolicy" => policies::delete(core, parse(request)?),
        "PutAccountPolicy" => policies::put_account(core, parse(request)?),
        "DescribeAccountPolicies" => policies::describe_account(core, parse(request)?),
        "DeleteAccountPolicy" => policies::delete_account(core, parse(request)?),
        "CreateExportTask" => exports::create(core, parse(request)?),
        "DescribeExportTasks" => exports::describe(core, parse(request)?),
        "CancelExportTask" => exports::cancel(core, parse(request)?),
        "PutQueryDefinition" => query_definitions::put(core, parse(request)?),
        "DescribeQueryDefinitions" => query_definitions::describe(core, parse(request)?),
        "DeleteQueryDefinition" => query_definitions::delete(core, parse(request)?),
        "GetLogGroupFields" => query_definitions::fields(core, parse(request)?),
        "GetLogRecord" => insights::record(core, parse(request)?),
        "ListLogGroupsForQuery" => insights::groups(core, parse(request)?),
        "ListLogGroups" => list_groups(core, parse(request)?),
        "PutDeliverySource" => deliveries::put_source(core, parse(request)?),
        "GetDeliverySource" => deliveries::get_source(core, parse(request)?),
        "DescribeDeliverySources" => deliveries::list_sources(core, parse(request)?),
        "DeleteDeliverySource" => deliveries::delete_source(core, parse(request)?),
        "PutDeliveryDestination" => deliveries::put_destination(core, parse(request)?),
        "GetDeliveryDestination" => deliveries::get_destination(core, parse(request)?),
        "DescribeDeliveryDestinations" => deliveries::list_destinations(core, parse(request)?),
        "DeleteDeliveryDestination" => deliveries::delete_destination(core, parse(request)?),
        "PutDeliveryDestinationPolicy" | "DeleteDeliveryDestinationPolicy" => {
            deliveries::set_policy(core, parse(request)?)
        }
        "GetDeliveryDestinationPolicy" => deliveries::get_policy(core, parse(request)?),
        "CreateDelivery" => deliveries::create(core, parse(request)?),
        "GetDelivery" => deliveries::get(core, parse(request)?),
        "DescribeDeliveries" => deliveries::list_deliveries(core, parse(request)?),
        "DeleteDelivery" => deliveries::delete(core, parse(request)?),
        "UpdateDeliveryConfiguration" => deliveries::update(core, parse(request)?),
        "StartQuery" => insights::start(core, parse(request)?),
        "GetQueryResults" => insights::results(core, parse(request)?),
        "StopQuery" => insights::stop(core, parse(request)?),
        "DescribeQueries" => insights::describe(core, parse(request)?),
        other => Err(AwsError::unsupported("logs", other)),
    }
}

fn parse<T: DeserializeOwned>(request: &Value) -> Result<T, AwsError> {
    T::deserialize(request).map_err(AwsError::serialization)
}

fn no_group() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

fn group_mut<'a>(groups: &'a mut Groups, name: &str) -> Result<&'a mut Group, AwsError> {
    groups.get_mut(name).ok_or_else(no_group)
}

fn limit_exceeded() -> AwsError {
    AwsError::new(400, "LimitExceededException", "Resource limit exceeded.")
}

fn no_stream() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified log stream does not exist.")
}

fn bad_token() -> AwsError {
    AwsError::invalid_parameter("The specified nextToken is invalid.")
}

/// One of two members that name the group: the model requires neither, the service one of them.
fn required<'a>(value: Option<&'a String>, path: &str) -> Result<&'a str, AwsError> {
    value.map(String::as_str).ok_or_else(|| {
        AwsError::invalid_parameter(format!(
            "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedGroup {
    log_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedStream {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateGroup {
    log_group_name: String,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    log_group_class: Option<String>,
    #[serde(default)]
    deletion_protection_enabled: bool,
}

fn create_group(core: &Core, request: CreateGroup) -> Answer {
    let name = request.log_group_name;
    tags::check(&request.tags)?;
    core.logs.change(core, |groups| {
        if groups.contains_key(&name) {
            let message = "The specified log group already exists";
            return Err(AwsError::new(400, "ResourceAlreadyExistsException", message));
        }
        let mut group = Group::new(core.clock.now());
        group.settings.tags = request.tags;
        group.settings.key = request.kms_key_id;
        group.settings.protected = request.deletion_protection_enabled;
        group.settings.class = request.log_group_class.unwrap_or(group.settings.class);
        let group = core.logs.journal.group(&name, group);
        groups.insert(name, group);
        Ok(Value::Null)
    })
}

fn create_stream(core: &Core, request: NamedStream) -> Answer {
    let NamedStream { log_group_name: group, log_stream_name: name } = request;
    core.logs.change(core, |groups| {
        let (group_name, group) = (&group, groups.get_mut(&group).ok_or_else(no_group)?);
        if group.streams.contains_key(&name) {
            let message = "The specified log stream already exists";
            return Err(AwsError::new(400, "ResourceAlreadyExistsException", message));
        }
        let stream = core.logs.journal.stream(group_name, &name, Stream::new(core.clock.now()));
        group.streams.insert(name, stream);
        Ok(Value::Null)
    })
}

fn protected() -> AwsError {
    AwsError::validation("The log group has deletion protection enabled: disable it before anything is deleted.")
}

fn delete_group(core: &Core, request: NamedGroup) -> Answer {
    core.logs.change(core, |groups| {
        if group_mut(groups, &request.log_group_name)?.settings.protected {
            return Err(protected());
        }
        groups.remove(&request.log_group_name);
        core.logs.journal.no_group(&request.log_group_name);
        Ok(Value::Null)
    })
}

fn delete_stream(core: &Core, request: NamedStream) -> Answer {
    let NamedStream { log_group_name: group, log_stream_name: name } = request;
    core.logs.change(core, |groups| {
        let (group_name, group) = (&group, groups.get_mut(&group).ok_or_else(no_group)?);
        if group.settings.protected {
            return Err(protected());
        }
        group.streams.remove(&name).ok_or_else(no_stream)?;
        core.logs.journal.no_stream(group_name, &name);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    limit: Option<usize>,
    next_token: Option<String>,
}

fn describe_groups(core: &Core, request: DescribeGroups) -> Answer {
    if request.log_group_name_prefix.is_some() && request.log_group_name_pattern.is_some() {
        let message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(AwsError::invalid_parameter(message));
    }
    let size = request.limit.unwrap_or(50);
    let prefix = request.log_group_name_prefix.as_deref().unwrap_or_default();
    let pattern = request.log_group_name_pattern.as_deref().unwrap_or_default().to_lowercase();
    core.logs.read(|groups| {
        let found = groups
            .iter()
            .filter(|(name, group)| {
                let listed = request.log_group_identifiers.as_ref();
                name.starts_with(prefix)
                    && name.to_lowercase().contains(&pattern)
                    && request.log_group_class.as_ref().is_none_or(|class| *class == group.settings.class)
                    && listed
                        .is_none_or(|listed| listed.iter().any(|other| group_of_identifier(other) == name.as_str()))
            })
            .map(|(name, group)| {
                let arn = group_arn(core, name);
                let mut entry = json!({
                    "logGroupName": name,
                    "arn": format!("{arn}:*"),
                    "logGroupArn": arn,
                    "creationTime": millis(group.created),
                    "metricFilterCount": group.settings.metric_filters.len(),
                    "logGroupClass": group.settings.class,
                });
                // What is found by a pattern is told more briefly.
                if request.log_group_name_pattern.is_none() {
                    let bytes: u64 = group.streams.values().map(Stream::bytes).sum();
                    entry["storedBytes"] = json!(bytes);
                    entry["deletionProtectionEnabled"] = json!(group.settings.protected);
                }
                if group.settings.data_protection.is_some() {
                    entry["dataProtectionStatus"] = json!("ACTIVATED");
                }
                if let Some(days) = group.settings.retention {
                    entry["retentionInDays"] = json!(days);
                }
                if let Some(key) = &group.settings.key {
                    entry["kmsKeyId"] = json!(key);
                }
                (name.clone(), entry)
            });
        page(found.collect(), false, "logGroups", size, request.next_token.as_deref())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListGroups {
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

/// `ListLogGroups`: the pattern is a regular expression that may begin with `^` and matches part of a name.
fn list_groups(core: &Core, request: ListGroups) -> Answer {
    let pattern = request.log_group_name_pattern.as_deref().map(Regex::new).transpose();
    let pattern = pattern.map_err(|_| AwsError::invalid_parameter("The specified logGroupNamePattern is invalid."))?;
    core.logs.read(|groups| {
        let wanted = |(name, group): &(&String, &Group)| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(name))
                && request.log_group_class.as_ref().is_none_or(|class| *class == group.settings.class)
        };
        let found = groups.iter().filter(wanted).map(|(name, group)| {
            let arn = group_arn(core, name);
            let class = &group.settings.class;
            (name.clone(), json!({"logGroupName": name, "logGroupArn": arn, "logGroupClass": class}))
        });
        page(found.collect(), false, "logGroups", request.limit.unwrap_or(50), request.next_token.as_deref())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    limit: Option<usize>,
    next_token: Option<String>,
}

fn describe_streams(core: &Core, request: DescribeStreams) -> Answer {
    if request.log_group_name.is_some() && request.log_group_identifier.is_some() {
        let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
        return Err(AwsError::validation(message));
    }
    let identifier = request.log_group_identifier.as_deref().map(group_of_identifier);
    let group = match identifier {
        Some(name) => name,
        None => required(request.log_group_name.as_ref(), "logGroupName")?,
    };
    let size = request.limit.unwrap_or(50);
    let by_time = request.order_by.as_deref() == Some("LastEventTime");
    if by_time && request.log_stream_name_prefix.is_some() {
        let message = "Cannot order by LastEventTime with a logStreamNamePrefix.";
        return Err(AwsError::invalid_parameter(message));
    }
    let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
    core.logs.read(|groups| {
        let streams = &groups.get(group).ok_or_else(no_group)?.streams;
        let mut found: Vec<(String, Value)> = streams
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, stream)| {
                // The position in the order, for the token: by name, or by time and then name.
                let time = if by_time { stream.last_timestamp().unwrap_or_default() } else { 0 };
                (format!("{time:020}{name}"), describe_stream(core, group, name, stream))
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        let descending = request.descending == Some(true);
        if descending {
            found.reverse();
        }
        page(found, descending, "logStreams", size, request.next_token.as_deref())
    })
}

fn describe_stream(core: &Core, group: &str, name: &str, stream: &Stream) -> Value {
    let mut entry = Map::new();
    entry.insert("logStreamName".to_owned(), json!(name));
    entry.insert("creationTime".to_owned(), json!(millis(stream.created)));
    entry.insert("arn".to_owned(), json!(format!("{}:log-stream:{name}", group_arn(core, group))));
    entry.insert("storedBytes".to_owned(), json!(0)); // deprecated, always 0 on AWS
    if let (Some(first), Some(last)) = (stream.first_timestamp(), stream.last_timestamp()) {
        entry.insert("firstEventTimestamp".to_owned(), json!(first));
        entry.insert("lastEventTimestamp".to_owned(), json!(last));
        entry.insert("lastIngestionTime".to_owned(), json!(stream.last_ingestion));
    }
    Value::Object(entry)
}

/// One page of entries that are in order. The token is the position of the last entry given.
fn page(found: Vec<(String, Value)>, descending: bool, member: &str, size: usize, token: Option<&str>) -> Answer {
    let start = match token {
        None => 0,
        Some(token) => {
            let last = aws_smithy_types::base64::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let last = last.ok_or_else(bad_token)?;
            let seen = |(at, _): &(String, Value)| if descending { *at >= last } else { *at <= last };
            found.partition_point(seen)
        }
    };
    let rest = found.get(start..).unwrap_or_default();
    let mut answer = Map::new();
    if rest.len() > size
        && let Some((position, _)) = rest.get(size - 1)
    {
        answer.insert("nextToken".to_owned(), json!(aws_smithy_types::base64::encode(position)));
    }
    answer.insert(member.to_owned(), rest.iter().take(size).map(|(_, entry)| entry.clone()).collect());
    Ok(Value::Object(answer))
}

fn group_arn(core: &Core, name: &str) -> String {
    let place = &core.place;
    format!("arn:{}:logs:{}:{}:log-group:{name}", place.partition(), place.region, place.account)
}

/// The name in a `logGroupIdentifier`, which is a name or an ARN.
fn group_of_identifier(identifier: &str) -> &str {
    let name = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}
