//! Which nodes a cluster has.
//!
//! A group numbers its nodes. A node that was deleted leaves its number unused, and one that was replaced has a new
//! instance of the same number, so that nothing is kept of the nodes that nobody touched.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::local::kinds::{GONE, GROUPS, REPLACED};
use crate::local::state::Resource;
use crate::local::time::timestamp;

/// No more are listed, however many a group asks for.
const MAX_NODES: u64 = 6_758;

/// One node.
pub(super) struct Node<'a> {
    cluster: u64,
    pub(super) group: &'a Value,
    number: u64,
    /// How often it was replaced.
    generation: u64,
}

impl Node<'_> {
    pub(super) fn group_name(&self) -> &str {
        self.group["InstanceGroupName"].as_str().unwrap_or_default()
    }

    /// The identifier of the instance: from the numbers of cluster and node, and the name of the group.
    pub(super) fn id(&self) -> String {
        format!("i-{}{:x}{:08x}", self.place(), self.generation & 0xf, self.number)
    }

    /// What stays when the instance is replaced.
    pub(super) fn logical_id(&self) -> String {
        format!("{}-{:08x}", self.place(), self.number)
    }

    fn place(&self) -> String {
        // FNV-1a: the same in each run.
        let hash = self
            .group_name()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("{:04x}{:04x}", self.cluster & 0xffff, hash & 0xffff)
    }

    /// A node as the list gives it.
    pub(super) fn form(&self, cluster: &Resource, logical: bool) -> Value {
        let mut form = json!({
            "InstanceGroupName": self.group["InstanceGroupName"],
            "InstanceId": self.id(),
            "InstanceType": self.group["InstanceType"],
            "LaunchTime": timestamp(cluster.created),
            "InstanceStatus": {"Status": "Running", "Message": "The instance is running."},
        });
        if logical && cluster.request.contains_key("NodeProvisioningMode") {
            form["NodeLogicalId"] = json!(self.logical_id());
        }
        form
    }
}

/// The nodes of a cluster, group by group.
pub(super) fn nodes(cluster: &Resource) -> impl Iterator<Item = Node<'_>> {
    let groups = GROUPS.iter().flat_map(|member| cluster.state.get(*member).and_then(Value::as_array).into_iter());
    groups.flatten().flat_map(|group| {
        let count = group["CurrentCount"].as_u64().unwrap_or_default().min(MAX_NODES) as usize;
        let gone: BTreeSet<u64> = group[GONE].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let numbers = (0..).filter(move |number| !gone.contains(number)).take(count);
        numbers.map(|number| {
            let generation = group[REPLACED][number.to_string().as_str()].as_u64().unwrap_or_default();
            Node { cluster: cluster.id, group, number, generation }
        })
    })
}

/// Where a node is: the member of its group, the group's place there, its number.
pub(super) type Spot = (&'static str, usize, u64);

/// Where the nodes of these identifiers are, in their order; an instance or a logical identifier.
pub(super) fn spots(cluster: &Resource, wanted: &[&str]) -> Vec<Option<Spot>> {
    let all: std::collections::HashMap<String, Spot> = nodes(cluster)
        .filter_map(|node| {
            let spot = GROUPS.iter().find_map(|member| {
                let groups = cluster.state.get(*member)?.as_array()?;
                let at =
                    groups.iter().position(|group| group["InstanceGroupName"] == node.group["InstanceGroupName"])?;
                Some((*member, at, node.number))
            })?;
            Some([(node.id(), spot), (node.logical_id(), spot)])
        })
        .flatten()
        .collect();
    wanted.iter().map(|id| all.get(*id).copied()).collect()
}

/// Deletes a node; the group asks for one less.
pub(super) fn delete(cluster: &mut Resource, (member, at, number): Spot) {
    if let Some(group) = cluster.state.get_mut(member).and_then(|groups| groups.get_mut(at)) {
        let mut gone = group[GONE].as_array().cloned().unwrap_or_default();
        gone.push(json!(number));
        group[GONE] = Value::from(gone);
        for count in ["CurrentCount", "TargetCount"] {
            group[count] = json!(group[count].as_u64().unwrap_or_default().saturating_sub(1));
        }
    }
}

/// Gives a node a new instance.
pub(super) fn replace(cluster: &mut Resource, (member, at, number): Spot) {
    if let Some(group) = cluster.state.get_mut(member).and_then(|groups| groups.get_mut(at)) {
        if !group[REPLACED].is_object() {
            group[REPLACED] = json!({});
        }
        let generation = &mut group[REPLACED][number.to_string()];
        *generation = json!(generation.as_u64().unwrap_or_default() + 1);
    }
}
