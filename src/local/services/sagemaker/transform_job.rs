//! Batch transform jobs: what is refused at once, and what is handed to the task that transforms.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::jobs::transform::{self, Plan};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;

const DEFAULT_MAX_PAYLOAD: usize = 6;

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
    data_processing: Option<DataProcessing>,
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
struct DataProcessing {
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
    refuse_unsupported(&request)?;
    let role = {
        let state = core.state();
        let model = state.get(Kind::Model.row(), &core.place, &request.model_name)?;
        model.request.get("ExecutionRoleArn").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let source = request.transform_input.data_source.s3_data_source;
    data::resolve(core, &source.s3_data_type, &source.s3_uri, &role)?;
    let output = data::s3_uri(&request.transform_output.s3_output_path)?;
    data::check_output_bucket(core, &output)?;

    // MaxConcurrentTransforms times MaxPayloadInMB may not pass 100; a payload of 0 means no limit.
    let max_payload = request.max_payload.unwrap_or(DEFAULT_MAX_PAYLOAD);
    let concurrent = request.max_concurrent_transforms.unwrap_or(1).max(1);
    if max_payload.saturating_mul(concurrent as usize) > 100 {
        let message = "The product of MaxConcurrentTransforms and MaxPayloadInMB cannot be more than 100 MB.";
        return Err(AwsError::validation(message));
    }
    let multi_record = request.batch_strategy.as_deref() != Some("SingleRecord");
    Ok(Plan {
        model: request.model_name,
        data_type: source.s3_data_type,
        uri: source.s3_uri,
        content_type: request.transform_input.content_type.unwrap_or_default(),
        gzip: request.transform_input.compression_type.as_deref() == Some("Gzip"),
        by_line: request.transform_input.split_type.as_deref() == Some("Line"),
        multi_record,
        max_payload: (max_payload > 0).then_some(max_payload << 20),
        accept: request.transform_output.accept.unwrap_or_else(|| "*/*".to_owned()),
        assemble_lines: request.transform_output.assemble_with.as_deref() == Some("Line"),
        output,
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

fn refuse_unsupported(request: &CreateTransformJob) -> Result<(), AwsError> {
    let refuse = |what: &str| Err(AwsError::validation(format!("The local backend does not support {what} yet.")));
    if let Some(split @ ("RecordIO" | "TFRecord")) = request.transform_input.split_type.as_deref() {
        return refuse(&format!("the SplitType {split}"));
    }
    let Some(processing) = &request.data_processing else { return Ok(()) };
    let acts = |filter: &Option<String>| filter.as_deref().is_some_and(|filter| filter != "$");
    if acts(&processing.input_filter) {
        return refuse("the InputFilter of DataProcessing");
    }
    if acts(&processing.output_filter) {
        return refuse("the OutputFilter of DataProcessing");
    }
    if processing.join_source.as_deref().is_some_and(|join| join != "None") {
        return refuse("the JoinSource of DataProcessing");
    }
    Ok(())
}
