//! An estimator from a job that was started before, by this crate, by the Python SDK or by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput;
use aws_sdk_sagemaker::types as sdk;

use super::{Checkpoints, ContainerEstimator, ExperimentConfig, InstancePlacement, RegistryAccess, TrainingSettings};
use crate::aws::ServiceCall;
use crate::images;
use crate::training::{InputMode, TrainingJob, TrainingJobDescription};
use crate::types::{
    Compute, ImageUri, InstanceGroup, InstanceGroups, Spot, Tags, TrainingCompute, VpcConfig, base_of_name,
};
use crate::{Error, ErrorKind, Result, Session};

/// Parts of a job that are taken over as they are: settings hold them in words of their own, or not at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct TakenOver {
    pub(super) hook: Option<sdk::DebugHookConfig>,
    pub(super) rules: Vec<sdk::DebugRuleConfiguration>,
    pub(super) profiler: Option<sdk::ProfilerConfig>,
    pub(super) profiler_rules: Vec<sdk::ProfilerRuleConfiguration>,
    pub(super) tensorboard: Option<sdk::TensorBoardOutputConfig>,
    pub(super) max_pending: Option<i32>,
}

/// A job that an estimator is made of.
#[derive(Debug)]
pub(crate) struct Attached {
    job_name: String,
    pub(crate) description: TrainingJobDescription,
    pub(crate) settings: TrainingSettings,
}

impl Attached {
    pub(crate) async fn of(session: &Session, job_name: &str) -> Result<Self> {
        let job = TrainingJob::attach(session, job_name).await?;
        let description = job.describe().await?;
        let tags = match description.raw().training_job_arn() {
            Some(arn) => tags_of(session, arn).await?,
            None => Tags::default(),
        };
        let mut settings = TrainingSettings::of_job(description.raw(), tags)?;
        let image = description.training_image().and_then(|image| ImageUri::new(image).ok());
        if image.is_some_and(|image| images::is_builtin(&image)) {
            settings.metric_definitions.clear();
        }
        Ok(Self { job_name: job.name().to_owned(), description, settings })
    }

    pub(crate) fn image(&self) -> Result<&str> {
        let without =
            || self.refusal("was trained by an algorithm without an image: AlgorithmEstimator::attach takes it");
        self.description.training_image().ok_or_else(without)
    }

    /// Each as the container read it.
    pub(crate) fn hyperparameters(&self) -> BTreeMap<String, String> {
        let all = self.description.raw().hyper_parameters().into_iter().flatten();
        all.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Why the job is not one of an estimator's.
    pub(crate) fn refusal(&self, text: &str) -> Error {
        Error::new(ErrorKind::Unsupported, format!("the training job {} {text}", self.job_name))
    }
}

impl ContainerEstimator {
    /// An estimator with the image, hyperparameters, tags and settings of a job, whoever started it.
    ///
    /// Nothing is lost that the service tells; hyperparameters are the texts that the container read. The job's channels
    /// are told by [`TrainingJobDescription::channels`](crate::training::TrainingJobDescription::channels).
    /// [`edit`](Self::edit) makes a builder of it to change something.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such job, [`ErrorKind::Unsupported`] if an algorithm of the marketplace or
    /// of one's own trained it instead of an image.
    ///
    /// ```no_run
    /// # async fn run(session: sagemaker::Session) -> sagemaker::Result<()> {
    /// use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
    /// use sagemaker::training::TrainingJob;
    ///
    /// let before = TrainingJob::attach(&session, "forecaster-2024-01-31-10-00-00-123").await?;
    /// let again = ContainerEstimator::attach(&session, before.name()).await?.edit().hyperparameter("horizon", 48).build()?;
    /// again.fit(&session, before.describe().await?.channels()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn attach(session: &Session, job_name: impl AsRef<str>) -> Result<Self> {
        let job = Attached::of(session, job_name.as_ref()).await?;
        let image = job.image()?.to_owned();
        let hyperparameters = job.hyperparameters().into_iter().map(|(name, value)| (name, value.into())).collect();
        Ok(Self::of_parts(image, hyperparameters, job.settings))
    }
}

/// Without those of AWS, which nobody may set.
async fn tags_of(session: &Session, arn: &str) -> Result<Tags> {
    let mut tags = Tags::default();
    let mut token = None;
    loop {
        let page = session.aws().sagemaker().list_tags().resource_arn(arn).set_next_token(token);
        let page = page.send().await.of("ListTags")?;
        for tag in page.tags() {
            if let (Some(key), Some(value)) = (tag.key(), tag.value())
                && !key.starts_with("aws:")
            {
                tags.insert(key, value);
            }
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(tags);
        }
    }
}

fn seconds(value: Option<i32>) -> Option<Duration> {
    value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0).map(Duration::from_secs)
}

fn count(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0)
}

impl TrainingSettings {
    /// The settings that a job was started with.
    fn of_job(job: &DescribeTrainingJobOutput, tags: Tags) -> Result<Self> {
        let algorithm = job.algorithm_specification();
        let resources = job.resource_config();
        let stopping = job.stopping_condition();
        let output = job.output_data_config();
        let seconds_of = |of: fn(&sdk::StoppingCondition) -> Option<i32>| seconds(stopping.and_then(of));
        let max_run = seconds_of(sdk::StoppingCondition::max_runtime_in_seconds).unwrap_or(Self::default().max_run);
        let spot = (job.enable_managed_spot_training() == Some(true))
            .then(|| Spot::max_wait(seconds_of(sdk::StoppingCondition::max_wait_time_in_seconds).unwrap_or(max_run)));
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let metrics = algorithm.map(sdk::AlgorithmSpecification::metric_definitions).unwrap_or_default().iter();
        Ok(Self {
            compute: resources.map(compute),
            keep_alive: seconds(resources.and_then(sdk::ResourceConfig::keep_alive_period_in_seconds)),
            training_plan: text(resources.and_then(sdk::ResourceConfig::training_plan_arn)),
            placement: resources.and_then(sdk::ResourceConfig::instance_placement_config).map(placement),
            volume_kms_key: text(resources.and_then(sdk::ResourceConfig::volume_kms_key_id)),
            role: text(job.role_arn()),
            output_path: text(output.and_then(sdk::OutputDataConfig::s3_output_path)),
            output_kms_key: text(output.and_then(sdk::OutputDataConfig::kms_key_id)),
            uncompressed_output: output.and_then(sdk::OutputDataConfig::compression_type)
                == Some(&sdk::OutputCompressionType::None),
            base_job_name: job.training_job_name().map(base_of_name).map(str::to_owned),
            max_run,
            spot,
            checkpoints: job.checkpoint_config().and_then(checkpoints),
            max_retries: count(job.retry_strategy().and_then(sdk::RetryStrategy::maximum_retry_attempts)),
            environment: job.environment().into_iter().flatten().map(|(n, v)| (n.clone(), v.clone())).collect(),
            vpc: job.vpc_config().map(|vpc| VpcConfig::new(vpc.subnets(), vpc.security_group_ids())),
            tags,
            experiment: job.experiment_config().map(experiment),
            // What is off was most likely not asked for: it stays open.
            network_isolation: job.enable_network_isolation().filter(|on| *on),
            encrypt_traffic: job.enable_inter_container_traffic_encryption().filter(|on| *on),
            remote_debug: job.remote_debug_config().and_then(sdk::RemoteDebugConfig::enable_remote_debug),
            infra_check: job.infra_check_config().and_then(sdk::InfraCheckConfig::enable_infra_check),
            input_mode: input_mode(algorithm.and_then(sdk::AlgorithmSpecification::training_input_mode))?,
            metric_definitions: metrics
                .filter_map(|of| Some((of.name()?.to_owned(), of.regex()?.to_owned())))
                .collect(),
            metrics_time_series: algorithm.and_then(sdk::AlgorithmSpecification::enable_sage_maker_metrics_time_series),
            entrypoint: algorithm.map(|of| of.container_entrypoint().to_vec()).unwrap_or_default(),
            arguments: algorithm.map(|of| of.container_arguments().to_vec()).unwrap_or_default(),
            registry_access: algorithm.and_then(sdk::AlgorithmSpecification::training_image_config).and_then(registry),
            taken_over: TakenOver {
                hook: job.debug_hook_config().cloned(),
                rules: job.debug_rule_configurations().to_vec(),
                profiler: job.profiler_config().cloned(),
                profiler_rules: job.profiler_rule_configurations().to_vec(),
                tensorboard: job.tensor_board_output_config().cloned(),
                max_pending: stopping.and_then(sdk::StoppingCondition::max_pending_time_in_seconds),
            },
            ..Self::default()
        })
    }
}

fn compute(resources: &sdk::ResourceConfig) -> TrainingCompute {
    let volume = count(resources.volume_size_in_gb());
    let groups: Vec<_> = resources
        .instance_groups()
        .iter()
        .filter_map(|group| {
            let kind = group.instance_type()?.as_str();
            Some(InstanceGroup::new(group.instance_group_name()?, kind, count(group.instance_count()).unwrap_or(1)))
        })
        .collect();
    if groups.is_empty() {
        let kind = resources.instance_type().map_or("", sdk::TrainingInstanceType::as_str);
        let compute = Compute::instances(kind, count(resources.instance_count()).unwrap_or(1));
        return match volume {
            Some(gb) => compute.volume_gb(gb).into(),
            None => compute.into(),
        };
    }
    let groups = InstanceGroups::new(groups);
    match volume {
        Some(gb) => groups.volume_gb(gb).into(),
        None => groups.into(),
    }
}

fn checkpoints(config: &sdk::CheckpointConfig) -> Option<Checkpoints> {
    let checkpoints = Checkpoints::at(config.s3_uri()?);
    Some(match config.local_path() {
        Some(path) => checkpoints.local_path(path),
        None => checkpoints,
    })
}

fn placement(config: &sdk::InstancePlacementConfig) -> InstancePlacement {
    let placement = match config.enable_multiple_jobs() {
        Some(true) => InstancePlacement::new().share_with_other_jobs(),
        _ => InstancePlacement::new(),
    };
    config.placement_specifications().iter().fold(placement, |placement, of| {
        placement.on_ultra_server(of.ultra_server_id().unwrap_or_default(), count(of.instance_count()).unwrap_or(0))
    })
}

fn experiment(config: &sdk::ExperimentConfig) -> ExperimentConfig {
    let mut experiment = ExperimentConfig::new();
    if let Some(name) = config.experiment_name() {
        experiment = experiment.experiment(name);
    }
    if let Some(name) = config.trial_name() {
        experiment = experiment.trial(name);
    }
    if let Some(name) = config.trial_component_display_name() {
        experiment = experiment.display_name(name);
    }
    if let Some(name) = config.run_name() {
        experiment = experiment.run(name);
    }
    experiment
}

fn registry(config: &sdk::TrainingImageConfig) -> Option<RegistryAccess> {
    let credentials = config.training_repository_auth_config();
    let credentials =
        credentials.and_then(sdk::TrainingRepositoryAuthConfig::training_repository_credentials_provider_arn);
    Some(match (config.training_repository_access_mode()?, credentials) {
        (sdk::TrainingRepositoryAccessMode::Vpc, Some(function)) => {
            RegistryAccess::VpcWithCredentials(function.to_owned())
        }
        (sdk::TrainingRepositoryAccessMode::Vpc, None) => RegistryAccess::Vpc,
        _ => RegistryAccess::Platform,
    })
}

fn input_mode(mode: Option<&sdk::TrainingInputMode>) -> Result<InputMode> {
    Ok(InputMode::of_request(mode)?.unwrap_or(InputMode::File))
}
