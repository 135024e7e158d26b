//! List operations: filters, order and opaque tokens, the same for each kind.

use aws_smithy_types::base64;
use serde_json::{Map, Value, json};

use super::aws_error::AwsError;
use super::kinds::Row;
use super::state::{Resource, State};
use super::time::millis_of;

const DEFAULT_PAGE: usize = 10;
const MAX_PAGE: u64 = 100;

/// What a resource is sorted by: numbers before text, then in order of creation.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct SortKey {
    number: f64,
    text: String,
    id: u64,
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

    let mut found: Vec<(SortKey, Map<String, Value>)> = state
        .all(row.kind)
        .map(|resource| (resource, resource.describe(row)))
        .filter(|(resource, document)| passes(resource, document, row, request))
        .map(|(resource, document)| (sort_key(resource, &document, row, sort_by), document))
        .filter(|(key, _)| match &after {
            Some(last) if ascending => key > last,
            Some(last) => key < last,
            None => true,
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| {
        let order = a.number.total_cmp(&b.number).then_with(|| a.text.cmp(&b.text)).then_with(|| a.id.cmp(&b.id));
        if ascending { order } else { order.reverse() }
    });

    let size = page_size(request)?;
    let more = found.len() > size;
    found.truncate(size);
    let mut answer = Map::new();
    if let (true, Some((key, _))) = (more, found.last()) {
        answer.insert("NextToken".to_owned(), Value::from(write_token(&scope, key)));
    }
    let summaries = found.into_iter().map(|(_, mut document)| {
        document.retain(|member, _| row.list.members.contains(&member.as_str()));
        Value::Object(document)
    });
    answer.insert(row.list.output.to_owned(), summaries.collect());
    Ok(Value::Object(answer))
}

/// `MaxResults`, 1 to 100.
fn page_size(request: &Value) -> Result<usize, AwsError> {
    let Some(asked) = request.get("MaxResults").filter(|asked| !asked.is_null()) else { return Ok(DEFAULT_PAGE) };
    match asked.as_i64() {
        Some(size @ 1..) if size as u64 <= MAX_PAGE => Ok(size as usize),
        Some(size) => {
            let bound = if size < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
            Err(AwsError::validation(format!(
                "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: Member \
                 must have value {bound}"
            )))
        }
        None => Err(AwsError::serialization("MaxResults is not a whole number")),
    }
}

fn passes(resource: &Resource, document: &Map<String, Value>, row: &Row, request: &Value) -> bool {
    let asked = |member: &str| request.get(member).filter(|value| !value.is_null());
    let time = |member: &str| document.get(member).and_then(millis_of);
    let bounded = |member: &str| {
        let Some(at) = time(member) else {
            return asked(&format!("{member}After")).is_none() && asked(&format!("{member}Before")).is_none();
        };
        asked(&format!("{member}After")).and_then(millis_of).is_none_or(|bound| at >= bound)
            && asked(&format!("{member}Before")).and_then(millis_of).is_none_or(|bound| at <= bound)
    };
    let contains = asked("NameContains").and_then(Value::as_str).is_none_or(|part| resource.name.contains(part));
    let status = asked("StatusEquals").and_then(Value::as_str).is_none_or(|status| resource.status(row) == status);
    // No local job keeps a warm pool or belongs to a training plan.
    let nothing = asked("WarmPoolStatusEquals").is_some() || asked("TrainingPlanArnEquals").is_some();
    contains && status && !nothing && bounded("CreationTime") && bounded("LastModifiedTime")
}

fn sort_key(resource: &Resource, document: &Map<String, Value>, row: &Row, sort_by: &str) -> SortKey {
    let member = match sort_by {
        "Name" => row.name_member(),
        "Status" => row.status_member(),
        other => other.to_owned(),
    };
    let value = document.get(&member);
    SortKey {
        number: value.and_then(Value::as_f64).unwrap_or_default(),
        text: value.and_then(Value::as_str).unwrap_or_default().to_owned(),
        id: resource.id,
    }
}

/// A token says where the last page ended, so that pages stay whole while resources come and go.
fn write_token(scope: &str, key: &SortKey) -> String {
    base64::encode(json!([scope, key.number, key.text, key.id]).to_string())
}

fn read_token(token: &str, scope: &str) -> Result<SortKey, AwsError> {
    let parts = || -> Option<SortKey> {
        let parts: (String, f64, String, u64) = serde_json::from_slice(&base64::decode(token).ok()?).ok()?;
        (parts.0 == scope).then_some(SortKey { number: parts.1, text: parts.2, id: parts.3 })
    };
    parts().ok_or_else(|| AwsError::validation("The specified NextToken is invalid."))
}
