//! What happened to a cluster, and what was done with it.

use serde_json::{Value, json};

use super::batches::check_continuous;
use super::{Own, table};
use crate::local::aws_error::AwsError;
use crate::local::kinds::{CLUSTER_OPERATIONS, EVENTS, Kind};
use crate::local::listing;
use crate::local::state::{Resource, text};
use crate::local::time::millis_of;

pub(super) static OPERATIONS: &[Own] = &[
    ("ListClusterEvents", |core, request| {
        let state = core.state();
        let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
        check_continuous(cluster)?;
        let equal =
            [("InstanceGroupName", "InstanceGroupName"), ("NodeId", "InstanceId"), ("ResourceType", "ResourceType")];
        let equal = [equal.as_slice(), &[("OperationId", "OperationId")]].concat();
        let mut events = notes(cluster, EVENTS, request, &equal, ["EventTimeAfter", "EventTimeBefore", "EventTime"]);
        for event in &mut events {
            identify(event, cluster);
        }
        listing::page("ListClusterEvents", &events, request)
    }),
    ("DescribeClusterEvent", |core, request| {
        let state = core.state();
        let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
        check_continuous(cluster)?;
        let mut event = find(cluster, EVENTS, "EventId", text(request, "EventId")?)?;
        identify(&mut event, cluster);
        Ok(json!({"EventDetails": event}))
    }),
    ("ListClusterOperations", |core, request| {
        let state = core.state();
        let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
        let equal = [("Status", "Status"), ("Type", "Type")];
        let times = ["CreationTimeAfter", "CreationTimeBefore", "CreationTime"];
        let operations = notes(cluster, CLUSTER_OPERATIONS, request, &equal, times);
        listing::page_of("ListClusterOperations", &operations, request, |operation| {
            json!({
                "OperationId": operation["OperationId"],
                "ClusterArn": cluster.arn,
                "Type": operation["Type"],
                "Status": operation["Status"],
                "CreationTime": operation["CreationTime"],
            })
        })
    }),
    ("DescribeClusterOperation", |core, request| {
        let state = core.state();
        let cluster = table::find(core, &state, Kind::Cluster.row(), request)?;
        let mut operation = find(cluster, CLUSTER_OPERATIONS, "OperationId", text(request, "OperationId")?)?;
        operation["ClusterArn"] = json!(cluster.arn);
        Ok(operation)
    }),
];

fn all<'a>(cluster: &'a Resource, member: &str) -> impl DoubleEndedIterator<Item = &'a Value> + use<'a> {
    cluster.state.get(member).and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice).iter()
}

/// The notes that pass a request's filters, the newest first unless it says otherwise. `times` are the filters of an
/// earliest and a latest time, and the member that they are for.
fn notes(cluster: &Resource, member: &str, request: &Value, equal: &[(&str, &str)], times: [&str; 3]) -> Vec<Value> {
    let [after, before, time] = times;
    let bound = |filter: &str| request.get(filter).and_then(millis_of);
    let (first, last) = (bound(after).unwrap_or(f64::NEG_INFINITY), bound(before).unwrap_or(f64::INFINITY));
    let passes = |note: &Value| {
        let at = millis_of(&note[time]).unwrap_or_default();
        first <= at
            && at <= last
            && equal.iter().all(|(filter, of)| request.get(*filter).is_none_or(|v| note[*of] == *v))
    };
    let mut found: Vec<Value> = all(cluster, member).filter(|note| passes(note)).cloned().collect();
    if request.get("SortOrder").and_then(Value::as_str) != Some("Ascending") {
        found.reverse();
    }
    found
}

fn find(cluster: &Resource, member: &str, of: &str, id: &str) -> Result<Value, AwsError> {
    let found = all(cluster, member).find(|note| note[of] == id).cloned();
    found.ok_or_else(|| AwsError::resource_not_found(format!("Cluster {} has no {of} {id}.", cluster.arn)))
}

fn identify(event: &mut Value, cluster: &Resource) {
    event["ClusterArn"] = json!(cluster.arn);
    event["ClusterName"] = json!(cluster.name);
}
