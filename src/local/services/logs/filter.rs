//! `FilterLogEvents`: events of many streams by terms.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::store::Position;
use super::{Answer, bad_token, group_of_identifier, no_group, required};
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

/// Terms of a pattern for unstructured events.
#[derive(Debug, Default, PartialEq)]
struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
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

impl Pattern {
    /// Terms separated by spaces, phrases in double quotes; `?` before a term means "or", `-` means "not".
    fn parse(pattern: &str) -> Result<Self, AwsError> {
        let mut rest = pattern.trim();
        if rest.starts_with(['{', '[', '%']) {
            let message = "The local backend supports only terms in a filterPattern, no JSON, columns or regexes.";
            return Err(AwsError::invalid_parameter(message));
        }
        let mut terms = Self::default();
        while !rest.is_empty() {
            let bucket = match rest.as_bytes() {
                [b'?', ..] => &mut terms.any,
                [b'-', ..] => &mut terms.none,
                _ => &mut terms.all,
            };
            let body = rest.strip_prefix(['?', '-']).unwrap_or(rest);
            let (term, tail) = match body.strip_prefix('"') {
                Some(quoted) => {
                    quoted.split_once('"').ok_or_else(|| AwsError::invalid_parameter("Invalid filter pattern"))?
                }
                None => body.split_once(char::is_whitespace).unwrap_or((body, "")),
            };
            bucket.push(term.to_owned());
            rest = tail.trim_start();
        }
        Ok(terms)
    }

    fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term.as_str()))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term.as_str())))
            && !self.none.iter().any(|term| message.contains(term.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terms_are_and_or_and_not() {
        let matches = |pattern: &str, message: &str| Pattern::parse(pattern).unwrap().matches(message);
        assert!(matches("", "anything"));
        assert!(matches("ERROR \"disk full\"", "ERROR: disk full"));
        assert!(!matches("ERROR disk-full", "ERROR: disk full"));
        assert!(matches("?WARN ?ERROR", "ERROR"));
        assert!(!matches("ERROR -ignored", "ERROR ignored"));
        assert!(Pattern::parse("{ $.level = 1 }").is_err());
        assert!(Pattern::parse("\"open").is_err());
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(pattern in "\\PC{0,40}") {
            let _ = Pattern::parse(&pattern);
        }
    }
}
