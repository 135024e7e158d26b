//! Retention and tags of groups.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::store::Group;
use super::{Answer, NamedGroup, group_of_identifier, no_group};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const MAX_TAGS: usize = 50;
/// The days that a group may keep its events.
const RETENTION: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

type Tags = BTreeMap<String, String>;

fn change(core: &Core, group: &str, change: impl FnOnce(&mut Group) -> Result<(), AwsError>) -> Answer {
    core.logs.change(core, |groups| {
        let found = groups.get_mut(group).ok_or_else(no_group)?;
        change(found)?;
        core.logs.journal.settings(group, found);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutRetention {
    log_group_name: String,
    retention_in_days: i64,
}

pub(super) fn put_retention(core: &Core, request: PutRetention) -> Answer {
    let days = request.retention_in_days;
    if !RETENTION.contains(&days) {
        let list: Vec<String> = RETENTION.iter().map(ToString::to_string).collect();
        return Err(AwsError::invalid_parameter(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must \
             satisfy enum value set: [{}]",
            list.join(", ")
        )));
    }
    change(core, &request.log_group_name, |group| {
        group.settings.retention = Some(days);
        Ok(())
    })
}

pub(super) fn delete_retention(core: &Core, request: NamedGroup) -> Answer {
    change(core, &request.log_group_name, |group| {
        group.settings.retention = None;
        Ok(())
    })
}

/// Refuses more tags than a group may have.
pub(super) fn check_tags(tags: &Tags) -> Result<(), AwsError> {
    if tags.len() <= MAX_TAGS {
        return Ok(());
    }
    Err(AwsError::new(400, "TooManyTagsException", format!("The resource would have more than {MAX_TAGS} tags.")))
}

fn add(core: &Core, group: &str, tags: Tags) -> Answer {
    change(core, group, |group| {
        let mut all = group.settings.tags.clone();
        all.extend(tags);
        check_tags(&all)?;
        group.settings.tags = all;
        Ok(())
    })
}

fn remove(core: &Core, group: &str, keys: &[String]) -> Answer {
    change(core, group, |group| {
        group.settings.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })
}

fn list(core: &Core, group: &str) -> Answer {
    core.logs.read(|groups| Ok(json!({"tags": groups.get(group).ok_or_else(no_group)?.settings.tags})))
}

/// The group of an ARN; only groups can be tagged here.
fn group_of(arn: &str) -> Result<&str, AwsError> {
    if arn.contains(":log-group:") { Ok(group_of_identifier(arn)) } else { Err(no_group()) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagResource {
    resource_arn: String,
    tags: Tags,
}

pub(super) fn tag_resource(core: &Core, request: TagResource) -> Answer {
    add(core, group_of(&request.resource_arn)?, request.tags)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(core: &Core, request: UntagResource) -> Answer {
    remove(core, group_of(&request.resource_arn)?, &request.tag_keys)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    resource_arn: String,
}

pub(super) fn tags_of_resource(core: &Core, request: Resource) -> Answer {
    list(core, group_of(&request.resource_arn)?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagGroup {
    log_group_name: String,
    tags: Tags,
}

pub(super) fn tag_group(core: &Core, request: TagGroup) -> Answer {
    add(core, &request.log_group_name, request.tags)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagGroup {
    log_group_name: String,
    tags: Vec<String>,
}

pub(super) fn untag_group(core: &Core, request: UntagGroup) -> Answer {
    remove(core, &request.log_group_name, &request.tags)
}

pub(super) fn tags_of_group(core: &Core, request: NamedGroup) -> Answer {
    list(core, &request.log_group_name)
}
