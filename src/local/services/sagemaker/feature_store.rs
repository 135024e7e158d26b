//! What is noted about single features.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::kinds::Kind;
use crate::local::state::{Resource, text};
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("CreateFeatureGroup", create),
    ("DescribeFeatureMetadata", |core, request| describe(core, request)),
    ("UpdateFeatureMetadata", |core, request| update(core, request)),
];

/// Notes by feature name.
const NOTES: &str = "FeatureMetadata";

/// The features that every group has in its offline store.
const RESERVED: [&str; 3] = ["is_deleted", "write_time", "api_invocation_time"];

/// `CreateFeatureGroup`.
fn create(core: &Arc<Core>, request: &Value) -> Answer {
    if !core.is_lenient() {
        check(core, request)?;
    }
    table::create(core, "CreateFeatureGroup", Kind::FeatureGroup.row(), request)
}

fn check(core: &Core, request: &Value) -> Result<(), AwsError> {
    let refuse = |message: String| Err(AwsError::validation(format!("Validation Error: {message}")));
    let features = || request["FeatureDefinitions"].as_array().into_iter().flatten();
    let mut names = BTreeSet::new();
    for name in features().filter_map(|feature| feature["FeatureName"].as_str()) {
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return refuse(format!("the feature name {name} is reserved."));
        }
        if !names.insert(name) {
            return refuse(format!("the feature name {name} is there more than once: feature names must be unique."));
        }
    }
    let time = features().find(|feature| feature["FeatureName"] == request["EventTimeFeatureName"]);
    if let Some(time) = time.filter(|feature| feature["FeatureType"] == "Integral") {
        let name = time["FeatureName"].as_str().unwrap_or_default();
        return refuse(format!("the event time feature {name} is Integral: it can be a String or Fractional."));
    }
    let store = |member: &str| request.get(member).filter(|config| !config.is_null());
    let (online, offline) = (store("OnlineStoreConfig"), store("OfflineStoreConfig"));
    if online.is_none() && offline.is_none() {
        return refuse("an OnlineStoreConfig, an OfflineStoreConfig or both must be given.".to_owned());
    }
    if let Some(uri) = offline.and_then(|config| config["S3StorageConfig"]["S3Uri"].as_str()) {
        data::check_output_bucket(core, &data::s3_uri(uri)?)?;
    }
    Ok(())
}

fn describe(core: &Core, request: &Value) -> Answer {
    let name = text(request, "FeatureName")?;
    let state = core.state();
    let group = table::find(core, &state, Kind::FeatureGroup.row(), request)?;
    Ok(metadata(group, feature(group, name)?))
}

/// What is known of each feature of a group.
pub(super) fn features(group: &Resource) -> Vec<Value> {
    let features = group.request.get("FeatureDefinitions").and_then(Value::as_array).into_iter().flatten();
    features.map(|feature| metadata(group, feature)).collect()
}

fn metadata(group: &Resource, feature: &Value) -> Value {
    let name = feature["FeatureName"].as_str().unwrap_or_default();
    let mut answer = json!({
        "FeatureGroupArn": group.arn,
        "FeatureGroupName": group.name,
        "FeatureName": name,
        "FeatureType": feature["FeatureType"],
        "CreationTime": timestamp(group.created),
        "LastModifiedTime": timestamp(group.created),
        "Parameters": [],
    });
    if let Some(notes) = group.member(&format!("{NOTES}.{name}")).and_then(Value::as_object) {
        for (member, value) in notes {
            answer[member] = match (member.as_str(), value) {
                ("Parameters", Value::Object(parameters)) => {
                    parameters.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
                }
                _ => value.clone(),
            };
        }
    }
    answer
}

fn update(core: &Core, request: &Value) -> Answer {
    let name = text(request, "FeatureName")?;
    let now = timestamp(core.clock.now());
    core.change(|state| {
        let group = table::find_mut(core, state, Kind::FeatureGroup.row(), request)?;
        feature(group, name)?;
        let all = group.state.entry(NOTES).or_insert_with(|| json!({}));
        let notes = &mut all[name];
        if notes.is_null() {
            *notes = json!({"Parameters": {}});
        }
        if let Some(description) = request.get("Description") {
            notes["Description"] = description.clone();
        }
        notes["LastModifiedTime"] = now;
        let mut parameters = notes["Parameters"].as_object().cloned().unwrap_or_default();
        change(&mut parameters, request);
        notes["Parameters"] = Value::Object(parameters);
        Ok(Value::Null)
    })
}

fn change(parameters: &mut Map<String, Value>, request: &Value) {
    for added in request["ParameterAdditions"].as_array().into_iter().flatten() {
        if let Some(key) = added["Key"].as_str() {
            parameters.insert(key.to_owned(), added["Value"].clone());
        }
    }
    for removed in request["ParameterRemovals"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        parameters.remove(removed);
    }
}

fn feature<'a>(group: &'a Resource, name: &str) -> Result<&'a Value, AwsError> {
    let mut features = group.request.get("FeatureDefinitions").and_then(Value::as_array).into_iter().flatten();
    let missing = || AwsError::resource_not_found(format!("Resource Not Found: {name} is no feature of {}", group.arn));
    features.find(|feature| feature["FeatureName"] == name).ok_or_else(missing)
}
