//! CloudWatch metrics, in the three protocols that its clients speak: CBOR (today's SDKs), JSON and query (older ones,
//! and the AWS CLI).

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::SeenBody;
use crate::local::archive;
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::router::Service;
use crate::local::validation as model;
use crate::local::wire::{self, Answer};

mod alarms;
mod cbor;
mod dashboards;
mod data;
mod form;
mod insight_rules;
mod labels;
mod list;
mod math;
mod protocol;
mod put;
mod queries;
mod statistic;
mod store;
mod tags;
mod xml;

use protocol::Protocol;
pub(in crate::local) use store::MetricStore;

/// The largest body, also once it is unpacked: the service takes 1 MB.
const MAX_BODY: u64 = 1 << 20;

pub(super) async fn handle(core: &Core, request: Request<SdkBody>) -> (Option<String>, SeenBody, Answer) {
    let request_id = core.request_id();
    let (parts, body) = request.into_parts();
    let gzip = parts.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip");
    let (protocol, mut operation) = Protocol::of(&parts.uri, &parts.headers);
    let bytes = match wire::collect(body, MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(unread) => {
            let answer = protocol.answer(&operation, &request_id, Err(unread.error()));
            return (Some(operation), SeenBody::default(), answer);
        }
    };
    let length = Some(bytes.len() as u64);
    let read = unpacked(bytes, gzip).and_then(|bytes| protocol.read(&bytes, &mut operation));
    let (value, result) = match read {
        Ok(value) => {
            let result = answer(core, &operation, &value);
            (value, result)
        }
        Err(error) => (Value::Null, Err(error)),
    };
    #[cfg(test)]
    if let Ok(answer) = &result {
        model::check_answer(&Service::CloudWatch, &operation, answer);
    }
    let mut answer = protocol.answer(&operation, &request_id, result);
    // Who speaks a newer protocol and does not know the older one's errors is told 400 of whatever it did wrong.
    let knows_query = parts.headers.get("x-amzn-query-mode").is_some_and(|mode| mode == "true");
    if protocol != Protocol::Query && !knows_query && answer.status().is_client_error() {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    (Some(operation), SeenBody { value, length }, answer)
}

/// An error in the protocol of a request.
pub(super) fn refuse(core: &Core, request: &Request<SdkBody>, error: AwsError) -> Answer {
    let (protocol, operation) = Protocol::of(request.uri(), request.headers());
    protocol.answer(&operation, &core.request_id(), Err(error))
}

fn unpacked(bytes: Bytes, gzip: bool) -> Result<Bytes, AwsError> {
    if !gzip {
        return Ok(bytes);
    }
    archive::gunzip(&bytes, MAX_BODY).map_err(|why| AwsError::serialization(format!("The body cannot be read: {why}")))
}

fn answer(core: &Core, operation: &str, request: &Value) -> Result<Value, AwsError> {
    let handle = handler(operation).ok_or_else(|| AwsError::unsupported("cloudwatch", operation))?;
    match operation {
        "PutMetricData" => put::check_numbers(request)?,
        "SetAlarmState" => alarms::check_state(request)?,
        _ => {}
    }
    model::validate(&Service::CloudWatch, operation, request)?;
    handle(core, request)
}

type Handler = fn(&Core, &Value) -> Result<Value, AwsError>;

fn handler(operation: &str) -> Option<Handler> {
    let handler: Handler = match operation {
        "PutMetricData" => put::put,
        "GetMetricStatistics" => data::statistics,
        "GetMetricData" => queries::data,
        "ListMetrics" => list::list,
        "PutMetricAlarm" => alarms::put_metric,
        "PutCompositeAlarm" => alarms::put_composite,
        "DescribeAlarms" => alarms::describe,
        "DescribeAlarmsForMetric" => alarms::describe_for_metric,
        "DescribeAlarmHistory" => alarms::describe_history,
        "DeleteAlarms" => alarms::delete,
        "SetAlarmState" => alarms::set_state,
        "EnableAlarmActions" => |core, request| alarms::enable(core, request, true),
        "DisableAlarmActions" => |core, request| alarms::enable(core, request, false),
        "PutDashboard" => dashboards::put,
        "GetDashboard" => dashboards::get,
        "ListDashboards" => dashboards::list,
        "DeleteDashboards" => dashboards::delete,
        "PutInsightRule" => insight_rules::put,
        "DescribeInsightRules" => insight_rules::describe,
        "EnableInsightRules" => |core, request| insight_rules::set_state(core, request, "ENABLED"),
        "DisableInsightRules" => |core, request| insight_rules::set_state(core, request, "DISABLED"),
        "DeleteInsightRules" => insight_rules::delete,
        "TagResource" => tags::add,
        "UntagResource" => tags::remove,
        "ListTagsForResource" => tags::list,
        _ => return None,
    };
    Some(handler)
}

fn invalid_value(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", message)
}

fn invalid_combination(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterCombination", message)
}

fn validation(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "ValidationError", message)
}

fn invalid_token() -> AwsError {
    AwsError::new(400, "InvalidNextToken", "Request parameter NextToken is invalid")
}

/// One page of entries that are in the order of their positions. The token is the position of the last entry given.
fn page(found: Vec<(String, Value)>, member: &str, size: usize, token: &Value) -> Result<Value, AwsError> {
    let after = token.as_str().map(|token| {
        let text = aws_smithy_types::base64::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(invalid_token)
    });
    let after = after.transpose()?;
    let start = after.map_or(0, |after| found.partition_point(|(at, _)| *at <= after));
    let rest = found.get(start..).unwrap_or_default();
    let given: Vec<Value> = rest.iter().take(size).map(|(_, entry)| entry.clone()).collect();
    let mut answer = json!({ member: given });
    if rest.len() > size
        && let Some((position, _)) = rest.get(size.saturating_sub(1))
    {
        answer["NextToken"] = json!(aws_smithy_types::base64::encode(position));
    }
    Ok(answer)
}

/// The texts of a list.
fn texts<'a>(request: &'a Value, member: &str) -> Vec<&'a str> {
    request[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn missing(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "MissingParameter", message)
}

/// The `Dimensions` of a metric, in order of their names.
fn dimensions(metric: &Value) -> Vec<(String, String)> {
    let text = |dimension: &Value, member: &str| dimension[member].as_str().unwrap_or_default().to_owned();
    let pair = |dimension: &Value| (text(dimension, "Name"), text(dimension, "Value"));
    let mut found: Vec<_> = metric["Dimensions"].as_array().into_iter().flatten().map(pair).collect();
    found.sort();
    found
}

/// A member that the model requires.
fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    request[member].as_str().unwrap_or_default()
}

/// Whole seconds since 1970, rounded down.
fn second(request: &Value, member: &str) -> Option<i64> {
    request[member].as_f64().map(|seconds| seconds.floor() as i64)
}
