//! The functions of metric math.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{Expression, Scope, Series, Value, combine, evaluate};

/// How a function sums up values.
type Sum = fn(&[f64]) -> f64;

fn summary(name: &str) -> Option<Sum> {
    Some(match name {
        "SUM" => |values| values.iter().sum(),
        "AVG" => mean,
        "MIN" => |values| values.iter().copied().fold(f64::INFINITY, f64::min),
        "MAX" => |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "STDDEV" => |values| {
            let mean = mean(values);
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / values.len() as f64).sqrt()
        },
        _ => return None,
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Changes each value; what becomes `None` is missing.
pub(super) fn map(value: Value, change: impl Fn(f64) -> Option<f64>) -> Result<Value, String> {
    let of_series = |series: Series| Series {
        points: series.points.into_iter().filter_map(|(at, value)| Some((at, change(value)?))).collect(),
        ..series
    };
    match value {
        Value::Number(number) => change(number).map(Value::Number).ok_or_else(|| "The result is no number".to_owned()),
        Value::Series(series) => Ok(Value::Series(of_series(series))),
        Value::Array(all) => Ok(Value::Array(all.into_iter().map(of_series).collect())),
        Value::Text(_) => Err("Unsupported operand type: a text".to_owned()),
    }
}

/// Changes whole series.
fn each(value: Value, change: impl Fn(Series) -> Series) -> Result<Value, String> {
    match value {
        Value::Series(series) => Ok(Value::Series(change(series))),
        Value::Array(all) => Ok(Value::Array(all.into_iter().map(change).collect())),
        _ => Err("A time series is required".to_owned()),
    }
}

fn array(value: Value) -> Result<Vec<Series>, String> {
    match value {
        Value::Array(all) => Ok(all),
        Value::Series(series) => Ok(vec![series]),
        _ => Err("An array of time series is required".to_owned()),
    }
}

fn number(value: Value) -> Result<f64, String> {
    match value {
        Value::Number(number) => Ok(number),
        _ => Err("A number is required".to_owned()),
    }
}

pub(super) fn call(name: &str, arguments: &[Expression], scope: &mut dyn Scope) -> Result<Value, String> {
    let few = || format!("The function {name} has the wrong number of arguments");
    let word = |at: usize| match arguments.get(at) {
        Some(Expression::Name(word)) => Some(word.to_ascii_uppercase()),
        _ => None,
    };
    if name == "METRICS" {
        let part = match arguments {
            [] => "",
            [Expression::Text(part)] => part,
            _ => return Err(few()),
        };
        return Ok(Value::Array(scope.metrics(part)?));
    }
    let first = match arguments.first() {
        Some(first) => evaluate(first, scope)?,
        None => return Err(few()),
    };
    if let Some(sum) = summary(name) {
        return match arguments.len() {
            1 => sum_up(first, sum),
            _ => Err(few()),
        };
    }
    let alone = |value: Value| if arguments.len() == 1 { Ok(value) } else { Err(few()) };
    match name {
        "ABS" => map(alone(first)?, |value| Some(value.abs())),
        "CEIL" => map(alone(first)?, |value| Some(value.ceil())),
        "FLOOR" => map(alone(first)?, |value| Some(value.floor())),
        "LOG" => map(alone(first)?, |value| Some(value.ln()).filter(|value| value.is_finite())),
        "LOG10" => map(alone(first)?, |value| Some(value.log10()).filter(|value| value.is_finite())),
        "DIFF" => each(alone(first)?, |series| successive(series, |_, before, value| value - before)),
        "DIFF_TIME" => each(alone(first)?, |series| successive(series, |seconds, _, _| seconds)),
        "RATE" => each(alone(first)?, |series| successive(series, |seconds, before, value| (value - before) / seconds)),
        "RUNNING_SUM" => each(alone(first)?, |series| {
            let mut sum = 0.0;
            let mut add = |(at, value): (i64, f64)| {
                sum += value;
                (at, sum)
            };
            let points = series.points.iter().map(|(at, value)| add((*at, *value))).collect();
            Series { points, ..series }
        }),
        "PERIOD" => match alone(first)? {
            Value::Series(series) => Ok(Value::Number(series.period as f64)),
            _ => Err("A time series is required".to_owned()),
        },
        "DATAPOINT_COUNT" => match alone(first)? {
            Value::Series(series) => Ok(Value::Number(series.points.len() as f64)),
            Value::Array(all) => Ok(Value::Series(across(&all, |values| values.len() as f64))),
            _ => Err("A time series is required".to_owned()),
        },
        "METRIC_COUNT" => Ok(Value::Number(array(alone(first)?)?.len() as f64)),
        "FIRST" | "LAST" => {
            let all = array(alone(first)?)?;
            let one = if name == "FIRST" { all.into_iter().next() } else { all.into_iter().next_back() };
            one.map(Value::Series).ok_or_else(|| "The array is empty".to_owned())
        }
        "REMOVE_EMPTY" => {
            let all = array(alone(first)?)?;
            Ok(Value::Array(all.into_iter().filter(|series| !series.points.is_empty()).collect()))
        }
        "TIME_SERIES" => {
            let (value, period) = (number(alone(first)?)?, scope.period());
            let points = scope.seconds(period).into_iter().map(|at| (at, value)).collect();
            Ok(Value::Series(Series { label: String::new(), period, points }))
        }
        "MINUTE" | "HOUR" | "DAY" | "DATE" | "MONTH" | "YEAR" | "EPOCH" => each(alone(first)?, |series| Series {
            points: series.points.keys().filter_map(|at| Some((*at, calendar(name, *at)?))).collect(),
            ..series
        }),
        "FILL" => {
            let [_, filling] = arguments else { return Err(few()) };
            let filling = match word(1).as_deref() {
                Some("REPEAT") => Filling::Repeat,
                Some("LINEAR") => Filling::Linear,
                _ => Filling::Value(number(evaluate(filling, scope)?)?),
            };
            let seconds = |series: &Series| scope.seconds(series.period);
            each(first, |series| fill(seconds(&series), series, filling))
        }
        "IF" => {
            let [_, then, otherwise] = arguments else {
                return match arguments {
                    // Without an alternative there is no value.
                    [_, then] => {
                        let then = evaluate(then, scope)?;
                        combine(first, then, &|condition, value| (condition != 0.0).then_some(value))
                    }
                    _ => Err(few()),
                };
            };
            choose(first, evaluate(then, scope)?, evaluate(otherwise, scope)?)
        }
        "SLICE" => {
            let all = array(first)?;
            let mut at = |index: usize| -> Result<Option<usize>, String> {
                let Some(argument) = arguments.get(index) else { return Ok(None) };
                // An array is far shorter than what does not fit.
                Ok(Some(number(evaluate(argument, scope)?)?.max(0.0) as usize))
            };
            let (start, end) = (at(1)?.ok_or_else(few)?, at(2)?.unwrap_or(usize::MAX));
            Ok(Value::Array(all.into_iter().take(end).skip(start).collect()))
        }
        "SORT" => {
            let mut all = array(first)?;
            let by = word(1).filter(|by| by == "COUNT" || summary(by).is_some()).ok_or_else(few)?;
            let key = |series: &Series| {
                let values: Vec<f64> = series.points.values().copied().collect();
                match summary(&by) {
                    Some(sum) if !values.is_empty() => sum(&values),
                    Some(_) => f64::NEG_INFINITY,
                    None => values.len() as f64,
                }
            };
            all.sort_by(|a, b| key(a).total_cmp(&key(b)));
            if word(2).as_deref() == Some("DESC") {
                all.reverse();
            }
            let limit = match arguments.get(3) {
                Some(limit) => number(evaluate(limit, scope)?)?.max(0.0) as usize,
                None => usize::MAX,
            };
            all.truncate(limit);
            Ok(Value::Array(all))
        }
        _ => Err(format!("The local backend does not support the function {name}")),
    }
}

/// A number of one series, a series of an array.
fn sum_up(value: Value, sum: Sum) -> Result<Value, String> {
    match value {
        Value::Number(number) => Ok(Value::Number(sum(&[number]))),
        Value::Series(series) => {
            let values: Vec<f64> = series.points.values().copied().collect();
            let empty = || "The time series is empty".to_owned();
            (!values.is_empty()).then(|| Value::Number(sum(&values))).ok_or_else(empty)
        }
        Value::Array(all) => Ok(Value::Series(across(&all, sum))),
        Value::Text(_) => Err("Unsupported operand type: a text".to_owned()),
    }
}

/// Sums up what the series of an array have at each time.
fn across(all: &[Series], sum: impl Fn(&[f64]) -> f64) -> Series {
    let mut at: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (second, value) in all.iter().flat_map(|series| &series.points) {
        at.entry(*second).or_default().push(*value);
    }
    Series {
        label: String::new(),
        period: all.iter().map(|series| series.period).max().unwrap_or(60),
        points: at.into_iter().map(|(second, values)| (second, sum(&values))).collect(),
    }
}

/// Each value with the one before it, and the seconds between them.
fn successive(series: Series, change: impl Fn(f64, f64, f64) -> f64) -> Series {
    let pairs = series.points.iter().zip(series.points.iter().skip(1));
    let points = pairs.map(|((before, first), (at, second))| (*at, change((at - before) as f64, *first, *second)));
    Series { points: points.collect(), ..series }
}

#[derive(Clone, Copy)]
enum Filling {
    Value(f64),
    Repeat,
    Linear,
}

fn fill(seconds: Vec<i64>, series: Series, filling: Filling) -> Series {
    let known = &series.points;
    let filled = |at: i64| match filling {
        Filling::Value(value) => Some(value),
        Filling::Repeat => known.range(..at).next_back().map(|(_, value)| *value),
        Filling::Linear => {
            let (before, first) = known.range(..at).next_back()?;
            let (after, second) = known.range(at..).next()?;
            let share = (at - before) as f64 / (after - before) as f64;
            Some(first + (second - first) * share)
        }
    };
    let missing = seconds.into_iter().filter(|at| !known.contains_key(at));
    let missing: Vec<(i64, f64)> = missing.filter_map(|at| Some((at, filled(at)?))).collect();
    let mut points = series.points.clone();
    points.extend(missing);
    Series { points, ..series }
}

/// One or the other, point by point; a number stands for each point.
fn choose(condition: Value, then: Value, otherwise: Value) -> Result<Value, String> {
    if let Value::Number(condition) = condition {
        return Ok(if condition != 0.0 { then } else { otherwise });
    }
    let value_at = |value: &Value, at: i64| match value {
        Value::Number(number) => Some(*number),
        Value::Series(series) => series.points.get(&at).copied(),
        _ => None,
    };
    if [&then, &otherwise].into_iter().any(|value| !matches!(value, Value::Number(_) | Value::Series(_))) {
        return Err("IF chooses between numbers and time series only".to_owned());
    }
    each(condition, |series| {
        let pick = |at: i64, condition: f64| value_at(if condition != 0.0 { &then } else { &otherwise }, at);
        let points = series.points.iter().filter_map(|(at, condition)| Some((*at, pick(*at, *condition)?)));
        Series { points: points.collect(), ..series }
    })
}

/// A part of a date in UTC; the days of the week count from Monday, 1.
fn calendar(part: &str, second: i64) -> Option<f64> {
    let date = OffsetDateTime::from_unix_timestamp(second).ok()?;
    Some(match part {
        "MINUTE" => f64::from(date.minute()),
        "HOUR" => f64::from(date.hour()),
        "DAY" => f64::from(date.weekday().number_from_monday()),
        "DATE" => f64::from(date.day()),
        "MONTH" => f64::from(u8::from(date.month())),
        "YEAR" => f64::from(date.year()),
        _ => second as f64,
    })
}
