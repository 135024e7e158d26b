//! `FilterLogEvents`: events of many streams by a pattern.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::pattern::Pattern;
use super::store::Position;
use super::{Answer, bad_token, group_of_identifier, no_group, no_stream, required};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn filter(core: &Core, request: Filter) -> Answer {
    let identifier = request.log_group_identifier.as_deref().map(group_of_identifier);
    let group = match identifier {
        Some(name) => name,
        None => required(request.log_group_name.as_ref(), "logGroupName")?,
    };
    if request.log_stream_names.is_some() && request.log_stream_name_prefix.is_some() {
        let message = "LogStreamNamePrefix and LogStreamNames cannot both be specified";
        return Err(AwsError::invalid_parameter(message));
    }
    let size = request.limit.unwrap_or(10_000);
    let pattern = Pattern::parse(request.filter_pattern.as_deref().unwrap_or_default())?;
    let after = request.next_token.as_deref().map(|token| read_token(token).ok_or_else(bad_token)).transpose()?;
    let prefix = request.log_stream_name_prefix.as_deref().unwrap_or_default();
    let wanted = |name: &str| {
        let listed = request.log_stream_names.as_ref().is_none_or(|names| names.iter().any(|listed| listed == name));
        listed && name.starts_with(prefix)
    };
    let in_time =
        |at: i64| request.start_time.is_none_or(|start| at >= start) && request.end_time.is_none_or(|end| at <= end);
    core.logs.read(|groups| {
        let streams = &groups.get(group).ok_or_else(no_group)?.streams;
        let named = request.log_stream_names.iter().flatten();
        if !core.is_lenient() && named.clone().any(|name| !streams.contains_key(name)) {
            return Err(no_stream());
        }
        let mut found: Vec<_> = streams
            .iter()
            .filter(|(name, _)| wanted(name))
            .flat_map(|(name, stream)| {
                stream.events.iter().map(move |(at, event)| ((at.0, name.as_str(), at.1), event))
            })
            .filter(|((at, _, _), event)| in_time(*at) && pattern.matches(&event.message))
            .filter(|(key, _)| after.as_ref().is_none_or(|(at, name)| *key > (at.0, name.as_str(), at.1)))
            .collect();
        found.sort_by_key(|(key, _)| *key);
        let more = found.len() > size;
        found.truncate(size);
        let mut answer = Map::new();
        if let (true, Some(((at, name, number), _))) = (more, found.last()) {
            answer.insert("nextToken".to_owned(), json!(write_token((*at, *number), name)));
        }
        let event = |((at, name, number), event): ((i64, &str, u64), &super::store::Event)| {
            json!({
                "eventId": format!("{at:020}{number:036}"),
                "logStreamName": name,
                "timestamp": at,
                "message": event.message,
                "ingestionTime": event.ingested,
            })
        };
        answer.insert("events".to_owned(), found.into_iter().map(event).collect());
        answer.insert("searchedLogStreams".to_owned(), json!([]));
        Ok(Value::Object(answer))
    })
}

fn write_token(at: Position, name: &str) -> String {
    aws_smithy_types::base64::encode(json!([at.0, at.1, name]).to_string())
}

fn read_token(token: &str) -> Option<(Position, String)> {
    let bytes = aws_smithy_types::base64::decode(token).ok()?;
    let (time, number, name): (i64, u64, String) = serde_json::from_slice(&bytes).ok()?;
    Some(((time, number), name))
}
