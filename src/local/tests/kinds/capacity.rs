//! Training plans.

use std::time::Duration;

use serde_json::{Value, json};

use super::{call, done};
use crate::local::{LocalBackend, LocalClock};

async fn offerings(backend: &LocalBackend, request: Value) -> Vec<Value> {
    done(backend, "SearchTrainingPlanOfferings", request).await["TrainingPlanOfferings"].as_array().unwrap().clone()
}

#[tokio::test]
async fn plans_are_made_of_offerings_and_run_out() {
    let backend = LocalBackend::builder().clock(LocalClock::manual()).build();
    let search = json!({"InstanceType": "ml.p5.48xlarge", "InstanceCount": 4, "DurationHours": 30,
        "TargetResources": ["training-job", "hyperpod-cluster"]});
    let found = offerings(&backend, search.clone()).await;
    assert_eq!(found.len(), 3);
    let capacity = &found[0]["ReservedCapacityOfferings"][0];
    assert_eq!((&found[0]["DurationHours"], &capacity["InstanceCount"]), (&json!(48), &json!(4)), "whole days");
    let start = capacity["StartTime"].as_f64().unwrap();
    let mut before = search.clone();
    before["EndTimeBefore"] = json!(start + 3.0 * 86_400.0);
    assert_eq!(offerings(&backend, before).await.len(), 2);
    let mut after = search;
    after["StartTimeAfter"] = json!(start + 1.0);
    assert_eq!(offerings(&backend, after).await[0]["ReservedCapacityOfferings"][0]["StartTime"], start + 1800.0);
    assert_eq!(call(&backend, "SearchTrainingPlanOfferings", &json!({})).await.unwrap_err().0, "ValidationException");

    let name = json!({"TrainingPlanName": "Plan"});
    let mut create = json!({"TrainingPlanName": "Plan", "TrainingPlanOfferingId": "no-such-offering"});
    assert_eq!(call(&backend, "CreateTrainingPlan", &create).await.unwrap_err().0, "ResourceNotFound");
    create["TrainingPlanOfferingId"] = found[0]["TrainingPlanOfferingId"].clone();
    let arn = done(&backend, "CreateTrainingPlan", create).await["TrainingPlanArn"].clone();
    assert_eq!(arn, "arn:aws:sagemaker:us-east-1:123456789012:training-plan/plan");
    let plan = || done(&backend, "DescribeTrainingPlan", name.clone());
    let pass = |hours: u64| {
        let backend = &backend;
        async move {
            backend.clock().advance(Duration::from_secs(hours * 3600));
            backend.clock().settle().await;
        }
    };
    assert_eq!(plan().await["Status"], "Pending");
    backend.clock().advance(Duration::from_secs(10));
    backend.clock().settle().await;
    let scheduled = plan().await;
    assert_eq!(scheduled["Status"], "Scheduled");
    assert_eq!((&scheduled["TotalInstanceCount"], &scheduled["AvailableInstanceCount"]), (&json!(4), &json!(4)));
    pass(2).await;
    let active = plan().await;
    assert_eq!(
        (&active["Status"], &active["ReservedCapacitySummaries"][0]["Status"]),
        (&json!("Active"), &json!("Active"))
    );

    let extension =
        done(&backend, "SearchTrainingPlanOfferings", json!({"TrainingPlanArn": arn, "DurationHours": 24})).await;
    let offer = extension["TrainingPlanExtensionOfferings"][0].clone();
    assert_eq!(offer["StartDate"], active["EndTime"]);
    let extend = json!({"TrainingPlanExtensionOfferingId": offer["TrainingPlanExtensionOfferingId"]});
    let extended = done(&backend, "ExtendTrainingPlan", extend.clone()).await;
    assert_eq!(extended["TrainingPlanExtensions"][0]["DurationHours"], 24);
    assert_eq!(call(&backend, "ExtendTrainingPlan", &extend).await.unwrap_err().0, "ResourceNotFound", "only once");
    let history = done(&backend, "DescribeTrainingPlanExtensionHistory", json!({"TrainingPlanArn": arn})).await;
    assert_eq!(history["TrainingPlanExtensions"], extended["TrainingPlanExtensions"]);
    pass(50).await;
    assert_eq!(plan().await["Status"], "Active", "extended");
    let capacity = active["ReservedCapacitySummaries"][0]["ReservedCapacityArn"].clone();
    let reserved = done(&backend, "DescribeReservedCapacity", json!({"ReservedCapacityArn": capacity})).await;
    assert_eq!((&reserved["Status"], &reserved["AvailableInstanceCount"]), (&json!("Active"), &json!(4)));
    pass(24).await;
    let filtered = json!({"Filters": [{"Name": "Status", "Value": "Expired"}], "StartTimeAfter": start});
    let listed = done(&backend, "ListTrainingPlans", filtered).await["TrainingPlanSummaries"].clone();
    assert_eq!(listed[0]["Status"], "Expired");
    let later = done(&backend, "ListTrainingPlans", json!({"StartTimeAfter": start + 1.0})).await;
    assert_eq!(later["TrainingPlanSummaries"], json!([]));
}

#[tokio::test]
async fn ultra_servers_are_reserved_whole() {
    let backend = LocalBackend::new();
    let search = json!({"UltraServerType": "ml.u-p6e-gb200x72", "UltraServerCount": 2});
    let found = offerings(&backend, search).await;
    let create = json!({"TrainingPlanName": "ultra", "TrainingPlanOfferingId": found[0]["TrainingPlanOfferingId"]});
    done(&backend, "CreateTrainingPlan", create).await;
    let plan = done(&backend, "DescribeTrainingPlan", json!({"TrainingPlanName": "ultra"})).await;
    assert_eq!((&plan["TotalInstanceCount"], &plan["TotalUltraServerCount"]), (&json!(36), &json!(2)));
    let arn = json!({"ReservedCapacityArn": plan["ReservedCapacitySummaries"][0]["ReservedCapacityArn"]});
    let reserved = done(&backend, "DescribeReservedCapacity", arn.clone()).await;
    assert_eq!(reserved["UltraServerSummary"]["UltraServerCount"], 2);
    let servers = done(&backend, "ListUltraServersByReservedCapacity", arn).await["UltraServers"].clone();
    assert_eq!(servers.as_array().unwrap().len(), 2);
    assert_eq!(servers[1]["TotalInstanceCount"], 18);
    assert!(offerings(&backend, json!({"UltraServerType": "ml.u-unknown"})).await.is_empty());
}
