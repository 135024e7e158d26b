//! Writing and reading the events of a stream.

use std::ops::Bound;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::store::{EVENT_OVERHEAD, Event, Position, Stream};
use super::{Answer, bad_token, group_of_identifier, metric_filters, no_group, no_stream, required};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

const MAX_BATCH_BYTES: usize = 1_048_576;
const MAX_PAGE_BYTES: usize = 1_048_576;
const MAX_PAGE: usize = 10_000;
const HOUR: i64 = 3_600_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputEvent>,
}

#[derive(Deserialize)]
struct InputEvent {
    timestamp: i64,
    message: String,
}

/// `PutLogEvents`: too old and too new events are rejected one by one, the rest is kept. Sequence tokens are ignored.
pub(super) fn put(core: &Core, request: Put) -> Answer {
    let events = request.log_events;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        let message = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(AwsError::invalid_parameter(message));
    }
    let size: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum();
    if size > MAX_BATCH_BYTES {
        let message = format!("Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}");
        return Err(AwsError::invalid_parameter(message));
    }
    let count = events.len();
    // Under the lock, as for lines that containers print.
    let (now, expired, too_old, too_new) = core.logs.change(core, |groups| {
        let now = millis(core.clock.now());
        let group = groups.get_mut(&request.log_group_name).ok_or_else(no_group)?;
        let kept = group.settings.retention.unwrap_or(i64::MAX / (24 * HOUR));
        let stream = group.streams.get_mut(&request.log_stream_name).ok_or_else(no_stream)?;
        let expired = events.partition_point(|event| event.timestamp < now.saturating_sub(kept * 24 * HOUR));
        let too_old = events.partition_point(|event| event.timestamp < now - 14 * 24 * HOUR);
        let too_new = events.partition_point(|event| event.timestamp <= now + 2 * HOUR);
        let filters = &group.settings.metric_filters;
        for event in events.into_iter().take(too_new).skip(too_old.max(expired)) {
            metric_filters::observe(core, filters, event.timestamp, &event.message);
            let position = stream.append(event.timestamp, now, event.message);
            core.logs.journal.event(&request.log_group_name, &request.log_stream_name, stream, position);
        }
        Ok((now, expired, too_old, too_new))
    })?;
    let mut rejected = Map::new();
    if expired > 0 {
        rejected.insert("expiredLogEventEndIndex".to_owned(), json!(expired));
    }
    if too_old > 0 {
        rejected.insert("tooOldLogEventEndIndex".to_owned(), json!(too_old));
    }
    if too_new < count {
        rejected.insert("tooNewLogEventStartIndex".to_owned(), json!(too_new));
    }
    let mut answer = Map::new();
    answer.insert("nextSequenceToken".to_owned(), json!(format!("{now:056}")));
    if !rejected.is_empty() {
        answer.insert("rejectedLogEventsInfo".to_owned(), Value::Object(rejected));
    }
    Ok(Value::Object(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    start_from_head: Option<bool>,
    limit: Option<usize>,
    next_token: Option<String>,
}

/// Where a page begins and which way it goes.
enum Token {
    /// Events after this position.
    Forward(Position),
    /// Events before this position.
    Backward(Position),
}

/// `GetLogEvents`: both tokens are always there, and at the end the same token comes back.
pub(super) fn get(core: &Core, request: Get) -> Answer {
    let identifier = request.log_group_identifier.as_deref().map(group_of_identifier);
    let group = match identifier {
        Some(name) => name,
        None => required(request.log_group_name.as_ref(), "logGroupName")?,
    };
    let name = &request.log_stream_name;
    let size = request.limit.unwrap_or(MAX_PAGE);
    let head = request.start_from_head.unwrap_or(false);
    // Positions of equal time begin with 1: a zero is before them.
    let start: Position = (request.start_time.unwrap_or(i64::MIN), 0);
    let end: Position = (request.end_time.unwrap_or(i64::MAX), 0);
    let token = match request.next_token.as_deref().map(read_token) {
        None if head => Token::Forward(start),
        None => Token::Backward(end),
        Some(Some(Token::Forward(_))) if !head => {
            let message = "The specified nextToken is invalid: a forward token requires startFromHead to be true.";
            return Err(AwsError::invalid_parameter(message));
        }
        Some(token) => token.ok_or_else(bad_token)?,
    };
    core.logs.read(|groups| {
        let stream = groups.get(group).ok_or_else(no_group)?.streams.get(name).ok_or_else(no_stream)?;
        let page = page(stream, &token, start, end, size);
        let (first, last) = match (page.first(), page.last()) {
            (Some((first, _)), Some((last, _))) => (**first, **last),
            // Nothing there: both tokens point to where this page looked.
            _ => match token {
                Token::Forward(at) => ((at.0, at.1.saturating_add(1)), at),
                Token::Backward(at) if request.next_token.is_some() => (at, (at.0, at.1.saturating_sub(1))),
                Token::Backward(_) => (start, start),
            },
        };
        let events: Vec<Value> = page
            .iter()
            .map(|(at, event)| json!({"timestamp": at.0, "message": event.message, "ingestionTime": event.ingested}))
            .collect();
        Ok(json!({
            "events": events,
            "nextForwardToken": write_token('f', last),
            "nextBackwardToken": write_token('b', first),
        }))
    })
}

/// The events of a page in order of time, at most `size` and about 1 MB.
fn page<'a>(
    stream: &'a Stream,
    token: &Token,
    start: Position,
    end: Position,
    size: usize,
) -> Vec<(&'a Position, &'a Event)> {
    let mut room = MAX_PAGE_BYTES;
    let mut fits = |event: &Event| {
        let size = event.message.len() + EVENT_OVERHEAD;
        let first = room == MAX_PAGE_BYTES;
        let fits = first || size <= room;
        room = room.saturating_sub(size);
        fits
    };
    match token {
        Token::Forward(after) => {
            let from = (*after).max(start);
            if from >= end {
                return Vec::new();
            }
            let range = stream.events.range((Bound::Excluded(from), Bound::Excluded(end)));
            range.take(size).take_while(|(_, event)| fits(event)).collect()
        }
        Token::Backward(before) => {
            let to = (*before).min(end);
            if start >= to {
                return Vec::new();
            }
            let range = stream.events.range((Bound::Included(start), Bound::Excluded(to))).rev();
            let mut page: Vec<_> = range.take(size).take_while(|(_, event)| fits(event)).collect();
            page.reverse();
            page
        }
    }
}

/// Tokens look like those of AWS: `f/` or `b/`, many digits, `/s`.
fn write_token(direction: char, (time, number): Position) -> String {
    // Times may be negative (no start time): shifted, so that there are only digits.
    let time = i128::from(time) - i128::from(i64::MIN);
    format!("{direction}/{time:020}{number:020}/s")
}

fn read_token(token: &str) -> Option<Token> {
    let (direction, rest) = token.split_at_checked(2)?;
    let digits = rest.strip_suffix("/s").filter(|digits| digits.len() == 40)?;
    let (time, number) = digits.split_at_checked(20)?;
    let time: i128 = time.parse().ok()?;
    let at = (i64::try_from(time + i128::from(i64::MIN)).ok()?, number.parse().ok()?);
    match direction {
        "f/" => Some(Token::Forward(at)),
        "b/" => Some(Token::Backward(at)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tokens_survive_the_round_trip(time: i64, number: u64) {
            let forward = matches!(read_token(&write_token('f', (time, number))), Some(Token::Forward(at)) if at == (time, number));
            let backward = matches!(read_token(&write_token('b', (time, number))), Some(Token::Backward(at)) if at == (time, number));
            prop_assert!(forward && backward);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", digits in "[fb]/[0-9+-]{40}/s") {
            let _ = (read_token(&text), read_token(&digits));
        }
    }
}
