//! Nodes of clusters, what is attached to them, and what a cluster remembers.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;

async fn cluster(backend: &LocalBackend, continuous: bool) -> Value {
    let group = |name: &str, count: u64| {
        json!({"InstanceCount": count, "InstanceGroupName": name, "InstanceType": "ml.m5.large",
            "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-x/lifecycle", "OnCreate": "on_create.sh"},
            "ExecutionRole": backend.role_arn()})
    };
    let mut create = json!({"ClusterName": "hyper", "InstanceGroups": [group("head", 1), group("workers", 3)]});
    if continuous {
        create["NodeProvisioningMode"] = json!("Continuous");
    }
    let arn = done(backend, "CreateCluster", create).await["ClusterArn"].clone();
    backend.clock().settle().await;
    arn
}

async fn nodes(backend: &LocalBackend, group: &str) -> Vec<(String, String)> {
    let request = json!({"ClusterName": "hyper", "InstanceGroupNameContains": group, "IncludeNodeLogicalIds": true});
    let listed = done(backend, "ListClusterNodes", request).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = listed["ClusterNodeSummaries"].as_array().unwrap().iter();
    nodes.map(|node| (text(&node["InstanceId"]), text(&node["NodeLogicalId"]))).collect()
}

#[tokio::test]
async fn nodes_are_added_replaced_and_deleted() {
    let backend = LocalBackend::new();
    cluster(&backend, true).await;
    let before = nodes(&backend, "workers").await;
    assert_eq!(before.len(), 3);

    let add = json!({"ClusterName": "hyper", "ClientToken": "token", "NodesToAdd": [
        {"InstanceGroupName": "workers", "IncrementTargetCountBy": 2}, {"InstanceGroupName": "no", "IncrementTargetCountBy": 1}]});
    let added = done(&backend, "BatchAddClusterNodes", add.clone()).await;
    assert_eq!(added["Failed"][0]["ErrorCode"], "InstanceGroupNotFound");
    assert_eq!(done(&backend, "BatchAddClusterNodes", add).await, added, "the same token is the same request");
    let after = nodes(&backend, "workers").await;
    assert_eq!((&after[..3], after.len()), (before.as_slice(), 5));
    let logical: Vec<Value> =
        added["Successful"].as_array().unwrap().iter().map(|one| one["NodeLogicalId"].clone()).collect();
    assert_eq!(logical, [after[3].1.as_str(), after[4].1.as_str()]);
    let node =
        done(&backend, "DescribeClusterNode", json!({"ClusterName": "hyper", "NodeLogicalId": logical[0]})).await;
    assert_eq!(node["NodeDetails"]["InstanceId"], after[3].0);

    let replace = json!({"ClusterName": "hyper", "NodeIds": [after[1].0, "i-00000000000000000"]});
    let replaced = done(&backend, "BatchReplaceClusterNodes", replace).await;
    assert_eq!(replaced["Successful"], json!([after[1].0]));
    assert_eq!(replaced["Failed"][0]["ErrorCode"], "InstanceIdNotFound");
    let now = nodes(&backend, "workers").await;
    assert_ne!(now[1].0, after[1].0, "a new instance");
    assert_eq!(now[1].1, after[1].1, "of the same node");

    let delete = json!({"ClusterName": "hyper", "NodeIds": [now[0].0, now[0].0]});
    let deleted = done(&backend, "BatchDeleteClusterNodes", delete).await;
    assert_eq!((&deleted["Successful"], &deleted["Failed"][0]["Code"]), (&json!([now[0].0]), &json!("NodeIdNotFound")));
    assert_eq!(nodes(&backend, "workers").await, now[1..]);
    let groups = done(&backend, "DescribeCluster", json!({"ClusterName": "hyper"})).await["InstanceGroups"].clone();
    assert_eq!((&groups[1]["CurrentCount"], &groups[1]["TargetCount"]), (&json!(4), &json!(4)));
    let by_logical = json!({"ClusterName": "hyper", "NodeLogicalIds": [now[1].1]});
    let rebooted = done(&backend, "BatchRebootClusterNodes", by_logical).await;
    assert_eq!(rebooted, json!({"SuccessfulNodeLogicalIds": [now[1].1]}));
    let neither = call(&backend, "BatchRebootClusterNodes", &json!({"ClusterName": "hyper"})).await.unwrap_err();
    assert_eq!(neither.0, "ValidationException");

    // An update that changes something else leaves the nodes that are there.
    let update = json!({"ClusterName": "hyper", "InstanceGroups": [{"InstanceCount": 4, "InstanceGroupName": "workers",
        "InstanceType": "ml.m5.large", "ExecutionRole": backend.role_arn()}]});
    done(&backend, "UpdateCluster", update).await;
    backend.clock().settle().await;
    assert_eq!(nodes(&backend, "workers").await, now[1..]);
}

#[tokio::test]
async fn clusters_remember_what_happened() {
    let backend = LocalBackend::new();
    cluster(&backend, true).await;
    let name = json!({"ClusterName": "hyper"});
    let check = json!({"ClusterName": "hyper",
        "DeepHealthCheckConfigurations": [{"InstanceGroupName": "head", "DeepHealthChecks": ["InstanceStress"]}]});
    done(&backend, "StartClusterHealthCheck", check.clone()).await;
    let add =
        json!({"ClusterName": "hyper", "NodesToAdd": [{"InstanceGroupName": "head", "IncrementTargetCountBy": 1}]});
    done(&backend, "BatchAddClusterNodes", add).await;

    let operations = done(&backend, "ListClusterOperations", name.clone()).await["ClusterOperationSummaries"].clone();
    assert_eq!((&operations[0]["Type"], &operations[1]["Type"]), (&json!("Scaling"), &json!("DeepHealthCheck")));
    let id = &operations[0]["OperationId"];
    let scaling = done(&backend, "DescribeClusterOperation", json!({"ClusterName": "hyper", "OperationId": id})).await;
    assert_eq!(scaling["ScalingDetails"][0]["Original"]["TargetCount"], 1);
    assert_eq!(scaling["ScalingDetails"][0]["Desired"]["TargetCount"], 2);
    let only = json!({"ClusterName": "hyper", "Type": "DeepHealthCheck"});
    let only = done(&backend, "ListClusterOperations", only).await["ClusterOperationSummaries"].clone();
    assert_eq!(only.as_array().unwrap().len(), 1);

    let events = done(&backend, "ListClusterEvents", name.clone()).await["Events"].clone();
    assert_eq!((&events[0]["InstanceGroupName"], &events[0]["OperationId"]), (&json!("head"), id), "the newest first");
    let of_cluster = json!({"ClusterName": "hyper", "ResourceType": "Cluster", "SortOrder": "Ascending"});
    let of_cluster = done(&backend, "ListClusterEvents", of_cluster).await["Events"].clone();
    assert_eq!(of_cluster[0]["Description"], "The cluster is now in status Creating.");
    assert_eq!(of_cluster[1]["Description"], "The cluster is now in status InService.");
    let one = json!({"ClusterName": "hyper", "EventId": events[0]["EventId"]});
    let event = done(&backend, "DescribeClusterEvent", one).await["EventDetails"].clone();
    assert_eq!(event["Description"], events[0]["Description"]);
    let unknown = json!({"ClusterName": "hyper", "EventId": "00000000-0000-4000-8000-000000000000"});
    assert_eq!(call(&backend, "DescribeClusterEvent", &unknown).await.unwrap_err().0, "ResourceNotFound");
    let mut wrong = check;
    wrong["DeepHealthCheckConfigurations"][0]["InstanceGroupName"] = json!("no");
    assert_eq!(call(&backend, "StartClusterHealthCheck", &wrong).await.unwrap_err().0, "ResourceNotFound");

    let other = LocalBackend::new();
    cluster(&other, false).await;
    assert_eq!(call(&other, "ListClusterEvents", &name).await.unwrap_err().0, "ValidationException", "not continuous");
}

#[tokio::test]
async fn volumes_and_interfaces_are_attached_once() {
    let backend = LocalBackend::new();
    let arn = cluster(&backend, false).await;
    let node = nodes(&backend, "head").await[0].0.clone();
    let volume = |id: &str| json!({"ClusterArn": arn, "NodeId": node, "VolumeId": id});
    let first = done(&backend, "AttachClusterNodeVolume", volume("vol-00000001")).await;
    assert_eq!((&first["Status"], &first["DeviceName"]), (&json!("attached"), &json!("/dev/xvdf")));
    let second = done(&backend, "AttachClusterNodeVolume", volume("vol-00000002")).await;
    assert_eq!(second["DeviceName"], "/dev/xvdg");
    assert!(call(&backend, "AttachClusterNodeVolume", &volume("vol-00000001")).await.is_err());
    let detached = done(&backend, "DetachClusterNodeVolume", volume("vol-00000001")).await;
    assert_eq!((&detached["Status"], &detached["AttachTime"]), (&json!("detached"), &first["AttachTime"]));
    assert!(call(&backend, "DetachClusterNodeVolume", &volume("vol-00000001")).await.is_err());
    let nobody = json!({"ClusterArn": arn, "NodeId": "i-00000000000000000", "VolumeId": "vol-00000003"});
    assert_eq!(call(&backend, "AttachClusterNodeVolume", &nobody).await.unwrap_err().0, "ResourceNotFound");
    let interface = json!({"ClusterName": "hyper", "NodeId": node, "NetworkInterfaceId": "eni-00000001"});
    let attached = done(&backend, "AttachClusterNodeNetworkInterface", interface.clone()).await;
    assert!(attached["AttachmentId"].as_str().unwrap().starts_with("eni-attach-"));
    assert!(call(&backend, "AttachClusterNodeNetworkInterface", &interface).await.is_err());
}

#[tokio::test]
async fn a_cluster_has_each_extension_once() {
    let backend = LocalBackend::new();
    let arn = cluster(&backend, true).await;
    let versions = json!({"ExtensionName": "sagemaker-observability"});
    let versions = done(&backend, "ListClusterExtensionVersions", versions).await;
    assert_eq!(versions["ExtensionVersions"], json!([{"ExtensionVersion": "1.0.0"}]));
    let create = json!({"ClusterArn": arn, "ExtensionName": "sagemaker-observability", "ConfigurationValues": r#"{"a":1,"b":1}"#});
    let extension = done(&backend, "CreateClusterExtension", create.clone()).await["ExtensionArn"].clone();
    assert_eq!(call(&backend, "CreateClusterExtension", &create).await.unwrap_err().0, "ResourceInUse");
    let mut unknown = create.clone();
    unknown["ExtensionName"] = json!("other");
    assert_eq!(call(&backend, "CreateClusterExtension", &unknown).await.unwrap_err().0, "ResourceNotFound");
    let of = json!({"ClusterArn": arn, "ExtensionArn": extension});
    backend.clock().settle().await;
    let mut update = of.clone();
    update["ConfigurationValues"] = json!(r#"{"b":2}"#);
    done(&backend, "UpdateClusterExtension", update).await;
    backend.clock().settle().await;
    let described = done(&backend, "DescribeClusterExtension", of.clone()).await;
    let details = &described["ExtensionDetails"];
    assert_eq!((&details["Status"], &details["ExtensionVersion"]), (&json!("Active"), &json!("1.0.0")));
    assert_eq!(details["ConfigurationValues"], r#"{"a":1,"b":2}"#);
    assert_eq!(described["NodeSummary"], json!({"TotalCount": 4, "ActiveCount": 4}));
    let listed = done(&backend, "ListClusterExtensions", json!({"ClusterArn": arn})).await;
    assert_eq!(listed["Extensions"][0]["ExtensionName"], "sagemaker-observability");
    done(&backend, "DeleteClusterExtension", of.clone()).await;
    backend.clock().settle().await;
    assert_eq!(call(&backend, "DescribeClusterExtension", &of).await.unwrap_err().0, "ResourceNotFound");
    done(&backend, "CreateClusterExtension", create).await;
    done(&backend, "DeleteCluster", json!({"ClusterName": "hyper"})).await;
}
