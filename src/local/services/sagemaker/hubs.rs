//! Versions of what is in hubs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Identity, Resource, State, text};

pub(super) static OPERATIONS: &[Own] = &[
    ("ImportHubContent", import),
    ("CreateHubContentReference", create_reference),
    ("UpdateHubContentReference", |core, request| update_reference(core, request)),
    ("DeleteHubContentReference", |core, request| delete_reference(core, request)),
    ("DescribeHubContent", |core, request| {
        let row = Kind::HubContent.row();
        let state = core.state();
        match request.get("HubContentVersion") {
            Some(_) => Ok(table::answer("DescribeHubContent", row, table::find(core, &state, row, request)?)),
            None => Ok(table::answer("DescribeHubContent", row, newest(core, &state, request)?)),
        }
    }),
    ("ListHubContents", |core, request| list(core, request)),
    ("ListHubContentVersions", |core, request| {
        let row = Kind::HubContent.row();
        let state = core.state();
        let hub = table::find(core, &state, Kind::Hub.row(), request)?;
        let content = format!("{}/{}/{}", hub.key, text(request, "HubContentType")?, text(request, "HubContentName")?);
        let rest = with_hub(request, &hub.name);
        listing::list_some(state.of_parent(row, &content), row, "ListHubContentVersions", &rest)
    }),
];

fn import(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::HubContent.row();
    let mut request = request.clone();
    if request.get("HubContentVersion").is_none() {
        request["HubContentVersion"] = json!("1.0.0");
    }
    if request.get("SupportStatus").is_none() {
        request["SupportStatus"] = json!("Supported");
    }
    let hub = text(&request, "HubName")?.to_owned();
    let hub_name = core.state().get(Kind::Hub.row(), &core.place, &hub)?.name.clone();
    request["HubName"] = json!(hub_name);
    let request = &request;
    table::create_as(core, "ImportHubContent", row, request, |state| {
        let hub = state.get(Kind::Hub.row(), &core.place, &hub_name)?;
        let members = Map::from_iter([("HubArn".to_owned(), json!(hub.arn))]);
        let key = request.as_object().map(|request| row.key_of(request)).unwrap_or_default();
        let name = text(request, "HubContentName")?.to_owned();
        Ok((Identity { arn: row.arn(&core.place, &key), key, name }, members))
    })
}

const REFERENCE: &str = "ModelReference";

/// `CreateHubContentReference`. The public hub is AWS's: what the document of the referenced model says is not known here.
fn create_reference(core: &Arc<Core>, request: &Value) -> Answer {
    let public = text(request, "SageMakerPublicHubContentArn")?;
    let name = public.rsplit('/').next().unwrap_or_default();
    let version = request.get("MinVersion").cloned().unwrap_or_else(|| json!("1.0.0"));
    let mut content = json!({
        "HubName": request["HubName"],
        "HubContentName": request.get("HubContentName").cloned().unwrap_or_else(|| json!(name)),
        "HubContentType": REFERENCE,
        "HubContentVersion": version,
        "DocumentSchemaVersion": "1.0.0",
        "HubContentDocument": "{}",
        "SageMakerPublicHubContentArn": public,
    });
    for (member, from) in [("ReferenceMinVersion", "MinVersion"), ("Tags", "Tags")] {
        if let Some(value) = request.get(from) {
            content[member] = value.clone();
        }
    }
    import(core, &content)
}

/// The reference that a request names.
fn reference(core: &Core, state: &State, request: &Value) -> Result<String, AwsError> {
    if request["HubContentType"] != REFERENCE {
        return Err(AwsError::validation(format!("The HubContentType of a reference is {REFERENCE}.")));
    }
    newest(core, state, request).map(|content| content.key.clone())
}

fn update_reference(core: &Core, request: &Value) -> Answer {
    core.change(|state| {
        let key = reference(core, state, request)?;
        let content = state.get_mut(Kind::HubContent.row(), &core.place, &key)?;
        if let Some(version) = request.get("MinVersion") {
            content.request.insert("ReferenceMinVersion".to_owned(), version.clone());
        }
        content.modified = core.clock.now();
        Ok(json!({"HubArn": content.state.get("HubArn"), "HubContentArn": content.arn}))
    })
}

fn delete_reference(core: &Core, request: &Value) -> Answer {
    core.change(|state| {
        let key = reference(core, state, request)?;
        state.remove(Kind::HubContent.row(), &core.place, &key)?;
        Ok(Value::Null)
    })
}

fn newest<'a>(core: &Core, state: &'a State, request: &Value) -> Result<&'a Resource, AwsError> {
    let row = Kind::HubContent.row();
    let hub = table::find(core, state, Kind::Hub.row(), request)?;
    let content = format!("{}/{}/{}", hub.key, text(request, "HubContentType")?, text(request, "HubContentName")?);
    let found = state.of_parent(row, &content).max_by_key(|version| number(version));
    found.ok_or_else(|| {
        (row.missing)(text(request, "HubContentName").unwrap_or_default(), &row.arn(&core.place, &content))
    })
}

/// A version such as `1.10.0` as numbers.
fn number(content: &Resource) -> Vec<u64> {
    let version = content.request.get("HubContentVersion").and_then(Value::as_str).unwrap_or_default();
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

/// `ListHubContents`: the newest version of each.
fn list(core: &Core, request: &Value) -> Answer {
    let row = Kind::HubContent.row();
    let state = core.state();
    let hub = table::find(core, &state, Kind::Hub.row(), request)?;
    let kind = format!("{}/{}", hub.key, text(request, "HubContentType")?);
    let mut newest: BTreeMap<&str, &Resource> = BTreeMap::new();
    for content in state.of_parent(row, &kind) {
        let known = newest.entry(&content.name).or_insert(content);
        if number(content) > number(known) {
            *known = content;
        }
    }
    let rest = with_hub(request, &hub.name);
    listing::list_some(newest.into_values(), row, "ListHubContents", &rest)
}

/// A request that names its hub by name, and without a filter that everything passes.
fn with_hub(request: &Value, hub: &str) -> Value {
    let mut request = request.clone();
    request["HubName"] = json!(hub);
    if let Some(members) = request.as_object_mut() {
        members.remove("MaxSchemaVersion");
        members.remove("MinVersion");
    }
    request
}
