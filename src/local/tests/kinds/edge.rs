//! Edge Manager: devices of fleets, and the stages of deployments.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;

const ARN: &str = "arn:aws:sagemaker:us-east-1:123456789012";

async fn fleet(backend: &LocalBackend) {
    let output = json!({"S3OutputLocation": "s3://bucket/samples"});
    let create = json!({"DeviceFleetName": "Fleet", "OutputConfig": output, "RoleArn": backend.role_arn(), "EnableIotRoleAlias": true});
    done(backend, "CreateDeviceFleet", create).await;
    let devices: Vec<Value> = ["pump-1", "pump-2", "valve-1"]
        .iter()
        .map(|name| json!({"DeviceName": name, "IotThingName": "thing"}))
        .collect();
    let register = json!({"DeviceFleetName": "Fleet", "Devices": devices, "Tags": [{"Key": "site", "Value": "a"}]});
    done(backend, "RegisterDevices", register).await;
}

#[tokio::test]
async fn devices_belong_to_fleets() {
    let backend = LocalBackend::new();
    let unknown = call(&backend, "DescribeDeviceFleet", &json!({"DeviceFleetName": "no"})).await.unwrap_err();
    assert_eq!(unknown, ("ValidationException".to_owned(), "No devicefleet with name no exists.".to_owned()));
    fleet(&backend).await;
    let described = done(&backend, "DescribeDeviceFleet", json!({"DeviceFleetName": "Fleet"})).await;
    assert_eq!(described["DeviceFleetArn"], format!("{ARN}:device-fleet/fleet"));
    assert_eq!(described["IotRoleAlias"], "arn:aws:iam::123456789012:rolealias/SageMakerEdge-Fleet");

    let one = json!({"DeviceFleetName": "Fleet", "DeviceName": "pump-1"});
    let device = done(&backend, "DescribeDevice", one.clone()).await;
    assert_eq!(device["DeviceArn"], format!("{ARN}:device-fleet/fleet/device/pump-1"));
    assert!(device["RegistrationTime"].is_number());
    let tags = done(&backend, "ListTags", json!({"ResourceArn": device["DeviceArn"]})).await;
    assert_eq!(tags["Tags"], json!([{"Key": "site", "Value": "a"}]));
    let report = done(&backend, "GetDeviceFleetReport", json!({"DeviceFleetName": "Fleet"})).await;
    assert_eq!(report["DeviceStats"], json!({"ConnectedDeviceCount": 0, "RegisteredDeviceCount": 3}));

    let update = json!({"DeviceFleetName": "Fleet", "Devices": [{"DeviceName": "pump-1", "Description": "new"}]});
    done(&backend, "UpdateDevices", update).await;
    let device = done(&backend, "DescribeDevice", one.clone()).await;
    assert_eq!((&device["Description"], &device["IotThingName"]), (&json!("new"), &json!("thing")));
    let again = json!({"DeviceFleetName": "Fleet", "Devices": [{"DeviceName": "other"}, {"DeviceName": "pump-1"}]});
    assert_eq!(call(&backend, "RegisterDevices", &again).await.unwrap_err().0, "ResourceInUse");
    let listed = |request: Value| {
        let backend = &backend;
        async move { done(backend, "ListDevices", request).await["DeviceSummaries"].as_array().unwrap().len() }
    };
    assert_eq!(listed(json!({})).await, 3, "all of a refused registration is refused");
    assert_eq!(listed(json!({"DeviceFleetName": "Fleet"})).await, 3);
    assert_eq!(listed(json!({"DeviceFleetName": "Other"})).await, 0);
    assert_eq!(listed(json!({"LatestHeartbeatAfter": 0})).await, 0, "no device is connected");

    let delete = json!({"DeviceFleetName": "Fleet"});
    assert_eq!(call(&backend, "DeleteDeviceFleet", &delete).await.unwrap_err().0, "ResourceInUse");
    let names = json!({"DeviceFleetName": "Fleet", "DeviceNames": ["pump-1", "pump-2", "valve-1", "unknown"]});
    done(&backend, "DeregisterDevices", names).await;
    let gone = call(&backend, "DescribeDevice", &one).await.unwrap_err();
    assert_eq!(gone, ("ValidationException".to_owned(), "No device with name pump-1 exists.".to_owned()));
    done(&backend, "DeleteDeviceFleet", delete).await;
}

#[tokio::test]
async fn stages_choose_devices_and_wait_for_them() {
    let backend = LocalBackend::new();
    fleet(&backend).await;
    let stage = |name: &str, config: Value| json!({"StageName": name, "DeviceSelectionConfig": config});
    let create = json!({
        "EdgeDeploymentPlanName": "plan",
        "ModelConfigs": [],
        "DeviceFleetName": "Fleet",
        "Stages": [
            stage("half", json!({"DeviceSubsetType": "PERCENTAGE", "Percentage": 50})),
            stage("pumps", json!({"DeviceSubsetType": "NAMECONTAINS", "DeviceNameContains": "pump"})),
        ],
    });
    let mut missing = create.clone();
    missing["ModelConfigs"] = json!([{"ModelHandle": "m", "EdgePackagingJobName": "no"}]);
    assert_eq!(call(&backend, "CreateEdgeDeploymentPlan", &missing).await.unwrap_err().0, "ResourceNotFound");
    let arn = done(&backend, "CreateEdgeDeploymentPlan", create).await["EdgeDeploymentPlanArn"].clone();
    assert_eq!(arn, format!("{ARN}:edge-deployment/plan"));
    let name = json!({"EdgeDeploymentPlanName": "plan"});
    let of = |stage: &str| json!({"EdgeDeploymentPlanName": "plan", "StageName": stage});
    let third = stage("named", json!({"DeviceSubsetType": "SELECTION", "DeviceNames": ["valve-1"]}));
    let add = json!({"EdgeDeploymentPlanName": "plan", "Stages": [third]});
    done(&backend, "CreateEdgeDeploymentStage", add.clone()).await;
    assert_eq!(call(&backend, "CreateEdgeDeploymentStage", &add).await.unwrap_err().0, "ValidationException");

    let devices = |stage: &str, exclude: bool| {
        let (backend, mut request) = (&backend, of(stage));
        request["ExcludeDevicesDeployedInOtherStage"] = json!(exclude);
        async move {
            let listed = done(backend, "ListStageDevices", request).await["DeviceDeploymentSummaries"].clone();
            let names =
                listed.as_array().unwrap().iter().map(|device| device["DeviceName"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        }
    };
    assert_eq!(devices("half", false).await, ["pump-1", "pump-2"], "rounded up");
    assert_eq!(devices("named", false).await, ["valve-1"]);
    done(&backend, "StartEdgeDeploymentStage", of("half")).await;
    assert_eq!(devices("pumps", true).await, [] as [&str; 0]);
    let plan = done(&backend, "DescribeEdgeDeploymentPlan", name.clone()).await;
    assert_eq!((&plan["EdgeDeploymentPending"], &plan["EdgeDeploymentSuccess"]), (&json!(2), &json!(0)));
    let status = &plan["Stages"][0]["DeploymentStatus"];
    assert_eq!((&status["StageStatus"], &status["EdgeDeploymentPendingInStage"]), (&json!("INPROGRESS"), &json!(2)));
    assert_eq!(plan["Stages"][1]["DeploymentStatus"]["StageStatus"], "READYTODEPLOY");
    assert_eq!(plan["Stages"][1]["DeploymentConfig"]["FailureHandlingPolicy"], "ROLLBACK_ON_FAILURE");
    let listed = done(&backend, "ListEdgeDeploymentPlans", json!({"SortBy": "DEVICE_FLEET_NAME"})).await;
    assert_eq!(listed["EdgeDeploymentPlanSummaries"][0]["EdgeDeploymentPending"], 2);

    assert_eq!(call(&backend, "StartEdgeDeploymentStage", &of("half")).await.unwrap_err().0, "ValidationException");
    assert_eq!(call(&backend, "DeleteEdgeDeploymentStage", &of("half")).await.unwrap_err().0, "ResourceInUse");
    assert_eq!(call(&backend, "DeleteEdgeDeploymentPlan", &name).await.unwrap_err().0, "ResourceInUse");
    done(&backend, "StopEdgeDeploymentStage", of("half")).await;
    assert_eq!(call(&backend, "StopEdgeDeploymentStage", &of("half")).await.unwrap_err().0, "ValidationException");
    done(&backend, "DeleteEdgeDeploymentStage", of("half")).await;
    assert_eq!(call(&backend, "ListStageDevices", &of("half")).await.unwrap_err().0, "ValidationException");
    done(&backend, "DeleteEdgeDeploymentPlan", name).await;
}
