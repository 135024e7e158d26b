//! Feature groups.

use serde_json::{Value, json};

use super::row::plain;
use super::{Draft, ListRow, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;

pub(super) static ROWS: &[Row] = &[Row {
    status: Status {
        created: &[("Creating", 10), ("Created", 0)],
        deleted: &[("Deleting", 10)],
        updatable: &["Created"],
        deletable: &["Created", "CreateFailed"],
        refuse: |asked, status, arn| {
            AwsError::in_use(format!("Cannot {asked} the FeatureGroup {arn} in status {status}."))
        },
        reached: |group, status, _| {
            if status == "Created" && group.request.contains_key("OfflineStoreConfig") {
                group.set("OfflineStoreStatus", json!({"Status": "Active"}));
            }
        },
        ..Status::of("FeatureGroupStatus")
    },
    update: Update {
        merged: &["OnlineStoreConfig", "ThroughputConfig"],
        left: &["FeatureAdditions"],
        finish: add_features,
        ..Update::PLAIN
    },
    prepare,
    list: ListRow {
        filters: &[("OfflineStoreStatusEquals", "OfflineStoreStatus.Status")],
        ..ListRow::newest_first("ListFeatureGroups")
    },
    missing: |_, arn| {
        AwsError::resource_not_found(format!(
            "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {}",
            arn.rsplit('/').next().unwrap_or_default()
        ))
    },
    taken: |name, _| {
        AwsError::in_use(format!(
            "Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name."
        ))
    },
    ..plain!(FeatureGroup, "feature-group", ListRow::NONE)
}];

fn prepare(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    let definitions = draft.request.get("FeatureDefinitions").and_then(Value::as_array).cloned().unwrap_or_default();
    for member in ["RecordIdentifierFeatureName", "EventTimeFeatureName"] {
        let name = draft.text(member).unwrap_or_default();
        if !definitions.iter().any(|definition| definition["FeatureName"] == name) {
            let message = format!("Validation Error: the {member} {name} is not among the FeatureDefinitions.");
            return Err(AwsError::validation(message));
        }
    }
    if draft.has("OfflineStoreConfig") && !draft.has("RoleArn") {
        let message = "Validation Error: a RoleArn must be given when an OfflineStoreConfig is given.";
        return Err(AwsError::validation(message));
    }
    let now = crate::local::time::epoch(draft.now);
    let name = draft.text("FeatureGroupName").unwrap_or_default().to_owned();
    let (region, account) = (&draft.place.region, &draft.place.account);
    if let Some(offline) = draft.request.get_mut("OfflineStoreConfig").and_then(Value::as_object_mut) {
        let folder = format!("{account}/sagemaker/{region}/offline-store/{name}-{now}/data");
        if let Some(storage) = offline.get_mut("S3StorageConfig").and_then(Value::as_object_mut) {
            let uri = storage.get("S3Uri").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
            let resolved = format!("{uri}/{folder}");
            storage.entry("ResolvedOutputS3Uri").or_insert(Value::from(resolved));
        }
        let glue = offline.get("DisableGlueTableCreation") != Some(&Value::Bool(true));
        if glue && offline.get("DataCatalogConfig").is_none() {
            let table = format!("{}_{now}", name.to_lowercase().replace('-', "_"));
            let catalog =
                json!({"TableName": table, "Catalog": "AwsDataCatalog", "Database": "sagemaker_featurestore"});
            offline.insert("DataCatalogConfig".to_owned(), catalog);
        }
        offline.entry("DisableGlueTableCreation").or_insert(Value::Bool(false));
    }
    // The model requires a token, and there is never another page.
    draft.set("NextToken", "");
    Ok(())
}

fn add_features(group: &mut Resource, request: &Value) -> Result<(), AwsError> {
    let added = request.get("FeatureAdditions").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(all) = group.request.get_mut("FeatureDefinitions").and_then(Value::as_array_mut) {
        for feature in added {
            if all.iter().any(|known| known["FeatureName"] == feature["FeatureName"]) {
                let message = format!("Validation Error: the feature {} exists already.", feature["FeatureName"]);
                return Err(AwsError::validation(message));
            }
            all.push(feature);
        }
    }
    group.set("LastUpdateStatus", json!({"Status": "Successful"}));
    Ok(())
}
