//! HyperPod clusters, their scheduling and quotas.

use serde_json::{Map, Value, json};

use super::row::plain;
use super::{ArnTail, Draft, Kind, ListRow, MadeId, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;

const VERSIONED: Status = Status {
    created: &[("Creating", 10), ("Created", 0)],
    updated: &[("Updating", 10), ("Updated", 0)],
    deleted: &[("Deleting", 10)],
    ..Status::of("Status")
};

pub(super) static ROWS: &[Row] = &[
    Row {
        arn_tail: ArnTail::Made,
        made: Some(MadeId::new("ClusterId", "", 12)),
        status: Status {
            created: &[("Creating", 300), ("InService", 0)],
            updated: &[("Updating", 120), ("InService", 0)],
            deleted: &[("Deleting", 120)],
            updatable: &["InService", "Failed"],
            deletable: &["InService", "Failed"],
            refuse: |asked, status, arn| {
                AwsError::new(400, "ConflictException", format!("Cannot {asked} cluster {arn} in status {status}."))
            },
            ..Status::of("ClusterStatus")
        },
        update: Update {
            left: &["InstanceGroups", "RestrictedInstanceGroups", "InstanceGroupsToDelete"],
            finish: update_cluster,
            ..Update::PLAIN
        },
        prepare: |draft| {
            draft.set("InstanceGroups", group_details(draft.request.get("InstanceGroups")));
            if draft.has("RestrictedInstanceGroups") {
                let groups = group_details(draft.request.get("RestrictedInstanceGroups"));
                draft.set("RestrictedInstanceGroups", groups);
            }
            Ok(())
        },
        missing: |name, _| AwsError::resource_not_found(format!("Cluster with name {name} does not exist.")),
        taken: |name, _| {
            AwsError::in_use(format!(
                "Resource Already Exists: Cluster with name {name} already exists. Choose a different name."
            ))
        },
        ..plain!(Cluster, "cluster", ListRow::oldest_first("ListClusters"))
    },
    Row {
        made: Some(MadeId::new("ClusterSchedulerConfigId", "", 12)),
        title: "Name",
        status: VERSIONED,
        update: Update { left: &["TargetVersion"], finish: next_version, ..Update::PLAIN },
        prepare: first_version,
        missing: |id, _| AwsError::resource_not_found(format!("ClusterSchedulerConfig {id} does not exist.")),
        ..Row::plain(
            Kind::ClusterSchedulerConfig,
            "ClusterSchedulerConfig",
            "ClusterSchedulerConfigId",
            "ClusterSchedulerConfigArn",
            "cluster-scheduler-config",
            ListRow::newest_first("ListClusterSchedulerConfigs"),
        )
    },
    Row {
        made: Some(MadeId::new("ComputeQuotaId", "", 12)),
        title: "Name",
        status: VERSIONED,
        update: Update { left: &["TargetVersion"], finish: next_version, ..Update::PLAIN },
        prepare: |draft| {
            draft.default("ActivationState", "Enabled");
            first_version(draft)
        },
        missing: |id, _| AwsError::resource_not_found(format!("ComputeQuota {id} does not exist.")),
        ..Row::plain(
            Kind::ComputeQuota,
            "ComputeQuota",
            "ComputeQuotaId",
            "ComputeQuotaArn",
            "compute-quota",
            ListRow::newest_first("ListComputeQuotas"),
        )
    },
];

const VERSIONS: [&str; 2] = ["ClusterSchedulerConfigVersion", "ComputeQuotaVersion"];

fn first_version(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    for member in VERSIONS {
        draft.set(member, 1);
    }
    Ok(())
}

fn next_version(resource: &mut Resource, request: &Value) -> Result<(), AwsError> {
    let current = resource.member(VERSIONS[0]).and_then(Value::as_u64).unwrap_or(1);
    if request.get("TargetVersion").and_then(Value::as_u64) != Some(current) {
        let message = format!("The TargetVersion must be the current version, which is {current}.");
        return Err(AwsError::new(400, "ConflictException", message));
    }
    for member in VERSIONS {
        resource.set(member, current + 1);
    }
    Ok(())
}

/// What Describe tells of the groups that a request asks for: all their instances are there.
fn group_details(groups: Option<&Value>) -> Value {
    groups.and_then(Value::as_array).into_iter().flatten().map(details).collect()
}

fn details(group: &Value) -> Value {
    let mut details: Map<String, Value> = group.as_object().cloned().unwrap_or_default();
    if let Some(count) = details.remove("InstanceCount") {
        details.insert("CurrentCount".to_owned(), count.clone());
        details.insert("TargetCount".to_owned(), count);
    }
    details.insert("Status".to_owned(), json!("InService"));
    details.entry("ThreadsPerCore").or_insert(json!(1));
    Value::Object(details)
}

fn update_cluster(cluster: &mut Resource, request: &Value) -> Result<(), AwsError> {
    let deleted = request.get("InstanceGroupsToDelete").and_then(Value::as_array);
    for member in ["InstanceGroups", "RestrictedInstanceGroups"] {
        let Some(groups) = cluster.state.get_mut(member).and_then(Value::as_array_mut) else { continue };
        for group in group_details(request.get(member)).as_array().into_iter().flatten() {
            match groups.iter_mut().find(|old| old["InstanceGroupName"] == group["InstanceGroupName"]) {
                Some(old) => *old = group.clone(),
                None => groups.push(group.clone()),
            }
        }
        groups.retain(|group| !deleted.is_some_and(|names| names.contains(&group["InstanceGroupName"])));
    }
    Ok(())
}
