use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::types::{
    Channel, DataSource, OutputDataConfig, ResourceConfig, S3DataDistribution, S3DataSource, S3DataType,
    TrainingInstanceType,
};

use super::Permission;
use super::permissions;
use crate::Session;
use crate::session::Defaults;
use crate::types::{Arn, S3Uri};

/// The key of a defaults file that names the role of training jobs.
pub(super) const ROLE_OF_TRAINING: &str = "SageMaker.TrainingJob.RoleArn";

/// What a plan needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct PlanContext {
    region: String,
    now: SystemTime,
    job_name: Option<String>,
    default_output: Option<S3Uri>,
    default_role: Option<Arn>,
    defaults: Defaults,
    looks_at_files: bool,
    /// Whether the session is not known yet, so that its defaults may put the job into a network.
    of_any_session: bool,
}

impl PlanContext {
    /// The region to plan for, and the time that generated names tell.
    pub fn new(region: impl Into<String>, now: SystemTime) -> Self {
        Self {
            region: region.into(),
            now,
            job_name: None,
            default_output: None,
            default_role: None,
            defaults: Defaults::default(),
            looks_at_files: true,
            of_any_session: false,
        }
    }

    /// What a session knows without a call: region, time, its [defaults](Session::defaults), and its default bucket and
    /// role as far as they were given or have been asked for before. With both known, a plan is the very request that
    /// [`fit`](super::EstimatorExt::fit) sends.
    ///
    /// ```
    /// # #[cfg(feature = "local")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> sagemaker::Result<()> {
    /// use sagemaker::estimator::{ContainerEstimator, Estimator, PlanContext};
    /// use sagemaker::training::Channels;
    /// use sagemaker::types::Compute;
    ///
    /// let session = sagemaker::Session::local(); // or Session::from_env().await?
    /// let bucket = session.ensure_bucket().await?;
    /// let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.us-east-1.amazonaws.com/forecaster:3")
    ///     .compute(Compute::instances("ml.m5.xlarge", 1))
    ///     .build()?;
    /// let plan = estimator.plan(&PlanContext::of(&session), &Channels::default())?;
    /// assert!(plan.to_string().contains(&format!("output   s3://{bucket}/")));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "local"))]
    /// # fn main() {}
    /// ```
    pub fn of(session: &Session) -> Self {
        Self {
            default_output: session.known_default_uri(),
            default_role: session.known_role_for(ROLE_OF_TRAINING),
            defaults: session.defaults().clone(),
            ..Self::new(session.region(), session.now())
        }
    }

    /// The job's name. Default: generated from the base name and the time.
    #[must_use]
    pub fn job_name(mut self, name: impl Into<String>) -> Self {
        self.job_name = Some(name.into());
        self
    }

    /// Where output goes that was given no place. Default: open, as it takes a call to find out the default bucket.
    #[must_use]
    pub fn default_output(mut self, uri: S3Uri) -> Self {
        self.default_output = Some(uri);
        self
    }

    /// For who is about to start the job: names are told apart by their time, and who starts it looks at the code and asks
    /// for what is not known.
    pub(super) fn about_to_start(session: &Session) -> Self {
        let defaults = session.defaults().clone();
        Self { defaults, looks_at_files: false, ..Self::new(session.region(), session.name_time()) }
    }

    /// For checks before a session is known.
    pub(super) fn of_any_session(mut self) -> Self {
        self.of_any_session = true;
        self
    }

    /// Whether the session puts jobs into a private network, or may do so.
    pub(super) fn has_network(&self) -> bool {
        self.of_any_session || self.defaults.has_network_of_training()
    }

    pub(super) fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    pub(super) fn known_default_role(&self) -> Option<&Arn> {
        self.default_role.as_ref()
    }

    pub(super) fn looks_at_files(&self) -> bool {
        self.looks_at_files
    }

    pub(super) fn known_default_output(&self) -> Option<&S3Uri> {
        self.default_output.as_ref()
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

/// A checked training request that was not sent, with the uploads before it and the permissions that all of it needs.
///
/// A role or an output path that was not given stays open, and what depends on them: they take calls to find out, which
/// [`fit`](super::EstimatorExt::fit) makes.
///
/// ```
/// use std::time::SystemTime;
/// use sagemaker::estimator::{ContainerEstimator, Estimator, PlanContext};
/// use sagemaker::training::Channels;
/// use sagemaker::types::Compute;
///
/// let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecaster:3")
///     .compute(Compute::instances("ml.m5.xlarge", 1))
///     .role("arn:aws:iam::123456789012:role/SageMakerRole")
///     .output_path("s3://my-bucket/out")
///     .build()?;
/// let context = PlanContext::new("eu-west-1", SystemTime::UNIX_EPOCH).job_name("forecast-1");
/// let plan = estimator.plan(&context, &Channels::from("s3://my-bucket/sales/"))?;
/// assert!(plan.to_string().contains("channel  training = s3://my-bucket/sales/"));
/// let actions: Vec<_> = plan.permissions().iter().map(|it| it.action).collect();
/// assert!(actions.contains(&"sagemaker:CreateTrainingJob") && actions.contains(&"iam:PassRole"));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Clone)]
pub struct TrainingPlan {
    request: CreateTrainingJobInputBuilder,
    uploads: Vec<PlannedUpload>,
    region: String,
    named_role: Option<String>,
}

/// An upload that a plan makes before it sends its request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedUpload {
    /// What it is, such as `source code`.
    pub what: &'static str,
    /// Where it goes; `None` while the output path is open.
    pub target: Option<S3Uri>,
    /// The size of all files, in bytes, before they are packed.
    pub bytes: u64,
    /// The KMS key that it is encrypted with, if one was given.
    pub kms_key: Option<String>,
}

impl TrainingPlan {
    pub(super) fn new(request: CreateTrainingJobInputBuilder, region: &str, named_role: Option<&str>) -> Self {
        let named_role = named_role.map(str::to_owned);
        Self { request, uploads: Vec::new(), region: region.to_owned(), named_role }
    }

    /// What is uploaded first.
    pub fn uploads(&self) -> &[PlannedUpload] {
        &self.uploads
    }

    /// The IAM actions that the caller needs for it, with the resources that they are needed on.
    pub fn permissions(&self) -> Vec<Permission> {
        permissions::of(&self.request, &self.uploads, &self.region, self.named_role.as_deref())
    }

    pub(super) fn with_upload(mut self, upload: PlannedUpload) -> Self {
        self.uploads.push(upload);
        self
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

    /// The channel by which code reaches a container without a network. A job that is run again has it already.
    pub(super) fn with_code_channel(self, uri: &str) -> Self {
        let mut channels = self.request.get_input_data_config().iter().flatten();
        if channels.any(|channel| channel.channel_name() == Some("code")) {
            return self;
        }
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
        for upload in &self.uploads {
            let target = upload.target.as_ref().map_or("the session's default bucket".to_owned(), ToString::to_string);
            writeln!(f, "upload {} ({} bytes) to {target}", upload.what, upload.bytes)?;
        }
        let request = &self.request;
        writeln!(f, "CreateTrainingJob {}", self.job_name())?;
        if let Some(algorithm) = request.get_algorithm_specification() {
            match (algorithm.training_image(), algorithm.algorithm_name()) {
                (Some(image), _) => writeln!(f, "  image    {image}")?,
                (None, name) => writeln!(f, "  algorithm {}", name.unwrap_or_default())?,
            }
        }
        if let Some(resources) = request.get_resource_config() {
            write_compute(resources, f)?;
        }
        if let Some(condition) = request.get_stopping_condition() {
            write!(f, "  limit    {} s", condition.max_runtime_in_seconds().unwrap_or(0))?;
            match condition.max_wait_time_in_seconds() {
                Some(wait) => writeln!(f, " on spot instances, {wait} s with the wait for them")?,
                None => writeln!(f)?,
            }
        }
        let role = request.get_role_arn().as_deref().or(self.named_role.as_deref());
        writeln!(f, "  role     {}", role.unwrap_or("the session's execution role"))?;
        for channel in request.get_input_data_config().iter().flatten() {
            writeln!(f, "  channel  {} = {}", channel.channel_name().unwrap_or_default(), place_of(channel))?;
        }
        let output = request.get_output_data_config().as_ref().and_then(OutputDataConfig::s3_output_path);
        writeln!(f, "  output   {}", output.unwrap_or("the session's default bucket"))?;
        let hyperparameters = request.get_hyper_parameters().iter().flatten();
        let sorted: BTreeMap<_, _> = hyperparameters.collect();
        for (name, value) in sorted {
            writeln!(f, "  set      {name} = {value}")?;
        }
        for permission in self.permissions() {
            writeln!(f, "needs {permission}")?;
        }
        Ok(())
    }
}

fn write_compute(resources: &ResourceConfig, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let kind = |kind: Option<&TrainingInstanceType>| kind.map_or("", TrainingInstanceType::as_str).to_owned();
    for group in resources.instance_groups() {
        let (name, count) = (group.instance_group_name().unwrap_or_default(), group.instance_count().unwrap_or(0));
        writeln!(f, "  compute  {count} x {} ({name})", kind(group.instance_type()))?;
    }
    if resources.instance_groups().is_empty() {
        let count = resources.instance_count().unwrap_or(0);
        writeln!(f, "  compute  {count} x {}", kind(resources.instance_type()))?;
    }
    Ok(())
}

fn place_of(channel: &Channel) -> String {
    let source = channel.data_source();
    match source.and_then(|source| Some((source.s3_data_source()?, source))) {
        Some((s3, _)) => s3.s3_uri().unwrap_or_default().to_owned(),
        None => source.and_then(DataSource::file_system_data_source).map_or_else(String::new, |files| {
            let (id, directory) = (files.file_system_id(), files.directory_path());
            format!("{}:{}", id.unwrap_or_default(), directory.unwrap_or_default())
        }),
    }
}
