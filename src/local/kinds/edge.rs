//! Edge Manager: fleets, their devices, packaged models and how they are to be deployed.

use serde_json::{Value, json};

use super::row::plain;
use super::{ArnTail, Draft, Kind, ListRow, Move, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;

const DEVICE_FLEET: (Kind, &str) = (Kind::DeviceFleet, "DeviceFleetName");

pub(super) static ROWS: &[Row] = &[
    Row {
        kept_by: &[(Kind::Device, "DeviceFleetName"), (Kind::EdgeDeploymentPlan, "DeviceFleetName")],
        update: Update { left: &["EnableIotRoleAlias"], finish: update_role_alias, ..Update::PLAIN },
        prepare: |draft| {
            if draft.request.get("EnableIotRoleAlias") == Some(&Value::Bool(true)) {
                let name = draft.text("DeviceFleetName").unwrap_or_default();
                let alias = role_alias(draft.place.partition(), &draft.place.account, name);
                draft.set(ROLE_ALIAS, alias);
            }
            Ok(())
        },
        missing: |name, _| AwsError::validation(format!("No devicefleet with name {name} exists.")),
        taken: |_, arn| AwsError::in_use(format!("Device fleet already exists: {arn}")),
        ..plain!(DeviceFleet, "device-fleet", ListRow::newest_first("ListDeviceFleets"))
    },
    Row {
        arn_tail: ArnTail::Nested("device"),
        parents: &["DeviceFleetName"],
        needs: &[DEVICE_FLEET],
        aliases: &[("RegistrationTime", "CreationTime")],
        list: ListRow {
            filters: &[("LatestHeartbeatAfter", "LatestHeartbeat")],
            ..ListRow::newest_first("ListDevices")
        },
        missing: |name, _| AwsError::validation(format!("No device with name {name} exists.")),
        taken: |_, arn| AwsError::in_use(format!("Device already exists: {arn}")),
        ..plain!(Device, "device-fleet", ListRow::NONE)
    },
    Row {
        needs: &[(Kind::CompilationJob, "CompilationJobName")],
        status: Status {
            created: &[("STARTING", 10), ("INPROGRESS", 60), ("COMPLETED", 0)],
            moves: &[Move {
                operation: "StopEdgePackagingJob",
                from: &["STARTING", "INPROGRESS"],
                steps: &[("STOPPING", 10), ("STOPPED", 0)],
            }],
            refuse: |_, status, arn| {
                AwsError::validation(format!("The request was rejected because the job {arn} is in status {status}."))
            },
            ..Status::of("EdgePackagingJobStatus")
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find edge packaging job \"{arn}\".")),
        taken: |_, arn| AwsError::in_use(format!("Edge packaging job already exists: {arn}")),
        ..plain!(EdgePackagingJob, "edge-packaging-job", ListRow::newest_first("ListEdgePackagingJobs"))
    },
    Row {
        needs: &[DEVICE_FLEET],
        prepare: prepare_plan,
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find edge deployment plan \"{arn}\".")),
        taken: |_, arn| AwsError::in_use(format!("Edge deployment plan already exists: {arn}")),
        ..plain!(EdgeDeploymentPlan, "edge-deployment", ListRow::newest_first("ListEdgeDeploymentPlans"))
    },
];

const ROLE_ALIAS: &str = "IotRoleAlias";

fn role_alias(partition: &str, account: &str, fleet: &str) -> String {
    format!("arn:{partition}:iam::{account}:rolealias/SageMakerEdge-{fleet}")
}

fn update_role_alias(fleet: &mut Resource, request: &Value) -> Result<(), AwsError> {
    match request.get("EnableIotRoleAlias") {
        Some(Value::Bool(true)) => {
            let parts: Vec<&str> = fleet.arn.split(':').collect();
            let part = |at: usize| parts.get(at).copied().unwrap_or_default();
            let alias = role_alias(part(1), part(4), &fleet.name);
            fleet.set(ROLE_ALIAS, alias);
        }
        Some(Value::Bool(false)) => {
            fleet.state.remove(ROLE_ALIAS);
        }
        _ => {}
    }
    Ok(())
}

/// Packaged models exist, and stages wait to be started.
fn prepare_plan(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    for model in draft.request.get("ModelConfigs").and_then(Value::as_array).into_iter().flatten() {
        let job = model["EdgePackagingJobName"].as_str().unwrap_or_default();
        draft.state.get(Kind::EdgePackagingJob.row(), draft.place, job)?;
    }
    let stages = draft.request.remove("Stages").unwrap_or_default();
    let mut ready = Vec::new();
    add_stages(&mut ready, &stages)?;
    draft.set("Stages", ready);
    Ok(())
}

/// The most stages of a plan.
const MAX_STAGES: usize = 10;

/// Adds stages to those of a plan.
pub(in crate::local) fn add_stages(stages: &mut Vec<Value>, added: &Value) -> Result<(), AwsError> {
    for stage in added.as_array().into_iter().flatten() {
        if stages.iter().any(|known| known["StageName"] == stage["StageName"]) {
            let message = format!("The edge deployment plan already has a stage named {}.", stage["StageName"]);
            return Err(AwsError::validation(message));
        }
        if stages.len() == MAX_STAGES {
            let message = format!("An edge deployment plan has at most {MAX_STAGES} stages.");
            return Err(AwsError::new(400, "ResourceLimitExceeded", message));
        }
        let mut stage = stage.clone();
        if stage.get("DeploymentConfig").is_none() {
            stage["DeploymentConfig"] = json!({"FailureHandlingPolicy": "ROLLBACK_ON_FAILURE"});
        }
        stage["StageStatus"] = json!("READYTODEPLOY");
        stages.push(stage);
    }
    Ok(())
}
