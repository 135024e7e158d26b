//! Versions of model cards.

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Resource, text};
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("CreateModelCard", |core, request| create(core, request)),
    ("UpdateModelCard", |core, request| update(core, request)),
    ("DescribeModelCard", |core, request| describe(core, request)),
    ("ListModelCardVersions", |core, request| list_versions(core, request)),
    ("CreateModelCardExportJob", |core, request| {
        let version = current(table::find(core, &core.state(), Kind::ModelCard.row(), request)?);
        let mut request = request.clone();
        if request.get("ModelCardVersion").is_none() {
            request["ModelCardVersion"] = json!(version);
        }
        table::create(core, "CreateModelCardExportJob", Kind::ModelCardExportJob.row(), &request)
    }),
];

const VERSION: &str = "ModelCardVersion";
/// Earlier versions, oldest first: the members that differ between versions.
const EARLIER: &str = "EarlierVersions";

fn create(core: &Core, request: &Value) -> Answer {
    check_content(core, request)?;
    let row = Kind::ModelCard.row();
    core.change(|state| {
        let members = Map::from_iter([(VERSION.to_owned(), json!(1))]);
        let card = state.insert(row, &core.place, core.clock.now(), request, members)?;
        card.set("VersionCreationTime", timestamp(card.created));
        Ok(table::answer("CreateModelCard", row, card))
    })
}

/// `UpdateModelCard`: new content makes a new version.
fn update(core: &Core, request: &Value) -> Answer {
    check_content(core, request)?;
    let row = Kind::ModelCard.row();
    core.change(|state| {
        let card = table::find_mut(core, state, row, request)?;
        let now = core.clock.now();
        let (content, status) = (request.get("Content"), request.get("ModelCardStatus"));
        let at_once = content.is_some() && !core.is_lenient();
        if at_once && status.is_some_and(|status| card.request.get("ModelCardStatus") != Some(status)) {
            let message = "The content and the status of a model card cannot be updated in one call.";
            return Err(AwsError::validation(message));
        }
        if let Some(content) = content {
            let version = current(card);
            let earlier = snapshot(card);
            let all = card.state.entry(EARLIER).or_insert_with(|| json!([]));
            if let Some(all) = all.as_array_mut() {
                all.push(earlier);
            }
            card.request.insert("Content".to_owned(), content.clone());
            card.set(VERSION, version + 1);
            card.set("VersionCreationTime", timestamp(now));
        }
        if let Some(status) = status {
            card.request.insert("ModelCardStatus".to_owned(), status.clone());
        }
        card.modified = now;
        Ok(table::answer("UpdateModelCard", row, card))
    })
}

fn describe(core: &Core, request: &Value) -> Answer {
    let row = Kind::ModelCard.row();
    let state = core.state();
    let card = table::find(core, &state, row, request)?;
    let mut document = card.document(row);
    if let Some(asked) = request.get(VERSION).filter(|asked| asked.as_u64() != Some(current(card))) {
        let earlier = card.state.get(EARLIER).and_then(Value::as_array).into_iter().flatten();
        let version = earlier.into_iter().find(|version| version[VERSION] == *asked).and_then(Value::as_object);
        let missing = || AwsError::resource_not_found(format!("Model card {} has no version {asked}.", card.arn));
        document.extend(version.ok_or_else(missing)?.clone());
    }
    let shape = ModelShape::output(Service::SageMaker, "DescribeModelCard");
    Ok(shape.map_or(Value::Null, |shape| Value::Object(shape.project_members(&document))))
}

fn list_versions(core: &Core, request: &Value) -> Answer {
    let row = Kind::ModelCard.row();
    let state = core.state();
    let card = table::find(core, &state, row, request)?;
    let earlier = card.state.get(EARLIER).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut versions: Vec<Value> = earlier.into_iter().chain([snapshot(card)]).collect();
    if let Some(status) = request.get("ModelCardStatus") {
        versions.retain(|version| version["ModelCardStatus"] == *status);
    }
    if request.get("SortOrder").and_then(Value::as_str) == Some("Descending") {
        versions.reverse();
    }
    let form = listing::summaries("ListModelCardVersions");
    let versions: Vec<Value> = versions.iter().filter_map(|version| Some(form?.1.project(version))).collect();
    listing::page("ListModelCardVersions", &versions, request)
}

fn current(card: &Resource) -> u64 {
    card.state.get(VERSION).and_then(Value::as_u64).unwrap_or(1)
}

/// What a version keeps of its card.
fn snapshot(card: &Resource) -> Value {
    json!({
        "ModelCardName": card.name,
        "ModelCardArn": card.arn,
        VERSION: current(card),
        "Content": card.request.get("Content"),
        "ModelCardStatus": card.request.get("ModelCardStatus"),
        "CreationTime": card.state.get("VersionCreationTime"),
        "LastModifiedTime": timestamp(card.modified),
    })
}

fn check_content(core: &Core, request: &Value) -> Result<(), AwsError> {
    if core.is_lenient() || request.get("Content").is_none() {
        return Ok(());
    }
    match serde_json::from_str(text(request, "Content")?) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(AwsError::validation("The content of a model card must be a JSON object.")),
    }
}
