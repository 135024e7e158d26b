//! Offerings of training plans, what is reserved by a plan, and its extensions.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{CAPACITIES, Kind, Offering, plan_status};
use crate::local::listing;
use crate::local::state::{Resource, State, text};
use crate::local::time::{epoch, millis_of, timestamp};

pub(super) static OPERATIONS: &[Own] = &[
    ("SearchTrainingPlanOfferings", |core, request| search(core, request)),
    ("DescribeTrainingPlan", |core, request| {
        refresh(core);
        let row = Kind::TrainingPlan.row();
        Ok(table::answer("DescribeTrainingPlan", row, table::find(core, &core.state(), row, request)?))
    }),
    ("ListTrainingPlans", |core, request| list(core, request)),
    ("ExtendTrainingPlan", |core, request| extend(core, request)),
    ("DescribeTrainingPlanExtensionHistory", |core, request| {
        let state = core.state();
        let plan = table::find(core, &state, Kind::TrainingPlan.row(), request)?;
        listing::page("DescribeTrainingPlanExtensionHistory", extensions(plan), request)
    }),
    ("DescribeReservedCapacity", |core, request| describe_capacity(core, request)),
    ("ListUltraServersByReservedCapacity", |core, request| list_ultra_servers(core, request)),
];

const DAY: u64 = 24;
const HALF_HOUR: u64 = 1800;
/// Seconds since 1970; the year 9999.
const LATEST: f64 = 253_370_764_800.0;
/// How many start times are offered, a day apart.
const STARTS: u64 = 3;
const EXTENSIONS: &str = "Extensions";
const EXTENSION_OFFERING: &str = "TrainingPlanExtensionOfferingId";

/// Plans begin and end as time goes by.
fn refresh(core: &Core) {
    let now = core.clock.now();
    core.change(|state| {
        let stale = state.all(Kind::TrainingPlan).filter_map(|plan| {
            let status = plan_status(plan, now);
            (capacity(plan)["Status"] != status).then(|| (plan.key.clone(), status))
        });
        let stale: Vec<(String, &str)> = stale.collect();
        for (key, status) in stale {
            if let Some(plan) = state.by_key_mut(Kind::TrainingPlan.row(), &key) {
                plan.set("Status", status);
                set_capacity(plan, "Status", &json!(status));
            }
        }
    });
}

fn capacity(plan: &Resource) -> &Value {
    plan.state.get(CAPACITIES).map_or(&Value::Null, |all| &all[0])
}

fn set_capacity(plan: &mut Resource, member: &str, value: &Value) {
    for capacity in plan.state.get_mut(CAPACITIES).and_then(Value::as_array_mut).into_iter().flatten() {
        capacity[member] = value.clone();
    }
}

/// `SearchTrainingPlanOfferings`: whatever is asked for can be had, for whole days.
fn search(core: &Core, request: &Value) -> Answer {
    let hours = request.get("DurationHours").and_then(Value::as_u64).unwrap_or(DAY).div_ceil(DAY) * DAY;
    if let Some(plan) = request.get("TrainingPlanArn").and_then(Value::as_str) {
        let state = core.state();
        let plan = state.get(Kind::TrainingPlan.row(), &core.place, plan)?;
        return Ok(json!({"TrainingPlanOfferings": [], "TrainingPlanExtensionOfferings": [extension(plan, hours)]}));
    }
    let number = |member: &str| request.get(member).and_then(Value::as_u64);
    let (instance_type, ultra_server, count) =
        match (request.get("InstanceType").and_then(Value::as_str), request.get("UltraServerType")) {
            (_, Some(server)) => match Offering::ultra_server(server.as_str().unwrap_or_default()) {
                Some((server, instance)) => (instance, Some(server), number("UltraServerCount").unwrap_or(1)),
                None => return Ok(json!({"TrainingPlanOfferings": []})),
            },
            (Some(instance), None) => (instance, None, number("InstanceCount").unwrap_or(1).max(1)),
            (None, None) => {
                let message = "One of InstanceType, UltraServerType and TrainingPlanArn must be specified.";
                return Err(AwsError::validation(message));
            }
        };
    let seconds = |member: &str| {
        request.get(member).and_then(millis_of).map(|millis| (millis / 1000.0).clamp(0.0, LATEST) as u64)
    };
    let soonest = epoch(core.clock.now()).unsigned_abs() + HALF_HOUR;
    let first = seconds("StartTimeAfter").unwrap_or_default().max(soonest).div_ceil(HALF_HOUR) * HALF_HOUR;
    let last = seconds("EndTimeBefore").unwrap_or(u64::MAX);
    let offers: Vec<Value> = (0..STARTS)
        .map(|day| Offering {
            instance_type: instance_type.to_owned(),
            count,
            ultra_server,
            hours,
            start: first + day * DAY * 3600,
            targets: Offering::targets(request.get("TargetResources")),
        })
        .filter(|offering| offering.end() <= last && Offering::read(&offering.id()).is_some())
        .map(|offering| form(core, request, &offering))
        .collect();
    Ok(json!({"TrainingPlanOfferings": offers}))
}

fn form(core: &Core, request: &Value, offering: &Offering) -> Value {
    let mut capacity = json!({
        "ReservedCapacityType": if offering.ultra_server.is_some() { "UltraServer" } else { "Instance" },
        "InstanceType": offering.instance_type,
        "InstanceCount": offering.instances(),
        "AvailabilityZone": format!("{}a", core.place.region),
        "DurationHours": offering.hours,
        "DurationMinutes": 0,
        "StartTime": offering.start,
        "EndTime": offering.end(),
    });
    if let Some(server) = offering.ultra_server {
        capacity["UltraServerType"] = json!(server);
        capacity["UltraServerCount"] = json!(offering.count);
    }
    let mut form = json!({
        "TrainingPlanOfferingId": offering.id(),
        "TargetResources": offering.targets,
        "DurationHours": offering.hours,
        "DurationMinutes": 0,
        "ReservedCapacityOfferings": [capacity],
    });
    for (member, from) in [("RequestedStartTimeAfter", "StartTimeAfter"), ("RequestedEndTimeBefore", "EndTimeBefore")] {
        if let Some(time) = request.get(from) {
            form[member] = time.clone();
        }
    }
    form
}

/// The offer to go on with a plan when it ends: its identifier has the plan's name and what is offered.
fn extension(plan: &Resource, hours: u64) -> Value {
    let end = plan.state.get("EndTime").and_then(Value::as_u64).unwrap_or_default();
    let hours = hours.min(MAX_EXTENSION);
    json!({
        EXTENSION_OFFERING: format!("tpx-{}-{hours}-{end}", plan.key),
        "AvailabilityZone": capacity(plan)["AvailabilityZone"],
        "StartDate": end,
        "EndDate": end + hours * 3600,
        "DurationHours": hours,
    })
}

fn extensions(plan: &Resource) -> &[Value] {
    plan.state.get(EXTENSIONS).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The longest extension, in hours.
const MAX_EXTENSION: u64 = 4368;

fn extend(core: &Core, request: &Value) -> Answer {
    let id = text(request, EXTENSION_OFFERING)?;
    let missing = || AwsError::resource_not_found(format!("Could not find training plan extension offering \"{id}\"."));
    let mut parts = id.strip_prefix("tpx-").ok_or_else(missing)?.rsplitn(3, '-');
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
    let (end, hours) = (number().ok_or_else(missing)?, number().ok_or_else(missing)?);
    let key = parts.next().ok_or_else(missing)?.to_owned();
    let now = core.clock.now();
    core.change(|state| {
        let plan = state.by_key_mut(Kind::TrainingPlan.row(), &key).ok_or_else(missing)?;
        // An offer is for the end that the plan had then.
        let current = plan.state.get("EndTime").and_then(Value::as_u64) == Some(end);
        if !current || hours == 0 || hours > MAX_EXTENSION || hours % DAY != 0 {
            return Err(missing());
        }
        let mut extension = extension(plan, hours);
        let end = extension["EndDate"].clone();
        extension["ExtendedAt"] = timestamp(now);
        extension["Status"] = json!("Scheduled");
        let mut all = extensions(plan).to_vec();
        all.push(extension);
        plan.set(EXTENSIONS, all.clone());
        plan.set("EndTime", end.clone());
        set_capacity(plan, "EndTime", &end);
        let total = plan.state.get("DurationHours").and_then(Value::as_u64).unwrap_or_default() + hours;
        plan.set("DurationHours", total);
        set_capacity(plan, "DurationHours", &json!(total));
        plan.modified = now;
        Ok(json!({"TrainingPlanExtensions": all}))
    })
}

/// `ListTrainingPlans`: its filters are a list of names and values.
fn list(core: &Core, request: &Value) -> Answer {
    refresh(core);
    let row = Kind::TrainingPlan.row();
    let state = core.state();
    let mut rest = request.clone();
    let filters = rest.as_object_mut().and_then(|rest| rest.remove("Filters"));
    let filters: Vec<&Value> = filters.as_ref().and_then(Value::as_array).into_iter().flatten().collect();
    let plans = state.all(row.kind).filter(|plan| filters.iter().all(|filter| filter["Value"] == plan.status(row)));
    listing::list_some(plans, row, "ListTrainingPlans", &rest)
}

fn find_capacity<'a>(state: &'a State, request: &Value) -> Result<&'a Resource, AwsError> {
    let arn = text(request, "ReservedCapacityArn")?;
    let mut plans = state.all(Kind::TrainingPlan);
    let found = plans.find(|plan| capacity(plan)["ReservedCapacityArn"] == arn);
    found.ok_or_else(|| AwsError::resource_not_found(format!("Could not find reserved capacity \"{arn}\".")))
}

fn describe_capacity(core: &Core, request: &Value) -> Answer {
    refresh(core);
    let state = core.state();
    let plan = find_capacity(&state, request)?;
    let mut form = capacity(plan).clone();
    for member in ["AvailableInstanceCount", "InUseInstanceCount"] {
        form[member] = plan.state.get(member).cloned().unwrap_or_default();
    }
    if let Some(form) = form.as_object_mut() {
        let server = form.remove("UltraServerType");
        let count = form.remove("UltraServerCount");
        if let Some(server) = server {
            let summary = json!({
                "UltraServerType": server,
                "UltraServerCount": count,
                "InstanceType": form["InstanceType"],
                "AvailableSpareInstanceCount": plan.state.get("AvailableSpareInstanceCount"),
                "UnhealthyInstanceCount": 0,
            });
            form.insert("UltraServerSummary".to_owned(), summary);
        }
    }
    Ok(form)
}

fn list_ultra_servers(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let plan = find_capacity(&state, request)?;
    let capacity = capacity(plan);
    let count = capacity["UltraServerCount"].as_u64().unwrap_or_default();
    let spares = plan.request.get("SpareInstanceCountPerUltraServer").and_then(Value::as_u64).unwrap_or(1);
    let instances = capacity["TotalInstanceCount"].as_u64().unwrap_or_default() / count.max(1);
    // The page needs only as many as it holds, however many there are.
    let numbers: Vec<u64> = (0..count.min(MAX_SERVERS)).collect();
    listing::page_of("ListUltraServersByReservedCapacity", &numbers, request, |number| {
        json!({
            "UltraServerId": format!("us-{}-{number}", plan.key),
            "UltraServerType": capacity["UltraServerType"],
            "AvailabilityZone": capacity["AvailabilityZone"],
            "InstanceType": capacity["InstanceType"],
            "TotalInstanceCount": instances,
            "ConfiguredSpareInstanceCount": spares,
            "AvailableInstanceCount": instances,
            "InUseInstanceCount": 0,
            "AvailableSpareInstanceCount": spares,
            "UnhealthyInstanceCount": 0,
            "HealthStatus": "OK",
        })
    })
}

/// No more are listed, however many a plan asks for.
const MAX_SERVERS: u64 = 1000;
