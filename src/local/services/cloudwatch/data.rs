//! `GetMetricStatistics` and `GetMetricData`.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_types::base64;
use serde_json::{Map, Value, json};

use super::store::{MINUTE, MetricId, Summary};
use super::{dimensions, invalid_combination, invalid_value, missing, second, text};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const MAX_STATISTICS: i64 = 1440;
const MAX_DATAPOINTS: usize = 100_800;
const MAX_QUERIES: usize = 500;

type Periods = BTreeMap<i64, (Summary, String)>;

/// What is read of one metric.
struct Reading {
    id: MetricId,
    unit: Option<String>,
    start: i64,
    end: i64,
    period: i64,
}

impl Reading {
    fn new(metric: &Value, request: &Value, start: i64, end: i64, period: i64) -> Self {
        Self {
            id: MetricId {
                namespace: text(metric, "Namespace").to_owned(),
                name: text(metric, "MetricName").to_owned(),
                dimensions: dimensions(metric),
            },
            unit: request["Unit"].as_str().map(str::to_owned),
            start,
            end,
            period,
        }
    }

    fn periods(&self, core: &Core) -> Periods {
        core.metrics
            .read(|metrics| {
                let series = metrics.get(&self.id);
                series.map(|series| series.periods(self.start, self.end, self.period, self.unit.as_deref()))
            })
            .unwrap_or_default()
    }
}

/// The times of a request and a period.
fn times(request: &Value, period: &Value) -> Result<(i64, i64, i64), AwsError> {
    let (start, end) = (second(request, "StartTime").unwrap_or(0), second(request, "EndTime").unwrap_or(0));
    if start >= end {
        return Err(invalid_value("The parameter StartTime must be less than the parameter EndTime."));
    }
    let period = period.as_i64().unwrap_or(MINUTE);
    if period % MINUTE != 0 && ![1, 5, 10, 30].contains(&period) {
        return Err(invalid_value("The parameter Period must be 1, 5, 10, 30 or a multiple of 60."));
    }
    Ok((start, end, period))
}

/// `GetMetricStatistics`: the periods begin with the first minute.
pub(super) fn statistics(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let (start, end, period) = times(request, &request["Period"])?;
    let start = start.div_euclid(MINUTE) * MINUTE;
    let count = (end - start + period - 1) / period;
    if count > MAX_STATISTICS {
        return Err(invalid_combination(format!(
            "You have requested up to {count} datapoints, which exceeds the limit of {MAX_STATISTICS}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let names = |member: &str| -> Vec<&str> {
        request[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (plain, extended) = (names("Statistics"), names("ExtendedStatistics"));
    if plain.is_empty() && extended.is_empty() {
        return Err(missing("At least one of the parameters Statistics and ExtendedStatistics must be specified."));
    }
    for name in &extended {
        percent(name).ok_or_else(|| {
            invalid_value(format!(
                "The value {name} for parameter ExtendedStatistics is invalid or not supported by the local backend."
            ))
        })?;
    }
    let found = Reading::new(request, request, start, end, period).periods(core);
    let datapoint = |(second, (summary, unit)): (&i64, &(Summary, String))| {
        let mut point = Map::new();
        point.insert("Timestamp".to_owned(), json!(*second as f64));
        point.insert("Unit".to_owned(), json!(unit));
        for name in &plain {
            point.insert((*name).to_owned(), json!(statistic(summary, name)));
        }
        let known = extended.iter().filter_map(|name| Some(((*name).to_owned(), json!(statistic(summary, name)?))));
        let known: Map<String, Value> = known.collect();
        if !known.is_empty() {
            point.insert("ExtendedStatistics".to_owned(), Value::Object(known));
        }
        Value::Object(point)
    };
    let points: Vec<Value> = found.iter().map(datapoint).collect();
    Ok(json!({"Label": text(request, "MetricName"), "Datapoints": points}))
}

/// A statistic by its name, if it is known of these values.
fn statistic(summary: &Summary, name: &str) -> Option<f64> {
    Some(match name {
        "SampleCount" => summary.count,
        "Sum" => summary.sum,
        "Minimum" => summary.minimum,
        "Maximum" => summary.maximum,
        "Average" => summary.sum / summary.count,
        other => summary.percentile(percent(other)?)?,
    })
}

/// The number of a percentile such as `p99.9`.
fn percent(name: &str) -> Option<f64> {
    let digits = name.strip_prefix('p')?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits.parse().ok().filter(|percent| plain && (0.0..=100.0).contains(percent))
}

/// A query with the datapoints that it found.
struct Found {
    id: String,
    label: String,
    points: Vec<(i64, f64)>,
}

/// `GetMetricData`: the periods are whole ones of the clock.
pub(super) fn data(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let queries = request["MetricDataQueries"].as_array().cloned().unwrap_or_default();
    if queries.len() > MAX_QUERIES {
        let message = format!("The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.");
        return Err(invalid_value(message));
    }
    let mut ids = BTreeSet::new();
    if !queries.iter().all(|query| ids.insert(text(query, "Id"))) {
        return Err(AwsError::new(
            400,
            "ValidationError",
            "The values for parameter id in MetricDataQueries are not unique.",
        ));
    }
    let ascending = request["ScanBy"] == "TimestampAscending";
    let mut found = Vec::new();
    for query in &queries {
        let result = run(core, request, query, ascending)?;
        if query["ReturnData"] != false {
            found.push(result);
        }
    }
    page(found, request)
}

fn run(core: &Core, request: &Value, query: &Value, ascending: bool) -> Result<Found, AwsError> {
    let id = text(query, "Id");
    let refuse = |message: String| Err(AwsError::new(400, "ValidationError", message));
    if !id.starts_with(|first: char| first.is_ascii_lowercase()) {
        return refuse(format!("The value {id} for parameter Id is invalid: it must begin with a lower-case letter."));
    }
    let stat = &query["MetricStat"];
    if !query["Expression"].is_null() || stat.is_null() {
        return refuse(format!("The local backend supports only queries with a MetricStat; {id} has none."));
    }
    let (start, end, period) = times(request, &stat["Period"])?;
    let start = start.div_euclid(period) * period;
    let name = text(stat, "Stat");
    if !matches!(name, "SampleCount" | "Sum" | "Minimum" | "Maximum" | "Average") && percent(name).is_none() {
        return refuse(format!("The value {name} for parameter MetricStat.Stat is not a valid statistic."));
    }
    let periods = Reading::new(&stat["Metric"], stat, start, end, period).periods(core);
    let points = periods.iter().filter_map(|(second, (summary, _))| Some((*second, statistic(summary, name)?)));
    let mut points: Vec<(i64, f64)> = points.collect();
    if !ascending {
        points.reverse();
    }
    let label = query["Label"].as_str().unwrap_or_else(|| text(&stat["Metric"], "MetricName"));
    Ok(Found { id: id.to_owned(), label: label.to_owned(), points })
}

/// So many datapoints of all queries together; the token says how many were given before.
fn page(found: Vec<Found>, request: &Value) -> Result<Value, AwsError> {
    let invalid = || AwsError::new(400, "InvalidNextToken", "The specified NextToken is invalid.");
    let given = match request["NextToken"].as_str() {
        None => 0,
        Some(token) => {
            let text = base64::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            text.and_then(|text| text.parse::<usize>().ok()).ok_or_else(invalid)?
        }
    };
    let wanted = request["MaxDatapoints"].as_u64().and_then(|wanted| usize::try_from(wanted).ok());
    let size = wanted.unwrap_or(MAX_DATAPOINTS).clamp(1, MAX_DATAPOINTS);
    let (mut skip, mut room) = (given, size);
    let mut results = Vec::with_capacity(found.len());
    let total: usize = found.iter().map(|found| found.points.len()).sum();
    for Found { id, label, points } in found {
        let skipped = skip.min(points.len());
        skip -= skipped;
        let taken = (points.len() - skipped).min(room);
        room -= taken;
        let complete = skipped + taken == points.len();
        let points = points.get(skipped..skipped + taken).unwrap_or_default();
        results.push(json!({
            "Id": id,
            "Label": label,
            "Timestamps": points.iter().map(|(second, _)| *second as f64).collect::<Vec<_>>(),
            "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": if complete { "Complete" } else { "PartialData" },
        }));
    }
    let mut answer = json!({"MetricDataResults": results, "Messages": []});
    if given.saturating_add(size) < total {
        answer["NextToken"] = json!(base64::encode((given + size).to_string()));
    }
    Ok(answer)
}
