//! What is noted about single features.

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::state::{Resource, text};
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("DescribeFeatureMetadata", |core, request| describe(core, request)),
    ("UpdateFeatureMetadata", |core, request| update(core, request)),
];

/// Notes by feature name.
const NOTES: &str = "FeatureMetadata";

fn describe(core: &Core, request: &Value) -> Answer {
    let name = text(request, "FeatureName")?;
    let state = core.state();
    let group = table::find(core, &state, Kind::FeatureGroup.row(), request)?;
    let feature = feature(group, name)?;
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
    Ok(answer)
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
