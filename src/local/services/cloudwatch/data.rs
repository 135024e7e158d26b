//! `GetMetricStatistics` and what it shares with `GetMetricData`: reading the periods of one metric.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::statistic::Statistic;
use super::store::{MINUTE, MetricId, Moment, Summary};
use super::{dimensions, invalid_combination, invalid_value, second, text};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const MAX_STATISTICS: i64 = 1440;

/// The periods that are whole, or parts of a minute.
pub(super) fn is_period(period: i64) -> bool {
    period > 0 && (period % MINUTE == 0 || [1, 5, 10, 20, 30].contains(&period))
}

/// What is read of one metric.
pub(super) struct Reading {
    id: MetricId,
    unit: Option<String>,
    start: i64,
    end: i64,
    period: i64,
}

impl Reading {
    /// `metric` has the members `Namespace`, `MetricName` and `Dimensions`; times are seconds since 1970.
    pub(super) fn new(metric: &Value, unit: &Value, start: i64, end: i64, period: i64) -> Self {
        Self {
            id: MetricId {
                namespace: text(metric, "Namespace").to_owned(),
                name: text(metric, "MetricName").to_owned(),
                dimensions: dimensions(metric),
            },
            unit: unit.as_str().map(str::to_owned),
            start,
            end,
            period,
        }
    }

    /// The periods by their first second and unit.
    pub(super) fn periods(&self, core: &Core) -> BTreeMap<Moment, Summary> {
        core.metrics
            .read(|metrics| {
                let series = metrics.get(&self.id);
                series.map(|series| series.periods(self.start, self.end, self.period, self.unit.as_deref()))
            })
            .unwrap_or_default()
    }
}

/// `GetMetricStatistics`: the periods begin with the first minute; each unit has datapoints of its own.
pub(super) fn statistics(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let (start, end) = (second(request, "StartTime").unwrap_or(0), second(request, "EndTime").unwrap_or(0));
    if start >= end {
        return Err(invalid_value("The parameter StartTime must be less than the parameter EndTime."));
    }
    let period = request["Period"].as_i64().unwrap_or(MINUTE);
    if !is_period(period) {
        return Err(invalid_value("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."));
    }
    let count = (end - start + period - 1) / period;
    if count > MAX_STATISTICS {
        return Err(invalid_combination(format!(
            "You have requested up to {count} datapoints, which exceeds the limit of {MAX_STATISTICS}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let grain = period.min(MINUTE);
    let start = start.div_euclid(grain) * grain;
    let names = |member: &str| -> Vec<&str> {
        request[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let plain: Vec<(&str, Statistic)> =
        names("Statistics").into_iter().filter_map(|name| Some((name, Statistic::plain(name)?))).collect();
    let extended = names("ExtendedStatistics").into_iter().zip(1..).map(|(name, number)| {
        let statistic = Statistic::extended(name).ok_or_else(|| {
            invalid_value(format!(
                "The value {name} for parameter ExtendedStatistics.member.{number} is not supported."
            ))
        })?;
        Ok((name, statistic))
    });
    let extended: Vec<(&str, Statistic)> = extended.collect::<Result<_, AwsError>>()?;
    if !core.is_lenient() && !plain.is_empty() && !extended.is_empty() {
        let message = "Must specify either Statistics or ExtendedStatistics, but not both";
        return Err(invalid_combination(message));
    }
    if plain.is_empty() && extended.is_empty() {
        return Err(invalid_combination("Must specify either Statistics or ExtendedStatistics"));
    }
    let found = Reading::new(request, &request["Unit"], start, end, period).periods(core);
    let datapoint = |((second, unit), summary): (&Moment, &Summary)| {
        let value = |(name, statistic): &(&str, Statistic)| Some(((*name).to_owned(), json!(statistic.of(summary)?)));
        let mut point: Map<String, Value> = plain.iter().filter_map(value).collect();
        let further: Map<String, Value> = extended.iter().filter_map(value).collect();
        if point.is_empty() && further.is_empty() {
            return None;
        }
        point.insert("Timestamp".to_owned(), json!(*second as f64));
        point.insert("Unit".to_owned(), json!(unit));
        if !further.is_empty() {
            point.insert("ExtendedStatistics".to_owned(), Value::Object(further));
        }
        Some(Value::Object(point))
    };
    let points: Vec<Value> = found.iter().filter_map(datapoint).collect();
    Ok(json!({"Label": text(request, "MetricName"), "Datapoints": points}))
}
