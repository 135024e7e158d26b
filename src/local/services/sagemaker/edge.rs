//! Devices of fleets, and the stages in which models are to reach them.
//!
//! No device is connected to the local backend: what is deployed stays pending.

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{Kind, add_stages};
use crate::local::listing;
use crate::local::state::{Resource, State, text};
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("RegisterDevices", |core, request| register(core, request)),
    ("UpdateDevices", |core, request| update(core, request)),
    ("DeregisterDevices", |core, request| deregister(core, request)),
    ("GetDeviceFleetReport", |core, request| report(core, request)),
    ("DescribeEdgeDeploymentPlan", |core, request| describe_plan(core, request)),
    ("ListEdgeDeploymentPlans", |core, request| list_plans(core, request)),
    ("DeleteEdgeDeploymentPlan", |core, request| delete_plan(core, request)),
    ("CreateEdgeDeploymentStage", |core, request| {
        change_stages(core, request, |stages| add_stages(stages, &request["Stages"]))
    }),
    ("DeleteEdgeDeploymentStage", |core, request| delete_stage(core, request)),
    ("StartEdgeDeploymentStage", |core, request| start_stage(core, request)),
    ("StopEdgeDeploymentStage", |core, request| stop_stage(core, request)),
    ("ListStageDevices", |core, request| list_stage_devices(core, request)),
];

const STAGES: &str = "Stages";
const IN_PROGRESS: &str = "INPROGRESS";

fn devices(request: &Value) -> impl Iterator<Item = &Value> {
    request["Devices"].as_array().into_iter().flatten()
}

/// A request for one of the devices of a fleet.
fn of_fleet(request: &Value, device: &Value) -> Value {
    let mut one = device.clone();
    one["DeviceFleetName"] = request["DeviceFleetName"].clone();
    one
}

/// `RegisterDevices`: all of them or none.
fn register(core: &Core, request: &Value) -> Answer {
    let row = Kind::Device.row();
    core.change(|state| {
        table::find(core, state, Kind::DeviceFleet.row(), request)?;
        let mut made = Vec::new();
        for device in devices(request) {
            let mut one = of_fleet(request, device);
            if let Some(tags) = request.get("Tags") {
                one["Tags"] = tags.clone();
            }
            match state.insert(row, &core.place, core.clock.now(), &one, Map::new()) {
                Ok(device) => made.push(device.key.clone()),
                Err(refused) => {
                    for key in made {
                        state.remove(row, &core.place, &key)?;
                    }
                    return Err(refused);
                }
            }
        }
        Ok(Value::Null)
    })
}

fn update(core: &Core, request: &Value) -> Answer {
    let row = Kind::Device.row();
    core.change(|state| {
        table::find(core, state, Kind::DeviceFleet.row(), request)?;
        for device in devices(request) {
            table::find(core, state, row, &of_fleet(request, device))?;
        }
        for device in devices(request) {
            let known = table::find_mut(core, state, row, &of_fleet(request, device))?;
            for member in ["Description", "IotThingName"] {
                if let Some(value) = device.get(member) {
                    known.request.insert(member.to_owned(), value.clone());
                }
            }
            known.modified = core.clock.now();
        }
        Ok(Value::Null)
    })
}

/// `DeregisterDevices`: a device that is not registered stays so.
fn deregister(core: &Core, request: &Value) -> Answer {
    let row = Kind::Device.row();
    core.change(|state| {
        table::find(core, state, Kind::DeviceFleet.row(), request)?;
        for name in request["DeviceNames"].as_array().into_iter().flatten() {
            let key = table::find(core, state, row, &of_fleet(request, &json!({"DeviceName": name})));
            if let Ok(key) = key.map(|device| device.key.clone()) {
                state.remove(row, &core.place, &key)?;
            }
        }
        Ok(Value::Null)
    })
}

fn report(core: &Core, request: &Value) -> Answer {
    let row = Kind::DeviceFleet.row();
    let state = core.state();
    let fleet = table::find(core, &state, row, request)?;
    let mut report = table::answer("GetDeviceFleetReport", row, fleet);
    report["ReportGenerated"] = timestamp(core.clock.now());
    let registered = state.of_parent(Kind::Device.row(), &fleet.key).count();
    report["DeviceStats"] = json!({"ConnectedDeviceCount": 0, "RegisteredDeviceCount": registered});
    report["AgentVersions"] = json!([]);
    report["ModelStats"] = json!([]);
    Ok(report)
}

fn stages(plan: &Resource) -> &[Value] {
    plan.state.get(STAGES).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The devices that a stage is for.
fn selected<'a>(state: &'a State, plan: &Resource, stage: &Value) -> Vec<&'a Resource> {
    let fleet = plan.request.get("DeviceFleetName").and_then(Value::as_str).unwrap_or_default();
    let all: Vec<&Resource> = state.of_parent(Kind::Device.row(), fleet).collect();
    let config = &stage["DeviceSelectionConfig"];
    match config["DeviceSubsetType"].as_str() {
        Some("PERCENTAGE") => {
            let percentage = config["Percentage"].as_u64().unwrap_or_default().min(100) as usize;
            let count = (all.len() * percentage).div_ceil(100);
            all.into_iter().take(count).collect()
        }
        Some("NAMECONTAINS") => {
            let part = config["DeviceNameContains"].as_str().unwrap_or_default();
            all.into_iter().filter(|device| device.name.contains(part)).collect()
        }
        _ => {
            let names = config["DeviceNames"].as_array();
            let named = |device: &&Resource| names.is_some_and(|names| names.iter().any(|name| *name == device.name));
            all.into_iter().filter(named).collect()
        }
    }
}

/// A stage as Describe gives it.
fn summary(state: &State, plan: &Resource, stage: &Value) -> Value {
    let pending = if stage["StageStatus"] == IN_PROGRESS { selected(state, plan, stage).len() } else { 0 };
    let mut status = json!({
        "StageStatus": stage["StageStatus"],
        "EdgeDeploymentSuccessInStage": 0,
        "EdgeDeploymentPendingInStage": pending,
        "EdgeDeploymentFailedInStage": 0,
    });
    if let Some(time) = stage.get("StartTime") {
        status["EdgeDeploymentStageStartTime"] = time.clone();
    }
    let mut summary = stage.clone();
    summary["DeploymentStatus"] = status;
    summary
}

fn pending(state: &State, plan: &Resource) -> usize {
    let stages = stages(plan).iter().filter(|stage| stage["StageStatus"] == IN_PROGRESS);
    stages.map(|stage| selected(state, plan, stage).len()).sum()
}

/// The members that count devices.
fn counted(state: &State, plan: &Resource, mut form: Value) -> Value {
    form["EdgeDeploymentSuccess"] = json!(0);
    form["EdgeDeploymentPending"] = json!(pending(state, plan));
    form["EdgeDeploymentFailed"] = json!(0);
    form
}

fn describe_plan(core: &Core, request: &Value) -> Answer {
    let row = Kind::EdgeDeploymentPlan.row();
    let state = core.state();
    let plan = table::find(core, &state, row, request)?;
    // No plan has more stages than a page holds.
    let all: Vec<Value> = stages(plan).iter().map(|stage| summary(&state, plan, stage)).collect();
    let mut document = plan.document(row);
    document.insert(STAGES.to_owned(), Value::from(all));
    let shape = ModelShape::output(Service::SageMaker, "DescribeEdgeDeploymentPlan");
    let form = shape.map(|shape| Value::Object(shape.project_members(&document))).unwrap_or_default();
    Ok(counted(&state, plan, form))
}

fn list_plans(core: &Core, request: &Value) -> Answer {
    let row = Kind::EdgeDeploymentPlan.row();
    let state = core.state();
    let mut answer = listing::list(&state, row, request)?;
    for form in answer["EdgeDeploymentPlanSummaries"].as_array_mut().into_iter().flatten() {
        let plan = table::find(core, &state, row, form)?;
        *form = counted(&state, plan, form.take());
    }
    Ok(answer)
}

/// Whether a stage keeps its plan, and itself, from being deleted.
fn is_active(stage: &Value) -> bool {
    matches!(stage["StageStatus"].as_str(), Some("STARTING" | IN_PROGRESS | "STOPPING"))
}

fn delete_plan(core: &Core, request: &Value) -> Answer {
    let row = Kind::EdgeDeploymentPlan.row();
    core.change(|state| {
        let plan = table::find(core, state, row, request)?;
        if let Some(stage) = stages(plan).iter().find(|stage| is_active(stage)) {
            let name = stage["StageName"].as_str().unwrap_or_default();
            return Err(AwsError::in_use(format!("Cannot delete \"{}\": its stage {name} is active.", plan.arn)));
        }
        let key = plan.key.clone();
        state.remove(row, &core.place, &key)?;
        Ok(Value::Null)
    })
}

/// Changes the stages of the plan that a request names.
fn change_stages(core: &Core, request: &Value, change: impl FnOnce(&mut Vec<Value>) -> Result<(), AwsError>) -> Answer {
    core.change(|state| {
        let plan = table::find_mut(core, state, Kind::EdgeDeploymentPlan.row(), request)?;
        let mut stages = stages(plan).to_vec();
        change(&mut stages)?;
        plan.set(STAGES, stages);
        plan.modified = core.clock.now();
        Ok(Value::Null)
    })
}

/// The place of the stage that a request names.
fn position(stages: &[Value], request: &Value) -> Result<usize, AwsError> {
    let name = text(request, "StageName")?;
    let found = stages.iter().position(|stage| stage["StageName"] == name);
    found.ok_or_else(|| {
        let plan = request["EdgeDeploymentPlanName"].as_str().unwrap_or_default();
        AwsError::validation(format!("The edge deployment plan {plan} has no stage named {name}."))
    })
}

fn delete_stage(core: &Core, request: &Value) -> Answer {
    change_stages(core, request, |stages| {
        let at = position(stages, request)?;
        if stages.get(at).is_some_and(is_active) {
            let name = text(request, "StageName")?;
            return Err(AwsError::in_use(format!("Cannot delete the stage {name}: it is active.")));
        }
        stages.remove(at);
        Ok(())
    })
}

fn start_stage(core: &Core, request: &Value) -> Answer {
    let now = timestamp(core.clock.now());
    change_stages(core, request, |stages| {
        let at = position(stages, request)?;
        let Some(stage) = stages.get_mut(at) else { return Ok(()) };
        if is_active(stage) {
            return Err(refused(stage));
        }
        stage["StageStatus"] = json!(IN_PROGRESS);
        stage["StartTime"] = now;
        Ok(())
    })
}

fn stop_stage(core: &Core, request: &Value) -> Answer {
    change_stages(core, request, |stages| {
        let at = position(stages, request)?;
        let Some(stage) = stages.get_mut(at) else { return Ok(()) };
        if !is_active(stage) {
            return Err(refused(stage));
        }
        stage["StageStatus"] = json!("STOPPED");
        Ok(())
    })
}

fn refused(stage: &Value) -> AwsError {
    let text = |member: &str| stage[member].as_str().unwrap_or_default();
    let (name, status) = (text("StageName"), text("StageStatus"));
    AwsError::validation(format!("The request was rejected because the stage {name} is in status {status}."))
}

fn list_stage_devices(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let plan = table::find(core, &state, Kind::EdgeDeploymentPlan.row(), request)?;
    let at = position(stages(plan), request)?;
    let Some(stage) = stages(plan).get(at) else { return Ok(Value::Null) };
    let elsewhere = |device: &Resource| {
        stages(plan)
            .iter()
            .enumerate()
            .filter(|(other, stage)| *other != at && is_active(stage))
            .any(|(_, stage)| selected(&state, plan, stage).iter().any(|found| found.id == device.id))
    };
    let exclude = request.get("ExcludeDevicesDeployedInOtherStage") == Some(&Value::Bool(true));
    let found: Vec<&Resource> =
        selected(&state, plan, stage).into_iter().filter(|device| !exclude || !elsewhere(device)).collect();
    listing::page_of("ListStageDevices", &found, request, |device| {
        let mut form = json!({
            "EdgeDeploymentPlanArn": plan.arn,
            "EdgeDeploymentPlanName": plan.name,
            "StageName": stage["StageName"],
            "DeviceFleetName": plan.request.get("DeviceFleetName"),
            "DeviceName": device.name,
            "DeviceArn": device.arn,
            "DeviceDeploymentStatus": stage["StageStatus"],
        });
        if let Some(time) = stage.get("StartTime") {
            form["DeploymentStartTime"] = time.clone();
        }
        if let Some(description) = device.request.get("Description") {
            form["Description"] = description.clone();
        }
        form
    })
}
