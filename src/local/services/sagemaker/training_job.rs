//! Training jobs: what is refused at once, and what is handed to the task that trains.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, parse};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::clock::BusyGuard;
use crate::local::data;
use crate::local::engines::InputMode;
use crate::local::file_systems::Directory;
use crate::local::jobs::training::{self, ChannelPlan, Inputs, OutputPlan, Plan, Watch, warm_pool};
use crate::local::jobs::{Run, Runtime};
use crate::local::kinds::Kind;
use crate::local::metrics;
use crate::local::services::iam;
use crate::local::state::text;

mod checks;

const DEFAULT_MAX_RUNTIME: u64 = 86_400;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateTrainingJob {
    algorithm_specification: AlgorithmSpecification,
    role_arn: String,
    #[serde(default)]
    hyper_parameters: BTreeMap<String, String>,
    #[serde(default)]
    input_data_config: Vec<Channel>,
    output_data_config: OutputDataConfig,
    resource_config: ResourceConfig,
    stopping_condition: StoppingCondition,
    checkpoint_config: Option<CheckpointConfig>,
    vpc_config: Option<Value>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    enable_managed_spot_training: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CheckpointConfig {
    s3_uri: String,
    local_path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlgorithmSpecification {
    training_image: Option<String>,
    algorithm_name: Option<String>,
    training_input_mode: Option<String>,
    #[serde(default)]
    container_entrypoint: Vec<String>,
    #[serde(default)]
    container_arguments: Vec<String>,
    #[serde(default)]
    metric_definitions: Vec<MetricDefinition>,
}

/// A metric's name and regex.
pub(super) type Definition = (String, String);

impl AlgorithmSpecification {
    /// The request's own definitions, then those that the service adds for a built-in image.
    fn definitions(&self) -> Vec<Definition> {
        let own = self.metric_definitions.iter().map(|metric| (metric.name.clone(), metric.regex.clone()));
        let mut all: Vec<Definition> = own.collect();
        for builtin in self.training_image.as_deref().map(metrics::builtin_definitions).unwrap_or_default() {
            if !all.iter().any(|(name, _)| *name == builtin.0) {
                all.push(builtin);
            }
        }
        all
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDefinition {
    name: String,
    regex: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Channel {
    channel_name: String,
    content_type: Option<String>,
    compression_type: Option<String>,
    input_mode: Option<String>,
    record_wrapper_type: Option<String>,
    shuffle_config: Option<ShuffleConfig>,
    data_source: DataSource,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShuffleConfig {
    seed: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataSource {
    s3_data_source: Option<S3DataSource>,
    file_system_data_source: Option<FileSystemDataSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileSystemDataSource {
    file_system_id: String,
    file_system_type: String,
    file_system_access_mode: String,
    directory_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3DataSource {
    s3_data_type: String,
    s3_uri: String,
    s3_data_distribution_type: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputDataConfig {
    s3_output_path: String,
    compression_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceConfig {
    instance_type: Option<String>,
    instance_count: Option<u32>,
    #[serde(default)]
    instance_groups: Vec<InstanceGroup>,
    keep_alive_period_in_seconds: Option<u64>,
    training_plan_arn: Option<Value>,
    instance_preferences: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceGroup {
    instance_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoppingCondition {
    max_runtime_in_seconds: Option<u64>,
    max_wait_time_in_seconds: Option<u64>,
}

/// `CreateTrainingJob`: role, data, output bucket and name are checked; the job runs in the background.
pub(super) fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let runtime = Runtime::current()?;
    let (arn, job) = prepare(core, request, Launch::default())?;
    runtime.spawn(async { drop(job.await) });
    Ok(json!({"TrainingJobArn": arn}))
}

/// What a tuning job adds to a training job that it starts.
#[derive(Default)]
pub(in crate::local) struct Launch {
    /// What answers add to the request.
    pub(in crate::local) state: Map<String, Value>,
    /// The metric to follow, and who takes its values: true stops the job.
    pub(in crate::local) watch: Option<(String, Report)>,
}

pub(in crate::local) type Report = Arc<dyn Fn(f64) -> bool + Send + Sync>;

/// Checks a request and adds the job, which runs as the future does. The guard is for who waits for it.
pub(in crate::local) fn prepare(
    core: &Arc<Core>,
    request: &Value,
    launch: Launch,
) -> Result<(String, impl Future<Output = Option<BusyGuard>> + Send + use<>), AwsError> {
    let parsed = read(request)?;
    let definitions = parsed.algorithm_specification.definitions();
    let mut document = request.clone();
    show_definitions(&mut document, &definitions);
    let mut plan = plan(core, parsed, &definitions)?;
    plan.watch = launch.watch.and_then(|(name, report)| {
        let metric = plan.metrics.iter().find(|metric| metric.name() == name)?.clone();
        Some(Watch { metric, report })
    });
    let (run, arn) = core.change(|state| {
        let now = core.clock.now();
        let resource = state.insert(Kind::TrainingJob.row(), &core.place, now, &document, launch.state)?;
        training::begin(resource, now, &plan.output);
        let (run, arn, name) =
            (Run::new(core, Kind::TrainingJob, resource), resource.arn.clone(), resource.name.clone());
        warm_pool::take_over(state, &name, &core.place, now);
        Ok::<_, AwsError>((run, arn))
    })?;
    Ok((arn, training::run(run, plan)))
}

/// The request, with what only serverless jobs, which there are none of here, may leave out.
fn read(request: &Value) -> Result<CreateTrainingJob, AwsError> {
    let needed = [
        ("AlgorithmSpecification", "algorithmSpecification"),
        ("ResourceConfig", "resourceConfig"),
        ("StoppingCondition", "stoppingCondition"),
    ];
    match needed.iter().find(|(member, _)| request.get(member).is_none_or(Value::is_null)) {
        Some((_, path)) => Err(AwsError::validation(format!(
            "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
        ))),
        None => parse(request),
    }
}

/// Refuses what [`prepare`] would refuse, but for the name.
pub(in crate::local) fn check(core: &Core, request: &Value) -> Result<(), AwsError> {
    let parsed = read(request)?;
    let definitions = parsed.algorithm_specification.definitions();
    plan(core, parsed, &definitions).map(|_| ())
}

/// The names of the metrics that a training job with such an `AlgorithmSpecification` has.
pub(super) fn definitions(specification: &Value) -> Result<Vec<Definition>, AwsError> {
    parse::<AlgorithmSpecification>(specification).map(|specification| specification.definitions())
}

fn plan(core: &Core, request: CreateTrainingJob, definitions: &[Definition]) -> Result<Plan, AwsError> {
    if !core.is_lenient() {
        checks::check(&request)?;
    }
    iam::check_assumable(core, &request.role_arn)?;
    let max_runtime = request.stopping_condition.max_runtime_in_seconds.unwrap_or(DEFAULT_MAX_RUNTIME);
    let max_wait = request.stopping_condition.max_wait_time_in_seconds;
    if request.enable_managed_spot_training && max_wait.is_none_or(|wait| wait < max_runtime) {
        return Err(AwsError::validation(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ));
    }
    let algorithm = request.algorithm_specification;
    let image = match (algorithm.training_image, algorithm.algorithm_name) {
        (Some(image), None) => image,
        (None, Some(name)) => algorithm_image(core, &name)?,
        _ => {
            let message = "You must specify either TrainingImage or AlgorithmName in AlgorithmSpecification, not both.";
            return Err(AwsError::validation(message));
        }
    };
    let mode = input_mode(algorithm.training_input_mode.as_deref());
    let channels = request.input_data_config.into_iter();
    let has_network = request.vpc_config.is_some();
    let channels = channels.map(|channel| channel_plan(core, channel, mode, &request.role_arn, has_network));
    let channels = channels.collect::<Result<_, _>>()?;
    let output = data::s3_uri(&request.output_data_config.s3_output_path)?;
    data::check_output_bucket(core, &output)?;
    let checkpoints = match &request.checkpoint_config {
        Some(config) => {
            let place = data::s3_uri(&config.s3_uri)?;
            data::check_output_bucket(core, &place)?;
            Some(place)
        }
        None => None,
    };
    let checkpoint_path = request.checkpoint_config.and_then(|config| config.local_path);
    let plain = request.output_data_config.compression_type.as_deref() == Some("NONE");
    let groups = request.resource_config.instance_groups.iter();
    let grouped = groups.fold(0, |sum: u32, group| sum.saturating_add(group.instance_count));
    Ok(Plan {
        image,
        hyperparameters: request.hyper_parameters,
        inputs: Inputs { role: request.role_arn, channels, checkpoints: checkpoints.clone() },
        environment: request.environment,
        instance_count: request.resource_config.instance_count.unwrap_or(grouped.max(1)),
        instance_type: request.resource_config.instance_type.unwrap_or_default(),
        entrypoint: algorithm.container_entrypoint,
        arguments: algorithm.container_arguments,
        checkpoint_path: checkpoint_path.unwrap_or_else(|| "/opt/ml/checkpoints".to_owned()),
        output: OutputPlan { place: output, plain, checkpoints },
        max_runtime: Duration::from_secs(max_runtime),
        max_wait: max_wait.filter(|_| request.enable_managed_spot_training).map(Duration::from_secs),
        metrics: metrics::compile(definitions)?,
        watch: None,
    })
}

/// The training image of an algorithm, by its name or ARN.
fn algorithm_image(core: &Core, name: &str) -> Result<String, AwsError> {
    let state = core.state();
    let algorithm = state.get(Kind::Algorithm.row(), &core.place, name)?;
    let image = algorithm.member("TrainingSpecification.TrainingImage").and_then(Value::as_str);
    image.map(str::to_owned).ok_or_else(|| AwsError::validation(format!("Algorithm {} has no image.", algorithm.arn)))
}

/// `File`, `Pipe` or `FastFile`, of the whole job or of a channel.
fn input_mode(name: Option<&str>) -> InputMode {
    match name {
        Some("Pipe") => InputMode::Pipe,
        Some("FastFile") => InputMode::FastFile,
        _ => InputMode::File,
    }
}

fn channel_plan(
    core: &Core,
    channel: Channel,
    mode: InputMode,
    role: &str,
    has_network: bool,
) -> Result<ChannelPlan, AwsError> {
    let Some(source) = channel.data_source.s3_data_source else {
        return file_system_plan(channel, has_network);
    };
    data::resolve(core, &source.s3_data_type, &source.s3_uri, role)?;
    if (source.s3_data_type == data::AUGMENTED) == source.attribute_names.is_empty() {
        return Err(AwsError::validation(format!(
            "AttributeNames must be specified for S3DataType AugmentedManifestFile, and only for it (channel \"{}\").",
            channel.channel_name
        )));
    }
    Ok(ChannelPlan {
        name: channel.channel_name,
        content_type: channel.content_type,
        input_mode: channel.input_mode.as_deref().map_or(mode, |own| input_mode(Some(own))),
        sharded: source.s3_data_distribution_type.as_deref() == Some("ShardedByS3Key"),
        record_io: channel.record_wrapper_type.as_deref() == Some("RecordIO"),
        gzip: channel.compression_type.as_deref() == Some("Gzip"),
        data_type: source.s3_data_type,
        uri: source.s3_uri,
        attributes: source.attribute_names,
        shuffle: channel.shuffle_config.map(|config| config.seed.cast_unsigned()),
        file_system: None,
    })
}

/// A folder of a file system, which a job reaches through its network only.
fn file_system_plan(channel: Channel, has_network: bool) -> Result<ChannelPlan, AwsError> {
    let name = &channel.channel_name;
    let Some(source) = channel.data_source.file_system_data_source else {
        return Err(AwsError::validation(format!("DataSource must be specified (channel \"{name}\").")));
    };
    if !has_network {
        return Err(AwsError::validation("VpcConfig must be specified when FileSystemDataSource is used."));
    }
    Ok(ChannelPlan {
        name: channel.channel_name,
        content_type: channel.content_type,
        file_system: Some(Directory {
            id: source.file_system_id,
            lustre: source.file_system_type == "FSxLustre",
            path: source.directory_path,
            writable: source.file_system_access_mode == "rw",
        }),
        ..ChannelPlan::default()
    })
}

/// Describe shows the definitions that the service adds for a built-in image, as far as there is room for them.
pub(super) fn show_definitions(document: &mut Value, definitions: &[Definition]) {
    let shown = definitions.iter().take(metrics::MAX_DEFINITIONS);
    let list: Vec<Value> = shown.map(|(name, regex)| json!({"Name": name, "Regex": regex})).collect();
    if !list.is_empty() {
        document["AlgorithmSpecification"]["MetricDefinitions"] = Value::Array(list);
    }
}

/// `UpdateTrainingJob`: the profiler and remote debugging while the job runs, the warm pool also after that.
pub(super) fn update(core: &Core, request: &Value) -> Answer {
    let name = text(request, "TrainingJobName")?;
    let row = Kind::TrainingJob.row();
    let given = |member: &str| request.get(member).filter(|value| !value.is_null());
    core.change(|state| {
        let job = state.get_mut(row, &core.place, name)?;
        let status = job.status(row).to_owned();
        let refuse = |what: &str| {
            let message = format!("{what} cannot be updated: the training job is in status {status}.");
            Err(AwsError::validation(message))
        };
        let profiler = ["ProfilerConfig", "ProfilerRuleConfigurations"];
        if profiler.iter().any(|member| given(member).is_some()) && status != "InProgress" {
            return refuse("The profiler");
        }
        let secondary = job.member("SecondaryStatus").and_then(Value::as_str).unwrap_or_default();
        if given("RemoteDebugConfig").is_some() && !matches!(secondary, "Downloading" | "Training") {
            return refuse("RemoteDebugConfig");
        }
        if let Some(config) = given("ResourceConfig") {
            if job.member("ResourceConfig.KeepAlivePeriodInSeconds").is_none() {
                return Err(AwsError::validation(
                    "KeepAlivePeriodInSeconds cannot be updated: the training job was created without a warm pool.",
                ));
            }
            if status != "InProgress" && !warm_pool::is_available(job) {
                return refuse("KeepAlivePeriodInSeconds");
            }
            let old = job.request.get_mut("ResourceConfig").and_then(Value::as_object_mut);
            if let (Some(old), Some(new)) = (old, config.as_object()) {
                old.extend(new.clone());
            }
        }
        for member in ["ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig"] {
            match (job.request.get_mut(member), given(member)) {
                (Some(Value::Object(old)), Some(Value::Object(new))) => old.extend(new.clone()),
                (_, Some(new)) => {
                    job.request.insert(member.to_owned(), new.clone());
                }
                _ => {}
            }
        }
        job.modified = core.clock.now();
        Ok(json!({"TrainingJobArn": job.arn}))
    })
}

/// `DeleteTrainingJob`: only after its end; then the name is free again.
pub(super) fn delete(core: &Core, request: &Value) -> Answer {
    let name = text(request, "TrainingJobName")?;
    let row = Kind::TrainingJob.row();
    core.change(|state| {
        let job = state.get(row, &core.place, name)?;
        if warm_pool::is_available(job) {
            let message = "The request was rejected because the training job has a warm pool in status Available.";
            return Err(AwsError::in_use(message));
        }
        match job.status(row) {
            status @ ("InProgress" | "Stopping") => {
                let message = format!("The request was rejected because the training job is in status {status}.");
                return Err(AwsError::in_use(message));
            }
            _ => state.remove(row, &core.place, name)?,
        };
        Ok(Value::Null)
    })
}
