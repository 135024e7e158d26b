//! Executions of pipelines.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::pipelines::version_asked;
use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::pipeline::{self, CALLBACKS, Plan, STEPS};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Resource, State, text};
use crate::local::time::{date_time, millis, timestamp};

pub(super) static OPERATIONS: &[Own] = &[
    ("StartPipelineExecution", start),
    ("RetryPipelineExecution", retry),
    ("SendPipelineExecutionStepSuccess", |core, request| answer_callback(core, request, "Succeeded")),
    ("SendPipelineExecutionStepFailure", |core, request| answer_callback(core, request, "Failed")),
    ("StopPipelineExecution", |core, request| stop(core, request)),
    ("ListPipelineExecutions", |core, request| list(core, request)),
    ("ListPipelineExecutionSteps", |core, request| steps(core, request)),
    ("ListPipelineParametersForExecution", |core, request| parameters(core, request)),
    ("DescribePipelineDefinitionForExecution", |core, request| definition(core, request)),
];

const DEFINITION: &str = "PipelineDefinition";
const PARAMETERS: &str = "PipelineParameters";
const STATUS: &str = "PipelineExecutionStatus";

/// `StartPipelineExecution`: the steps run in the background.
fn start(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let row = Kind::PipelineExecution.row();
    let given = given(request)?;
    core.change(|state| {
        let pipeline = table::find(core, state, Kind::Pipeline.row(), request)?;
        if let Some(known) = started_before(state, pipeline, request) {
            return Ok(json!({"PipelineExecutionArn": known}));
        }
        let version = version_asked(pipeline, request)?;
        let number = version.map(|version| version["PipelineVersionId"].clone());
        let text = version.map(|version| &version[DEFINITION]).or_else(|| pipeline.member(DEFINITION));
        let text = text.and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, arn) = (pipeline.name.clone(), pipeline.arn.clone());
        let definition: Value = serde_json::from_str(&text).unwrap_or_default();
        let parameters = values(&definition, &given)?;
        let now = core.clock.now();
        let mut document = request.clone();
        document["PipelineName"] = json!(name);
        if document.get("PipelineExecutionDisplayName").is_none() {
            document["PipelineExecutionDisplayName"] = json!(format!("execution-{}", millis(now)));
        }
        let mut members = Map::from_iter([
            ("PipelineArn".to_owned(), json!(arn)),
            (STATUS.to_owned(), json!("Executing")),
            (DEFINITION.to_owned(), json!(text)),
            (STEPS.to_owned(), json!([])),
        ]);
        if let Some(number) = number {
            members.insert("PipelineVersionId".to_owned(), number);
        }
        let execution = state.insert(row, &core.place, now, &document, members)?;
        let plan = plan(execution, &definition, parameters, &name);
        let (run, answer) =
            (Run::new(core, row.kind, execution), table::answer("StartPipelineExecution", row, execution));
        if let Ok(pipeline) = state.get_mut(Kind::Pipeline.row(), &core.place, &name) {
            pipeline.set("LastRunTime", timestamp(now));
        }
        runtime.spawn(pipeline::run(run, plan));
        Ok(answer)
    })
}

/// The same token again is the same execution again.
fn started_before(state: &State, pipeline: &Resource, request: &Value) -> Option<String> {
    let token = request.get("ClientRequestToken")?;
    let mut executions = state.of_parent(Kind::PipelineExecution.row(), &pipeline.key);
    let known = executions.find(|execution| execution.request.get("ClientRequestToken") == Some(token));
    known.map(|execution| execution.arn.clone())
}

fn plan(execution: &Resource, definition: &Value, parameters: BTreeMap<String, Value>, pipeline: &str) -> Plan {
    let now = date_time(execution.created);
    let id = execution.state.get("PipelineExecutionId").cloned().unwrap_or_default();
    Plan {
        steps: definition["Steps"].as_array().cloned().unwrap_or_default(),
        parameters,
        execution: Map::from_iter([
            ("PipelineName".to_owned(), json!(pipeline)),
            ("PipelineArn".to_owned(), execution.state.get("PipelineArn").cloned().unwrap_or_default()),
            ("PipelineExecutionId".to_owned(), id),
            ("PipelineExecutionArn".to_owned(), json!(execution.arn)),
            ("StartDateTime".to_owned(), json!(now)),
            ("CurrentDateTime".to_owned(), json!(now)),
        ]),
    }
}

/// The parameters of a request.
fn given(request: &Value) -> Result<BTreeMap<String, String>, AwsError> {
    let list = request.get(PARAMETERS).and_then(Value::as_array).into_iter().flatten();
    list.map(|parameter| Ok((text(parameter, "Name")?.to_owned(), text(parameter, "Value")?.to_owned()))).collect()
}

/// The values of all parameters that a definition declares.
fn values(definition: &Value, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>, AwsError> {
    let declared = definition["Parameters"].as_array().into_iter().flatten();
    let mut values = BTreeMap::new();
    for parameter in declared {
        let name = parameter["Name"].as_str().unwrap_or_default();
        let value = match (given.get(name), parameter.get("DefaultValue")) {
            (Some(text), _) => typed(text, parameter["Type"].as_str().unwrap_or("String"), name)?,
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let message = format!("The pipeline parameter {name} has no default and must be given a value.");
                return Err(AwsError::validation(message));
            }
        };
        let allowed = parameter["EnumValues"].as_array();
        if allowed.is_some_and(|allowed| !allowed.contains(&value)) {
            let message = format!("The value of the pipeline parameter {name} is not among its enum values.");
            return Err(AwsError::validation(message));
        }
        values.insert(name.to_owned(), value);
    }
    match given.keys().find(|name| !values.contains_key(*name)) {
        Some(unknown) => {
            Err(AwsError::validation(format!("The pipeline definition has no parameter of the name {unknown}.")))
        }
        None => Ok(values),
    }
}

fn typed(text: &str, kind: &str, name: &str) -> Result<Value, AwsError> {
    let value = match kind {
        "Integer" => text.parse::<i64>().ok().map(Value::from),
        "Float" => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        "Boolean" => text.to_lowercase().parse::<bool>().ok().map(Value::from),
        _ => Some(Value::from(text)),
    };
    value.ok_or_else(|| AwsError::validation(format!("The value of the pipeline parameter {name} is no {kind}.")))
}

/// `RetryPipelineExecution`: a failed or stopped execution runs anew.
fn retry(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let row = Kind::PipelineExecution.row();
    core.change(|state| {
        let execution = table::find_mut(core, state, row, request)?;
        let status = execution.status(row);
        if !matches!(status, "Failed" | "Stopped") {
            let message = format!("Pipeline execution {} cannot be retried in status {status}.", execution.arn);
            return Err(AwsError::validation(message));
        }
        let text = execution.member(DEFINITION).and_then(Value::as_str).unwrap_or_default();
        let definition: Value = serde_json::from_str(text).unwrap_or_default();
        let parameters = values(&definition, &given(&Value::Object(execution.request.clone()))?)?;
        execution.set(STATUS, "Executing");
        execution.set(STEPS, json!([]));
        execution.state.remove("FailureReason");
        execution.stop = Arc::default();
        execution.modified = core.clock.now();
        let name = execution.member("PipelineName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let plan = plan(execution, &definition, parameters, &name);
        runtime.spawn(pipeline::run(Run::new(core, row.kind, execution), plan));
        Ok(json!({"PipelineExecutionArn": execution.arn}))
    })
}

fn stop(core: &Core, request: &Value) -> Answer {
    let row = Kind::PipelineExecution.row();
    core.change(|state| {
        let execution = table::find_mut(core, state, row, request)?;
        match execution.status(row) {
            "Executing" => {
                execution.set(STATUS, "Stopping");
                execution.modified = core.clock.now();
                execution.stop.ask();
                Ok(json!({"PipelineExecutionArn": execution.arn}))
            }
            status => Err(AwsError::validation(format!(
                "Pipeline execution with ARN {} is in status {status} and cannot be stopped.",
                execution.arn
            ))),
        }
    })
}

/// Answers the token of a callback step, once.
fn answer_callback(core: &Core, request: &Value, answer: &str) -> Answer {
    let row = Kind::PipelineExecution.row();
    let token = text(request, "CallbackToken")?;
    core.change(|state| {
        let waits = |execution: &&Resource| execution.state.get(CALLBACKS).is_some_and(|all| all.get(token).is_some());
        let key = state.all(row.kind).find(waits).map(|execution| execution.key.clone());
        let execution = key.and_then(|key| state.by_key_mut(row, &key));
        let missing = || AwsError::resource_not_found(format!("No callback step waits for the token {token}."));
        let execution = execution.ok_or_else(missing)?;
        let known = execution.state.get(CALLBACKS).map(|all| all[token].clone()).unwrap_or_default();
        let mut callback = known.clone();
        callback["Answer"] = json!(answer);
        for member in ["OutputParameters", "FailureReason", "ClientRequestToken"] {
            if let Some(value) = request.get(member) {
                callback[member] = value.clone();
            }
        }
        match (known.get("Answer"), execution.status(row)) {
            (None, "Executing") => {}
            (Some(_), _) if known == callback => return Ok(json!({"PipelineExecutionArn": execution.arn})),
            _ => {
                let message = format!("The callback step of the token {token} does not wait any more.");
                return Err(AwsError::new(400, "ConflictException", message));
            }
        }
        let steps = execution.state.get_mut(STEPS).and_then(Value::as_array_mut).into_iter().flatten();
        for step in steps.filter(|step| step["Metadata"]["Callback"]["CallbackToken"] == token) {
            if let Some(outputs) = request.get("OutputParameters") {
                step["Metadata"]["Callback"]["OutputParameters"] = outputs.clone();
            }
        }
        if let Some(all) = execution.state.get_mut(CALLBACKS) {
            all[token] = callback;
        }
        execution.modified = core.clock.now();
        Ok(json!({"PipelineExecutionArn": execution.arn}))
    })
}

fn list(core: &Core, request: &Value) -> Answer {
    let row = Kind::PipelineExecution.row();
    let state = core.state();
    let pipeline = table::find(core, &state, Kind::Pipeline.row(), request)?;
    let mut rest = request.clone();
    rest["PipelineName"] = json!(pipeline.name);
    listing::list_some(state.of_parent(row, &pipeline.key), row, "ListPipelineExecutions", &rest)
}

/// `ListPipelineExecutionSteps`: the latest first.
fn steps(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let execution = table::find(core, &state, Kind::PipelineExecution.row(), request)?;
    let mut steps = execution.state.get(STEPS).and_then(Value::as_array).cloned().unwrap_or_default();
    if request.get("SortOrder").and_then(Value::as_str) != Some("Ascending") {
        steps.reverse();
    }
    listing::page("ListPipelineExecutionSteps", &steps, request)
}

fn parameters(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let execution = table::find(core, &state, Kind::PipelineExecution.row(), request)?;
    let parameters = execution.request.get(PARAMETERS).and_then(Value::as_array).cloned().unwrap_or_default();
    listing::page("ListPipelineParametersForExecution", &parameters, request)
}

fn definition(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let execution = table::find(core, &state, Kind::PipelineExecution.row(), request)?;
    Ok(json!({DEFINITION: execution.member(DEFINITION), "CreationTime": timestamp(execution.created)}))
}
