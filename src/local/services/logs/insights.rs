//! Logs Insights: the plain part of its query language. A query is answered when it is started.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::store::Position;
use super::{Answer, bad_token, group_of_identifier};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::{date_time_of, epoch};

mod condition;
mod query;
mod stats;

use query::Query;

/// How many queries are remembered.
const MAX_QUERIES: usize = 100;
/// How many rows a query gives unless it says otherwise.
const DEFAULT_LIMIT: usize = 10_000;
/// How many groups a query may read.
const MAX_GROUPS: usize = 50;

/// Queries and their results, newest last.
#[derive(Debug, Default)]
pub(in crate::local) struct QueryStore(Mutex<VecDeque<Finished>>);

#[derive(Debug)]
struct Finished {
    id: String,
    text: String,
    group: String,
    groups: Vec<String>,
    created: SystemTime,
    rows: Vec<Row>,
    matched: usize,
    scanned: usize,
    bytes: usize,
}

/// The fields of a row, in the order in which they are shown.
type Row = Vec<(String, String)>;

/// An event, as queries see it.
struct Record<'a> {
    group: &'a str,
    stream: &'a str,
    at: Position,
    ingested: i64,
    message: &'a str,
    /// What the message is as JSON, if it is.
    json: Option<Value>,
    /// What `parse` and `fields .. as` have named.
    named: BTreeMap<String, String>,
}

impl Record<'_> {
    /// A field's text; `None` if the event has no such field.
    fn field(&self, core: &Core, name: &str) -> Option<String> {
        if let Some(value) = self.named.get(name) {
            return Some(value.clone());
        }
        Some(match name {
            "@timestamp" => date(self.at.0),
            "@ingestionTime" => date(self.ingested),
            "@message" => self.message.to_owned(),
            "@logStream" => self.stream.to_owned(),
            "@log" => format!("{}:{}", core.place.account, self.group),
            "@ptr" => {
                aws_smithy_types::base64::encode(format!("{}/{}/{}/{}", self.group, self.stream, self.at.0, self.at.1))
            }
            path => {
                let steps = || path.split('.');
                let found = steps().try_fold(self.json.as_ref()?, |value, step| match step.parse::<usize>() {
                    Ok(number) => value.get(step).or_else(|| value.get(number)),
                    Err(_) => value.get(step),
                })?;
                found.as_str().map_or_else(|| found.to_string(), str::to_owned)
            }
        })
    }
}

/// `2026-01-31 08:05:09.042`.
fn date(millis: i64) -> String {
    date_time_of(millis).replace('T', " ")
}

impl QueryStore {
    fn queries(&self) -> MutexGuard<'_, VecDeque<Finished>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::local) fn reset(&self) {
        self.queries().clear();
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    log_group_name: Option<String>,
    log_group_names: Option<Vec<String>>,
    log_group_identifiers: Option<Vec<String>>,
    query_language: Option<String>,
    start_time: i64,
    end_time: i64,
    query_string: String,
    limit: Option<usize>,
}

/// `StartQuery`: the times are seconds, or milliseconds if they are that large.
pub(super) fn start(core: &Core, request: Start) -> Answer {
    if request.query_language.is_some_and(|language| language != "CWLI") {
        return Err(AwsError::invalid_parameter("The local backend supports only the query language CWLI."));
    }
    let listed = [request.log_group_names, request.log_group_identifiers].into_iter().flatten().flatten();
    let mut groups: Vec<String> = request.log_group_name.into_iter().chain(listed).collect();
    for group in &mut groups {
        *group = group_of_identifier(group).to_owned();
    }
    if groups.is_empty() || groups.len() > MAX_GROUPS {
        let message = format!("A query must name 1 to {MAX_GROUPS} log groups.");
        return Err(AwsError::invalid_parameter(message));
    }
    let millis = |time: i64| if time > 100_000_000_000 { time } else { time.saturating_mul(1000) };
    let (from, to) = (millis(request.start_time), millis(request.end_time).saturating_add(999));
    if from > to {
        let message = "Query's end date and time is either before the log groups creation time or exceeds the log groups \
                       log retention settings.";
        return Err(malformed_with(message, 0, 0));
    }
    let query = Query::parse(&request.query_string)?;
    let source = groups.join("\", \"");
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    let mut finished = core.logs.read(|all| {
        let (mut scanned, mut bytes) = (0, 0);
        let mut records = Vec::new();
        for name in &groups {
            let group = all.get(name).ok_or_else(|| missing_group(core, name))?;
            for (stream, events) in &group.streams {
                for (at, event) in events.events.range((from, 0)..(to, u64::MAX)) {
                    (scanned, bytes) = (scanned + 1, bytes + event.message.len());
                    records.push(Record {
                        group: name,
                        stream,
                        at: *at,
                        ingested: event.ingested,
                        message: &event.message,
                        json: serde_json::from_str(&event.message).ok().filter(Value::is_object),
                        named: BTreeMap::new(),
                    });
                }
            }
        }
        let (rows, matched) = query.run(core, records, limit);
        Ok(Finished {
            id: core.unique_id(),
            text: format!("SOURCE \"{source}\" START={from} END={to} | {}", request.query_string),
            group: groups.first().cloned().unwrap_or_default(),
            groups: groups.clone(),
            created: core.clock.now(),
            rows,
            matched,
            scanned,
            bytes,
        })
    })?;
    finished.rows.shrink_to_fit();
    let id = finished.id.clone();
    let mut queries = core.queries.queries();
    queries.push_back(finished);
    if queries.len() > MAX_QUERIES {
        queries.pop_front();
    }
    Ok(json!({"queryId": id}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Results {
    query_id: String,
    next_token: Option<String>,
    max_items: Option<usize>,
}

/// The words of the service behind the service.
fn missing_group(core: &Core, name: &str) -> AwsError {
    let message = format!(
        "Log group '{name}' does not exist for account ID '{}' (Service: AWSLogs; Status Code: 400; Error Code: \
         ResourceNotFoundException; Request ID: {}; Proxy: null)",
        core.place.account,
        core.unique_id()
    );
    AwsError::new(400, "ResourceNotFoundException", message)
}

fn no_query() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified query does not exist.")
}

/// `GetQueryResults`.
pub(super) fn results(core: &Core, request: Results) -> Answer {
    let queries = core.queries.queries();
    let query = queries.iter().find(|query| query.id == request.query_id).ok_or_else(no_query)?;
    let start = match &request.next_token {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| bad_token())?,
    };
    let end =
        start.saturating_add(request.max_items.filter(|size| *size > 0).unwrap_or(DEFAULT_LIMIT)).min(query.rows.len());
    let field = |(field, value): &(String, String)| json!({"field": field, "value": value});
    let row = |row: &Row| row.iter().map(field).collect::<Value>();
    let mut answer = Map::new();
    answer.insert("queryLanguage".to_owned(), json!("CWLI"));
    answer.insert("results".to_owned(), query.rows.get(start..end).unwrap_or_default().iter().map(row).collect());
    answer.insert(
        "statistics".to_owned(),
        json!({
            "recordsMatched": query.matched as f64,
            "recordsScanned": query.scanned as f64,
            "bytesScanned": query.bytes as f64,
        }),
    );
    answer.insert("status".to_owned(), json!("Complete"));
    if end < query.rows.len() {
        answer.insert("nextToken".to_owned(), json!(end.to_string()));
    }
    Ok(Value::Object(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Groups {
    query_id: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// `ListLogGroupsForQuery`.
pub(super) fn groups(core: &Core, request: Groups) -> Answer {
    let queries = core.queries.queries();
    let query = queries.iter().find(|query| query.id == request.query_id).ok_or_else(no_query)?;
    let found = query.groups.iter().map(|name| (name.clone(), json!(name))).collect();
    let size = request.max_results.unwrap_or(500);
    super::page(found, false, "logGroupIdentifiers", size, request.next_token.as_deref())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pointed {
    log_record_pointer: String,
}

/// `GetLogRecord`: all fields of the event that a result's `@ptr` points to.
pub(super) fn record(core: &Core, request: Pointed) -> Answer {
    let invalid = || AwsError::invalid_parameter("The specified logRecordPointer is invalid.");
    let pointer = aws_smithy_types::base64::decode(&request.log_record_pointer).ok();
    let pointer = pointer.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    // The names of groups and streams may hold slashes, the numbers at the end may not.
    let mut parts = pointer.rsplitn(3, '/');
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (Some(arrived), Some(time)) = (number(), number()) else { return Err(invalid()) };
    let names = parts.next().ok_or_else(invalid)?;
    let at = (time, u64::try_from(arrived).map_err(|_| invalid())?);
    core.logs.read(|groups| {
        let slashes = names.match_indices('/').map(|(slash, _)| names.split_at(slash));
        let mut found = slashes.filter_map(|(group, stream)| {
            let stream = stream.get(1..)?;
            Some((group, stream, groups.get(group)?.streams.get(stream)?.events.get(&at)?))
        });
        let (group, stream, event) = found.next().ok_or_else(|| {
            AwsError::new(400, "ResourceNotFoundException", "The specified log record does not exist.")
        })?;
        let json = serde_json::from_str(&event.message).ok().filter(Value::is_object);
        let mut fields = Map::new();
        if let Some(Value::Object(document)) = &json {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.extend(document.iter().map(|(name, value)| (name.clone(), Value::from(text(value)))));
        }
        for (name, value) in [
            ("@timestamp", at.0.to_string()),
            ("@ingestionTime", event.ingested.to_string()),
            ("@message", event.message.clone()),
            ("@logStream", stream.to_owned()),
            ("@log", format!("{}:{group}", core.place.account)),
        ] {
            fields.insert(name.to_owned(), Value::from(value));
        }
        Ok(json!({"logRecord": fields}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stop {
    query_id: String,
}

/// `StopQuery`: all queries have ended when somebody could stop them.
pub(super) fn stop(core: &Core, request: Stop) -> Answer {
    let known = core.queries.queries().iter().any(|query| query.id == request.query_id);
    if !known {
        return Err(no_query());
    }
    let message = format!("Query {} is not in a running or scheduled state.", request.query_id);
    Err(AwsError::invalid_parameter(message))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: Option<String>,
    status: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// `DescribeQueries`, newest first.
pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    let queries = core.queries.queries();
    let start = match &request.next_token {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| bad_token())?,
    };
    let complete = request.status.as_deref().is_none_or(|status| status == "Complete");
    let wanted = |query: &&Finished| {
        complete && request.log_group_name.as_deref().is_none_or(|name| group_of_identifier(name) == query.group)
    };
    let found: Vec<&Finished> = queries.iter().rev().filter(wanted).collect();
    let end = start.saturating_add(request.max_results.unwrap_or(1000)).min(found.len());
    let info = |query: &&Finished| {
        json!({
            "queryLanguage": "CWLI",
            "queryId": query.id,
            "queryString": query.text,
            "status": "Complete",
            "createTime": epoch(query.created) * 1000,
            "logGroupName": query.group,
        })
    };
    let mut answer = json!({"queries": found.get(start..end).unwrap_or_default().iter().map(info).collect::<Value>()});
    if end < found.len() {
        answer["nextToken"] = json!(end.to_string());
    }
    Ok(answer)
}

/// A query that cannot be read, or that says more than is supported.
fn malformed(message: &str, query: &str, part: &str) -> AwsError {
    let start = query.find(part).unwrap_or(0);
    malformed_with(message, start, start + part.len())
}

fn malformed_with(message: &str, start: usize, end: usize) -> AwsError {
    let error = json!({"location": {"startCharOffset": start, "endCharOffset": end}, "message": message});
    AwsError::new(400, "MalformedQueryException", message).with("queryCompileError", error)
}

#[cfg(fuzzing)]
pub(super) fn expression(text: &str) {
    let _ = query::Query::parse(text);
}

#[cfg(test)]
mod tests;
