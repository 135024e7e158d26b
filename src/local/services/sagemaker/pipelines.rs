//! Pipelines: their definitions and versions, and their executions.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::pipeline;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Resource, text};
use crate::local::time::timestamp;

pub(super) static OPERATIONS: &[Own] = &[
    ("CreatePipeline", create),
    ("UpdatePipeline", |core, request| update(core, request)),
    ("DeletePipeline", |core, request| delete(core, request)),
    ("DescribePipeline", |core, request| describe(core, request)),
    ("ListPipelineVersions", |core, request| list_versions(core, request)),
    ("UpdatePipelineVersion", |core, request| update_version(core, request)),
];

/// The versions of a definition, oldest first.
const VERSIONS: &str = "Versions";
const DEFINITION: &str = "PipelineDefinition";

fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::Pipeline.row();
    let definition = definition(core, request)?.ok_or_else(|| {
        AwsError::validation("Either PipelineDefinition or PipelineDefinitionS3Location must be given.")
    })?;
    core.change(|state| {
        // The same token again is the same pipeline again.
        if let Ok(known) = table::find(core, state, row, request)
            && known.request.get("ClientRequestToken") == request.get("ClientRequestToken")
        {
            return Ok(json!({"PipelineArn": known.arn}));
        }
        let now = core.clock.now();
        let version = version(1, &definition, now);
        let members = Map::from_iter([
            ("PipelineStatus".to_owned(), json!("Active")),
            (DEFINITION.to_owned(), json!(definition)),
            (VERSIONS.to_owned(), json!([version])),
        ]);
        let pipeline = state.insert(row, &core.place, now, request, members)?;
        if !pipeline.request.contains_key("PipelineDisplayName") {
            pipeline.set("PipelineDisplayName", pipeline.name.clone());
        }
        Ok(table::answer("CreatePipeline", row, pipeline))
    })
}

fn update(core: &Core, request: &Value) -> Answer {
    let row = Kind::Pipeline.row();
    let definition = definition(core, request)?;
    core.change(|state| {
        let pipeline = table::find_mut(core, state, row, request)?;
        let now = core.clock.now();
        for member in ["PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration"] {
            if let Some(value) = request.get(member) {
                pipeline.set(member, value.clone());
            }
        }
        if let Some(definition) = definition {
            let number = versions(pipeline).len() as u64 + 1;
            if let Some(versions) = pipeline.state.get_mut(VERSIONS).and_then(Value::as_array_mut) {
                versions.push(version(number, &definition, now));
            }
            pipeline.set(DEFINITION, definition);
        }
        pipeline.modified = now;
        Ok(json!({"PipelineArn": pipeline.arn, "PipelineVersionId": versions(pipeline).len()}))
    })
}

/// `DeletePipeline`: takes its executions along, of which none may run.
fn delete(core: &Core, request: &Value) -> Answer {
    let (row, executions) = (Kind::Pipeline.row(), Kind::PipelineExecution.row());
    core.change(|state| {
        let pipeline = table::find(core, state, row, request)?;
        let (key, arn) = (pipeline.key.clone(), pipeline.arn.clone());
        let runs = |execution: &Resource| matches!(execution.status(executions), "Executing" | "Stopping");
        if !core.is_lenient() && state.of_parent(executions, &key).any(runs) {
            let message = format!("Pipeline {arn} has running executions: stop them before you delete the pipeline.");
            return Err(AwsError::new(400, "ConflictException", message));
        }
        state.remove_below(row, &key);
        state.remove(row, &core.place, &key)?;
        Ok(json!({"PipelineArn": arn}))
    })
}

fn version(number: u64, definition: &str, now: std::time::SystemTime) -> Value {
    json!({"PipelineVersionId": number, DEFINITION: definition, "CreationTime": timestamp(now)})
}

pub(super) fn versions(pipeline: &Resource) -> &[Value] {
    pipeline.state.get(VERSIONS).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn describe(core: &Core, request: &Value) -> Answer {
    let row = Kind::Pipeline.row();
    let state = core.state();
    let pipeline = table::find(core, &state, row, request)?;
    let mut answer = table::answer("DescribePipeline", row, pipeline);
    let version = match version_asked(pipeline, request)? {
        Some(version) => version,
        None => match versions(pipeline).last() {
            Some(newest) => newest,
            None => return Ok(answer),
        },
    };
    answer[DEFINITION] = version[DEFINITION].clone();
    for member in NAMED {
        if let Some(value) = version.get(member) {
            answer[member] = value.clone();
        }
    }
    Ok(answer)
}

/// What people call versions by.
const NAMED: [&str; 3] = ["PipelineVersionDisplayName", "PipelineVersionDescription", ALIASES];
const ALIASES: &str = "PipelineVersionAliases";
/// The most aliases of a version.
const MAX_ALIASES: usize = 10;

/// The version that a request names by its number or an alias, if it names one.
pub(super) fn version_asked<'a>(pipeline: &'a Resource, request: &Value) -> Result<Option<&'a Value>, AwsError> {
    let has_alias =
        |version: &Value, alias: &Value| version[ALIASES].as_array().is_some_and(|aliases| aliases.contains(alias));
    let mut all = versions(pipeline).iter();
    let (asked, found) = match (request.get("PipelineVersionId"), request.get("PipelineVersionAlias")) {
        (Some(_), Some(_)) => {
            let message = "PipelineVersionId and PipelineVersionAlias cannot both be given.";
            return Err(AwsError::validation(message));
        }
        (Some(number), None) => (number, all.find(|version| version["PipelineVersionId"] == *number)),
        (None, Some(alias)) => (alias, all.find(|version| has_alias(version, alias))),
        (None, None) => return Ok(None),
    };
    let missing = || AwsError::resource_not_found(format!("Pipeline '{}' has no version {asked}.", pipeline.arn));
    found.map(Some).ok_or_else(missing)
}

/// `UpdatePipelineVersion`: an alias names one version; who wants it for another takes it off first.
fn update_version(core: &Core, request: &Value) -> Answer {
    let aliases =
        |operation: &str| request["PipelineVersionAliasOperations"][operation].as_array().cloned().unwrap_or_default();
    let (added, removed) = (aliases("Add"), aliases("Remove"));
    core.change(|state| {
        let pipeline = state.get(Kind::Pipeline.row(), &core.place, text(request, "PipelineArn")?)?;
        let mut all = versions(pipeline).to_vec();
        let number = &request["PipelineVersionId"];
        let arn = pipeline.arn.clone();
        let taken = |version: &Value| {
            version["PipelineVersionId"] != *number
                && version[ALIASES].as_array().is_some_and(|own| own.iter().any(|alias| added.contains(alias)))
        };
        if all.iter().any(taken) {
            let message = "An alias to add belongs to another version of the pipeline: remove it there first.";
            return Err(AwsError::new(400, "ConflictException", message));
        }
        let missing = || AwsError::resource_not_found(format!("Pipeline '{arn}' has no version {number}."));
        let version = all.iter_mut().find(|version| version["PipelineVersionId"] == *number).ok_or_else(missing)?;
        for member in ["PipelineVersionDisplayName", "PipelineVersionDescription"] {
            if let Some(value) = request.get(member) {
                version[member] = value.clone();
            }
        }
        let mut own = version[ALIASES].as_array().cloned().unwrap_or_default();
        own.retain(|alias| !removed.contains(alias) && !added.contains(alias));
        own.extend(added.iter().filter(|alias| !removed.contains(alias)).cloned());
        if own.len() > MAX_ALIASES {
            return Err(AwsError::validation(format!("A pipeline version has at most {MAX_ALIASES} aliases.")));
        }
        version[ALIASES] = Value::from(own);
        let pipeline = state.get_mut(Kind::Pipeline.row(), &core.place, &arn)?;
        pipeline.set(VERSIONS, all);
        pipeline.modified = core.clock.now();
        Ok(json!({"PipelineArn": arn, "PipelineVersionId": number}))
    })
}

fn list_versions(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let pipeline = table::find(core, &state, Kind::Pipeline.row(), request)?;
    let mut summaries: Vec<Value> = versions(pipeline)
        .iter()
        .map(|version| {
            let mut summary = version.clone();
            if let Some(summary) = summary.as_object_mut() {
                summary.remove(DEFINITION);
            }
            summary["PipelineArn"] = json!(pipeline.arn);
            summary
        })
        .collect();
    if request.get("SortOrder").and_then(Value::as_str) != Some("Ascending") {
        summaries.reverse();
    }
    listing::page("ListPipelineVersions", &summaries, request)
}

/// The definition in a request or in S3, checked.
fn definition(core: &Core, request: &Value) -> Result<Option<String>, AwsError> {
    let inline = request.get(DEFINITION).and_then(Value::as_str);
    let text = match (inline, request.get("PipelineDefinitionS3Location")) {
        (Some(_), Some(_)) => {
            let message = "PipelineDefinition and PipelineDefinitionS3Location cannot both be given.";
            return Err(AwsError::validation(message));
        }
        (Some(inline), None) => inline.to_owned(),
        (None, Some(location)) => from_s3(core, location)?,
        (None, None) => return Ok(None),
    };
    // A lenient backend keeps what is no definition, too: there is nothing in it to run.
    if !core.is_lenient() {
        check(&text)?;
    }
    Ok(Some(text))
}

fn from_s3(core: &Core, location: &Value) -> Result<String, AwsError> {
    let (bucket, key) = (text(location, "Bucket")?, text(location, "ObjectKey")?);
    let missing = || AwsError::validation(format!("Cannot read the pipeline definition at s3://{bucket}/{key}."));
    let bytes = core.s3.get(bucket, key).ok_or_else(missing)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| missing())
}

/// A definition is an object with a version and steps that fit together.
fn check(definition: &str) -> Result<(), AwsError> {
    let invalid = |why: &str| AwsError::validation(format!("Unable to parse pipeline definition. {why}"));
    let parsed: Value =
        serde_json::from_str(definition).map_err(|error| invalid(&format!("It is no JSON ({error}).")))?;
    if !parsed.is_object() {
        return Err(invalid("Expecting start of Json Object."));
    }
    if parsed["Version"].as_str().is_none() {
        return Err(invalid("Version is missing."));
    }
    pipeline::check(&parsed).map_err(|why| invalid(&why))
}
