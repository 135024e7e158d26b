//! The nodes of clusters: as many as their groups ask for.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::Resource;
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("ListClusterNodes", |core, request| list(core, request)),
    ("DescribeClusterNode", |core, request| describe(core, request)),
    ("UpdateClusterSoftware", |core, request| {
        let only_the_name = json!({"ClusterName": request["ClusterName"]});
        table::update(core, "UpdateClusterSoftware", Kind::Cluster.row(), &only_the_name)
    }),
];

/// No more are listed, however many a group asks for.
const MAX_NODES: u64 = 6_758;

fn list(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
    let asked = |member: &str| request.get(member).and_then(Value::as_str);
    let mut nodes: Vec<Value> = nodes(cluster).map(|(node, _)| node).collect();
    if let Some(part) = asked("InstanceGroupNameContains") {
        nodes.retain(|node| node["InstanceGroupName"].as_str().is_some_and(|name| name.contains(part)));
    }
    if asked("SortBy") == Some("NAME") {
        nodes.sort_by(|a, b| a["InstanceId"].as_str().cmp(&b["InstanceId"].as_str()));
    }
    if asked("SortOrder") == Some("Descending") {
        nodes.reverse();
    }
    listing::page("ListClusterNodes", &nodes, request)
}

fn describe(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
    let id = request.get("NodeId").or_else(|| request.get("NodeLogicalId"));
    let found = nodes(cluster).find(|(node, _)| Some(&node["InstanceId"]) == id);
    let missing = || {
        let id = id.and_then(Value::as_str).unwrap_or_default();
        AwsError::resource_not_found(format!("Node {id} does not exist in cluster {}.", cluster.arn))
    };
    let (mut node, group) = found.ok_or_else(missing)?;
    for member in ["LifeCycleConfig", "ThreadsPerCore", "InstanceStorageConfigs", "OverrideVpcConfig"] {
        if let Some(value) = group.get(member) {
            node[member] = value.clone();
        }
    }
    Ok(json!({"NodeDetails": node}))
}

/// The nodes, each with its group.
fn nodes(cluster: &Resource) -> impl Iterator<Item = (Value, &Value)> {
    let groups = ["InstanceGroups", "RestrictedInstanceGroups"].into_iter();
    let groups = groups.flat_map(|member| cluster.state.get(member).and_then(Value::as_array).into_iter().flatten());
    groups.enumerate().flat_map(move |(at, group)| {
        let count = group["CurrentCount"].as_u64().unwrap_or_default().min(MAX_NODES);
        (0..count).map(move |number| (node(cluster, group, at as u64, number), group))
    })
}

fn node(cluster: &Resource, group: &Value, at: u64, number: u64) -> Value {
    json!({
        "InstanceGroupName": group["InstanceGroupName"],
        "InstanceId": format!("i-{:05x}{:04x}{number:08x}", cluster.id & 0xf_ffff, at & 0xffff),
        "InstanceType": group["InstanceType"],
        "LaunchTime": timestamp(cluster.created),
        "InstanceStatus": {"Status": "Running", "Message": "The instance is running."},
    })
}
