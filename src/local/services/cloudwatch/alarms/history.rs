//! What happened to alarms.

use serde_json::{Value, json};

use super::{State, page, shown, text, texts};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

const FAMILY: &str = "cloudwatch alarm history";
/// How many events are remembered of one alarm.
const MAX_EVENTS: usize = 200;

fn note(core: &Core, name: &str, now: i64, event: &Value) {
    core.documents.change(core, FAMILY, |all| {
        // A name may hold anything but this.
        let prefix = format!("{name}\n");
        let of_alarm: Vec<String> = {
            let range = all.all().range(prefix.clone()..);
            range.take_while(|(key, _)| key.starts_with(&prefix)).map(|(key, _)| key.clone()).collect()
        };
        let last = of_alarm.last().and_then(|key| key.rsplit('\n').next()?.parse::<u64>().ok()).unwrap_or(0);
        all.put(&format!("{prefix}{now:015}\n{:08}", last + 1), event.clone());
        if of_alarm.len() >= MAX_EVENTS
            && let Some(oldest) = of_alarm.first()
        {
            all.remove(oldest);
        }
    });
}

/// Notes that an alarm was `created`, `updated` or `deleted`.
pub(super) fn configured(core: &Core, name: &str, kind: &str, what: &str, alarm: &Value) {
    let now = millis(core.clock.now());
    let (verb, member) = match what {
        "created" => ("Create", "createdAlarm"),
        "updated" => ("Update", "updatedAlarm"),
        _ => ("Delete", "deletedAlarm"),
    };
    let data = json!({"version": "1.0", "type": verb, member: shown(alarm)});
    let event = json!({
        "AlarmName": name,
        "AlarmType": kind,
        "Timestamp": now as f64 / 1000.0,
        "HistoryItemType": "ConfigurationUpdate",
        "HistorySummary": format!("Alarm \"{name}\" {what}"),
        "HistoryData": data.to_string(),
    });
    note(core, name, now, &event);
}

/// Notes that an alarm comes to another state.
pub(super) fn state(core: &Core, name: &str, alarm: &Value, state: &State, now: i64) {
    let before = text(alarm, "StateValue");
    let side = |value: &str, reason: &str, data: Option<&Value>| {
        let mut side = json!({"stateValue": value, "stateReason": reason});
        if let Some(data) = data {
            side["stateReasonData"] = data.clone();
        }
        side
    };
    let old_data = alarm["StateReasonData"].as_str().and_then(|data| serde_json::from_str(data).ok());
    let data = json!({
        "version": "1.0",
        "oldState": side(before, text(alarm, "StateReason"), old_data.as_ref()),
        "newState": side(&state.value, &state.reason, state.data.as_ref()),
    });
    let event = json!({
        "AlarmName": name,
        "AlarmType": alarm["Kind"],
        "Timestamp": now as f64 / 1000.0,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": format!("Alarm updated from {before} to {}", state.value),
        "HistoryData": data.to_string(),
    });
    note(core, name, now, &event);
}

/// `DescribeAlarmHistory`: newest first unless it is asked for otherwise.
pub(super) fn describe(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let types = texts(request, "AlarmTypes");
    let types = if types.is_empty() { vec![super::METRIC] } else { types };
    let (start, end) = (request["StartDate"].as_f64(), request["EndDate"].as_f64());
    let wanted = |event: &Value| {
        let at = event["Timestamp"].as_f64().unwrap_or_default();
        request["AlarmName"].as_str().is_none_or(|name| event["AlarmName"] == name)
            && types.contains(&text(event, "AlarmType"))
            && request["HistoryItemType"].as_str().is_none_or(|kind| event["HistoryItemType"] == kind)
            && start.is_none_or(|start| at >= start)
            && end.is_none_or(|end| at <= end)
    };
    let mut found: Vec<(i64, String, Value)> = core.documents.read(FAMILY, |all| {
        let found = all.iter().filter(|(_, event)| wanted(event));
        let at = |event: &Value| (event["Timestamp"].as_f64().unwrap_or_default() * 1000.0) as i64;
        found.map(|(key, event)| (at(event), key.clone(), event.clone())).collect()
    });
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let descending = request["ScanBy"] != "TimestampAscending";
    if descending {
        found.reverse();
    }
    // Positions that grow, whichever way it goes.
    let position = |at: i64, key: &str| {
        let at = if descending { i64::MAX - at } else { at };
        let number = key.rsplit('\n').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        let number = if descending { 99_999_999 - number.min(99_999_999) } else { number };
        format!("{at:020}{number:08}{key}")
    };
    let mut found: Vec<(String, Value)> =
        found.into_iter().map(|(at, key, event)| (position(at, &key), event)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let size = request["MaxRecords"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
    page(found, "AlarmHistoryItems", size, &request["NextToken"])
}
