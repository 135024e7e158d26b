//! Tags of any resource, by ARN.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Own, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds;
use crate::local::state::{Resource, State, read_tags};

pub(super) static OPERATIONS: &[Own] = &[
    ("AddTags", |core, request| add(core, request)),
    ("ListTags", |core, request| list(core, request)),
    ("DeleteTags", |core, request| delete(core, request)),
];

const MAX_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    resource_arn: String,
    tags: Option<Value>,
    #[serde(default)]
    tag_keys: Vec<String>,
    next_token: Option<String>,
}

/// Refuses tags that no request may have, whatever it is for.
pub(super) fn check(request: &Value) -> Result<(), AwsError> {
    let tags = request.get("Tags");
    check_reserved(tags)?;
    let mut seen = BTreeSet::new();
    if keys(tags).all(|key| seen.insert(key)) { Ok(()) } else { Err(AwsError::validation("Duplicate tag key")) }
}

fn check_reserved(tags: Option<&Value>) -> Result<(), AwsError> {
    match keys(tags).find(|key| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))) {
        Some(key) => Err(AwsError::validation(format!(
            "Tag key \"{key}\" is reserved: keys that begin with aws: are for AWS use only."
        ))),
        None => Ok(()),
    }
}

fn keys(tags: Option<&Value>) -> impl Iterator<Item = &str> {
    tags.and_then(Value::as_array).into_iter().flatten().filter_map(|tag| tag.get("Key")?.as_str())
}

/// `AddTags`: new values replace old ones.
fn add(core: &Core, request: &Value) -> Answer {
    let request: Request = parse(request)?;
    check_reserved(request.tags.as_ref())?;
    let new = read_tags(request.tags.as_ref());
    core.change(|state| {
        let resource = find(core, state, &request.resource_arn)?;
        let mut tags = resource.tags.clone();
        tags.extend(new);
        if tags.len() > MAX_TAGS {
            let message = format!("A resource has at most {MAX_TAGS} tags.");
            return Err(AwsError::new(400, "ResourceLimitExceeded", message));
        }
        resource.set_tags(core.clock.now(), tags);
        Ok(json!({"Tags": pairs(&resource.tags)}))
    })
}

/// `ListTags`.
fn list(core: &Core, request: &Value) -> Answer {
    let request: Request = parse(request)?;
    let mut state = core.state();
    let resource = find(core, &mut state, &request.resource_arn)?;
    let tags = match core.faults.tags_lag(&resource.name) {
        Some(lag) => {
            let then = core.clock.now().checked_sub(lag).and_then(|then| resource.tags_at(then));
            then.map(pairs).unwrap_or_default()
        }
        None => pairs(&resource.tags),
    };
    // A resource has no more tags than the smallest page holds: there never was a token.
    if request.next_token.is_some() {
        return Err(AwsError::validation("The specified NextToken is invalid."));
    }
    let mut answer = Map::new();
    answer.insert("Tags".to_owned(), Value::Array(tags));
    Ok(Value::Object(answer))
}

/// `DeleteTags`.
fn delete(core: &Core, request: &Value) -> Answer {
    let request: Request = parse(request)?;
    core.change(|state| {
        let resource = find(core, state, &request.resource_arn)?;
        let mut tags = resource.tags.clone();
        tags.retain(|key, _| !request.tag_keys.contains(key));
        resource.set_tags(core.clock.now(), tags);
        Ok(json!({}))
    })
}

/// The resource of an ARN. A lenient backend forgives another account, and a name as it was given where ARNs have it in
/// lower case.
fn find<'a>(core: &Core, state: &'a mut State, arn: &str) -> Result<&'a mut Resource, AwsError> {
    let forgiven = match (core.is_lenient(), arn.splitn(6, ':').nth(5)) {
        (true, Some(resource)) if state.by_arn(arn).is_none() => {
            let (as_given, lower) = (core.place.arn(resource), core.place.arn(&resource.to_lowercase()));
            if state.by_arn(&as_given).is_some() { as_given } else { lower }
        }
        _ => arn.to_owned(),
    };
    let arn = forgiven.as_str();
    // The kind that the ARN names says that it is missing.
    let missing = || match kinds::of_arn(arn) {
        Some((row, name)) => (row.missing)(name, arn),
        None => AwsError::validation(format!("Could not find the resource \"{arn}\".")),
    };
    state.by_arn_mut(arn).ok_or_else(missing)
}

fn pairs(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}
