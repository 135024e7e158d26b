//! HyperPod clusters, their scheduling and quotas.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::row::plain;
use super::{ArnTail, Draft, Kind, ListRow, MadeId, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;
use crate::local::time::timestamp;

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
            reached: |cluster, status, now| {
                note_event(cluster, now, &json!({}), &format!("The cluster is now in status {status}."));
            },
            ..Status::of("ClusterStatus")
        },
        update: Update {
            left: &["InstanceGroups", "RestrictedInstanceGroups", "InstanceGroupsToDelete"],
            finish: update_cluster,
            ..Update::PLAIN
        },
        prepare: |draft| {
            check_scripts(draft.request.get("InstanceGroups"))?;
            draft.set("InstanceGroups", group_details(draft.request.get("InstanceGroups")));
            if draft.has("RestrictedInstanceGroups") {
                let groups = group_details(draft.request.get("RestrictedInstanceGroups"));
                draft.set("RestrictedInstanceGroups", groups);
            }
            Ok(())
        },
        takes_along: &[Kind::ClusterExtension],
        missing: |name, _| AwsError::resource_not_found(format!("Cluster with name {name} does not exist.")),
        taken: |name, _| {
            AwsError::in_use(format!(
                "Resource Already Exists: Cluster with name {name} already exists. Choose a different name."
            ))
        },
        ..plain!(Cluster, "cluster", ListRow::oldest_first("ListClusters"))
    },
    Row {
        wrap: "ExtensionDetails",
        parents: &["ClusterArn"],
        status: Status {
            created: &[("Creating", 60), ("Active", 0)],
            updated: &[("Updating", 60), ("Active", 0)],
            deleted: &[("Deleting", 30)],
            updatable: &["Active", "Degraded", "UpdateFailed"],
            deletable: &["Active", "Degraded", "CreateFailed", "UpdateFailed", "DeleteFailed"],
            refuse: |asked, status, arn| {
                AwsError::new(400, "ConflictException", format!("Cannot {asked} extension {arn} in status {status}."))
            },
            ..Status::of("Status")
        },
        update: Update { left: &["ClientToken", "ConfigurationValues"], finish: configure, ..Update::PLAIN },
        prepare: |draft| configuration(draft.text("ConfigurationValues")).map(drop),
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find extension \"{arn}\".")),
        ..Row::plain(
            Kind::ClusterExtension,
            "ClusterExtension",
            "ExtensionArn",
            "ExtensionArn",
            "extension",
            ListRow::newest_first("ListClusterExtensions"),
        )
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

/// The service may read lifecycle scripts in buckets of this prefix only.
fn check_scripts(groups: Option<&Value>) -> Result<(), AwsError> {
    for group in groups.and_then(Value::as_array).into_iter().flatten() {
        match group["LifeCycleConfig"]["SourceS3Uri"].as_str() {
            Some(uri) if !uri.starts_with("s3://sagemaker") => {
                let message = format!("Validation Error: SourceS3Uri {uri} does not start with 's3://sagemaker'.");
                return Err(AwsError::validation(message));
            }
            _ => {}
        }
    }
    Ok(())
}

fn update_cluster(cluster: &mut Resource, request: &Value) -> Result<(), AwsError> {
    check_scripts(request.get("InstanceGroups"))?;
    let deleted = request.get("InstanceGroupsToDelete").and_then(Value::as_array);
    let mut scaled = Vec::new();
    for member in GROUPS {
        let Some(groups) = cluster.state.get_mut(member).and_then(Value::as_array_mut) else { continue };
        for group in group_details(request.get(member)).as_array().into_iter().flatten() {
            match groups.iter_mut().find(|old| old["InstanceGroupName"] == group["InstanceGroupName"]) {
                Some(old) => {
                    if old["TargetCount"] != group["TargetCount"] {
                        scaled.push(scaling(group, &old["TargetCount"]));
                    }
                    let kept = KEPT.map(|member| (member, old.get(member).cloned()));
                    *old = group.clone();
                    for (member, value) in kept {
                        if let Some(value) = value {
                            old[member] = value;
                        }
                    }
                }
                None => {
                    scaled.push(scaling(group, &json!(0)));
                    groups.push(group.clone());
                }
            }
        }
        groups.retain(|group| !deleted.is_some_and(|names| names.contains(&group["InstanceGroupName"])));
    }
    if !scaled.is_empty() {
        cluster.set(SCALED, scaled);
    }
    Ok(())
}

/// The members that hold groups of instances.
pub(in crate::local) const GROUPS: [&str; 2] = ["InstanceGroups", "RestrictedInstanceGroups"];
/// The member of a group that holds the numbers of deleted nodes.
pub(in crate::local) const GONE: &str = "GoneNodes";
/// The member of a group that says how often nodes were replaced.
pub(in crate::local) const REPLACED: &str = "ReplacedNodes";
/// What an update of a group leaves as it is.
const KEPT: [&str; 2] = [GONE, REPLACED];
/// What the last update scaled, until it is noted as an operation.
pub(in crate::local) const SCALED: &str = "Scaled";
/// What happened to a cluster, oldest first.
pub(in crate::local) const EVENTS: &str = "Events";
/// What was done with a cluster, oldest first.
pub(in crate::local) const OPERATIONS: &str = "Operations";

/// How much is remembered of a cluster.
const MAX_NOTES: usize = 1000;

/// How the number of a group's instances changes, as an operation tells it.
pub(in crate::local) fn scaling(group: &Value, before: &Value) -> Value {
    let mut desired = json!({"TargetCount": group["TargetCount"]});
    if let Some(least) = group.get("MinCount") {
        desired["MinCount"] = least.clone();
    }
    json!({
        "InstanceGroupName": group["InstanceGroupName"],
        "Status": "Done",
        "Original": {"CurrentCount": before, "TargetCount": before},
        "Desired": desired,
    })
}

/// An identifier with the form of a UUID: the number of the cluster and that of the note.
fn uuid(cluster: u64, kind: u8, number: u64) -> String {
    format!("{:08x}-{kind:04x}-4000-8000-{:012x}", cluster & 0xffff_ffff, number & 0xffff_ffff_ffff)
}

fn note(cluster: &mut Resource, member: &str, kind: u8, id: &str, mut note: Value) -> String {
    let counter = format!("Last{member}");
    let number = cluster.state.get(&counter).and_then(Value::as_u64).unwrap_or_default() + 1;
    cluster.set(&counter, number);
    let uuid = uuid(cluster.id, kind, number);
    note[id] = json!(uuid);
    let notes = cluster.state.entry(member).or_insert_with(|| json!([]));
    if let Some(notes) = notes.as_array_mut() {
        if notes.len() == MAX_NOTES {
            notes.remove(0);
        }
        notes.push(note);
    }
    uuid
}

/// Notes that something happened; `of` says to which group or instance, and in which operation.
pub(in crate::local) fn note_event(cluster: &mut Resource, now: SystemTime, of: &Value, description: &str) {
    let kind = match (of.get("InstanceId"), of.get("InstanceGroupName")) {
        (Some(_), _) => "Instance",
        (None, Some(_)) => "InstanceGroup",
        (None, None) => "Cluster",
    };
    let mut event = of.clone();
    event["ResourceType"] = json!(kind);
    event["EventTime"] = timestamp(now);
    event["Description"] = json!(description);
    event["EventLevel"] = json!("Info");
    note(cluster, EVENTS, 1, "EventId", event);
}

/// Notes what was done; gives its identifier.
pub(in crate::local) fn note_operation(cluster: &mut Resource, now: SystemTime, kind: &str, details: Value) -> String {
    let member = if kind == "Scaling" { "ScalingDetails" } else { "DeepHealthCheckDetails" };
    let operation = json!({"Type": kind, "Status": "Done", "CreationTime": timestamp(now), member: details});
    note(cluster, OPERATIONS, 2, "OperationId", operation)
}

/// The configuration of an extension: an object in JSON.
fn configuration(text: Option<&str>) -> Result<Map<String, Value>, AwsError> {
    let Some(text) = text else { return Ok(Map::new()) };
    match serde_json::from_str(text) {
        Ok(Value::Object(settings)) => Ok(settings),
        _ => Err(AwsError::validation("ConfigurationValues is not a valid JSON object.")),
    }
}

/// Settings that an update names are changed, the others stay.
fn configure(extension: &mut Resource, request: &Value) -> Result<(), AwsError> {
    let member = "ConfigurationValues";
    let Some(changed) = request.get(member).and_then(Value::as_str) else { return Ok(()) };
    let changed = configuration(Some(changed))?;
    let mut all = configuration(extension.request.get(member).and_then(Value::as_str))?;
    all.extend(changed);
    extension.request.insert(member.to_owned(), Value::from(Value::Object(all).to_string()));
    Ok(())
}
