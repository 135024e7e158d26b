//! The nodes of clusters, as many as their groups ask for, and what happens to them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{Kind, SCALED, note_event, note_operation, scaling};
use crate::local::listing;
use crate::local::state::{Resource, text};
use crate::local::time::timestamp;

mod batches;
mod extensions;
mod history;
mod nodes;

use nodes::{Node, nodes};

pub(super) static OPERATIONS: &[&[Own]] = &[OWN, batches::OPERATIONS, extensions::OPERATIONS, history::OPERATIONS];

static OWN: &[Own] = &[
    ("ListClusterNodes", |core, request| list(core, request)),
    ("DescribeClusterNode", |core, request| describe(core, request)),
    ("UpdateCluster", update),
    ("UpdateClusterSoftware", |core, request| {
        let only_the_name = json!({"ClusterName": request["ClusterName"]});
        table::update(core, "UpdateClusterSoftware", Kind::Cluster.row(), &only_the_name)
    }),
    ("AttachClusterNodeVolume", |core, request| attach_volume(core, request)),
    ("DetachClusterNodeVolume", |core, request| detach_volume(core, request)),
    ("AttachClusterNodeNetworkInterface", |core, request| attach_interface(core, request)),
];

/// `UpdateCluster`: what it scales is noted.
fn update(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::Cluster.row();
    let answer = table::update(core, "UpdateCluster", row, request)?;
    let now = core.clock.now();
    core.change(|state| {
        let cluster = table::find_mut(core, state, row, request)?;
        if let Some(Value::Array(scaled)) = cluster.state.remove(SCALED) {
            note_scaling(cluster, now, scaled);
        }
        Ok(answer)
    })
}

/// Notes an operation that scaled groups, and an event for each of them.
fn note_scaling(cluster: &mut Resource, now: std::time::SystemTime, scaled: Vec<Value>) {
    let groups: Vec<Value> = scaled.iter().map(|group| group["InstanceGroupName"].clone()).collect();
    let operation = note_operation(cluster, now, "Scaling", Value::from(scaled));
    for group in groups {
        let of = json!({"InstanceGroupName": group, "OperationId": operation});
        note_event(cluster, now, &of, "The instance group was scaled.");
    }
}

fn list(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
    let asked = |member: &str| request.get(member).and_then(Value::as_str);
    let mut found: Vec<Node<'_>> = nodes(cluster).collect();
    if let Some(part) = asked("InstanceGroupNameContains") {
        found.retain(|node| node.group_name().contains(part));
    }
    if asked("SortBy") == Some("NAME") {
        found.sort_by_key(Node::id);
    }
    if asked("SortOrder") == Some("Descending") {
        found.reverse();
    }
    let logical = request.get("IncludeNodeLogicalIds") == Some(&Value::Bool(true));
    listing::page_of("ListClusterNodes", &found, request, |node| node.form(cluster, logical))
}

fn describe(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
    let node = match (request.get("NodeId"), request.get("NodeLogicalId").and_then(Value::as_str)) {
        (None, Some(logical)) => nodes(cluster).find(|node| node.logical_id() == logical),
        (id, _) => nodes(cluster).find(|node| id.is_some_and(|id| *id == node.id())),
    };
    let Some(node) = node else {
        let id = request.get("NodeId").or_else(|| request.get("NodeLogicalId"));
        return Err(missing(id.and_then(Value::as_str).unwrap_or_default(), cluster));
    };
    let mut details = node.form(cluster, true);
    for member in ["LifeCycleConfig", "ThreadsPerCore", "InstanceStorageConfigs", "OverrideVpcConfig"] {
        if let Some(value) = node.group.get(member) {
            details[member] = value.clone();
        }
    }
    Ok(json!({"NodeDetails": details}))
}

fn missing(id: &str, cluster: &Resource) -> AwsError {
    AwsError::resource_not_found(format!("Node {id} does not exist in cluster {}.", cluster.arn))
}

/// Refuses a node that the cluster does not have.
fn check_node(cluster: &Resource, id: &str) -> Result<(), AwsError> {
    match nodes(cluster).any(|node| node.id() == id) {
        true => Ok(()),
        false => Err(missing(id, cluster)),
    }
}

/// What is attached to nodes.
const VOLUMES: &str = "AttachedVolumes";
/// The last letters of the names of devices: `/dev/xvdf` and on.
const DEVICES: std::ops::RangeInclusive<char> = 'f'..='z';

/// `AttachClusterNodeVolume`. The local backend has no EBS: any volume exists.
fn attach_volume(core: &Core, request: &Value) -> Answer {
    let (node, volume) = (text(request, "NodeId")?, text(request, "VolumeId")?);
    core.change(|state| {
        let cluster = table::find_mut(core, state, Kind::Cluster.row(), request)?;
        check_node(cluster, node)?;
        let mut volumes = attached(cluster);
        if volumes.iter().any(|known| known["VolumeId"] == volume) {
            return Err(AwsError::validation(format!("The volume {volume} is attached already.")));
        }
        let taken = |name: &str| volumes.iter().any(|one| one["NodeId"] == node && one["DeviceName"] == name);
        let device = DEVICES.map(|letter| format!("/dev/xvd{letter}")).find(|name| !taken(name));
        let device = device
            .ok_or_else(|| AwsError::validation(format!("No more volumes can be attached to the node {node}.")))?;
        let form = json!({
            "ClusterArn": cluster.arn,
            "NodeId": node,
            "VolumeId": volume,
            "AttachTime": timestamp(core.clock.now()),
            "Status": "attached",
            "DeviceName": device,
        });
        volumes.push(form.clone());
        cluster.set(VOLUMES, volumes);
        Ok(form)
    })
}

fn attached(cluster: &Resource) -> Vec<Value> {
    cluster.state.get(VOLUMES).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn detach_volume(core: &Core, request: &Value) -> Answer {
    let (node, volume) = (text(request, "NodeId")?, text(request, "VolumeId")?);
    core.change(|state| {
        let cluster = table::find_mut(core, state, Kind::Cluster.row(), request)?;
        check_node(cluster, node)?;
        let mut volumes = attached(cluster);
        let at = volumes.iter().position(|known| known["VolumeId"] == volume && known["NodeId"] == node);
        let Some(at) = at else {
            let message = format!("The volume {volume} is not attached to the node {node}.");
            return Err(AwsError::validation(message));
        };
        let mut form = volumes.remove(at);
        form["Status"] = json!("detached");
        cluster.set(VOLUMES, volumes);
        Ok(form)
    })
}

/// `AttachClusterNodeNetworkInterface`. The local backend has no EC2: any interface exists.
fn attach_interface(core: &Core, request: &Value) -> Answer {
    let (node, interface) = (text(request, "NodeId")?, text(request, "NetworkInterfaceId")?);
    core.change(|state| {
        let number = state.next_id();
        let cluster = table::find_mut(core, state, Kind::Cluster.row(), request)?;
        check_node(cluster, node)?;
        let member = "AttachedInterfaces";
        let mut interfaces = cluster.state.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        if interfaces.iter().any(|known| known == interface) {
            return Err(AwsError::validation(format!("The network interface {interface} is attached already.")));
        }
        interfaces.push(json!(interface));
        cluster.set(member, interfaces);
        Ok(json!({
            "ClusterArn": cluster.arn,
            "NodeId": node,
            "NetworkInterfaceId": interface,
            "AttachmentId": format!("eni-attach-{number:017x}"),
        }))
    })
}
