//! Destinations: names for streams of other accounts. They are kept; the streams are not part of the backend.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, page, tags};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const FAMILY: &str = "logs destination";

fn arn(core: &Core, name: &str) -> String {
    let place = &core.place;
    format!("arn:{}:logs:{}:{}:destination:{name}", place.partition(), place.region, place.account)
}

/// Whether there is a destination of this ARN.
pub(super) fn exists(core: &Core, arn: &str) -> bool {
    core.documents.read(FAMILY, |all| all.values().any(|destination| destination["arn"] == arn))
}

fn missing() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified destination does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    destination_name: String,
    target_arn: String,
    role_arn: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// `PutDestination`: a destination that is there gets the new target and role, and keeps its policy.
pub(super) fn put(core: &Core, request: Put) -> Answer {
    let name = request.destination_name;
    let arn = arn(core, &name);
    tags::check(&request.tags)?;
    let destination = core.documents.change(core, FAMILY, |all| {
        let before = all.get(&name).cloned();
        let mut destination = json!({
            "destinationName": name,
            "targetArn": request.target_arn,
            "roleArn": request.role_arn,
            "arn": arn,
            "creationTime": before.as_ref().map_or_else(|| json!(all.now()), |before| before["creationTime"].clone()),
        });
        if let Some(policy) = before.as_ref().and_then(|before| before.get("accessPolicy")) {
            destination["accessPolicy"] = policy.clone();
        }
        all.put(&name, destination.clone());
        destination
    });
    tags::add(core, &arn, request.tags)?;
    Ok(json!({"destination": destination}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutPolicy {
    destination_name: String,
    access_policy: String,
}

pub(super) fn put_policy(core: &Core, request: PutPolicy) -> Answer {
    core.documents.change(core, FAMILY, |all| {
        let mut destination = all.get(&request.destination_name).cloned().ok_or_else(missing)?;
        destination["accessPolicy"] = json!(request.access_policy);
        all.put(&request.destination_name, destination);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    destination_name: String,
}

pub(super) fn delete(core: &Core, request: Delete) -> Answer {
    core.documents.change(core, FAMILY, |all| all.remove(&request.destination_name).ok_or_else(missing))?;
    tags::forget(core, &arn(core, &request.destination_name));
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    #[serde(rename = "DestinationNamePrefix")]
    destination_name_prefix: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    let prefix = request.destination_name_prefix.as_deref().unwrap_or_default();
    core.documents.read(FAMILY, |all| {
        let found = all.iter().filter(|(name, _)| name.starts_with(prefix));
        let found = found.map(|(name, destination)| (name.clone(), destination.clone())).collect();
        page(found, false, "destinations", request.limit.unwrap_or(50), request.next_token.as_deref())
    })
}
