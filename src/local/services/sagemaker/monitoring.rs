//! What monitoring schedules did. Locally none of them runs.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::state::{Resource, text};
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("ListMonitoringExecutions", |core, request| {
        check(core, request)?;
        Ok(json!({"MonitoringExecutionSummaries": []}))
    }),
    ("ListMonitoringAlerts", |core, request| {
        let state = core.state();
        let schedule = table::find(core, &state, Kind::MonitoringSchedule.row(), request)?;
        Ok(json!({"MonitoringAlertSummaries": [alert(schedule)]}))
    }),
    ("UpdateMonitoringAlert", |core, request| update_alert(core, request)),
    ("ListMonitoringAlertHistory", |core, request| {
        check(core, request)?;
        Ok(json!({"MonitoringAlertHistory": []}))
    }),
];

/// What an alert is raised for.
const CRITERIA: &str = "AlertCriteria";

/// The one alert of a schedule: it has the schedule's name. No execution fails, so that it is never raised.
fn alert(schedule: &Resource) -> Value {
    let criteria = schedule.state.get(CRITERIA);
    let member = |name: &str, default: Value| criteria.and_then(|all| all.get(name)).cloned().unwrap_or(default);
    json!({
        "MonitoringAlertName": schedule.name,
        "CreationTime": timestamp(schedule.created),
        "LastModifiedTime": member("LastModifiedTime", timestamp(schedule.created)),
        "AlertStatus": "OK",
        "DatapointsToAlert": member("DatapointsToAlert", json!(1)),
        "EvaluationPeriod": member("EvaluationPeriod", json!(1)),
        "Actions": {"ModelDashboardIndicator": {"Enabled": true}},
    })
}

fn update_alert(core: &Core, request: &Value) -> Answer {
    let now = timestamp(core.clock.now());
    core.change(|state| {
        let schedule = table::find_mut(core, state, Kind::MonitoringSchedule.row(), request)?;
        let name = text(request, "MonitoringAlertName")?;
        if name != schedule.name {
            let message = format!("Could not find monitoring alert {name} of schedule {}.", schedule.name);
            return Err(AwsError::resource_not_found(message));
        }
        let (points, period) = (&request["DatapointsToAlert"], &request["EvaluationPeriod"]);
        if points.as_u64() > period.as_u64() {
            return Err(AwsError::validation("DatapointsToAlert cannot be greater than EvaluationPeriod."));
        }
        let criteria = json!({"DatapointsToAlert": points, "EvaluationPeriod": period, "LastModifiedTime": now});
        schedule.set(CRITERIA, criteria);
        Ok(json!({"MonitoringScheduleArn": schedule.arn, "MonitoringAlertName": name}))
    })
}

/// The schedule exists, if one is named.
fn check(core: &Core, request: &Value) -> Answer {
    if request.get("MonitoringScheduleName").is_some() {
        table::find(core, &core.state(), Kind::MonitoringSchedule.row(), request)?;
    }
    Ok(Value::Null)
}
