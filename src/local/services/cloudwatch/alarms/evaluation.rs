//! The state of a metric alarm by the values of its metric.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::math;
use super::super::queries::{Queries, samples};
use super::super::statistic::Statistic;
use super::{State, text};
use crate::local::backend::Core;
use crate::local::time::date_time_of;

/// How many periods before the ones that are evaluated are looked at, for values that are late.
const FURTHER: i64 = 2;
/// How many periods an alarm looks at, at most.
const MAX_PERIODS: i64 = 10_000;

/// Values and their sample counts by the period's first second.
type Samples = BTreeMap<i64, (f64, f64)>;

/// The state that an alarm comes to, if it is another one.
pub(super) fn evaluate(core: &Core, alarm: &Value, now: i64) -> Option<State> {
    let (samples, period) = read(core, alarm, now)?;
    let wanted = alarm["EvaluationPeriods"].as_i64().unwrap_or(1).clamp(1, MAX_PERIODS);
    let to_alarm = alarm["DatapointsToAlarm"].as_i64().unwrap_or(wanted).clamp(1, wanted);
    let threshold = alarm["Threshold"].as_f64()?;
    let comparison = Comparison::parse(text(alarm, "ComparisonOperator"))?;
    // The newest values; what is missing among them counts as the alarm says.
    let count = usize::try_from(wanted).unwrap_or(usize::MAX);
    let newest: Vec<(i64, (f64, f64))> = samples.iter().rev().take(count).map(|(at, value)| (*at, *value)).collect();
    let missing = wanted - i64::try_from(newest.len()).unwrap_or(0);
    let breaching = newest.iter().filter(|(_, (value, _))| comparison.holds(*value, threshold)).count();
    let breaching = i64::try_from(breaching).unwrap_or(i64::MAX);
    let present = wanted - missing;
    // Nothing is missing before a period has passed.
    let changed = alarm["AlarmConfigurationUpdatedTimestamp"].as_f64().unwrap_or_default();
    if newest.is_empty() && (now as f64) < (changed + period as f64) * 1000.0 {
        return None;
    }
    let treatment = alarm["TreatMissingData"].as_str().unwrap_or("missing");
    let in_alarm = match treatment {
        "breaching" => Some(breaching + missing >= to_alarm),
        "notBreaching" => Some(breaching >= to_alarm),
        _ if breaching >= to_alarm => Some(true),
        _ if breaching < present => Some(false),
        "ignore" => None,
        // All that is there breaches, if there is anything.
        _ if present > 0 => Some(true),
        _ => return unknown(alarm, wanted),
    };
    let value = if in_alarm? { "ALARM" } else { "OK" };
    if alarm["StateValue"] == value {
        return None;
    }
    let crossed = Crossed { comparison, threshold, to_alarm, wanted, missing, treatment };
    let reason = crossed.reason(&newest, text(alarm, "StateValue"), value);
    let data = data(alarm, now, period, threshold, &newest);
    Some(State { value: value.to_owned(), reason, data: Some(data) })
}

fn unknown(alarm: &Value, wanted: i64) -> Option<State> {
    let value = "INSUFFICIENT_DATA";
    if alarm["StateValue"] == value {
        return None;
    }
    let were = if wanted == 1 { "datapoint was" } else { "datapoints were" };
    let reason = format!("Insufficient Data: {wanted} {were} unknown.");
    Some(State { value: value.to_owned(), reason, data: None })
}

/// The values of the periods that count, and the period in seconds.
fn read(core: &Core, alarm: &Value, now: i64) -> Option<(Samples, i64)> {
    let range = |period: i64| {
        let periods = alarm["EvaluationPeriods"].as_i64().unwrap_or(1).clamp(1, MAX_PERIODS);
        // With the period that has only begun.
        let end = (now.div_euclid(1000).div_euclid(period) + 1) * period;
        (end - (periods + FURTHER) * period, end)
    };
    if let Some(period) = alarm["Period"].as_i64().filter(|period| *period > 0) {
        let name = alarm["Statistic"].as_str().or(alarm["ExtendedStatistic"].as_str()).unwrap_or("Average");
        let statistic = Statistic::parse(name)?;
        return Some((samples(core, alarm, &statistic, range(period), period), period));
    }
    // A band that the service learns has no values here.
    if !alarm["ThresholdMetricId"].is_null() {
        return None;
    }
    let list = alarm["Metrics"].as_array()?;
    let periods = list.iter().filter_map(|query| query["MetricStat"]["Period"].as_i64().or(query["Period"].as_i64()));
    let period = periods.filter(|period| *period > 0).max()?;
    let (start, end) = range(period);
    let returned = list.iter().find(|query| query["ReturnData"] != false)?;
    let mut queries = Queries::new(core, &alarm["Metrics"], start, end).ok()?;
    let series = match queries.result(text(returned, "Id")).ok()? {
        math::Value::Series(series) => series,
        math::Value::Array(all) => all.into_iter().next()?,
        _ => return None,
    };
    Some((series.points.into_iter().map(|(at, value)| (at, (value, 1.0))).collect(), period))
}

#[derive(Clone, Copy)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "GreaterThanThreshold" => Self::Greater,
            "GreaterThanOrEqualToThreshold" => Self::GreaterOrEqual,
            "LessThanThreshold" => Self::Less,
            "LessThanOrEqualToThreshold" => Self::LessOrEqual,
            _ => return None,
        })
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Greater => "greater than",
            Self::GreaterOrEqual => "greater than or equal to",
            Self::Less => "less than",
            Self::LessOrEqual => "less than or equal to",
        }
    }
}

struct Crossed<'a> {
    comparison: Comparison,
    threshold: f64,
    to_alarm: i64,
    wanted: i64,
    missing: i64,
    treatment: &'a str,
}

impl Crossed<'_> {
    /// The reason as the service words it.
    fn reason(&self, newest: &[(i64, (f64, f64))], before: &str, after: &str) -> String {
        let plural = |count: i64, one: &str, many: &str| if count == 1 { one.to_owned() } else { many.to_owned() };
        let treated = match self.treatment {
            "breaching" => "Breaching",
            _ => "NonBreaching",
        };
        let missing = format!(
            "{} missing {} treated as [{treated}]",
            self.missing,
            plural(self.missing, "datapoint was", "datapoints were")
        );
        if newest.is_empty() {
            let periods = plural(self.wanted, "period", "periods");
            return format!(
                "Threshold Crossed: no datapoints were received for {} {periods} and {missing}.",
                self.wanted
            );
        }
        let in_alarm = after == "ALARM";
        let telling: Vec<&(i64, (f64, f64))> =
            newest.iter().filter(|(_, (value, _))| self.comparison.holds(*value, self.threshold) == in_alarm).collect();
        let count = i64::try_from(telling.len()).unwrap_or(i64::MAX);
        let points: Vec<String> =
            telling.iter().map(|(at, (value, _))| format!("{value:?} ({})", day_and_time(*at))).collect();
        let points = points.join(", ");
        let was = plural(count, "was", "were");
        let not = if in_alarm { "" } else { "not " };
        let (words, threshold) = (self.comparison.words(), self.threshold);
        let further = match self.treatment {
            "breaching" | "notBreaching" if self.missing > 0 => format!(" and {missing}"),
            _ => String::new(),
        };
        if before == "INSUFFICIENT_DATA" {
            let datapoints = plural(count, "datapoint", "datapoints");
            return format!(
                "Threshold Crossed: {count} {datapoints} [{points}] {was} {not}{words} the threshold \
                 ({threshold:?}){further}."
            );
        }
        let minimum = if in_alarm { self.to_alarm } else { self.wanted - self.to_alarm + 1 };
        let datapoints = plural(minimum, "datapoint", "datapoints");
        format!(
            "Threshold Crossed: {count} out of the last {} datapoints [{points}] {was} {not}{words} the threshold \
             ({threshold:?}){further} (minimum {minimum} {datapoints} for {before} -> {after} transition).",
            newest.len()
        )
    }
}

/// Such as `31/01/26 08:05:09`.
fn day_and_time(second: i64) -> String {
    let date = date_time_of(second * 1000);
    format!("{}/{}/{} {}", &date[8..10], &date[5..7], &date[2..4], &date[11..19])
}

/// Such as `2026-01-31T08:05:09.042+0000`.
pub(super) fn date(millis: i64) -> String {
    format!("{}+0000", date_time_of(millis))
}

fn data(alarm: &Value, now: i64, period: i64, threshold: f64, newest: &[(i64, (f64, f64))]) -> Value {
    let oldest_first: Vec<&(i64, (f64, f64))> = newest.iter().rev().collect();
    let mut data = json!({
        "version": "1.0",
        "queryDate": date(now),
        "period": period,
        "recentDatapoints": oldest_first.iter().map(|(_, (value, _))| *value).collect::<Vec<f64>>(),
        "threshold": threshold,
        "evaluatedDatapoints": newest
            .iter()
            .map(|(at, (value, count))| json!({"timestamp": date(at * 1000), "sampleCount": count, "value": value}))
            .collect::<Vec<Value>>(),
    });
    if let Some((first, _)) = oldest_first.first() {
        data["startDate"] = json!(date(first * 1000));
    }
    if let Some(name) = alarm["Statistic"].as_str().or(alarm["ExtendedStatistic"].as_str()) {
        data["statistic"] = json!(name);
    }
    if let Some(unit) = alarm["Unit"].as_str() {
        data["unit"] = json!(unit);
    }
    data
}
