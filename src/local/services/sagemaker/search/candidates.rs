//! What a search looks through. Most of it are the resources of a kind; some kinds of records are parts of resources, or
//! put together of several.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::Searchable;
use crate::local::kinds::Kind;
use crate::local::services::sagemaker::{feature_store, pipelines};
use crate::local::state::{Resource, State};
use crate::local::time::millis_of;

/// A resource as it is, or one that was made for the search.
pub(super) enum Candidate<'a> {
    Kept(&'a Resource),
    Made(Box<Resource>),
}

impl Deref for Candidate<'_> {
    type Target = Resource;

    fn deref(&self) -> &Resource {
        match self {
            Self::Kept(resource) => resource,
            Self::Made(resource) => resource,
        }
    }
}

/// All that there is of what is searched.
pub(super) fn all<'a>(state: &'a State, searchable: &Searchable) -> Vec<Candidate<'a>> {
    let kind = searchable.row.kind;
    match searchable.member {
        "Model" => models(state, searchable),
        "FeatureMetadata" => state.all(kind).flat_map(features).collect(),
        "PipelineVersion" => state.all(kind).flat_map(|pipeline| versions(state, pipeline)).collect(),
        _ => state.all(kind).map(Candidate::Kept).collect(),
    }
}

/// A part of a resource, with the name and the ARN of the whole.
fn made(of: &Resource, members: Map<String, Value>, created: SystemTime, modified: SystemTime) -> Candidate<'static> {
    Candidate::Made(Box::new(Resource {
        id: of.id,
        key: of.key.clone(),
        name: of.name.clone(),
        arn: of.arn.clone(),
        request: members,
        state: Map::new(),
        created,
        modified,
        tags: BTreeMap::new(),
        tags_before: Vec::new(),
        stop: Arc::default(),
        deployment: None,
        walks: 0,
    }))
}

/// Models, together with the endpoints that serve them.
fn models(state: &State, searchable: &Searchable) -> Vec<Candidate<'static>> {
    let row = Kind::Endpoint.row();
    let config_row = Kind::EndpointConfig.row();
    let configs: BTreeMap<String, &Resource> =
        state.all(Kind::EndpointConfig).map(|config| (config.key.clone(), config)).collect();
    let mut endpoints: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for endpoint in state.all(Kind::Endpoint) {
        let config = endpoint.request.get("EndpointConfigName").and_then(Value::as_str).unwrap_or_default();
        let Some(config) = configs.get(&config_row.key(config)) else { continue };
        let lists = ["ProductionVariants", "ShadowProductionVariants"];
        let variants = lists.iter().filter_map(|list| config.request.get(*list)?.as_array()).flatten();
        let names: BTreeSet<&str> = variants.filter_map(|variant| variant["ModelName"].as_str()).collect();
        for name in names {
            let document = Value::Object(endpoint.document(row));
            endpoints.entry(Kind::Model.row().key(name)).or_default().push(document);
        }
    }
    let model_shape = searchable.shape.member("Model");
    let model = |model: &Resource| {
        // The properties of the model itself are found with and without `Model.` before their names.
        let document = model.document(searchable.row);
        let own = model_shape.map(|shape| shape.project_members(&document)).unwrap_or_default();
        let mut members = document;
        members.insert("Model".to_owned(), Value::Object(own));
        if let Some(endpoints) = endpoints.get(&model.key) {
            members.insert("Endpoints".to_owned(), json!(endpoints));
        }
        let Candidate::Made(mut made) = made(model, members, model.created, model.modified) else {
            return None;
        };
        made.tags.clone_from(&model.tags);
        Some(Candidate::Made(made))
    };
    state.all(Kind::Model).filter_map(model).collect()
}

/// The features of a group.
fn features(group: &Resource) -> Vec<Candidate<'static>> {
    feature_store::features(group)
        .into_iter()
        .map(|feature| {
            let modified = time(&feature["LastModifiedTime"]).unwrap_or(group.created);
            made(group, members(feature), group.created, modified)
        })
        .collect()
}

/// The versions of a pipeline, with their last executions.
fn versions(state: &State, pipeline: &Resource) -> Vec<Candidate<'static>> {
    let row = Kind::PipelineExecution.row();
    let version = |version: &Value| {
        let created = time(&version["CreationTime"]).unwrap_or(pipeline.created);
        let mut members = members(version.clone());
        members.remove("PipelineDefinition");
        let executions = state.of_parent(row, &pipeline.key);
        let of_version = executions.filter(|execution| {
            execution.member("PipelineVersionId").is_some_and(|number| *number == version["PipelineVersionId"])
        });
        if let Some(last) = of_version.max_by_key(|execution| (execution.created, execution.id)) {
            members.insert("LastExecutedPipelineExecutionArn".to_owned(), json!(last.arn));
            members.insert("LastExecutedPipelineExecutionDisplayName".to_owned(), json!(last.name));
            members.insert("LastExecutedPipelineExecutionStatus".to_owned(), json!(last.status(row)));
        }
        made(pipeline, members, created, created)
    };
    pipelines::versions(pipeline).iter().map(version).collect()
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn time(timestamp: &Value) -> Option<SystemTime> {
    let millis = millis_of(timestamp).filter(|millis| *millis >= 0.0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis as u64))
}
