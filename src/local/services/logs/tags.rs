//! Tags: those of groups are kept with the group, those of all else by ARN.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, NamedGroup, group_mut, group_of_identifier, no_group};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const MAX_TAGS: usize = 50;
const FAMILY: &str = "logs tags";

pub(super) type Tags = BTreeMap<String, String>;

/// Refuses more tags than a resource may have.
pub(super) fn check(tags: &Tags) -> Result<(), AwsError> {
    if tags.len() <= MAX_TAGS {
        return Ok(());
    }
    Err(AwsError::new(400, "TooManyTagsException", format!("The resource would have more than {MAX_TAGS} tags.")))
}

fn change_of_group(core: &Core, group: &str, change: impl FnOnce(&mut Tags)) -> Answer {
    core.logs.change(core, |groups| {
        let found = group_mut(groups, group)?;
        let mut all = found.settings.tags.clone();
        change(&mut all);
        check(&all)?;
        found.settings.tags = all;
        core.logs.journal.settings(group, found);
        Ok(Value::Null)
    })
}

fn of_group(core: &Core, group: &str) -> Answer {
    core.logs.read(|groups| Ok(json!({"tags": groups.get(group).ok_or_else(no_group)?.settings.tags})))
}

/// The tags of something that is no group.
pub(super) fn of(core: &Core, arn: &str) -> Tags {
    let kept = core.documents.get(FAMILY, arn);
    kept.and_then(|tags| serde_json::from_value(tags).ok()).unwrap_or_default()
}

/// Adds tags to something that is no group.
pub(super) fn add(core: &Core, arn: &str, tags: Tags) -> Result<(), AwsError> {
    if tags.is_empty() {
        return Ok(());
    }
    let mut all = of(core, arn);
    all.extend(tags);
    check(&all)?;
    core.documents.change(core, FAMILY, |family| family.put(arn, json!(all)));
    Ok(())
}

/// Forgets the tags of something that is gone.
pub(super) fn forget(core: &Core, arn: &str) {
    core.documents.change(core, FAMILY, |family| family.remove(arn));
}

/// Something that is no group and can have tags.
fn is_other(core: &Core, arn: &str) -> bool {
    super::destinations::exists(core, arn) || super::deliveries::exists(core, arn)
}

fn missing() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified resource does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagResource {
    resource_arn: String,
    tags: Tags,
}

pub(super) fn tag_resource(core: &Core, request: TagResource) -> Answer {
    let arn = &request.resource_arn;
    if arn.contains(":log-group:") {
        return change_of_group(core, group_of_identifier(arn), |all| all.extend(request.tags));
    }
    if !is_other(core, arn) {
        return Err(missing());
    }
    add(core, arn, request.tags)?;
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(core: &Core, request: UntagResource) -> Answer {
    let arn = &request.resource_arn;
    let keep = |all: &mut Tags| all.retain(|key, _| !request.tag_keys.contains(key));
    if arn.contains(":log-group:") {
        return change_of_group(core, group_of_identifier(arn), keep);
    }
    if !is_other(core, arn) {
        return Err(missing());
    }
    let mut all = of(core, arn);
    keep(&mut all);
    core.documents.change(core, FAMILY, |family| family.put(arn, json!(all)));
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    resource_arn: String,
}

pub(super) fn of_resource(core: &Core, request: Resource) -> Answer {
    let arn = &request.resource_arn;
    if arn.contains(":log-group:") {
        return of_group(core, group_of_identifier(arn));
    }
    if !is_other(core, arn) {
        return Err(missing());
    }
    Ok(json!({"tags": of(core, arn)}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagGroup {
    log_group_name: String,
    tags: Tags,
}

pub(super) fn tag_group(core: &Core, request: TagGroup) -> Answer {
    change_of_group(core, &request.log_group_name, |all| all.extend(request.tags))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagGroup {
    log_group_name: String,
    tags: Vec<String>,
}

pub(super) fn untag_group(core: &Core, request: UntagGroup) -> Answer {
    change_of_group(core, &request.log_group_name, |all| all.retain(|key, _| !request.tags.contains(key)))
}

pub(super) fn tags_of_group(core: &Core, request: NamedGroup) -> Answer {
    of_group(core, &request.log_group_name)
}
