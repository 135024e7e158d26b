use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::types::{Channel, DataSource, OutputDataConfig, S3DataDistribution, S3DataSource, S3DataType};

use crate::types::{Arn, S3Uri};

/// What a plan needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct PlanContext {
    region: String,
    now: SystemTime,
    job_name: Option<String>,
}

impl PlanContext {
    /// The region to plan for, and the time that generated names tell.
    pub fn new(region: impl Into<String>, now: SystemTime) -> Self {
        Self { region: region.into(), now, job_name: None }
    }

    /// The job's name. Default: generated from the base name and the time.
    #[must_use]
    pub fn job_name(mut self, name: impl Into<String>) -> Self {
        self.job_name = Some(name.into());
        self
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn now(&self) -> SystemTime {
        self.now
    }

    pub(super) fn given_job_name(&self) -> Option<&str> {
        self.job_name.as_deref()
    }
}

/// A checked training request that was not sent.
///
/// A role or an output path that was not given stays open: they take calls to find out, which
/// [`fit`](super::EstimatorExt::fit) makes.
#[derive(Clone)]
pub struct TrainingPlan {
    request: CreateTrainingJobInputBuilder,
}

impl TrainingPlan {
    pub(super) fn new(request: CreateTrainingJobInputBuilder) -> Self {
        Self { request }
    }

    /// The request to `CreateTrainingJob`.
    pub fn request(&self) -> &CreateTrainingJobInputBuilder {
        &self.request
    }

    /// The job's name.
    pub fn job_name(&self) -> &str {
        self.request.get_training_job_name().as_deref().unwrap_or_default()
    }

    /// Changes the request: the door to what this crate has no setter for.
    #[must_use]
    pub fn map_raw(
        mut self,
        change: impl FnOnce(CreateTrainingJobInputBuilder) -> CreateTrainingJobInputBuilder,
    ) -> Self {
        self.request = change(self.request);
        self
    }

    /// Without what was switched off explicitly, once the session's defaults can no longer switch it on.
    pub(super) fn without_off(self) -> Self {
        self.map_raw(|request| {
            let isolated = request.get_enable_network_isolation().filter(|on| *on);
            let encrypted = request.get_enable_inter_container_traffic_encryption().filter(|on| *on);
            request.set_enable_network_isolation(isolated).set_enable_inter_container_traffic_encryption(encrypted)
        })
    }

    pub(super) fn needs_role(&self) -> bool {
        self.request.get_role_arn().is_none()
    }

    pub(super) fn needs_output(&self) -> bool {
        self.request.get_output_data_config().as_ref().and_then(OutputDataConfig::s3_output_path).is_none()
    }

    /// Where the output goes; nothing while that is open.
    pub(super) fn output(&self) -> &str {
        let config = self.request.get_output_data_config().as_ref();
        config.and_then(OutputDataConfig::s3_output_path).unwrap_or_default()
    }

    pub(super) fn with_hyperparameters(self, more: BTreeMap<String, String>) -> Self {
        let add = |request: CreateTrainingJobInputBuilder, (name, value)| request.hyper_parameters(name, value);
        self.map_raw(|request| more.into_iter().fold(request, add))
    }

    /// The channel by which code reaches a container without a network.
    pub(super) fn with_code_channel(self, uri: &str) -> Self {
        let s3 = S3DataSource::builder().s3_data_type(S3DataType::S3Prefix).s3_uri(uri);
        let s3 = s3.s3_data_distribution_type(S3DataDistribution::FullyReplicated).build();
        let source = DataSource::builder().s3_data_source(s3).build();
        let channel = Channel::builder().channel_name("code").data_source(source).build();
        self.map_raw(|request| request.input_data_config(channel))
    }

    pub(super) fn with_role(self, role: Arn) -> Self {
        self.map_raw(|request| request.role_arn(role))
    }

    pub(super) fn with_output(self, output: &S3Uri) -> Self {
        let given = self.request.get_output_data_config().as_ref();
        let config = OutputDataConfig::builder()
            .s3_output_path(output.to_string())
            .set_kms_key_id(given.and_then(OutputDataConfig::kms_key_id).map(str::to_owned))
            .set_compression_type(given.and_then(OutputDataConfig::compression_type).cloned());
        let hook = self.request.get_debug_hook_config().clone().filter(|hook| hook.s3_output_path().is_none());
        let profiler = self.request.get_profiler_config().clone();
        let profiler = profiler.filter(|it| it.s3_output_path().is_none() && it.disable_profiler() != Some(true));
        self.map_raw(|request| {
            let mut request = request.output_data_config(config.build());
            if let Some(mut hook) = hook {
                hook.s3_output_path = Some(output.to_string());
                request = request.debug_hook_config(hook);
            }
            if let Some(mut profiler) = profiler {
                profiler.s3_output_path = Some(output.to_string());
                request = request.profiler_config(profiler);
            }
            request
        })
    }
}

impl fmt::Debug for TrainingPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrainingPlan").field("job_name", &self.job_name()).finish_non_exhaustive()
    }
}

/// One line for each thing that a person would check before spending money.
impl fmt::Display for TrainingPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = &self.request;
        writeln!(f, "CreateTrainingJob {}", self.job_name())?;
        if let Some(algorithm) = request.get_algorithm_specification() {
            writeln!(f, "  image    {}", algorithm.training_image().unwrap_or_default())?;
        }
        if let Some(resources) = request.get_resource_config() {
            let kind = resources.instance_type().map_or("", |kind| kind.as_str());
            writeln!(f, "  compute  {} x {kind}", resources.instance_count().unwrap_or(0))?;
        }
        writeln!(f, "  role     {}", request.get_role_arn().as_deref().unwrap_or("the session's execution role"))?;
        for channel in request.get_input_data_config().iter().flatten() {
            let uri = channel.data_source().and_then(|source| source.s3_data_source()).and_then(|s3| s3.s3_uri());
            writeln!(f, "  channel  {} = {}", channel.channel_name().unwrap_or_default(), uri.unwrap_or_default())?;
        }
        let output = request.get_output_data_config().as_ref().and_then(OutputDataConfig::s3_output_path);
        writeln!(f, "  output   {}", output.unwrap_or("the session's default bucket"))?;
        let hyperparameters = request.get_hyper_parameters().iter().flatten();
        let sorted: BTreeMap<_, _> = hyperparameters.collect();
        for (name, value) in sorted {
            writeln!(f, "  set      {name} = {value}")?;
        }
        Ok(())
    }
}
