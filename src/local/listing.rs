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
use crate::api_model::{ModelShape, Service};

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
    list_some(state.all(row.kind), row, row.list.operation, request)
}

/// Answers a list operation over some resources of a kind.
pub(super) fn list_some<'a>(
    resources: impl Iterator<Item = &'a Resource>,
    row: &Row,
    operation: &str,
    request: &Value,
) -> Result<Value, AwsError> {
    let ascending = match request.get("SortOrder").and_then(Value::as_str) {
        Some(order) => order.eq_ignore_ascii_case("Ascending"),
        None => row.list.ascending,
    };
    let sort_by = request.get("SortBy").and_then(Value::as_str).unwrap_or(row.list.sort_by);
    let scope = format!("{operation} {sort_by} {ascending}");
    let after = request.get("NextToken").and_then(Value::as_str).map(|token| read_token(token, &scope)).transpose()?;
    let order = |a: &SortKey<'_>, b: &SortKey<'_>| if ascending { a.order(b) } else { b.order(a) };
    let filters = Filter::of_request(row, operation, request);

    let mut found: Vec<(SortKey<'_>, &Resource)> = resources
        .filter(|resource| filters.iter().all(|filter| filter.passes(resource, row)))
        .map(|resource| (sort_key(resource, row, sort_by), resource))
        .filter(|(key, _)| after.as_ref().is_none_or(|last| order(key, last).is_gt()))
        .collect();
    let size = page_size(request);
    let more = found.len() > size;
    if more {
        // Only the page needs an order.
        found.select_nth_unstable_by(size, |(a, _), (b, _)| order(a, b));
        found.truncate(size);
    }
    found.sort_unstable_by(|(a, _), (b, _)| order(a, b));

    let mut answer = Map::new();
    if let (true, Some((key, _))) = (more, found.last()) {
        answer.insert("NextToken".to_owned(), Value::from(write_token(&scope, key)));
    }
    if let Some((output, summary)) = summaries(operation) {
        let documents =
            found.iter().map(|(_, resource)| Value::Object(summary.project_members(&resource.document(row))));
        answer.insert(output.to_owned(), documents.collect());
    }
    Ok(Value::Object(answer))
}

/// One page of what is in order already, by position.
pub(super) fn page(operation: &str, items: &[Value], request: &Value) -> Result<Value, AwsError> {
    page_of(operation, items, request, Value::clone)
}

/// [`page`] of what takes its form only when it is on the page.
pub(super) fn page_of<T>(
    operation: &str,
    items: &[T],
    request: &Value,
    form: impl Fn(&T) -> Value,
) -> Result<Value, AwsError> {
    let start = match request.get("NextToken").and_then(Value::as_str) {
        Some(token) => read_token(token, operation)?.id as usize,
        None => 0,
    };
    let end = start.saturating_add(page_size(request)).min(items.len());
    let mut answer = Map::new();
    if end < items.len() {
        let key = SortKey { number: 0.0, text: Cow::Borrowed(""), id: end as u64 };
        answer.insert("NextToken".to_owned(), Value::from(write_token(operation, &key)));
    }
    if let Some((output, _)) = summaries(operation) {
        let page = items.get(start..end).unwrap_or_default();
        answer.insert(output.to_owned(), page.iter().map(form).collect());
    }
    Ok(Value::Object(answer))
}

/// The member of a list operation's answer that holds the summaries, and the form of a summary.
pub(super) fn summaries(operation: &str) -> Option<(&'static str, ModelShape)> {
    let mut members = ModelShape::output(Service::SageMaker, operation)?.members();
    members.find_map(|(member, shape)| Some((member.name, shape.element()?)))
}

fn page_size(request: &Value) -> usize {
    // The model says that it is 1 to 100.
    request.get("MaxResults").and_then(Value::as_f64).map_or(DEFAULT_PAGE, |size| size.max(1.0) as usize)
}

/// One filter of a request.
enum Filter<'a> {
    Name(&'a str),
    Created(Bound),
    Modified(Bound),
    Status(&'a str),
    /// The member at a path is a time between these.
    Between(&'a str, Bound),
    /// The member at a path has this value.
    Equals(&'a str, &'a Value),
    /// The member at a path contains this text.
    Contains(&'a str, &'a str),
}

/// Times in milliseconds between which another must be.
struct Bound(f64, f64);

impl Bound {
    /// The bound of a filter such as `CreationTimeAfter`.
    fn of(filter: &str, value: &Value) -> Option<Self> {
        let at = millis_of(value)?;
        Some(if filter.ends_with("After") { Self(at, f64::INFINITY) } else { Self(f64::NEG_INFINITY, at) })
    }

    fn holds(&self, at: f64) -> bool {
        self.0 <= at && at <= self.1
    }
}

impl<'a> Filter<'a> {
    /// The filters of a request follow from the names of its members. What the model does not declare is no filter: AWS
    /// ignores unknown members.
    fn of_request(row: &'a Row, operation: &str, request: &'a Value) -> Vec<Self> {
        let declared = ModelShape::input(Service::SageMaker, operation);
        let members = request.as_object().into_iter().flatten().filter(|(member, value)| {
            !value.is_null() && declared.is_none_or(|declared| declared.member(member).is_some())
        });
        members.filter_map(|(member, value)| Self::of(row, member, value)).collect()
    }

    fn of(row: &'a Row, member: &'a str, value: &'a Value) -> Option<Self> {
        if let Some((_, path)) = row.list.filters.iter().find(|(name, _)| *name == member) {
            if member.ends_with("After") || member.ends_with("Before") {
                return Some(Self::Between(path, Bound::of(member, value)?));
            }
            return Some(match value.as_str() {
                Some(part) if member.ends_with("Contains") || member.ends_with("Prefix") => Self::Contains(path, part),
                _ => Self::Equals(path, value),
            });
        }
        if let Some(kind) = member.strip_suffix("After").or_else(|| member.strip_suffix("Before")) {
            let bound = Bound::of(member, value)?;
            let modified = kind.contains("Modified");
            return Some(if modified { Self::Modified(bound) } else { Self::Created(bound) });
        }
        if member == "NameContains" || member.strip_suffix("Contains") == Some(row.title) {
            return Some(Self::Name(value.as_str()?));
        }
        match member {
            "NextToken"
            | "MaxResults"
            | "SortBy"
            | "SortOrder"
            | "CrossAccountFilterOption"
            | "IncludeNodeLogicalIds" => None,
            "TrainingPlanArnEquals" => Some(Self::Equals("ResourceConfig.TrainingPlanArn", value)),
            "WarmPoolStatusEquals" => Some(Self::Equals("WarmPoolStatus.Status", value)),
            "StatusEquals" | "Status" => Some(Self::Status(value.as_str()?)),
            _ => Some(match (member.strip_suffix("Contains"), value.as_str()) {
                (Some(path), Some(part)) => Self::Contains(path, part),
                _ => Self::Equals(member.strip_suffix("Equals").unwrap_or(member), value),
            }),
        }
    }

    fn passes(&self, resource: &Resource, row: &Row) -> bool {
        let within = |bound: &Bound, at: SystemTime| millis_of(&timestamp(at)).is_some_and(|at| bound.holds(at));
        match self {
            Self::Name(part) => resource.name.contains(part),
            Self::Created(bound) => within(bound, resource.created),
            Self::Modified(bound) => within(bound, resource.modified),
            Self::Status(status) => resource.status(row) == *status,
            Self::Between(path, bound) => resource.member(path).and_then(millis_of).is_some_and(|at| bound.holds(at)),
            Self::Equals(path, value) => resource.member(path) == Some(value),
            Self::Contains(path, part) => {
                resource.member(path).and_then(Value::as_str).is_some_and(|text| text.contains(part))
            }
        }
    }
}

fn sort_key<'a>(resource: &'a Resource, row: &Row, sort_by: &str) -> SortKey<'a> {
    let member = |path: &str| match resource.member(path) {
        Some(Value::String(text)) => (0.0, text.as_str()),
        Some(Value::Number(number)) => (number.as_f64().unwrap_or_default(), ""),
        _ => (0.0, ""),
    };
    let (number, text) = match sort_by {
        "Name" | "NAME" => (0.0, resource.name.as_str()),
        "Status" | "STATUS" => (0.0, resource.status(row)),
        "LastModifiedTime" | "LAST_MODIFIED_TIME" => (millis(resource.modified) as f64, ""),
        "CreationTime" | "CREATION_TIME" | "CreateDate" => (millis(resource.created) as f64, ""),
        "MODEL_NAME" => member("ModelName"),
        "DEVICE_FLEET_NAME" => member("DeviceFleetName"),
        _ if sort_by == row.title || sort_by == "IMAGE_NAME" => (0.0, resource.name.as_str()),
        name => member(name),
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
