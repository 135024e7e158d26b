//! Retention, encryption, protection and policies of groups.

use serde::Deserialize;
use serde_json::{Value, json};

use super::store::Group;
use super::{Answer, NamedGroup, group_mut, group_of_identifier, no_group, required};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

/// The days that a group may keep its events.
const RETENTION: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn change(core: &Core, group: &str, change: impl FnOnce(&mut Group) -> Answer) -> Answer {
    core.logs.change(core, |groups| {
        let found = group_mut(groups, group)?;
        let answer = change(found)?;
        core.logs.journal.settings(group, found);
        Ok(answer)
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
        Ok(Value::Null)
    })
}

pub(super) fn delete_retention(core: &Core, request: NamedGroup) -> Answer {
    change(core, &request.log_group_name, |group| {
        group.settings.retention = None;
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key {
    log_group_name: Option<String>,
    resource_identifier: Option<String>,
    kms_key_id: Option<String>,
}

/// `AssociateKmsKey` and `DisassociateKmsKey` of a group; queries' results cannot have a key here.
pub(super) fn set_key(core: &Core, request: Key) -> Answer {
    if let (Some(_), Some(_)) = (&request.log_group_name, &request.resource_identifier) {
        let message = "LogGroupName and ResourceIdentifier are mutually exclusive parameters.";
        return Err(AwsError::invalid_parameter(message));
    }
    let group = match request.resource_identifier.as_deref() {
        Some(arn) if arn.contains(":log-group:") => group_of_identifier(arn),
        Some(_) => {
            let message = "The local backend has keys for log groups only.";
            return Err(AwsError::invalid_parameter(message));
        }
        None => required(request.log_group_name.as_ref(), "logGroupName")?,
    };
    change(core, group, |group| {
        group.settings.key = request.kms_key_id;
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protection {
    log_group_identifier: String,
    deletion_protection_enabled: bool,
}

/// `PutLogGroupDeletionProtection`.
pub(super) fn protect(core: &Core, request: Protection) -> Answer {
    change(core, group_of_identifier(&request.log_group_identifier), |group| {
        group.settings.protected = request.deletion_protection_enabled;
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    log_group_identifier: String,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identified {
    log_group_identifier: String,
}

fn is_document(text: &str) -> Result<(), AwsError> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(AwsError::invalid_parameter("The specified policy document is not valid JSON.")),
    }
}

/// `PutDataProtectionPolicy`: it is kept, and nothing is masked.
pub(super) fn put_data_protection(core: &Core, request: Policy) -> Answer {
    is_document(&request.policy_document)?;
    change(core, group_of_identifier(&request.log_group_identifier), |group| {
        let now = millis(core.clock.now());
        let policy = json!({
            "logGroupIdentifier": request.log_group_identifier,
            "policyDocument": request.policy_document,
            "lastUpdatedTime": now,
        });
        group.settings.data_protection = Some(policy.clone());
        Ok(policy)
    })
}

pub(super) fn get_data_protection(core: &Core, request: Identified) -> Answer {
    core.logs.read(|groups| {
        let group = groups.get(group_of_identifier(&request.log_group_identifier)).ok_or_else(no_group)?;
        let none = || json!({"logGroupIdentifier": request.log_group_identifier});
        Ok(group.settings.data_protection.clone().unwrap_or_else(none))
    })
}

pub(super) fn delete_data_protection(core: &Core, request: Identified) -> Answer {
    change(core, group_of_identifier(&request.log_group_identifier), |group| {
        group.settings.data_protection = None;
        Ok(Value::Null)
    })
}

/// `PutIndexPolicy`: it is kept; queries read every event in any case.
pub(super) fn put_index_policy(core: &Core, request: Policy) -> Answer {
    is_document(&request.policy_document)?;
    change(core, group_of_identifier(&request.log_group_identifier), |group| {
        let policy = json!({
            "logGroupIdentifier": request.log_group_identifier,
            "policyDocument": request.policy_document,
            "lastUpdateTime": millis(core.clock.now()),
            "source": "LOG_GROUP",
        });
        group.settings.index_policy = Some(policy.clone());
        Ok(json!({"indexPolicy": policy}))
    })
}

pub(super) fn delete_index_policy(core: &Core, request: Identified) -> Answer {
    change(core, group_of_identifier(&request.log_group_identifier), |group| {
        group.settings.index_policy = None;
        Ok(json!({}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identifiers {
    log_group_identifiers: Vec<String>,
}

pub(super) fn index_policies(core: &Core, request: Identifiers) -> Answer {
    core.logs.read(|groups| {
        let policies = request.log_group_identifiers.iter().map(|identifier| {
            let group = groups.get(group_of_identifier(identifier)).ok_or_else(no_group)?;
            Ok(group.settings.index_policy.clone())
        });
        let policies: Vec<Option<Value>> = policies.collect::<Result<_, AwsError>>()?;
        Ok(json!({"indexPolicies": policies.into_iter().flatten().collect::<Vec<Value>>()}))
    })
}
