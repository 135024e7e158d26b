//! Saved queries.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, page};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const FAMILY: &str = "logs query definition";

fn missing() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "The specified query definition does not exist.")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    name: String,
    query_string: String,
    query_definition_id: Option<String>,
    query_language: Option<String>,
    log_group_names: Option<Vec<String>>,
    parameters: Option<Value>,
}

/// `PutQueryDefinition`: with an identifier it replaces the whole definition, which must be there.
pub(super) fn put(core: &Core, request: Put) -> Answer {
    core.documents.change(core, FAMILY, |all| {
        let id = match &request.query_definition_id {
            Some(id) if all.get(id).is_none() => return Err(missing()),
            Some(id) => id.clone(),
            None => core.unique_id(),
        };
        let mut definition = json!({
            "queryLanguage": request.query_language.as_deref().unwrap_or("CWLI"),
            "queryDefinitionId": id,
            "name": request.name,
            "queryString": request.query_string,
            "lastModified": all.now(),
            "logGroupNames": request.log_group_names.unwrap_or_default(),
        });
        if let Some(parameters) = request.parameters {
            definition["parameters"] = parameters;
        }
        all.put(&id, definition);
        Ok(json!({"queryDefinitionId": id}))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    query_definition_id: String,
}

pub(super) fn delete(core: &Core, request: Delete) -> Answer {
    let removed = core.documents.change(core, FAMILY, |all| all.remove(&request.query_definition_id));
    removed.map(|_| json!({"success": true})).ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    query_definition_name_prefix: Option<String>,
    query_language: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// `DescribeQueryDefinitions`, in the order of their names.
pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    let prefix = request.query_definition_name_prefix.as_deref().unwrap_or_default();
    core.documents.read(FAMILY, |all| {
        let named = all.iter().filter_map(|(id, definition)| {
            let name = definition["name"].as_str()?;
            let language = request.query_language.as_ref();
            let wanted = language.is_none_or(|language| definition["queryLanguage"] == language.as_str());
            (name.starts_with(prefix) && wanted).then(|| (format!("{name}\n{id}"), definition.clone()))
        });
        let mut found: Vec<(String, Value)> = named.collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        let size = request.max_results.unwrap_or(1000);
        page(found, false, "queryDefinitions", size, request.next_token.as_deref())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    time: Option<i64>,
}

/// Half of the time that is searched for fields, in milliseconds.
const AROUND: i64 = 8 * 60 * 1000;

/// `GetLogGroupFields`: the fields of the last 15 minutes, or of 8 minutes before and after a time, and in how many of
/// the events they are.
pub(super) fn fields(core: &Core, request: Fields) -> Answer {
    let identifier = request.log_group_identifier.as_deref().map(super::group_of_identifier);
    let group = match identifier {
        Some(name) => name,
        None => super::required(request.log_group_name.as_ref(), "logGroupName")?,
    };
    let now = crate::local::time::millis(core.clock.now());
    let (from, to) = match request.time {
        // Seconds, as the documentation says, or milliseconds.
        Some(time) => {
            let time = if time > 100_000_000_000 { time } else { time.saturating_mul(1000) };
            (time.saturating_sub(AROUND), time.saturating_add(AROUND))
        }
        None => (now - 15 * 60 * 1000, now),
    };
    core.logs.read(|groups| {
        let group = groups.get(group).ok_or_else(super::no_group)?;
        let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
        let mut total = 0;
        for stream in group.streams.values() {
            for (_, event) in stream.events.range((from, 0)..=(to.max(from), u64::MAX)) {
                total += 1;
                if let Ok(document) = serde_json::from_str::<Map<String, Value>>(&event.message) {
                    flatten(&document, "", &mut |path| *counts.entry(path).or_default() += 1);
                }
            }
        }
        let always = ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"];
        let always = always.iter().filter(|_| total > 0).map(|name| ((*name).to_owned(), total));
        let mut all: Vec<(String, usize)> = always.chain(counts).collect();
        all.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
        let field = |(name, count): &(String, usize)| json!({"name": name, "percent": count * 100 / total});
        Ok(json!({"logGroupFields": all.iter().map(field).collect::<Vec<Value>>()}))
    })
}

/// How many fields of an event are found; the service finds as many.
const MAX_FIELDS: usize = 200;

/// The paths of all values that are no objects.
fn flatten(document: &Map<String, Value>, prefix: &str, found: &mut impl FnMut(String)) {
    for (name, value) in document.iter().take(MAX_FIELDS) {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(inner) => flatten(inner, &path, found),
            _ => found(path),
        }
    }
}
