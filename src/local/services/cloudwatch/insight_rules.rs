//! Contributor Insights rules: they are kept and listed; no contributors are counted.

use serde_json::{Value, json};

use super::{invalid_value, page, tags, text, texts};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const FAMILY: &str = "cloudwatch insight rule";

fn arn(core: &Core, name: &str) -> String {
    let place = &core.place;
    format!("arn:{}:cloudwatch:{}:{}:insight-rule/{name}", place.partition(), place.region, place.account)
}

/// Whether there is a rule of this ARN.
pub(super) fn exists(core: &Core, wanted: &str) -> bool {
    core.documents.read(FAMILY, |all| all.keys().any(|name| arn(core, name) == wanted))
}

/// The schema of a definition as it is described, such as `CloudWatchLogRule/1`.
fn schema(definition: &str) -> Result<String, AwsError> {
    let wrong =
        || invalid_value("The value for parameter RuleDefinition is invalid: it is no JSON object with a Schema.");
    let document: Value = serde_json::from_str(definition).map_err(|_| wrong())?;
    match &document["Schema"] {
        Value::String(name) => Ok(format!("{name}/1")),
        Value::Object(schema) => {
            let name = schema.get("Name").and_then(Value::as_str).ok_or_else(wrong)?;
            Ok(format!("{name}/{}", schema.get("Version").unwrap_or(&json!(1))))
        }
        _ => Err(wrong()),
    }
}

pub(super) fn put(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let (name, definition) = (text(request, "RuleName"), text(request, "RuleDefinition"));
    let rule = json!({
        "Name": name,
        "State": request["RuleState"].as_str().unwrap_or("ENABLED"),
        "Schema": schema(definition)?,
        "Definition": definition,
        "ManagedRule": false,
        "ApplyOnTransformedLogs": request["ApplyOnTransformedLogs"] == true,
    });
    let before = core.documents.change(core, FAMILY, |all| all.put(name, rule));
    if before.is_none() {
        tags::set(core, &arn(core, name), &request["Tags"])?;
    }
    Ok(json!({}))
}

pub(super) fn describe(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let size = request["MaxResults"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(500);
    let found =
        core.documents.read(FAMILY, |all| all.iter().map(|(name, rule)| (name.clone(), rule.clone())).collect());
    page(found, "InsightRules", size, &request["NextToken"])
}

/// Does something with each rule that is named; those that are not there are told of.
fn each(
    core: &Core,
    request: &Value,
    mut act: impl FnMut(&mut crate::local::documents::Change<'_>, &str, Value),
) -> Value {
    let mut failures = Vec::new();
    core.documents.change(core, FAMILY, |all| {
        for name in texts(request, "RuleNames") {
            match all.get(name).cloned() {
                Some(rule) => act(all, name, rule),
                None => failures.push(json!({
                    "FailureResource": name,
                    "ExceptionType": "ResourceNotFoundException",
                    "FailureCode": "404",
                    "FailureDescription": format!("The insight rule {name} does not exist."),
                })),
            }
        }
    });
    json!({"Failures": failures})
}

pub(super) fn set_state(core: &Core, request: &Value, state: &str) -> Result<Value, AwsError> {
    Ok(each(core, request, |all, name, mut rule| {
        rule["State"] = json!(state);
        all.put(name, rule);
    }))
}

pub(super) fn delete(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let mut gone = Vec::new();
    let answer = each(core, request, |all, name, _| {
        all.remove(name);
        gone.push(name.to_owned());
    });
    gone.iter().for_each(|name| tags::forget(core, &arn(core, name)));
    Ok(answer)
}
