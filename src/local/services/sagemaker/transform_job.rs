//! Batch transform jobs: what is refused at once, and what is handed to the task that transforms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::jobs::transform::{self, DataProcessing, Form, JsonPath, MAX_CONCURRENT, Open, Plan, Split};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;

const DEFAULT_MAX_PAYLOAD: usize = 6;
/// Seconds.
const DEFAULT_ANSWER_LIMIT: u64 = 600;
const DEFAULT_RETRIES: u32 = 3;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateTransformJob {
    model_name: String,
    max_concurrent_transforms: Option<u32>,
    #[serde(rename = "MaxPayloadInMB")]
    max_payload: Option<usize>,
    batch_strategy: Option<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    transform_input: TransformInput,
    transform_output: TransformOutput,
    data_processing: Option<DataProcessingRequest>,
    model_client_config: Option<ModelClientConfig>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct ModelClientConfig {
    invocations_timeout_in_seconds: Option<u64>,
    invocations_max_retries: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransformInput {
    data_source: DataSource,
    content_type: Option<String>,
    compression_type: Option<String>,
    split_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataSource {
    s3_data_source: S3DataSource,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3DataSource {
    s3_data_type: String,
    s3_uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransformOutput {
    s3_output_path: String,
    accept: Option<String>,
    assemble_with: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataProcessingRequest {
    input_filter: Option<String>,
    output_filter: Option<String>,
    join_source: Option<String>,
}

/// `CreateTransformJob`: model, data and output bucket are checked; the job runs in the background.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let plan = plan(core, parse(request)?)?;
    let (run, arn) = core.change(|state| {
        let mut members = Map::new();
        members.insert("TransformJobStatus".to_owned(), json!("InProgress"));
        let resource = state.insert(Kind::TransformJob.row(), &core.place, core.clock.now(), request, members)?;
        Ok((Run::new(core, Kind::TransformJob, resource), resource.arn.clone()))
    })?;
    runtime.spawn(transform::run(run, plan));
    Ok(json!({"TransformJobArn": arn}))
}

fn plan(core: &Core, request: CreateTransformJob) -> Result<Plan, AwsError> {
    let processing = processing(&request)?;
    let role = {
        let state = core.state();
        match state.get(Kind::Model.row(), &core.place, &request.model_name) {
            Ok(model) => model.request.get("ExecutionRoleArn").and_then(Value::as_str).unwrap_or_default().to_owned(),
            // The job itself will say so.
            Err(_) if core.is_lenient() => String::new(),
            Err(missing) => return Err(missing),
        }
    };
    let source = request.transform_input.data_source.s3_data_source;
    if let Err(refused) = data::resolve(core, &source.s3_data_type, &source.s3_uri, &role)
        && !core.is_lenient()
    {
        return Err(refused);
    }
    let output = data::output_uri(core, &request.transform_output.s3_output_path)?;
    data::check_output_bucket(core, &output)?;

    // MaxConcurrentTransforms times MaxPayloadInMB may not pass 100; a payload of 0 means no limit.
    let max_payload = request.max_payload.unwrap_or(DEFAULT_MAX_PAYLOAD);
    let concurrent = request.max_concurrent_transforms.unwrap_or(1).max(1);
    if max_payload.saturating_mul(concurrent as usize) > 100 {
        let message = "The product of MaxConcurrentTransforms and MaxPayloadInMB cannot be more than 100 MB.";
        return Err(AwsError::validation(message));
    }
    let client = request.model_client_config.unwrap_or_default();
    let multi_record = request.batch_strategy.as_deref() != Some("SingleRecord");
    Ok(Plan {
        open: Open {
            max_concurrent: request.max_concurrent_transforms.is_none(),
            max_payload: request.max_payload.is_none(),
            multi_record: request.batch_strategy.is_none(),
        },
        model: request.model_name,
        data_type: source.s3_data_type,
        uri: source.s3_uri,
        content_type: request.transform_input.content_type.unwrap_or_default(),
        gzip: request.transform_input.compression_type.as_deref() == Some("Gzip"),
        split: match request.transform_input.split_type.as_deref() {
            Some("Line") => Split::Line,
            Some("RecordIO") => Split::RecordIo,
            Some("TFRecord") => Split::TfRecord,
            _ => Split::None,
        },
        multi_record,
        max_payload: (max_payload > 0).then_some(max_payload << 20),
        accept: request.transform_output.accept.unwrap_or_else(|| "*/*".to_owned()),
        assemble_lines: request.transform_output.assemble_with.as_deref() == Some("Line"),
        output,
        max_concurrent: concurrent.min(MAX_CONCURRENT),
        answer_limit: Duration::from_secs(client.invocations_timeout_in_seconds.unwrap_or(DEFAULT_ANSWER_LIMIT)),
        max_retries: client.invocations_max_retries.unwrap_or(DEFAULT_RETRIES),
        processing: processing.map(Arc::new),
        environment: environment(request.environment, multi_record, max_payload, request.max_concurrent_transforms),
    })
}

/// What a container finds besides the model's own variables.
fn environment(
    mut own: BTreeMap<String, String>,
    multi_record: bool,
    max_payload: usize,
    concurrent: Option<u32>,
) -> BTreeMap<String, String> {
    let mut set = |name: &str, value: String| own.insert(name.to_owned(), value);
    set("SAGEMAKER_BATCH", "true".to_owned());
    set("SAGEMAKER_MAX_PAYLOAD_IN_MB", max_payload.to_string());
    set("SAGEMAKER_BATCH_STRATEGY", if multi_record { "MULTI_RECORD" } else { "SINGLE_RECORD" }.to_owned());
    if let Some(concurrent) = concurrent {
        set("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", concurrent.to_string());
    }
    own
}

/// Filters and join, if the request has any.
fn processing(request: &CreateTransformJob) -> Result<Option<DataProcessing>, AwsError> {
    let Some(asked) = &request.data_processing else { return Ok(None) };
    let path = |member: &str, text: &Option<String>| {
        let text = text.as_deref().unwrap_or("$");
        JsonPath::parse(text)
            .map_err(|why| AwsError::validation(format!("The {member} \"{text}\" is not a valid JSONPath: {why}.")))
    };
    let processing = DataProcessing {
        input_filter: path("InputFilter", &asked.input_filter)?,
        output_filter: path("OutputFilter", &asked.output_filter)?,
        join: asked.join_source.as_deref() == Some("Input"),
    };
    if processing.input_filter.is_root() && processing.output_filter.is_root() && !processing.join {
        return Ok(None);
    }
    let content_type = request.transform_input.content_type.as_deref().unwrap_or_default();
    if Form::of(content_type).is_none() {
        return Err(AwsError::validation(format!(
            "DataProcessing is only supported for the content types text/csv, application/json and \
             application/jsonlines, not for \"{content_type}\"."
        )));
    }
    Ok(Some(processing))
}
