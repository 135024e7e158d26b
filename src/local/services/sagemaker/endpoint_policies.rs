//! Who else may send requests to an endpoint. Kept, and not acted on: the local backend has one account.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::state::{Resource, text};

pub(super) static OPERATIONS: &[Own] = &[
    ("PutEndpointPolicy", |core, request| put(core, request)),
    ("GetEndpointPolicy", |core, request| get(core, request)),
    ("DeleteEndpointPolicy", |core, request| delete(core, request)),
];

const POLICY: &str = "ResourcePolicy";

fn put(core: &Core, request: &Value) -> Answer {
    let policy = text(request, POLICY)?;
    if !serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object()) || !policy.is_ascii() {
        return Err(AwsError::validation("The resource policy is not a valid JSON policy document."));
    }
    core.change(|state| {
        let endpoint = table::find_mut(core, state, Kind::Endpoint.row(), request)?;
        endpoint.set(POLICY, policy);
        Ok(json!({"EndpointArn": endpoint.arn}))
    })
}

fn none(endpoint: &Resource) -> AwsError {
    AwsError::validation(format!("Cannot find resource policy for: {}", endpoint.arn))
}

fn get(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let endpoint = table::find(core, &state, Kind::Endpoint.row(), request)?;
    let policy = endpoint.state.get(POLICY).ok_or_else(|| none(endpoint))?;
    Ok(json!({"EndpointName": endpoint.name, "EndpointArn": endpoint.arn, POLICY: policy}))
}

fn delete(core: &Core, request: &Value) -> Answer {
    core.change(|state| {
        let endpoint = table::find_mut(core, state, Kind::Endpoint.row(), request)?;
        endpoint.state.remove(POLICY).map(|_| Value::Null).ok_or_else(|| none(endpoint))
    })
}
