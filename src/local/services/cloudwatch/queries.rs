//! `GetMetricData`: queries for metrics and for what expressions make of them.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_types::base64;
use serde_json::{Value, json};

use super::data::{Reading, is_period};
use super::math::select::Select;
use super::math::{self, Expression, Scope, Series};
use super::statistic::Statistic;
use super::store::{MINUTE, MetricId, Moment, Summary};
use super::{labels, second, text, validation};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const MAX_DATAPOINTS: usize = 100_800;
const MAX_QUERIES: usize = 500;
/// How many datapoints the queries of a request may have together, also those that are not returned.
const MAX_HELD: usize = 2_000_000;

/// Units in the order in which the service looks for one that has values.
const UNITS: [&str; 27] = [
    "Megabits",
    "Terabits",
    "Gigabits",
    "Count",
    "Bytes",
    "Gigabytes",
    "Gigabytes/Second",
    "Kilobytes",
    "Kilobits/Second",
    "Terabytes",
    "Terabits/Second",
    "Bytes/Second",
    "Percent",
    "Megabytes",
    "Megabits/Second",
    "Milliseconds",
    "Microseconds",
    "Kilobytes/Second",
    "Gigabits/Second",
    "Megabytes/Second",
    "Bits",
    "Bits/Second",
    "Count/Second",
    "Seconds",
    "Kilobits",
    "Terabytes/Second",
    "None",
];

/// All queries of a request, and the results that are known.
pub(super) struct Queries<'a> {
    core: &'a Core,
    queries: Vec<&'a Value>,
    start: i64,
    end: i64,
    results: BTreeMap<String, math::Value>,
    /// Units of which there were several, by query.
    units: BTreeMap<String, Vec<String>>,
    /// The queries whose results are being made.
    open: Vec<String>,
    /// How many datapoints the results have.
    held: usize,
}

/// A query with the datapoints that it found.
struct Found {
    id: String,
    label: String,
    points: Vec<(i64, f64)>,
    messages: Vec<Value>,
}

impl<'a> Queries<'a> {
    /// The queries of a list, for times in seconds since 1970.
    pub(super) fn new(core: &'a Core, queries: &'a Value, start: i64, end: i64) -> Result<Self, AwsError> {
        let queries: Vec<&Value> = queries.as_array().into_iter().flatten().collect();
        if queries.len() > MAX_QUERIES {
            let message = format!("The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.");
            return Err(validation(message));
        }
        let mut ids = BTreeSet::new();
        if !queries.iter().all(|query| ids.insert(text(query, "Id"))) {
            return Err(validation("The values for parameter id in MetricDataQueries are not unique."));
        }
        for (query, number) in queries.iter().zip(1..) {
            check(query, number)?;
        }
        let (results, units) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { core, queries, start, end, results, units, open: Vec::new(), held: 0 })
    }

    /// The result of a query.
    pub(super) fn result(&mut self, id: &str) -> Result<math::Value, AwsError> {
        if let Some(known) = self.results.get(id) {
            return Ok(known.clone());
        }
        let Some(query) = self.queries.iter().copied().find(|query| text(query, "Id") == id) else {
            return Err(validation(format!("Error in expression: the metric {id} is not defined.")));
        };
        if self.open.iter().any(|open| open == id) {
            return Err(validation(format!("Error in expression '{id}': it refers to itself.")));
        }
        self.open.push(id.to_owned());
        let result = match query["Expression"].as_str() {
            Some(expression) => self.evaluate(id, query, expression),
            None => Ok(math::Value::Series(self.metric(query))),
        };
        self.open.pop();
        let result = result?;
        self.held += match &result {
            math::Value::Series(series) => series.points.len(),
            math::Value::Array(all) => all.iter().map(|series| series.points.len()).sum(),
            _ => 0,
        };
        if self.held > MAX_HELD {
            let message = "the request has too many datapoints: use longer periods or a shorter time range";
            return Err(validation(format!("Error in expression '{id}': {message}.")));
        }
        self.results.insert(id.to_owned(), result.clone());
        Ok(result)
    }

    fn evaluate(&mut self, id: &str, query: &Value, text: &str) -> Result<math::Value, AwsError> {
        let wrong = |why: String| validation(format!("Error in expression '{id}': {why}"));
        if Select::is(text) {
            let select = Select::parse(text).map_err(wrong)?;
            return Ok(math::Value::Array(self.select(id, query, &select)));
        }
        let expression = Expression::parse(text).map_err(wrong)?;
        math::evaluate(&expression, self).map_err(wrong)
    }

    /// A metric's values; of several units the first one that has any.
    fn metric(&mut self, query: &Value) -> Series {
        let stat = &query["MetricStat"];
        let period = stat["Period"].as_i64().unwrap_or(MINUTE).max(1);
        let start = self.start.div_euclid(period) * period;
        let mut periods = Reading::new(&stat["Metric"], &stat["Unit"], start, self.end, period).periods(self.core);
        let units: BTreeSet<String> = periods.keys().map(|(_, unit)| unit.clone()).collect();
        if units.len() > 1 {
            let first = UNITS.iter().find(|unit| units.contains(**unit)).copied().unwrap_or_default();
            periods.retain(|(_, unit), _| unit == first);
            self.units.insert(text(query, "Id").to_owned(), units.into_iter().collect());
        }
        let statistic = Statistic::parse(text(stat, "Stat"));
        let value = |summary: &Summary| statistic.as_ref().and_then(|statistic| statistic.of(summary));
        let points = periods.iter().filter_map(|((second, _), summary)| Some((*second, value(summary)?)));
        Series { label: self.default_label(stat), period, points: points.collect() }
    }

    /// The metric's name, with the statistic and the period where those of the queries differ.
    fn default_label(&self, stat: &Value) -> String {
        let differs = |member: &str| {
            let mut others = self.queries.iter().map(|query| &query["MetricStat"]).filter(|stat| !stat.is_null());
            others.any(|other| other[member] != stat[member])
        };
        let mut label = text(&stat["Metric"], "MetricName").to_owned();
        if differs("Stat") {
            label.push_str(&format!(" {}", text(stat, "Stat")));
        }
        if differs("Period") {
            label.push_str(&format!(" {}", stat["Period"]));
        }
        label
    }

    /// The groups of a query over many metrics.
    fn select(&self, id: &str, query: &Value, select: &Select) -> Vec<Series> {
        let period = query["Period"].as_i64().filter(|period| *period > 0).unwrap_or_else(|| self.period());
        let start = self.start.div_euclid(period) * period;
        let mut groups: BTreeMap<Vec<String>, BTreeMap<i64, Summary>> = BTreeMap::new();
        self.core.metrics.read(|metrics| {
            let wanted = |id: &MetricId| id.namespace == select.namespace && id.name == select.metric;
            for (id, series) in metrics.iter().filter(|(id, _)| wanted(id)) {
                let Some(group) = select.group(&id.dimensions) else { continue };
                let of_group = groups.entry(group).or_default();
                for ((second, _), summary) in series.periods(start, self.end, period, None) {
                    match of_group.get_mut(&second) {
                        Some(there) => there.merge(&summary),
                        None => drop(of_group.insert(second, summary)),
                    }
                }
            }
        });
        groups.retain(|_, summaries| !summaries.is_empty());
        let mut found: Vec<Series> = groups
            .into_iter()
            .map(|(group, summaries)| {
                let points = summaries.iter().filter_map(|(at, summary)| Some((*at, select.statistic.of(summary)?)));
                let label = if group.is_empty() { id.to_owned() } else { group.join(" ") };
                Series { label, period, points: points.collect() }
            })
            .collect();
        if let Some((function, descending)) = &select.order {
            let key = |series: &Series| {
                let values = || series.points.values().copied();
                match function.as_str() {
                    "MAX" => values().fold(f64::NEG_INFINITY, f64::max),
                    "MIN" => values().fold(f64::INFINITY, f64::min),
                    "COUNT" => values().count() as f64,
                    "SUM" => values().sum(),
                    _ => values().sum::<f64>() / values().count().max(1) as f64,
                }
            };
            found.sort_by(|a, b| key(a).total_cmp(&key(b)));
            if *descending {
                found.reverse();
            }
        }
        found.truncate(select.limit);
        found
    }

    /// The series of a query that is to be returned, with their labels.
    fn found(&mut self, query: &Value, zone: i64) -> Result<Vec<Found>, AwsError> {
        let id = text(query, "Id");
        let (series, of_array) = match self.result(id)? {
            math::Value::Series(series) => (vec![series], false),
            math::Value::Array(all) => (all, true),
            math::Value::Number(_) | math::Value::Text(_) => {
                let message = "The expression must return a time series or an array of time series";
                return Err(validation(format!("Error in expression '{id}': {message}")));
            }
        };
        let is_expression = query["Expression"].is_string();
        let messages = self.units.get(id).map(|units| {
            let listed = units.join(", ");
            json!({"Code": "MultipleUnits", "Value": format!("Multiple units returned: '[{listed}]'")})
        });
        let messages: Vec<Value> = messages.into_iter().collect();
        let series = series.into_iter().map(|series| {
            let default = match (is_expression, of_array) {
                (true, false) => id.to_owned(),
                _ => series.label.clone(),
            };
            let label = query["Label"].as_str().filter(|label| !label.is_empty());
            let label = match label {
                Some(label) => labels::expand(label, &default, query, &series.points, &self.core.place, zone),
                None => default,
            };
            Found { id: id.to_owned(), label, points: series.points.into_iter().collect(), messages: messages.clone() }
        });
        Ok(series.collect())
    }
}

impl Scope for Queries<'_> {
    fn query(&mut self, id: &str) -> Result<math::Value, String> {
        self.result(id).map_err(|error| error.message)
    }

    fn metrics(&mut self, part: &str) -> Result<Vec<Series>, String> {
        let wanted = |query: &&&Value| !query["MetricStat"].is_null() && text(query, "Id").contains(part);
        let ids: Vec<String> = self.queries.iter().filter(wanted).map(|query| text(query, "Id").to_owned()).collect();
        let mut all = Vec::new();
        for id in ids {
            if let math::Value::Series(series) = self.query(&id)? {
                all.push(series);
            }
        }
        Ok(all)
    }

    fn seconds(&self, period: i64) -> Vec<i64> {
        let period = period.max(1);
        let start = self.start.div_euclid(period) * period;
        let count = usize::try_from((self.end - start).max(0) / period + 1).unwrap_or(0);
        let count = count.min(MAX_DATAPOINTS / self.queries.len().max(1));
        let seconds = (0..).map(|number| start + number * period).take(count);
        seconds.take_while(|second| *second < self.end).collect()
    }

    fn period(&self) -> i64 {
        let periods = self.queries.iter().filter_map(|query| query["MetricStat"]["Period"].as_i64());
        periods.filter(|period| *period > 0).max().unwrap_or(MINUTE)
    }
}

fn check(query: &Value, number: usize) -> Result<(), AwsError> {
    let path = format!("MetricDataQueries.member.{number}");
    let id = text(query, "Id");
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain || !id.starts_with(|first: char| first.is_ascii_lowercase()) {
        let why = "must begin with a lower-case letter and contain only letters, numbers and underscores";
        return Err(validation(format!("The value {id} for parameter {path}.Id is invalid: it {why}.\n")));
    }
    let stat = &query["MetricStat"];
    match (stat.is_null(), query["Expression"].is_string()) {
        (true, true) => return Ok(()),
        (true, false) => return Err(validation(format!("The parameter {path}.MetricStat is required.\n"))),
        (false, true) => {
            return Err(validation(format!(
                "The parameters {path}.Expression and {path}.MetricStat are mutually exclusive and you have specified \
                 both.\n"
            )));
        }
        (false, false) => {}
    }
    if !is_period(stat["Period"].as_i64().unwrap_or(0)) {
        return Err(validation(format!(
            "The value {} for parameter {path}.MetricStat.Period is invalid.\n",
            stat["Period"]
        )));
    }
    let name = text(stat, "Stat");
    if Statistic::parse(name).is_none() {
        return Err(validation(format!("The value {name} for parameter {path}.MetricStat.Stat is not supported.\n")));
    }
    Ok(())
}

/// `GetMetricData`: the periods are whole ones of the clock.
pub(super) fn data(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let (start, end) = (second(request, "StartTime").unwrap_or(0), second(request, "EndTime").unwrap_or(0));
    if start > end {
        return Err(validation("The parameter EndTime must be greater than StartTime."));
    }
    if start == end {
        return Err(validation("The parameter StartTime must not equal parameter EndTime."));
    }
    let zone = labels::zone(&request["LabelOptions"]["Timezone"])?;
    let ascending = request["ScanBy"] == "TimestampAscending";
    let queries = request["MetricDataQueries"].clone();
    let mut all = Queries::new(core, &queries, start, end)?;
    let mut found = Vec::new();
    for query in queries.as_array().into_iter().flatten() {
        // What is not returned must be right all the same.
        let results = all.found(query, zone);
        if query["ReturnData"] == false {
            all.result(text(query, "Id"))?;
            continue;
        }
        found.extend(results?);
    }
    if !ascending {
        found.iter_mut().for_each(|found| found.points.reverse());
    }
    page(found, request)
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
    for Found { id, label, points, messages } in found {
        let skipped = skip.min(points.len());
        skip -= skipped;
        let taken = (points.len() - skipped).min(room);
        room -= taken;
        let complete = skipped + taken == points.len();
        let points = points.get(skipped..skipped + taken).unwrap_or_default();
        let mut result = json!({
            "Id": id,
            "Label": label,
            "Timestamps": points.iter().map(|(second, _)| *second as f64).collect::<Vec<_>>(),
            "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": if complete { "Complete" } else { "PartialData" },
        });
        if !messages.is_empty() {
            result["Messages"] = json!(messages);
        }
        results.push(result);
    }
    let mut answer = json!({"MetricDataResults": results, "Messages": []});
    if given.saturating_add(size) < total {
        answer["NextToken"] = json!(base64::encode((given + size).to_string()));
    }
    Ok(answer)
}

/// The values of one metric, as alarms see them: value and how many samples, by the period's first second.
pub(super) fn samples(
    core: &Core,
    alarm: &Value,
    statistic: &Statistic,
    (start, end): (i64, i64),
    period: i64,
) -> BTreeMap<i64, (f64, f64)> {
    let periods: BTreeMap<Moment, Summary> = Reading::new(alarm, &alarm["Unit"], start, end, period).periods(core);
    let mut found = BTreeMap::new();
    for ((second, _), summary) in periods {
        if let Some(value) = statistic.of(&summary) {
            found.entry(second).or_insert((value, summary.count));
        }
    }
    found
}
