//! Policies of the account: who may write logs, and what is to happen with all groups. They are kept.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, limit_exceeded, page, required};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const RESOURCE: &str = "logs resource policy";
const ACCOUNT: &str = "logs account policy";
/// How many policies an account has in a region at most.
const MAX_POLICIES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    policy_name: Option<String>,
    policy_document: Option<String>,
    resource_arn: Option<String>,
    expected_revision_id: Option<String>,
}

/// The key of a policy: of the resource that it is for, or of its name.
fn key(name: Option<&String>, resource: Option<&String>) -> Result<String, AwsError> {
    match resource {
        Some(arn) => Ok(format!("RESOURCE {arn}")),
        None => Ok(format!("ACCOUNT {}", required(name, "policyName")?)),
    }
}

/// Only the policies of resources have revisions: one that is there is changed only by who knows the last one.
fn check_revision(before: Option<&Value>, expected: Option<&String>, of_resource: bool) -> Result<(), AwsError> {
    let known = before.and_then(|before| before["revisionId"].as_str());
    if of_resource && known.is_some() && known != expected.map(String::as_str) {
        return Err(AwsError::new(
            400,
            "OperationAbortedException",
            "The specified expectedRevisionId is not the latest.",
        ));
    }
    Ok(())
}

pub(super) fn put(core: &Core, request: Put) -> Answer {
    let document = required(request.policy_document.as_ref(), "policyDocument")?;
    if serde_json::from_str::<Value>(document).is_err() {
        return Err(AwsError::invalid_parameter("The specified policy document is not valid JSON."));
    }
    let of_resource = request.resource_arn.is_some();
    let key = key(request.policy_name.as_ref(), request.resource_arn.as_ref())?;
    core.documents.change(core, RESOURCE, |all| {
        let before = all.get(&key);
        check_revision(before, request.expected_revision_id.as_ref(), of_resource)?;
        let scope = if of_resource { "RESOURCE" } else { "ACCOUNT" };
        let alike = all.all().values().filter(|policy| policy["policyScope"] == scope).count();
        if before.is_none() && !of_resource && alike >= MAX_POLICIES {
            return Err(limit_exceeded());
        }
        let mut policy = json!({"policyDocument": document, "lastUpdatedTime": all.now(), "policyScope": scope});
        let mut answer = Map::new();
        if let Some(arn) = &request.resource_arn {
            let revision = core.unique_id();
            policy["resourceArn"] = json!(arn);
            policy["revisionId"] = json!(revision);
            answer.insert("revisionId".to_owned(), json!(revision));
        } else {
            policy["policyName"] = json!(request.policy_name);
        }
        answer.insert("resourcePolicy".to_owned(), policy.clone());
        all.put(&key, policy);
        Ok(Value::Object(answer))
    })
}

pub(super) fn delete(core: &Core, request: Put) -> Answer {
    let of_resource = request.resource_arn.is_some();
    let key = key(request.policy_name.as_ref(), request.resource_arn.as_ref())?;
    core.documents.change(core, RESOURCE, |all| {
        check_revision(all.get(&key), request.expected_revision_id.as_ref(), of_resource)?;
        all.remove(&key).map(|_| Value::Null).ok_or_else(|| {
            let name = request.policy_name.or(request.resource_arn).unwrap_or_default();
            AwsError::new(400, "ResourceNotFoundException", format!("Policy with name [{name}] does not exist."))
        })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    resource_arn: Option<String>,
    policy_scope: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

/// `DescribeResourcePolicies`: those of the account unless others are asked for.
pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    let default = if request.resource_arn.is_some() { "RESOURCE" } else { "ACCOUNT" };
    let scope = request.policy_scope.as_deref().unwrap_or(default);
    core.documents.read(RESOURCE, |all| {
        let wanted = |policy: &Value| {
            let resource = request.resource_arn.as_ref();
            policy["policyScope"] == scope && resource.is_none_or(|arn| policy["resourceArn"] == arn.as_str())
        };
        let found = all.iter().filter(|(_, policy)| wanted(policy));
        let found = found.map(|(key, policy)| (key.clone(), policy.clone())).collect();
        page(found, false, "resourcePolicies", request.limit.unwrap_or(50), request.next_token.as_deref())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutAccount {
    policy_name: String,
    policy_document: String,
    policy_type: String,
    scope: Option<String>,
    selection_criteria: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn put_account(core: &Core, request: PutAccount) -> Answer {
    if serde_json::from_str::<Value>(&request.policy_document).is_err() {
        return Err(AwsError::invalid_parameter("The specified policy document is not valid JSON."));
    }
    let key = format!("{} {}", request.policy_type, request.policy_name);
    core.documents.change(core, ACCOUNT, |all| {
        let mut policy = json!({
            "policyName": request.policy_name,
            "policyDocument": request.policy_document,
            "policyType": request.policy_type,
            "scope": request.scope.as_deref().unwrap_or("ALL"),
            "lastUpdatedTime": all.now(),
            "accountId": core.place.account,
        });
        if let Some(criteria) = &request.selection_criteria {
            policy["selectionCriteria"] = json!(criteria);
        }
        if !request.dry_run {
            all.put(&key, policy.clone());
        }
        Ok(json!({"accountPolicy": policy}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfAccount {
    policy_name: Option<String>,
    policy_type: String,
    next_token: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn delete_account(core: &Core, request: OfAccount) -> Answer {
    let key = format!("{} {}", request.policy_type, request.policy_name.unwrap_or_default());
    let removed = match request.dry_run {
        true => core.documents.get(ACCOUNT, &key),
        false => core.documents.change(core, ACCOUNT, |all| all.remove(&key)),
    };
    let missing = || AwsError::new(400, "ResourceNotFoundException", "The specified account policy does not exist.");
    removed.map(|_| json!({})).ok_or_else(missing)
}

pub(super) fn describe_account(core: &Core, request: OfAccount) -> Answer {
    core.documents.read(ACCOUNT, |all| {
        let wanted = |policy: &Value| {
            let name = request.policy_name.as_ref();
            policy["policyType"] == request.policy_type.as_str()
                && name.is_none_or(|name| policy["policyName"] == name.as_str())
        };
        let found = all.iter().filter(|(_, policy)| wanted(policy));
        let found = found.map(|(key, policy)| (key.clone(), policy.clone())).collect();
        page(found, false, "accountPolicies", 50, request.next_token.as_deref())
    })
}
