//! List operations: filters, order and opaque tokens, the same for each kind.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::SystemTime;

use aws_smithy_types::base64;
use serde_json::{Map, Value, json};

use super::aws_error::AwsError;
use super::kinds::Row;
use super::state::{Resource, State};
use super::time::{millis, millis_of, timestamp};

const DEFAULT_PAGE: usize = 10;

/// What a resource is sorted by: numbers before text, then in order of creation.
#[derive(Debug)]
struct SortKey<'a> {
    number: f64,
    text: Cow<'a, str>,
    id: u64,
}

impl SortKey<'_> {
    fn order(&self, other: &SortKey<'_>) -> Ordering {
        let by_value = self.number.total_cmp(&other.number).then_with(|| self.text.cmp(&other.text));
        by_value.then(self.id.cmp(&other.id))
    }
}

/// Answers `List..` of a kind.
pub(super) fn list(state: &State, row: &Row, request: &Value) -> Result<Value, AwsError> {
    let ascending = match request.get("SortOrder").and_then(Value::as_str) {
        Some(order) => order == "Ascending",
        None => row.list.ascending,
    };
    let sort_by = request.get("SortBy").and_then(Value::as_str).unwrap_or(row.list.sort_by);
    let scope = format!("{} {sort_by} {ascending}", row.list.operation);
    let after = request.get("NextToken").and_then(Value::as_str).map(|token| read_token(token, &scope)).transpose()?;
    let order = |a: &SortKey<'_>, b: &SortKey<'_>| if ascending { a.order(b) } else { b.order(a) };

    let mut found: Vec<(SortKey<'_>, &Resource)> = state
        .all(row.kind)
        .filter(|resource| passes(resource, row, request))
        .map(|resource| (sort_key(resource, row, sort_by), resource))
        .filter(|(key, _)| after.as_ref().is_none_or(|last| order(key, last).is_gt()))
        .collect();
    found.sort_by(|(a, _), (b, _)| order(a, b));

    // The model says that it is 1 to 100.
    let size = request.get("MaxResults").and_then(Value::as_f64).map_or(DEFAULT_PAGE, |size| size as usize);
    let more = found.len() > size;
    found.truncate(size);
    let mut answer = Map::new();
    if let (true, Some((key, _))) = (more, found.last()) {
        answer.insert("NextToken".to_owned(), Value::from(write_token(&scope, key)));
    }
    let summaries = found.iter().map(|(_, resource)| summary(resource, row));
    answer.insert(row.list.output.to_owned(), summaries.collect());
    Ok(Value::Object(answer))
}

fn summary(resource: &Resource, row: &Row) -> Value {
    let mut document = resource.describe(row);
    document.insert("LastModifiedTime".to_owned(), timestamp(resource.modified));
    document.retain(|member, _| row.list.members.contains(&member.as_str()));
    Value::Object(document)
}

fn passes(resource: &Resource, row: &Row, request: &Value) -> bool {
    let asked = |member: &str| request.get(member).filter(|value| !value.is_null());
    let bounded = |member: &str, at: SystemTime| {
        let at = millis_of(&timestamp(at)).unwrap_or_default();
        asked(&format!("{member}After")).and_then(millis_of).is_none_or(|bound| at >= bound)
            && asked(&format!("{member}Before")).and_then(millis_of).is_none_or(|bound| at <= bound)
    };
    let contains = asked("NameContains").and_then(Value::as_str).is_none_or(|part| resource.name.contains(part));
    let status = asked("StatusEquals").and_then(Value::as_str).is_none_or(|status| resource.status(row) == status);
    // No local job keeps a warm pool or belongs to a training plan.
    let nothing = asked("WarmPoolStatusEquals").is_some() || asked("TrainingPlanArnEquals").is_some();
    let of = |filter: &str, member: &str| {
        let value = || resource.request.get(member).or_else(|| resource.state.get(member));
        asked(filter).is_none_or(|wanted| value() == Some(wanted))
    };
    contains
        && status
        && of("EndpointNameEquals", "EndpointName")
        && of("VariantNameEquals", "VariantName")
        && !nothing
        && bounded("CreationTime", resource.created)
        && bounded("LastModifiedTime", resource.modified)
}

fn sort_key<'a>(resource: &'a Resource, row: &Row, sort_by: &str) -> SortKey<'a> {
    let (number, text) = match sort_by {
        "Name" => (0.0, resource.name.as_str()),
        "Status" => (0.0, resource.status(row)),
        "LastModifiedTime" => (millis(resource.modified) as f64, ""),
        _ => (millis(resource.created) as f64, ""),
    };
    SortKey { number, text: Cow::Borrowed(text), id: resource.id }
}

/// A token says where the last page ended, so that pages stay whole while resources come and go.
fn write_token(scope: &str, key: &SortKey<'_>) -> String {
    base64::encode(json!([scope, key.number, key.text, key.id]).to_string())
}

fn read_token(token: &str, scope: &str) -> Result<SortKey<'static>, AwsError> {
    let parts = || -> Option<SortKey<'static>> {
        let parts: (String, f64, String, u64) = serde_json::from_slice(&base64::decode(token).ok()?).ok()?;
        (parts.0 == scope).then_some(SortKey { number: parts.1, text: Cow::Owned(parts.2), id: parts.3 })
    };
    parts().ok_or_else(|| AwsError::validation("The specified NextToken is invalid."))
}
