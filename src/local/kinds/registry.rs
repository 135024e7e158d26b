//! The model registry: model packages, their groups, and algorithms.

use serde_json::{Value, json};

use super::row::plain;
use super::{Kind, ListRow, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;

pub(super) static ROWS: &[Row] = &[
    Row {
        status: Status { created: &[("Completed", 0)], ..Status::of("ModelPackageGroupStatus") },
        kept_by: &[(Kind::ModelPackage, "ModelPackageGroupName")],
        kept: |arn, _| {
            AwsError::new(
                400,
                "ConflictException",
                format!("Model Package Group cannot be deleted because it still contains Model Packages: {arn}"),
            )
        },
        missing: |_, arn| AwsError::validation(format!("Cannot find Model Package Group: {arn}")),
        taken: |_, arn| AwsError::validation(format!("Model Package Group already exists: {arn}")),
        ..plain!(ModelPackageGroup, "model-package-group", ListRow::oldest_first("ListModelPackageGroups"))
    },
    Row {
        status: Status {
            created: &[("Pending", 5), ("InProgress", 60), ("Completed", 0)],
            ..Status::of("ModelPackageStatus")
        },
        flags: &["CertifyForMarketplace"],
        update: Update {
            merged: &["CustomerMetadataProperties", "ModelLifeCycle"],
            removals: &[("CustomerMetadataPropertiesToRemove", "CustomerMetadataProperties")],
            left: &["AdditionalInferenceSpecificationsToAdd"],
            finish: add_specifications,
            ..Update::PLAIN
        },
        missing: |_, arn| AwsError::validation(format!("ModelPackage {arn} does not exist.")),
        taken: |_, arn| AwsError::validation(format!("ModelPackage already exists: {arn}")),
        ..plain!(ModelPackage, "model-package", ListRow::oldest_first("ListModelPackages"))
    },
    Row {
        status: Status {
            created: &[("Pending", 5), ("InProgress", 60), ("Completed", 0)],
            ..Status::of("AlgorithmStatus")
        },
        flags: &["CertifyForMarketplace"],
        prepare: |draft| {
            draft.set("AlgorithmStatusDetails", json!({"ValidationStatuses": [], "ImageScanStatuses": []}));
            Ok(())
        },
        missing: |_, arn| AwsError::validation(format!("Algorithm {arn} does not exist.")),
        taken: |_, arn| AwsError::validation(format!("Algorithm already exists: {arn}")),
        ..plain!(Algorithm, "algorithm", ListRow::oldest_first("ListAlgorithms"))
    },
];

fn add_specifications(package: &mut Resource, request: &Value) -> Result<(), AwsError> {
    let Some(Value::Array(added)) = request.get("AdditionalInferenceSpecificationsToAdd") else { return Ok(()) };
    let all = package.request.entry("AdditionalInferenceSpecifications").or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        all.extend(added.iter().cloned());
    }
    Ok(())
}
