//! `PutMetricData`.

use serde_json::Value;

use super::store::{MetricId, Resolution, Summary};
use super::{dimensions, invalid_combination, invalid_value, missing, second, text};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::epoch;

const MAX_METRICS: usize = 1000;
const MAX_VALUES: usize = 150;
const OLDEST: i64 = 14 * 86_400;
const NEWEST: i64 = 2 * 3600;

/// What one entry publishes.
struct Datum {
    id: MetricId,
    unit: String,
    second: i64,
    resolution: Resolution,
    summary: Summary,
}

/// Publishes all entries or, if one of them is wrong, none.
pub(super) fn put(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let namespace = text(request, "Namespace");
    if namespace.starts_with("AWS/") {
        return Err(invalid_value("The value AWS/ for parameter Namespace is invalid."));
    }
    let now = epoch(core.clock.now());
    let data = entries(request);
    if data.is_empty() {
        return Err(missing("The parameter MetricData is required."));
    }
    if data.len() > MAX_METRICS {
        let message = format!("The collection MetricData must not have a size greater than {MAX_METRICS}.");
        return Err(invalid_value(message));
    }
    let data: Vec<Datum> =
        data.iter().map(|(path, datum)| read(namespace, path, datum, now)).collect::<Result<_, _>>()?;
    for Datum { id, unit, second, resolution, summary } in data {
        if !core.metrics.publish(id, &unit, second, resolution, &summary) {
            let message = "The local backend keeps no more than 50,000 metrics.";
            return Err(AwsError::new(400, "LimitExceeded", message));
        }
    }
    Ok(Value::Null)
}

fn read(namespace: &str, path: &str, datum: &Value, now: i64) -> Result<Datum, AwsError> {
    let second = second(datum, "Timestamp").unwrap_or(now);
    if !(now - OLDEST..=now + NEWEST).contains(&second) {
        let message = format!(
            "The parameter {path}.Timestamp must specify a time no more than two weeks in the past and no more than two \
             hours in the future."
        );
        return Err(invalid_value(message));
    }
    let id = MetricId {
        namespace: namespace.to_owned(),
        name: text(datum, "MetricName").to_owned(),
        dimensions: dimensions(datum),
    };
    let unit = datum["Unit"].as_str().unwrap_or("None").to_owned();
    let resolution = match datum["StorageResolution"].as_i64() {
        Some(1) => Resolution::Second,
        _ => Resolution::Minute,
    };
    Ok(Datum { id, unit, second, resolution, summary: summary(path, datum)? })
}

/// Values must lie between this, which is 2 to the power of 360, and its negative.
const LARGEST: f64 = 2.348_542_582_773_833_2e108;

/// Refuses what is no number, before the model sees that it is none either, and what is too large a number.
pub(super) fn check_numbers(request: &Value) -> Result<(), AwsError> {
    for (path, datum) in entries(request) {
        check_number(&format!("{path}.Value"), &datum["Value"])?;
        for member in ["SampleCount", "Sum", "Minimum", "Maximum"] {
            check_number(&format!("{path}.StatisticValues.{member}"), &datum["StatisticValues"][member])?;
        }
        for list in ["Values", "Counts"] {
            for (value, number) in datum[list].as_array().into_iter().flatten().zip(1..) {
                check_number(&format!("{path}.{list}.member.{number}"), value)?;
            }
        }
    }
    Ok(())
}

fn check_number(path: &str, value: &Value) -> Result<(), AwsError> {
    // What JSON has no number for is text here.
    let Some(number) = value.as_f64().or_else(|| value.as_str()?.parse().ok()) else { return Ok(()) };
    let name = match number {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ if number.is_nan() => "NaN".to_owned(),
        _ if number.abs() > LARGEST => format!("{number:e}"),
        _ => return Ok(()),
    };
    Err(invalid_value(format!("The value {name} for parameter {path} is invalid.")))
}

/// All entries of a request, with their paths.
fn entries(request: &Value) -> Vec<(String, &Value)> {
    let own = numbered(&request["MetricData"], String::new());
    let of_entities = items(&request["EntityMetricData"])
        .zip(1..)
        .flat_map(|(entity, number)| numbered(&entity["MetricData"], format!("EntityMetricData.member.{number}.")));
    own.chain(of_entities).collect()
}

fn numbered(list: &Value, path: String) -> impl Iterator<Item = (String, &Value)> {
    items(list).zip(1..).map(move |(datum, number)| (format!("{path}MetricData.member.{number}"), datum))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Exactly one of the three ways to give values.
fn summary(path: &str, datum: &Value) -> Result<Summary, AwsError> {
    let ways = ["Value", "StatisticValues", "Values"];
    let given: Vec<&str> = ways.into_iter().filter(|way| !datum[*way].is_null()).collect();
    match given.as_slice() {
        [] => Err(missing(format!(
            "At least one of the parameters {path}.Value, {path}.Values or {path}.StatisticValues must be specified."
        ))),
        ["Value"] => Ok(Summary::of(datum["Value"].as_f64().unwrap_or_default(), 1.0)),
        ["StatisticValues"] => {
            let value = |member: &str| datum["StatisticValues"][member].as_f64().unwrap_or_default();
            if value("SampleCount") <= 0.0 {
                let message = format!("The parameter {path}.StatisticValues.SampleCount must be greater than 0.");
                return Err(invalid_value(message));
            }
            Ok(Summary::set(value("SampleCount"), value("Sum"), value("Minimum"), value("Maximum")))
        }
        [_] => values(path, datum),
        [first, second, ..] => Err(invalid_combination(format!(
            "The parameters {path}.{first} and {path}.{second} are mutually exclusive and you have specified both."
        ))),
    }
}

fn values(path: &str, datum: &Value) -> Result<Summary, AwsError> {
    let numbers = |member: &str| -> Vec<f64> {
        datum[member].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    let (values, counts) = (numbers("Values"), numbers("Counts"));
    if values.len() > MAX_VALUES {
        let message = format!("The collection {path}.Values must not have a size greater than {MAX_VALUES}.");
        return Err(invalid_value(message));
    }
    if !datum["Counts"].is_null() && counts.len() != values.len() {
        let message = format!("The parameters {path}.Values and {path}.Counts must be of the same size.");
        return Err(invalid_value(message));
    }
    let counts = counts.into_iter().chain(std::iter::repeat(1.0));
    let mut each = values.into_iter().zip(counts).map(|(value, count)| Summary::of(value, count));
    let mut all = each.next().ok_or_else(|| missing(format!("The parameter {path}.Values must not be empty.")))?;
    each.for_each(|summary| all.merge(&summary));
    Ok(all)
}
