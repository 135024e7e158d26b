//! Tags of alarms, dashboards and rules, by ARN.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{alarms, dashboards, insight_rules, invalid_value, text, texts};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const FAMILY: &str = "cloudwatch tags";
const MAX_TAGS: usize = 50;

type Tags = BTreeMap<String, String>;

/// The list of a request as a map.
fn read(list: &Value) -> Tags {
    let tags = list.as_array().into_iter().flatten();
    tags.map(|tag| (text(tag, "Key").to_owned(), text(tag, "Value").to_owned())).collect()
}

fn of(core: &Core, arn: &str) -> Tags {
    let kept = core.documents.get(FAMILY, arn);
    kept.and_then(|tags| serde_json::from_value(tags).ok()).unwrap_or_default()
}

/// Adds the tags of a list.
pub(super) fn set(core: &Core, arn: &str, list: &Value) -> Result<(), AwsError> {
    let new = read(list);
    if new.is_empty() {
        return Ok(());
    }
    let mut all = of(core, arn);
    all.extend(new);
    if all.len() > MAX_TAGS {
        return Err(invalid_value(format!("The resource would have more than {MAX_TAGS} tags.")));
    }
    core.documents.change(core, FAMILY, |family| family.put(arn, json!(all)));
    Ok(())
}

/// Forgets the tags of something that is gone.
pub(super) fn forget(core: &Core, arn: &str) {
    core.documents.change(core, FAMILY, |family| family.remove(arn));
}

fn check(core: &Core, arn: &str) -> Result<(), AwsError> {
    if alarms::exists(core, arn) || dashboards::exists(core, arn) || insight_rules::exists(core, arn) {
        return Ok(());
    }
    let error = AwsError::new(404, "ResourceNotFoundException", "Unknown");
    Err(error.with("ResourceId", arn).with("ResourceType", "Unknown"))
}

/// `TagResource`.
pub(super) fn add(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let arn = text(request, "ResourceARN");
    check(core, arn)?;
    set(core, arn, &request["Tags"])?;
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn remove(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let arn = text(request, "ResourceARN");
    check(core, arn)?;
    let keys = texts(request, "TagKeys");
    let mut all = of(core, arn);
    all.retain(|key, _| !keys.contains(&key.as_str()));
    core.documents.change(core, FAMILY, |family| family.put(arn, json!(all)));
    Ok(json!({}))
}

/// `ListTagsForResource`: what is not there has no tags.
pub(super) fn list(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let tags: Vec<Value> =
        of(core, text(request, "ResourceARN")).iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}
