//! Alarms. They are evaluated when somebody asks for them, for the time that it is then.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{invalid_value, page, tags, text, texts, validation};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

mod evaluation;
mod history;
mod request;
mod rule;

use rule::Rule;

const FAMILY: &str = "cloudwatch alarm";
/// How many alarms there are at most.
const MAX_ALARMS: usize = 5000;
/// How many ranks of alarms of alarms are followed at a time.
const MAX_RANKS: usize = 10;
/// How long a state that was set stays before the alarm is evaluated again, in milliseconds.
const SET_FOR: i64 = 60_000;
/// Members that are the backend's own.
const OWN: [&str; 2] = ["Kind", "EvaluateFrom"];

const METRIC: &str = "MetricAlarm";
const COMPOSITE: &str = "CompositeAlarm";

fn arn(core: &Core, name: &str) -> String {
    let place = &core.place;
    format!("arn:{}:cloudwatch:{}:{}:alarm:{name}", place.partition(), place.region, place.account)
}

/// Whether there is an alarm of this ARN.
pub(super) fn exists(core: &Core, arn: &str) -> bool {
    core.documents.read(FAMILY, |all| all.values().any(|alarm| alarm["AlarmArn"] == arn))
}

/// `PutMetricAlarm`.
pub(super) fn put_metric(core: &Core, request: &Value) -> Result<Value, AwsError> {
    request::check(core, request)?;
    let members = [
        "AlarmName",
        "AlarmDescription",
        "MetricName",
        "Namespace",
        "Statistic",
        "ExtendedStatistic",
        "Period",
        "Unit",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
        "EvaluateLowSampleCountPercentile",
        "Metrics",
        "ThresholdMetricId",
    ];
    let mut alarm: Map<String, Value> =
        members.iter().filter_map(|name| Some(((*name).to_owned(), request.get(*name)?.clone()))).collect();
    if request["Metrics"].is_null() {
        let dimensions = request.get("Dimensions").cloned().unwrap_or_else(|| json!([]));
        alarm.insert("Dimensions".to_owned(), dimensions);
    }
    for query in alarm.get_mut("Metrics").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(query) = query.as_object_mut() {
            query.entry("ReturnData").or_insert(json!(true));
        }
    }
    put(core, request, alarm, METRIC)
}

/// `PutCompositeAlarm`: the alarms of its rule must be there.
pub(super) fn put_composite(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let name = text(request, "AlarmName");
    let rule = Rule::parse(text(request, "AlarmRule")).map_err(validation)?;
    let known = |alarm: &str| {
        let by_name = core.documents.get(FAMILY, alarm).is_some();
        by_name || exists(core, alarm)
    };
    let unknown: Vec<&str> = rule.alarms().into_iter().filter(|alarm| !known(alarm)).collect();
    if !unknown.is_empty() {
        return Err(validation(format!(
            "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
            unknown.join(", ")
        )));
    }
    if rule.alarms().contains(&name) || rule.alarms().contains(&arn(core, name).as_str()) {
        return Err(validation("Could not save the composite alarm as its alarm rule refers to itself"));
    }
    let members = [
        "AlarmName",
        "AlarmDescription",
        "AlarmRule",
        "ActionsSuppressor",
        "ActionsSuppressorWaitPeriod",
        "ActionsSuppressorExtensionPeriod",
    ];
    let alarm = members.iter().filter_map(|name| Some(((*name).to_owned(), request.get(*name)?.clone()))).collect();
    put(core, request, alarm, COMPOSITE)
}

/// Puts an alarm; one that is there keeps its state.
fn put(core: &Core, request: &Value, mut alarm: Map<String, Value>, kind: &str) -> Result<Value, AwsError> {
    let name = text(request, "AlarmName");
    let arn = arn(core, name);
    let list = |member: &str| request.get(member).cloned().unwrap_or_else(|| json!([]));
    for member in ["OKActions", "AlarmActions", "InsufficientDataActions"] {
        alarm.insert(member.to_owned(), list(member));
    }
    alarm.insert("ActionsEnabled".to_owned(), json!(request["ActionsEnabled"] != false));
    alarm.insert("AlarmArn".to_owned(), json!(arn));
    alarm.insert("Kind".to_owned(), json!(kind));
    let created = core.documents.change(core, FAMILY, |all| {
        let now = json!(all.now() as f64 / 1000.0);
        let before = all.get(name).cloned();
        if before.as_ref().is_some_and(|before| before["Kind"] != kind) {
            return Err(validation(format!("An alarm of another type with the name {name} already exists")));
        }
        if before.is_none() && all.all().len() >= MAX_ALARMS {
            return Err(AwsError::new(
                400,
                "LimitExceeded",
                "The quota for alarms for this customer has already been reached.",
            ));
        }
        alarm.insert("AlarmConfigurationUpdatedTimestamp".to_owned(), now.clone());
        let state = [
            ("StateValue", json!("INSUFFICIENT_DATA")),
            ("StateReason", json!("Unchecked: Initial alarm creation")),
            ("StateUpdatedTimestamp", now.clone()),
            ("StateTransitionedTimestamp", now),
        ];
        for (member, initial) in state {
            let kept = before.as_ref().and_then(|before| before.get(member)).cloned();
            alarm.insert(member.to_owned(), kept.unwrap_or(initial));
        }
        if let Some(data) = before.as_ref().and_then(|before| before.get("StateReasonData")) {
            alarm.insert("StateReasonData".to_owned(), data.clone());
        }
        all.put(name, Value::Object(alarm.clone()));
        Ok(before.is_none())
    })?;
    // The tags of an alarm that is there are changed by TagResource only.
    if created {
        tags::set(core, &arn, &request["Tags"])?;
    }
    history::configured(core, name, kind, if created { "created" } else { "updated" }, &Value::Object(alarm));
    Ok(Value::Null)
}

/// All alarms, evaluated, by their names.
fn evaluated(core: &Core) -> BTreeMap<String, Value> {
    let now = millis(core.clock.now());
    let mut alarms = core.documents.read(FAMILY, Clone::clone);
    let mut changed = Vec::new();
    for (name, alarm) in alarms.iter_mut().filter(|(_, alarm)| alarm["Kind"] == METRIC) {
        if alarm["EvaluateFrom"].as_i64().is_none_or(|from| now >= from)
            && let Some(state) = evaluation::evaluate(core, alarm, now)
        {
            changed.push((name.clone(), state));
        }
    }
    for (name, state) in changed {
        apply(core, &mut alarms, &name, &state, now);
    }
    // An alarm of alarms of alarms needs as many rounds as there are ranks. Those that name each other never end.
    for _ in 0..MAX_RANKS {
        let composite = alarms.iter().filter(|(_, alarm)| alarm["Kind"] == COMPOSITE);
        let due = composite.filter(|(_, alarm)| alarm["EvaluateFrom"].as_i64().is_none_or(|from| now >= from));
        let next = due.filter_map(|(name, alarm)| Some((name.clone(), rule::evaluate(alarm, &alarms, now)?)));
        let changed: Vec<_> = next.collect();
        if changed.is_empty() {
            break;
        }
        for (name, state) in changed {
            apply(core, &mut alarms, &name, &state, now);
        }
    }
    alarms
}

/// A state that an alarm comes to.
struct State {
    value: String,
    reason: String,
    data: Option<Value>,
}

fn apply(core: &Core, alarms: &mut BTreeMap<String, Value>, name: &str, state: &State, now: i64) {
    if let Some(alarm) = alarms.get_mut(name) {
        change_state(core, name, alarm, state, now);
        let alarm = alarm.clone();
        core.documents.change(core, FAMILY, |all| {
            // It may have been deleted meanwhile.
            if all.get(name).is_some() {
                all.put(name, alarm);
            }
        });
    }
}

fn change_state(core: &Core, name: &str, alarm: &mut Value, state: &State, now: i64) {
    let seconds = json!(now as f64 / 1000.0);
    if alarm["StateValue"] != state.value.as_str() {
        history::state(core, name, alarm, state, now);
        alarm["StateTransitionedTimestamp"] = seconds.clone();
    }
    alarm["StateValue"] = json!(state.value);
    alarm["StateReason"] = json!(state.reason);
    alarm["StateUpdatedTimestamp"] = seconds;
    match &state.data {
        Some(data) => alarm["StateReasonData"] = json!(data.to_string()),
        None => {
            alarm.as_object_mut().map(|alarm| alarm.remove("StateReasonData"));
        }
    }
}

/// An alarm as it is described.
fn shown(alarm: &Value) -> Value {
    let mut alarm = alarm.clone();
    if let Some(members) = alarm.as_object_mut() {
        OWN.iter().for_each(|member| drop(members.remove(*member)));
    }
    alarm
}

/// `DescribeAlarms`: only metric alarms unless other types are asked for.
pub(super) fn describe(core: &Core, request: &Value) -> Result<Value, AwsError> {
    if !request["AlarmNames"].is_null() && !request["AlarmNamePrefix"].is_null() {
        return Err(validation("AlarmNames and AlarmNamePrefix cannot be specified at the same time"));
    }
    let types = texts(request, "AlarmTypes");
    let types = if types.is_empty() { vec![METRIC] } else { types };
    let names = texts(request, "AlarmNames");
    let alarms = evaluated(core);
    let related = related(core, request, &alarms)?;
    let wanted = |name: &str, alarm: &Value| {
        let actions = ["OKActions", "AlarmActions", "InsufficientDataActions"];
        let prefix = request["ActionPrefix"].as_str();
        let mut actions = actions.iter().flat_map(|member| texts(alarm, member));
        types.contains(&text(alarm, "Kind"))
            && (request["AlarmNames"].is_null() || names.contains(&name))
            && request["AlarmNamePrefix"].as_str().is_none_or(|prefix| name.starts_with(prefix))
            && request["StateValue"].as_str().is_none_or(|state| alarm["StateValue"] == state)
            && prefix.is_none_or(|prefix| actions.any(|action| action.starts_with(prefix)))
            && related.as_ref().is_none_or(|related| related.contains(&name.to_owned()))
    };
    let found = alarms.iter().filter(|(name, alarm)| wanted(name, alarm));
    let found = found.map(|(name, alarm)| (name.clone(), alarm.clone())).collect();
    let size = request["MaxRecords"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(50);
    let mut answer = page(found, "all", size, &request["NextToken"])?;
    let all = answer["all"].take();
    let of = |kind: &str| -> Vec<Value> {
        all.as_array().into_iter().flatten().filter(|alarm| alarm["Kind"] == kind).map(shown).collect()
    };
    let mut listed = json!({"MetricAlarms": of(METRIC), "CompositeAlarms": of(COMPOSITE), "LogAlarms": []});
    if let Some(token) = answer.get_mut("NextToken") {
        listed["NextToken"] = token.take();
    }
    Ok(listed)
}

/// The alarms that an alarm's rule names, or those whose rules name it.
fn related(core: &Core, request: &Value, alarms: &BTreeMap<String, Value>) -> Result<Option<Vec<String>>, AwsError> {
    let rule = |alarm: &Value| Rule::parse(text(alarm, "AlarmRule")).ok();
    let is = |named: &str, name: &str| named == name || named == arn(core, name);
    if let Some(of) = request["ChildrenOfAlarmName"].as_str() {
        let alarm = alarms.get(of).ok_or_else(not_found)?;
        let named = rule(alarm);
        let child =
            |name: &String| named.as_ref().is_some_and(|rule| rule.alarms().iter().any(|named| is(named, name)));
        return Ok(Some(alarms.keys().filter(|name| child(name)).cloned().collect()));
    }
    if let Some(of) = request["ParentsOfAlarmName"].as_str() {
        alarms.get(of).ok_or_else(not_found)?;
        let parent = |alarm: &Value| rule(alarm).is_some_and(|rule| rule.alarms().iter().any(|named| is(named, of)));
        return Ok(Some(alarms.iter().filter(|(_, alarm)| parent(alarm)).map(|(name, _)| name.clone()).collect()));
    }
    Ok(None)
}

fn not_found() -> AwsError {
    AwsError::new(404, "ResourceNotFound", "")
}

/// `DescribeAlarmsForMetric`: all dimensions must be the same.
pub(super) fn describe_for_metric(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let dimensions = super::dimensions(request);
    let same = |alarm: &Value| {
        let members = ["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit"];
        alarm["Kind"] == METRIC
            && members.iter().all(|member| request[*member].is_null() || request[*member] == alarm[*member])
            && super::dimensions(alarm) == dimensions
    };
    let in_query = |alarm: &Value| {
        let mut metrics = alarm["Metrics"].as_array().into_iter().flatten().map(|query| &query["MetricStat"]["Metric"]);
        metrics.any(|metric| {
            metric["MetricName"] == request["MetricName"]
                && metric["Namespace"] == request["Namespace"]
                && super::dimensions(metric) == dimensions
        })
    };
    let alarms = evaluated(core);
    let found: Vec<Value> = alarms.values().filter(|alarm| same(alarm) || in_query(alarm)).map(shown).collect();
    Ok(json!({"MetricAlarms": found}))
}

/// `DescribeAlarmHistory`.
pub(super) fn describe_history(core: &Core, request: &Value) -> Result<Value, AwsError> {
    evaluated(core);
    history::describe(core, request)
}

/// `DeleteAlarms`: those that are not there do not matter.
pub(super) fn delete(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let names = texts(request, "AlarmNames");
    for name in names {
        let removed = core.documents.change(core, FAMILY, |all| all.remove(name));
        if let Some(alarm) = removed {
            tags::forget(core, &arn(core, name));
            history::configured(core, name, text(&alarm, "Kind"), "deleted", &alarm);
        }
    }
    Ok(Value::Null)
}

/// `EnableAlarmActions` and `DisableAlarmActions`: those that are not there do not matter.
pub(super) fn enable(core: &Core, request: &Value, enabled: bool) -> Result<Value, AwsError> {
    let mut changed = Vec::new();
    core.documents.change(core, FAMILY, |all| {
        for name in texts(request, "AlarmNames") {
            let Some(mut alarm) = all.get(name).cloned() else { continue };
            if alarm["ActionsEnabled"] != enabled {
                alarm["ActionsEnabled"] = json!(enabled);
                alarm["AlarmConfigurationUpdatedTimestamp"] = json!(all.now() as f64 / 1000.0);
                changed.push((name.to_owned(), alarm.clone()));
                all.put(name, alarm);
            }
        }
    });
    for (name, alarm) in changed {
        history::configured(core, &name, text(&alarm, "Kind"), "updated", &alarm);
    }
    Ok(Value::Null)
}

/// Refuses what is no state, in the order in which the service lists them.
pub(super) fn check_state(request: &Value) -> Result<(), AwsError> {
    match request["StateValue"].as_str() {
        Some(state) if !["INSUFFICIENT_DATA", "ALARM", "OK"].contains(&state) => Err(validation(format!(
            "1 validation error detected: Value '{state}' at 'stateValue' failed to satisfy constraint: Member must \
             satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
        ))),
        _ => Ok(()),
    }
}

/// `SetAlarmState`: it stays until the alarm is evaluated again.
pub(super) fn set_state(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let name = text(request, "AlarmName");
    let mut alarm = core.documents.get(FAMILY, name).ok_or_else(not_found)?;
    let data = match request["StateReasonData"].as_str() {
        Some(data) => {
            let wrong = || AwsError::new(400, "InvalidFormat", "StateReasonData was not valid JSON.");
            Some(serde_json::from_str::<Value>(data).map_err(|_| wrong())?)
        }
        None => None,
    };
    let now = millis(core.clock.now());
    let state =
        State { value: text(request, "StateValue").to_owned(), reason: text(request, "StateReason").to_owned(), data };
    change_state(core, name, &mut alarm, &state, now);
    if let Some(data) = request["StateReasonData"].as_str() {
        alarm["StateReasonData"] = json!(data);
    }
    alarm["EvaluateFrom"] = json!(now + SET_FOR);
    core.documents.change(core, FAMILY, |all| all.put(name, alarm));
    Ok(Value::Null)
}
