//! Processing jobs: what is refused at once, and what is handed to the task that processes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::archive;
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::jobs::processing::{self, Folders, InputPlan, OutputPlan, Plan};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::services::iam;
use crate::local::state::text;

const DEFAULT_MAX_RUNTIME: u64 = 86_400;
/// Where all inputs and outputs are.
const BASE: &str = "/opt/ml/processing";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateProcessingJob {
    app_specification: AppSpecification,
    role_arn: String,
    processing_resources: ProcessingResources,
    #[serde(default)]
    processing_inputs: Vec<ProcessingInput>,
    processing_output_config: Option<ProcessingOutputConfig>,
    stopping_condition: Option<StoppingCondition>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AppSpecification {
    image_uri: String,
    #[serde(default)]
    container_entrypoint: Vec<String>,
    #[serde(default)]
    container_arguments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingResources {
    cluster_config: ClusterConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ClusterConfig {
    instance_count: u32,
    instance_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingInput {
    input_name: String,
    #[serde(default)]
    app_managed: bool,
    #[serde(rename = "S3Input")]
    s3_input: Option<S3Input>,
    dataset_definition: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Input {
    #[serde(rename = "S3Uri")]
    uri: String,
    local_path: Option<String>,
    #[serde(rename = "S3DataType")]
    data_type: String,
    #[serde(rename = "S3InputMode")]
    input_mode: Option<String>,
    #[serde(rename = "S3CompressionType")]
    compression_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingOutputConfig {
    outputs: Vec<ProcessingOutput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingOutput {
    output_name: String,
    #[serde(default)]
    app_managed: bool,
    #[serde(rename = "S3Output")]
    s3_output: Option<S3Output>,
    feature_store_output: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Output {
    #[serde(rename = "S3Uri")]
    uri: String,
    local_path: Option<String>,
    #[serde(rename = "S3UploadMode")]
    upload_mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoppingCondition {
    max_runtime_in_seconds: u64,
}

/// `CreateProcessingJob`: role, inputs, output buckets and names are checked; the job runs in the background.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let mut plan = plan(core, parse(request)?)?;
    let (run, arn) = core.change(|state| {
        let members = Map::from_iter([("ProcessingJobStatus".to_owned(), json!("InProgress"))]);
        let row = Kind::ProcessingJob.row();
        let resource = state.insert(row, &core.place, core.clock.now(), request, members)?;
        let mut config = resource.request.clone();
        config.insert("ProcessingJobArn".to_owned(), json!(resource.arn));
        plan.folders.config = Value::Object(config);
        Ok::<_, AwsError>((Run::new(core, Kind::ProcessingJob, resource), resource.arn.clone()))
    })?;
    runtime.spawn(processing::run(run, plan));
    Ok(json!({"ProcessingJobArn": arn}))
}

/// `DeleteProcessingJob`: only after its end; then the name is free again.
pub(super) fn delete(core: &Core, request: &Value) -> Answer {
    let name = text(request, "ProcessingJobName")?;
    let row = Kind::ProcessingJob.row();
    core.change(|state| match state.get(row, &core.place, name)?.status(row) {
        status @ ("InProgress" | "Stopping") => {
            Err(AwsError::in_use(format!("The request was rejected because the processing job is in status {status}.")))
        }
        _ => state.remove(row, &core.place, name).map(|_| Value::Null),
    })
}

fn plan(core: &Core, request: CreateProcessingJob) -> Result<Plan, AwsError> {
    iam::check_assumable(core, &request.role_arn)?;
    let mut names = BTreeSet::new();
    let mut inputs = Vec::new();
    for input in request.processing_inputs {
        if !names.insert(input.input_name.clone()) {
            let message = format!("The InputName \"{}\" is used more than once.", input.input_name);
            return Err(AwsError::validation(message));
        }
        inputs.extend(input_plan(core, input, &request.role_arn)?);
    }
    let mut names = BTreeSet::new();
    let mut outputs = Vec::new();
    for output in request.processing_output_config.map(|config| config.outputs).unwrap_or_default() {
        if !names.insert(output.output_name.clone()) {
            let message = format!("The OutputName \"{}\" is used more than once.", output.output_name);
            return Err(AwsError::validation(message));
        }
        outputs.extend(output_plan(core, output)?);
    }
    let max_runtime = request.stopping_condition.map_or(DEFAULT_MAX_RUNTIME, |limit| limit.max_runtime_in_seconds);
    let ClusterConfig { instance_count, instance_type } = request.processing_resources.cluster_config;
    Ok(Plan {
        image: request.app_specification.image_uri,
        entrypoint: request.app_specification.container_entrypoint,
        arguments: request.app_specification.container_arguments,
        environment: request.environment,
        instance_count,
        instance_type,
        max_runtime: Duration::from_secs(max_runtime),
        folders: Folders {
            role: request.role_arn,
            inputs,
            outputs: outputs.iter().map(|output| output.folder.clone()).collect(),
            config: Value::Null,
            instance_count,
        },
        outputs,
    })
}

/// What is to be downloaded; nothing if the container sees to it.
fn input_plan(core: &Core, input: ProcessingInput, role: &str) -> Result<Option<InputPlan>, AwsError> {
    let name = &input.input_name;
    let refuse = |message: String| Err(AwsError::validation(message));
    let source = match (input.s3_input, input.dataset_definition) {
        (Some(source), None) => source,
        (None, Some(_)) => {
            return refuse(format!(
                "The local backend does not support the DatasetDefinition of the input \"{name}\": it has neither \
                 Athena nor Redshift."
            ));
        }
        _ => {
            return refuse(format!("Specify either S3Input or DatasetDefinition in the ProcessingInput \"{name}\"."));
        }
    };
    data::resolve(core, &source.data_type, &source.uri, role)?;
    if input.app_managed {
        return Ok(None);
    }
    if source.input_mode.as_deref() == Some("Pipe") {
        return refuse(format!("The local backend does not support the S3InputMode Pipe of the input \"{name}\"."));
    }
    Ok(Some(InputPlan {
        data_type: source.data_type,
        uri: source.uri,
        gzip: source.compression_type.as_deref() == Some("Gzip"),
        folder: folder(source.local_path.as_deref(), name)?,
    }))
}

/// What is to be stored; nothing if the container sees to it.
fn output_plan(core: &Core, output: ProcessingOutput) -> Result<Option<OutputPlan>, AwsError> {
    let name = &output.output_name;
    let target = match (output.s3_output, output.feature_store_output) {
        (Some(target), None) => target,
        // Records go to a feature group through its own API.
        (None, Some(_)) if output.app_managed => return Ok(None),
        (None, Some(_)) => {
            let message = format!("AppManaged must be true for the FeatureStoreOutput of the output \"{name}\".");
            return Err(AwsError::validation(message));
        }
        _ => {
            let message = format!("Specify either S3Output or FeatureStoreOutput in the ProcessingOutput \"{name}\".");
            return Err(AwsError::validation(message));
        }
    };
    let place = data::s3_uri(&target.uri)?;
    data::check_output_bucket(core, &place)?;
    if output.app_managed {
        return Ok(None);
    }
    let folder = folder(target.local_path.as_deref(), name)?;
    Ok(Some(OutputPlan { place, folder, continuous: target.upload_mode == "Continuous" }))
}

/// The folder of an input or output, relative to the container's root.
fn folder(path: Option<&str>, name: &str) -> Result<PathBuf, AwsError> {
    let Some(path) = path else {
        return Err(AwsError::validation(format!("LocalPath is required for \"{name}\", unless AppManaged is true.")));
    };
    let below = Path::new(path).strip_prefix(BASE).ok();
    let checked = below.map(|below| Path::new("opt/ml/processing").join(below));
    match checked.map(|path| archive::plain_path(&path)) {
        Some(Ok(path)) => Ok(PathBuf::from(path)),
        _ => Err(AwsError::validation(format!("The LocalPath \"{path}\" of \"{name}\" must be below {BASE}."))),
    }
}
