//! What monitoring schedules did. Locally none of them runs.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::backend::Core;
use crate::local::kinds::Kind;

pub(super) static OPERATIONS: &[Own] = &[
    ("ListMonitoringExecutions", |core, request| {
        check(core, request)?;
        Ok(json!({"MonitoringExecutionSummaries": []}))
    }),
    ("ListMonitoringAlerts", |core, request| {
        check(core, request)?;
        Ok(json!({"MonitoringAlertSummaries": []}))
    }),
    ("ListMonitoringAlertHistory", |core, request| {
        check(core, request)?;
        Ok(json!({"MonitoringAlertHistory": []}))
    }),
];

/// The schedule exists, if one is named.
fn check(core: &Core, request: &Value) -> Answer {
    if request.get("MonitoringScheduleName").is_some() {
        table::find(core, &core.state(), Kind::MonitoringSchedule.row(), request)?;
    }
    Ok(Value::Null)
}
