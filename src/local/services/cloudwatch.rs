//! CloudWatch metrics, in the three protocols that its clients speak: CBOR (today's SDKs), JSON and query (older ones,
//! and the AWS CLI).

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::SeenBody;
use crate::local::archive;
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::router::Service;
use crate::local::validation;
use crate::local::wire::{self, Answer};

mod cbor;
mod data;
mod form;
mod list;
mod protocol;
mod put;
mod store;
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
        validation::check_answer(&Service::CloudWatch, &operation, answer);
    }
    let answer = protocol.answer(&operation, &request_id, result);
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
    validation::validate(&Service::CloudWatch, operation, request)?;
    match operation {
        "PutMetricData" => put::put(core, request),
        "GetMetricStatistics" => data::statistics(core, request),
        "GetMetricData" => data::data(core, request),
        "ListMetrics" => list::list(core, request),
        other => Err(AwsError::unsupported("cloudwatch", other)),
    }
}

fn invalid_value(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", message)
}

fn invalid_combination(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterCombination", message)
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
