//! Operations on several nodes at once: what cannot be done is among the failures.

use serde_json::{Map, Value, json};

use super::nodes::{self, Spot, nodes, spots};
use super::{Answer, Own, check_node, note_event, note_operation, note_scaling, scaling, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{GROUPS, Kind};
use crate::local::state::Resource;

pub(super) static OPERATIONS: &[Own] = &[
    ("BatchAddClusterNodes", |core, request| add(core, request)),
    ("BatchDeleteClusterNodes", |core, request| {
        let words = Words { code: "Code", missing: "NodeIdNotFound", done: "The node was deleted." };
        each(core, request, &words, nodes::delete)
    }),
    ("BatchRebootClusterNodes", |core, request| {
        let words = Words { code: "ErrorCode", missing: "InstanceIdNotFound", done: "The node was rebooted." };
        each(core, request, &words, |_, _| {})
    }),
    ("BatchReplaceClusterNodes", |core, request| {
        let words = Words { code: "ErrorCode", missing: "InstanceIdNotFound", done: "The node was replaced." };
        each(core, request, &words, nodes::replace)
    }),
    ("StartClusterHealthCheck", |core, request| check_health(core, request)),
];

/// The most nodes that one request adds.
const MAX_ADDED: u64 = 50;
const TOKENS: &str = "AddedByToken";

/// Nodes are added to, and have logical identifiers in, clusters that are provisioned continuously.
pub(super) fn check_continuous(cluster: &Resource) -> Result<(), AwsError> {
    if cluster.member("NodeProvisioningMode").is_some_and(|mode| mode == "Continuous") {
        return Ok(());
    }
    let arn = &cluster.arn;
    Err(AwsError::validation(format!(
        "The NodeProvisioningMode of cluster {arn} must be Continuous for this operation."
    )))
}

fn add(core: &Core, request: &Value) -> Answer {
    let wanted = request["NodesToAdd"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    let count = |one: &Value| one["IncrementTargetCountBy"].as_u64().unwrap_or_default();
    if wanted.iter().map(count).sum::<u64>() > MAX_ADDED {
        let message = format!("A request adds at most {MAX_ADDED} nodes.");
        return Err(AwsError::validation(message));
    }
    let now = core.clock.now();
    core.change(|state| {
        let cluster = table::find_mut(core, state, Kind::Cluster.row(), request)?;
        check_continuous(cluster)?;
        let token = request.get("ClientToken").and_then(Value::as_str);
        if let Some(known) = token.and_then(|token| cluster.state.get(TOKENS)?.get(token)) {
            return Ok(known.clone());
        }
        let (mut successful, mut failed, mut scaled) = (Vec::new(), Vec::new(), Vec::new());
        for one in wanted {
            let name = &one["InstanceGroupName"];
            if !grow(cluster, name, count(one), &mut scaled) {
                failed.push(json!({
                    "InstanceGroupName": name,
                    "ErrorCode": "InstanceGroupNotFound",
                    "FailedCount": one["IncrementTargetCountBy"],
                    "Message": "The cluster has no instance group of this name.",
                }));
                continue;
            }
            let of_group: Vec<String> =
                nodes(cluster).filter(|node| *name == node.group_name()).map(|node| node.logical_id()).collect();
            let new = of_group.len().saturating_sub(count(one) as usize);
            for id in of_group.into_iter().skip(new) {
                successful.push(json!({"NodeLogicalId": id, "InstanceGroupName": name, "Status": "Pending"}));
            }
        }
        if !scaled.is_empty() {
            note_scaling(cluster, now, scaled);
        }
        let answer = json!({"Successful": successful, "Failed": failed});
        if let Some(token) = token {
            // Only the latest request can come again.
            cluster.set(TOKENS, json!({token: answer}));
        }
        Ok(answer)
    })
}

/// Lets a group ask for more; whether there is such a group.
fn grow(cluster: &mut Resource, name: &Value, by: u64, scaled: &mut Vec<Value>) -> bool {
    for member in GROUPS {
        let groups = cluster.state.get_mut(member).and_then(Value::as_array_mut);
        let Some(group) = groups.into_iter().flatten().find(|group| group["InstanceGroupName"] == *name) else {
            continue;
        };
        let before = group["TargetCount"].clone();
        for count in ["CurrentCount", "TargetCount"] {
            group[count] = json!(group[count].as_u64().unwrap_or_default() + by);
        }
        scaled.push(scaling(group, &before));
        return true;
    }
    false
}

/// How an operation calls things.
struct Words {
    /// The member that holds the code of a failure.
    code: &'static str,
    missing: &'static str,
    done: &'static str,
}

/// Does something with each node that a request names.
fn each(core: &Core, request: &Value, words: &Words, act: fn(&mut Resource, Spot)) -> Answer {
    let listed = |member: &str| -> Vec<&str> {
        request[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (ids, logical) = (listed("NodeIds"), listed("NodeLogicalIds"));
    if ids.is_empty() == logical.is_empty() {
        return Err(AwsError::validation("Either NodeIds or NodeLogicalIds must be specified, not both."));
    }
    let now = core.clock.now();
    core.change(|state| {
        let cluster = table::find_mut(core, state, Kind::Cluster.row(), request)?;
        if !logical.is_empty() {
            check_continuous(cluster)?;
        }
        let mut answer = Map::new();
        for (wanted, id_member, done, failed) in [
            (&ids, "NodeId", "Successful", "Failed"),
            (&logical, "NodeLogicalId", "SuccessfulNodeLogicalIds", "FailedNodeLogicalIds"),
        ] {
            let (mut successes, mut failures) = (Vec::new(), Vec::new());
            for (id, spot) in wanted.iter().zip(spots(cluster, wanted)) {
                // A node may be named twice.
                let Some(spot) = spot.filter(|_| !successes.contains(&json!(id))) else {
                    let message = format!("Node {id} does not exist in cluster {}.", cluster.arn);
                    failures.push(json!({id_member: id, words.code: words.missing, "Message": message}));
                    continue;
                };
                act(cluster, spot);
                let of = if id_member == "NodeId" { json!({"InstanceId": id}) } else { json!({}) };
                note_event(cluster, now, &of, words.done);
                successes.push(json!(id));
            }
            for (member, list) in [(done, successes), (failed, failures)] {
                if !list.is_empty() {
                    answer.insert(member.to_owned(), Value::from(list));
                }
            }
        }
        Ok(Value::Object(answer))
    })
}

/// `StartClusterHealthCheck`: the nodes are what the backend says they are, so that all of them are healthy.
fn check_health(core: &Core, request: &Value) -> Answer {
    let checks = request["DeepHealthCheckConfigurations"].as_array().cloned().unwrap_or_default();
    let now = core.clock.now();
    core.change(|state| {
        let cluster = table::find_mut(core, state, Kind::Cluster.row(), request)?;
        for check in &checks {
            let name = check["InstanceGroupName"].as_str().unwrap_or_default();
            if !nodes(cluster).any(|node| node.group_name() == name) {
                let message = format!("Instance group {name} does not exist in cluster {}.", cluster.arn);
                return Err(AwsError::resource_not_found(message));
            }
            for id in check["InstanceIds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                check_node(cluster, id)?;
            }
        }
        let operation = note_operation(cluster, now, "DeepHealthCheck", Value::from(checks));
        note_event(cluster, now, &json!({"OperationId": operation}), "The deep health checks have passed.");
        Ok(json!({"ClusterArn": cluster.arn}))
    })
}
