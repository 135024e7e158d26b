//! Versions of model packages, and the policies of their groups.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Identity, text};

pub(super) static OPERATIONS: &[Own] = &[
    ("CreateModelPackage", create),
    ("ListModelPackages", |core, request| list(core, request)),
    ("BatchDescribeModelPackage", |core, request| batch_describe(core, request)),
    ("PutModelPackageGroupPolicy", |core, request| put_policy(core, request)),
    ("GetModelPackageGroupPolicy", |core, request| get_policy(core, request)),
    ("DeleteModelPackageGroupPolicy", |core, request| delete_policy(core, request)),
];

/// The greatest version that a group has had: no number is used twice.
const LAST_VERSION: &str = "LastVersion";
const POLICY: &str = "ResourcePolicy";

/// `CreateModelPackage`: a version of a group, or a package of its own name.
fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::ModelPackage.row();
    let group = request.get("ModelPackageGroupName").and_then(Value::as_str);
    let name = request.get("ModelPackageName").and_then(Value::as_str);
    let (group, name) = match (group, name) {
        (Some(group), None) => (group, None),
        (None, Some(name)) => ("", Some(name)),
        _ => {
            let message = "Exactly one of ModelPackageName and ModelPackageGroupName must be given.";
            return Err(AwsError::validation(message));
        }
    };
    if request.get("InferenceSpecification").is_some() && request.get("SourceAlgorithmSpecification").is_some() {
        let message = "InferenceSpecification and SourceAlgorithmSpecification cannot both be given.";
        return Err(AwsError::validation(message));
    }
    let mut request = request.clone();
    let details = json!({"ValidationStatuses": [], "ImageScanStatuses": []});
    let mut members = Map::from_iter([("ModelPackageStatusDetails".to_owned(), details)]);
    table::create_as(core, "CreateModelPackage", row, &request.clone(), |state| {
        if let Some(name) = name {
            let arn = row.arn(&core.place, name);
            return Ok((Identity { key: row.key(name), name: name.to_owned(), arn }, members));
        }
        let group = state.get_mut(Kind::ModelPackageGroup.row(), &core.place, group)?;
        let version = group.state.get(LAST_VERSION).and_then(Value::as_u64).unwrap_or_default() + 1;
        group.set(LAST_VERSION, version);
        let key = format!("{}/{version}", group.key);
        members.insert("ModelPackageGroupName".to_owned(), json!(group.name));
        members.insert("ModelPackageVersion".to_owned(), json!(version));
        if request.as_object_mut().is_some_and(|request| !request.contains_key("ModelApprovalStatus")) {
            members.insert("ModelApprovalStatus".to_owned(), json!("PendingManualApproval"));
        }
        // Nothing is validated for a version: it is there at once.
        members.insert("ModelPackageStatus".to_owned(), json!("Completed"));
        Ok((Identity { arn: row.arn(&core.place, &key), name: group.name.clone(), key }, members))
    })
}

/// `ListModelPackages`: those without versions, unless a group or a type is asked for.
fn list(core: &Core, request: &Value) -> Answer {
    let row = Kind::ModelPackage.row();
    let state = core.state();
    let mut rest = request.clone();
    let asked = |member: &str| request.get(member).and_then(Value::as_str);
    if let Some(rest) = rest.as_object_mut() {
        rest.remove("ModelPackageType");
        rest.remove("ModelPackageGroupName");
    }
    if let Some(group) = asked("ModelPackageGroupName") {
        let group = state.get(Kind::ModelPackageGroup.row(), &core.place, group)?;
        return listing::list_some(state.of_parent(row, &group.key), row, "ListModelPackages", &rest);
    }
    let kind = asked("ModelPackageType").unwrap_or("Unversioned");
    let packages = state.all(Kind::ModelPackage).filter(|package| match kind {
        "Both" => true,
        "Versioned" => package.state.contains_key("ModelPackageVersion"),
        _ => !package.state.contains_key("ModelPackageVersion"),
    });
    listing::list_some(packages, row, "ListModelPackages", &rest)
}

/// `BatchDescribeModelPackage`: what cannot be found is among the errors.
fn batch_describe(core: &Core, request: &Value) -> Answer {
    let row = Kind::ModelPackage.row();
    let shape = ModelShape::output(Service::SageMaker, "BatchDescribeModelPackage")
        .and_then(|output| output.member("ModelPackageSummaries")?.element());
    let state = core.state();
    let (mut found, mut errors) = (Map::new(), Map::new());
    for arn in request["ModelPackageArnList"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match (state.get(row, &core.place, arn), shape) {
            (Ok(package), Some(shape)) => {
                found.insert(arn.to_owned(), Value::Object(shape.project_members(&package.document(row))));
            }
            (Err(error), _) => {
                errors.insert(arn.to_owned(), json!({"ErrorCode": error.code, "ErrorResponse": error.message}));
            }
            _ => {}
        }
    }
    Ok(json!({"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}))
}

fn put_policy(core: &Core, request: &Value) -> Answer {
    let policy = text(request, POLICY)?;
    core.change(|state| {
        let group = table::find_mut(core, state, Kind::ModelPackageGroup.row(), request)?;
        group.set(POLICY, policy);
        Ok(json!({"ModelPackageGroupArn": group.arn}))
    })
}

fn get_policy(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let group = table::find(core, &state, Kind::ModelPackageGroup.row(), request)?;
    let missing = || AwsError::validation(format!("Cannot find resource policy for: {}", group.arn));
    Ok(json!({"ResourcePolicy": group.state.get(POLICY).ok_or_else(missing)?}))
}

fn delete_policy(core: &Core, request: &Value) -> Answer {
    core.change(|state| {
        let group = table::find_mut(core, state, Kind::ModelPackageGroup.row(), request)?;
        let missing = AwsError::validation(format!("Cannot find resource policy for: {}", group.arn));
        group.state.remove(POLICY).ok_or(missing).map(|_| Value::Null)
    })
}
