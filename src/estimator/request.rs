//! CreateTrainingJob's request from an estimator's settings, checked as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::types as sdk;

use super::{AlgorithmSource, TrainingSettings};
use crate::Result;
use crate::error::Problems;
use crate::training::{Channels, InputMode, JobOfChannels, TrainingInput};
use crate::types::{Arn, GivenRole, ResourceName, S3Uri, TrainingCompute};

const DEFAULT_VOLUME_GB: u32 = 30;
/// Regions without the profiler.
const WITHOUT_PROFILER: [&str; 9] = [
    "us-iso-east-1",
    "us-isob-east-1",
    "ap-southeast-3",
    "ap-southeast-4",
    "eu-south-2",
    "me-central-1",
    "ap-south-2",
    "eu-central-2",
    "us-gov-east-1",
];
const MODEL_CHANNEL: &str = "model";
/// Tells the container that a channel holds a model.
const MODEL_CONTENT_TYPE: &str = "application/x-sagemaker-model";

/// Everything that CreateTrainingJob takes from us; checked as a whole by [`check`](Self::check).
pub(super) struct TrainingRequest<'a> {
    pub(super) name: &'a ResourceName,
    pub(super) algorithm: Result<AlgorithmSource>,
    pub(super) hyperparameters: BTreeMap<String, String>,
    pub(super) channels: &'a Channels,
    pub(super) region: &'a str,
    pub(super) settings: &'a TrainingSettings,
    /// Whether the job is in a private network, by its settings or by the session's defaults.
    pub(super) has_network: bool,
}

impl TrainingRequest<'_> {
    /// The request, or one note per refused value. Role and output stay open where they were not given.
    pub(super) fn check(mut self, problems: &mut Problems) -> CreateTrainingJobInputBuilder {
        let settings = self.settings;
        let algorithm = self.algorithm(problems);
        let output = settings.output_path.as_ref();
        let output = output.and_then(|uri| problems.check("output_path", uri.parse::<S3Uri>()));
        let hyperparameters = std::mem::take(&mut self.hyperparameters);
        check_hyperparameters(&hyperparameters, problems);
        let rules = settings.debugger.rules_request(self.region, self.name.as_str(), problems);
        let profiler_rules = settings.debugger.profiler_rules_request(self.region, problems);
        settings.tags.validate(problems);
        let tags: Vec<_> =
            settings.tags.iter().map(|(key, value)| sdk::Tag::builder().key(key).value(value).build()).collect();
        // One that was given by name stays open, as it takes a call to find out.
        let role = settings.role.as_deref().and_then(|role| problems.check("role", GivenRole::new(role)));
        let role = role.and_then(|role| role.arn().cloned());

        let taken = &settings.taken_over;
        let request = CreateTrainingJobInputBuilder::default()
            .training_job_name(self.name.as_str())
            .set_algorithm_specification(algorithm)
            .set_hyper_parameters(some(hyperparameters.into_iter().collect()))
            .set_input_data_config(some(self.channels(problems)))
            .set_role_arn(role.map(String::from))
            .set_output_data_config(self.output(output.as_ref()))
            .set_resource_config(self.resources(problems))
            .set_vpc_config(self.network(problems))
            .set_tags(some(tags))
            .set_environment(some(settings.environment.clone().into_iter().collect()))
            .set_enable_network_isolation(settings.network_isolation)
            .set_enable_inter_container_traffic_encryption(settings.encrypt_traffic)
            .set_checkpoint_config(self.checkpoints(problems))
            .set_retry_strategy(self.retries(problems))
            .set_experiment_config(settings.experiment.as_ref().map(super::ExperimentConfig::to_request))
            .set_debug_hook_config(
                settings.debugger.hook_request(output.as_ref(), problems).or_else(|| taken.hook.clone()),
            )
            .set_debug_rule_configurations(some(rules).or_else(|| some(taken.rules.clone())))
            .set_profiler_config(
                settings
                    .debugger
                    .profiler_request(output.as_ref(), problems)
                    .or_else(|| taken.profiler.clone())
                    .or_else(|| self.no_profiler()),
            )
            .set_profiler_rule_configurations(some(profiler_rules).or_else(|| some(taken.profiler_rules.clone())))
            .set_tensor_board_output_config(
                settings
                    .debugger
                    .tensorboard
                    .as_ref()
                    .map(|it| it.to_request(problems))
                    .or_else(|| taken.tensorboard.clone()),
            );
        let request = self.switches(request);
        self.stopping(request, problems)
    }

    /// Where there is no profiler, it is said to be off, as the Python SDK says it.
    fn no_profiler(&self) -> Option<sdk::ProfilerConfig> {
        let on_trainium = match &self.settings.compute {
            Some(TrainingCompute::Instances(compute)) => compute.instance_type().starts_with("ml.trn"),
            Some(TrainingCompute::Groups(_)) | None => false,
        };
        let is_there = !on_trainium && !WITHOUT_PROFILER.contains(&self.region);
        (!is_there).then(|| sdk::ProfilerConfig::builder().disable_profiler(true).build())
    }

    fn algorithm(&self, problems: &mut Problems) -> Option<sdk::AlgorithmSpecification> {
        let settings = self.settings;
        let metrics = settings.metric_definitions.iter().map(|(name, regex)| {
            problems.require(!name.is_empty(), "metric_definitions", "a metric has a name");
            sdk::MetricDefinition::builder().name(name).regex(regex).build()
        });
        let metrics: Vec<_> = metrics.collect();
        problems.require(metrics.len() <= 40, "metric_definitions", "a job has at most 40");
        problems.require(settings.entrypoint.len() <= 100, "container_entrypoint", "has at most 100 words");
        problems.require(settings.arguments.len() <= 100, "container_arguments", "has at most 100 words");
        let registry = settings.registry_access.as_ref();
        let registry = registry.map(|access| access.to_request(self.has_network, problems));
        let (image, name) = match &self.algorithm {
            Ok(AlgorithmSource::Image(image)) => (Some(image.to_string()), None),
            Ok(AlgorithmSource::Arn(arn)) => (None, Some(arn.to_string())),
            Err(error) => {
                problems.absorb("image_uri", error);
                return None;
            }
        };
        let algorithm = sdk::AlgorithmSpecification::builder()
            .set_training_image(image)
            .set_algorithm_name(name)
            .training_input_mode(self.channels.single_mode().unwrap_or(settings.input_mode).to_request())
            .set_metric_definitions(some(metrics))
            .set_enable_sage_maker_metrics_time_series(settings.metrics_time_series)
            .set_container_entrypoint(some(settings.entrypoint.clone()))
            .set_container_arguments(some(settings.arguments.clone()))
            .set_training_image_config(registry);
        Some(algorithm.build())
    }

    /// The caller's channels, and after them that of the model to go on from.
    fn channels(&self, problems: &mut Problems) -> Vec<sdk::Channel> {
        let settings = self.settings;
        let groups = match &settings.compute {
            Some(TrainingCompute::Groups(cluster)) => {
                Some(cluster.groups.iter().map(|group| group.name.as_str()).collect())
            }
            Some(TrainingCompute::Instances(_)) | None => None,
        };
        let job = JobOfChannels {
            input_mode: self.channels.single_mode().unwrap_or(settings.input_mode),
            has_network: self.has_network,
            instance_groups: groups,
        };
        let Some(model) = &settings.initial_model else { return self.channels.to_request(&job, problems) };
        let name = settings.initial_model_channel.as_deref().unwrap_or(MODEL_CHANNEL);
        let input = TrainingInput::new(model).content_type(MODEL_CONTENT_TYPE).input_mode(InputMode::File);
        self.channels.clone().with(name, input).to_request(&job, problems)
    }

    fn output(&self, output: Option<&S3Uri>) -> Option<sdk::OutputDataConfig> {
        let settings = self.settings;
        if output.is_none() && settings.output_kms_key.is_none() && !settings.uncompressed_output {
            return None;
        }
        let config = sdk::OutputDataConfig::builder()
            .set_s3_output_path(output.map(ToString::to_string))
            .set_kms_key_id(settings.output_kms_key.clone())
            .set_compression_type(settings.uncompressed_output.then_some(sdk::OutputCompressionType::None));
        Some(config.build())
    }

    fn resources(&self, problems: &mut Problems) -> Option<sdk::ResourceConfig> {
        let settings = self.settings;
        let keep_alive = settings.keep_alive.map(|period| {
            let fits = (1..=21_600).contains(&period.as_secs());
            problems.require(fits, "keep_alive", "is 1 second to 6 hours");
            problems.require(settings.spot.is_none(), "keep_alive", "spot instances cannot be kept");
            i32::try_from(period.as_secs()).unwrap_or(i32::MAX)
        });
        let plan = settings.training_plan.as_ref();
        let plan = plan.and_then(|arn| problems.check("training_plan", Arn::new(arn.as_str()))).map(String::from);
        let resources = sdk::ResourceConfig::builder()
            .set_keep_alive_period_in_seconds(keep_alive)
            .set_training_plan_arn(plan)
            .set_instance_placement_config(settings.placement.as_ref().map(super::InstancePlacement::to_request));
        let volume = |gb: Option<u32>| i32::try_from(gb.unwrap_or(DEFAULT_VOLUME_GB)).unwrap_or(i32::MAX);
        match &settings.compute {
            None => {
                problems.push("compute", "is needed: .compute(Compute::instances(\"ml.m5.xlarge\", 1))");
                None
            }
            Some(TrainingCompute::Instances(compute)) => {
                let compute = problems.check("compute", compute.checked())?;
                let resources = resources
                    .instance_type(sdk::TrainingInstanceType::from(compute.instance_type.as_str()))
                    .instance_count(compute.count)
                    .volume_size_in_gb(volume(compute.volume_gb.and_then(|gb| u32::try_from(gb).ok())))
                    .set_volume_kms_key_id(settings.volume_kms_key.clone());
                Some(resources.build())
            }
            Some(TrainingCompute::Groups(cluster)) => {
                problems.check("compute", cluster.validate());
                problems.require(keep_alive.is_none(), "keep_alive", "instance groups cannot be kept");
                let groups = cluster.groups.iter().map(|group| {
                    sdk::InstanceGroup::builder()
                        .instance_group_name(&group.name)
                        .instance_type(sdk::TrainingInstanceType::from(group.instance_type.as_str()))
                        .instance_count(i32::try_from(group.count).unwrap_or(i32::MAX))
                        .build()
                });
                let resources = resources
                    .set_instance_groups(Some(groups.collect()))
                    .volume_size_in_gb(volume(cluster.volume_gb))
                    .set_volume_kms_key_id(settings.volume_kms_key.clone());
                Some(resources.build())
            }
        }
    }

    fn network(&self, problems: &mut Problems) -> Option<sdk::VpcConfig> {
        let vpc = self.settings.vpc.as_ref()?;
        vpc.validate(problems);
        let config = sdk::VpcConfig::builder()
            .set_subnets(Some(vpc.subnets.clone()))
            .set_security_group_ids(Some(vpc.security_group_ids.clone()));
        Some(config.build())
    }

    fn checkpoints(&self, problems: &mut Problems) -> Option<sdk::CheckpointConfig> {
        let of_spot = self.settings.spot.as_ref().and_then(|spot| spot.checkpoint.as_ref());
        match (&self.settings.checkpoints, of_spot) {
            (Some(_), Some(_)) => {
                problems.push("checkpoints", "were given twice: here and with .spot(..)");
                None
            }
            (Some(checkpoints), None) => checkpoints.to_request(problems),
            (None, Some(uri)) => Some(sdk::CheckpointConfig::builder().s3_uri(uri.to_string()).build()),
            (None, None) => None,
        }
    }

    fn retries(&self, problems: &mut Problems) -> Option<sdk::RetryStrategy> {
        let attempts = self.settings.max_retries?;
        problems.require((1..=30).contains(&attempts), "max_retries", "is 1 to 30");
        let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
        Some(sdk::RetryStrategy::builder().maximum_retry_attempts(attempts).build())
    }

    fn switches(&self, request: CreateTrainingJobInputBuilder) -> CreateTrainingJobInputBuilder {
        let settings = self.settings;
        let remote = settings.remote_debug;
        let infra = settings.infra_check;
        let chaining = settings.session_tag_chaining;
        request
            .set_remote_debug_config(remote.map(|on| sdk::RemoteDebugConfig::builder().enable_remote_debug(on).build()))
            .set_infra_check_config(infra.map(|on| sdk::InfraCheckConfig::builder().enable_infra_check(on).build()))
            .set_session_chaining_config(
                chaining.map(|on| sdk::SessionChainingConfig::builder().enable_session_tag_chaining(on).build()),
            )
    }

    fn stopping(
        &self,
        request: CreateTrainingJobInputBuilder,
        problems: &mut Problems,
    ) -> CreateTrainingJobInputBuilder {
        let max_run = whole_seconds("max_run", self.settings.max_run, problems);
        let stopping = sdk::StoppingCondition::builder().max_runtime_in_seconds(max_run);
        let stopping = stopping.set_max_pending_time_in_seconds(self.settings.taken_over.max_pending);
        let Some(spot) = &self.settings.spot else { return request.stopping_condition(stopping.build()) };
        let max_wait = whole_seconds("spot.max_wait", spot.max_wait, problems);
        if max_wait < max_run {
            let text = format!("must be at least the maximum run ({max_run} s, see .max_run(..)), is {max_wait} s");
            problems.push("spot.max_wait", text);
        }
        let stopping = stopping.max_wait_time_in_seconds(max_wait);
        request.stopping_condition(stopping.build()).enable_managed_spot_training(true)
    }
}

/// `None` in place of an empty collection, which the service would take for a value.
fn some<C>(collection: C) -> Option<C>
where
    for<'a> &'a C: IntoIterator,
{
    let is_empty = (&collection).into_iter().next().is_none();
    (!is_empty).then_some(collection)
}

/// The service's limits: 100 entries, names to 256 characters, values to 2,500.
fn check_hyperparameters(hyperparameters: &BTreeMap<String, String>, problems: &mut Problems) {
    if hyperparameters.len() > 100 {
        let text = format!("a job has at most 100, these are {}", hyperparameters.len());
        problems.push("hyperparameters", text);
    }
    for (name, value) in hyperparameters {
        let field = format!("hyperparameters.{name}");
        if name.chars().count() > 256 {
            problems.push(field.as_str(), "a name has at most 256 characters");
        }
        if value.chars().count() > 2500 {
            problems.push(
                field.as_str(),
                format!("a value has at most 2500 characters, this has {}", value.chars().count()),
            );
        }
    }
}

fn whole_seconds(field: &str, duration: Duration, problems: &mut Problems) -> i32 {
    let seconds = i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
    if seconds < 1 || duration.as_secs() > 28 * 24 * 3600 {
        problems.push(field, format!("must be between 1 second and 28 days, is {} s", duration.as_secs_f64()));
    }
    seconds
}
