use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;

use super::attach::TakenOver;
use super::request::TrainingRequest;
use super::{Checkpoints, Estimator, ExperimentConfig, InstancePlacement, PlanContext, RegistryAccess};
use crate::error::Problems;
use crate::training::debugger::Debugger;
use crate::training::{Channels, InputMode};
use crate::types::{Environment, ResourceName, Spot, Tags, TrainingCompute, VpcConfig, name_from_base};

/// Where and how an estimator trains: machines, role, output, limits, network, and what is watched.
#[derive(Debug, Clone)]
#[must_use = "setters take and give back the settings"]
pub struct TrainingSettings {
    pub(crate) compute: Option<TrainingCompute>,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) training_plan: Option<String>,
    pub(crate) placement: Option<InstancePlacement>,
    pub(crate) role: Option<String>,
    pub(crate) output_path: Option<String>,
    pub(crate) uncompressed_output: bool,
    pub(crate) base_job_name: Option<String>,
    pub(crate) max_run: Duration,
    pub(crate) spot: Option<Spot>,
    pub(crate) checkpoints: Option<Checkpoints>,
    pub(crate) max_retries: Option<u32>,
    pub(crate) input_mode: InputMode,
    pub(crate) initial_model: Option<String>,
    pub(crate) initial_model_channel: Option<String>,
    pub(crate) environment: Environment,
    pub(crate) metric_definitions: Vec<(String, String)>,
    pub(crate) metrics_time_series: Option<bool>,
    pub(crate) vpc: Option<VpcConfig>,
    pub(crate) tags: Tags,
    pub(crate) experiment: Option<ExperimentConfig>,
    pub(crate) network_isolation: Option<bool>,
    pub(crate) encrypt_traffic: Option<bool>,
    pub(crate) volume_kms_key: Option<String>,
    pub(crate) output_kms_key: Option<String>,
    pub(crate) registry_access: Option<RegistryAccess>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) remote_debug: Option<bool>,
    pub(crate) infra_check: Option<bool>,
    pub(crate) session_tag_chaining: Option<bool>,
    pub(crate) debugger: Debugger,
    /// Of the job that they were taken from.
    pub(super) taken_over: TakenOver,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            compute: None,
            keep_alive: None,
            training_plan: None,
            placement: None,
            role: None,
            output_path: None,
            uncompressed_output: false,
            base_job_name: None,
            max_run: Duration::from_secs(24 * 60 * 60),
            spot: None,
            checkpoints: None,
            max_retries: None,
            input_mode: InputMode::File,
            initial_model: None,
            initial_model_channel: None,
            environment: Environment::default(),
            metric_definitions: Vec::new(),
            metrics_time_series: None,
            vpc: None,
            tags: Tags::default(),
            experiment: None,
            network_isolation: None,
            encrypt_traffic: None,
            volume_kms_key: None,
            output_kms_key: None,
            registry_access: None,
            entrypoint: Vec::new(),
            arguments: Vec::new(),
            remote_debug: None,
            infra_check: None,
            session_tag_chaining: None,
            debugger: Debugger::default(),
            taken_over: TakenOver::default(),
        }
    }
}

/// The setters, written once: for [`TrainingSettings`] itself and, through `$settings`, for each estimator's builder.
macro_rules! training_setters {
    ($self:ident => $settings:expr) => {
        /// The instances to train on: [`Compute`](crate::types::Compute), or
        /// [`InstanceGroups`](crate::types::InstanceGroups) for a heterogeneous cluster. Needed.
        pub fn compute(mut $self, compute: impl Into<$crate::types::TrainingCompute>) -> Self {
            $settings.compute = Some(compute.into());
            $self
        }

        /// Keeps the instances for this long after the job, at most six hours, so that a next job of the same kind
        /// starts at once; the time is charged. Default: they are released. Not with spot instances or instance groups.
        pub fn keep_alive(mut $self, period: std::time::Duration) -> Self {
            $settings.keep_alive = Some(period);
            $self
        }

        /// The training plan (ARN) whose reserved capacity is used. Default: none.
        pub fn training_plan(mut $self, arn: impl Into<String>) -> Self {
            $settings.training_plan = Some(arn.into());
            $self
        }

        /// Which UltraServers the instances are placed on. Default: left to the service.
        pub fn placement(mut $self, placement: $crate::estimator::InstancePlacement) -> Self {
            $settings.placement = Some(placement);
            $self
        }

        /// The role that the job runs as: its ARN, or its name, which is then looked up in IAM. Default: the session's
        /// [`execution_role`](crate::Session::execution_role).
        pub fn role(mut $self, role: impl Into<String>) -> Self {
            $settings.role = Some(role.into());
            $self
        }

        /// Where the model goes; the service adds `<job>/output/model.tar.gz`. Default: the default bucket.
        pub fn output_path(mut $self, uri: impl Into<String>) -> Self {
            $settings.output_path = Some(uri.into());
            $self
        }

        /// Leaves the model's files as they are, below `<job>/output/model/`. Default: a `model.tar.gz`.
        pub fn uncompressed_output(mut $self) -> Self {
            $settings.uncompressed_output = true;
            $self
        }

        /// What generated job names begin with. Default: the image's repository.
        pub fn base_job_name(mut $self, base: impl Into<String>) -> Self {
            $settings.base_job_name = Some(base.into());
            $self
        }

        /// How long the job may run before it is stopped. Default: 24 hours.
        pub fn max_run(mut $self, max_run: std::time::Duration) -> Self {
            $settings.max_run = max_run;
            $self
        }

        /// Trains on spot instances. Default: on demand.
        pub fn spot(mut $self, spot: $crate::types::Spot) -> Self {
            $settings.spot = Some(spot);
            $self
        }

        /// Where the job keeps its checkpoints. Default: nowhere.
        pub fn checkpoints(mut $self, checkpoints: $crate::estimator::Checkpoints) -> Self {
            $settings.checkpoints = Some(checkpoints);
            $self
        }

        /// How often the job is tried again after an error of the service, 1 to 30 times. Default: never.
        pub fn max_retries(mut $self, attempts: u32) -> Self {
            $settings.max_retries = Some(attempts);
            $self
        }

        /// How data reaches the container. Default: [`File`](crate::training::InputMode::File).
        pub fn input_mode(mut $self, mode: $crate::training::InputMode) -> Self {
            $settings.input_mode = mode;
            $self
        }

        /// A model to go on from (a URI in S3): the container finds it in a channel of its own, after the others.
        pub fn initial_model(mut $self, uri: impl Into<String>) -> Self {
            $settings.initial_model = Some(uri.into());
            $self
        }

        /// The name of the initial model's channel. Default: `model`.
        pub fn initial_model_channel(mut $self, name: impl Into<String>) -> Self {
            $settings.initial_model_channel = Some(name.into());
            $self
        }

        /// An environment variable of the container.
        pub fn environment(mut $self, name: impl Into<String>, value: impl Into<String>) -> Self {
            $settings.environment.insert(name.into(), value.into());
            $self
        }

        /// Several environment variables, beside and in place of those that were set before.
        pub fn environment_variables<N: Into<String>, V: Into<String>>(
            mut $self,
            variables: impl IntoIterator<Item = (N, V)>,
        ) -> Self {
            $settings.environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
            $self
        }

        /// A metric that the service reads off the log lines: its name, and a regular expression with one group.
        pub fn metric_definition(mut $self, name: impl Into<String>, regex: impl Into<String>) -> Self {
            $settings.metric_definitions.push((name.into(), regex.into()));
            $self
        }

        /// Several metrics, beside those that were set before: their names, and regular expressions with one group.
        pub fn metric_definitions<N: Into<String>, R: Into<String>>(
            mut $self,
            definitions: impl IntoIterator<Item = (N, R)>,
        ) -> Self {
            $settings.metric_definitions.extend(definitions.into_iter().map(|(name, regex)| (name.into(), regex.into())));
            $self
        }

        /// Whether metrics are kept as time series for SageMaker Studio. Default: the estimator's, mostly unsaid.
        pub fn metrics_time_series(mut $self, enabled: bool) -> Self {
            $settings.metrics_time_series = Some(enabled);
            $self
        }

        /// The private network to join. Default: none.
        pub fn vpc(mut $self, vpc: $crate::types::VpcConfig) -> Self {
            $settings.vpc = Some(vpc);
            $self
        }

        /// Tags of the job. Default: none.
        pub fn tags(mut $self, tags: impl Into<$crate::types::Tags>) -> Self {
            $settings.tags = tags.into();
            $self
        }

        /// Where the job belongs in SageMaker Experiments. Default: nowhere.
        pub fn experiment(mut $self, experiment: $crate::estimator::ExperimentConfig) -> Self {
            $settings.experiment = Some(experiment);
            $self
        }

        /// Cuts the container off from every network. Default: off.
        pub fn network_isolation(mut $self) -> Self {
            $settings.network_isolation = Some(true);
            $self
        }

        /// Leaves the container its networks, whatever the session's defaults say.
        pub fn without_network_isolation(mut $self) -> Self {
            $settings.network_isolation = Some(false);
            $self
        }

        /// Encrypts what the instances send each other. Default: off.
        pub fn encrypt_inter_container_traffic(mut $self) -> Self {
            $settings.encrypt_traffic = Some(true);
            $self
        }

        /// Does not encrypt what the instances send each other, whatever the session's defaults say.
        pub fn without_inter_container_encryption(mut $self) -> Self {
            $settings.encrypt_traffic = Some(false);
            $self
        }

        /// The KMS key of the storage volumes. The service refuses it for instance types with local disks only; that of a
        /// defaults file is left out for them.
        pub fn volume_kms_key(mut $self, key: impl Into<String>) -> Self {
            $settings.volume_kms_key = Some(key.into());
            $self
        }

        /// The KMS key that the model is encrypted with. Default: the bucket's encryption.
        pub fn output_kms_key(mut $self, key: impl Into<String>) -> Self {
            $settings.output_kms_key = Some(key.into());
            $self
        }

        /// How the service gets at the image. Default: from Amazon ECR.
        pub fn registry_access(mut $self, access: $crate::estimator::RegistryAccess) -> Self {
            $settings.registry_access = Some(access);
            $self
        }

        /// What the container runs in place of the image's own program.
        pub fn container_entrypoint<S: Into<String>>(mut $self, words: impl IntoIterator<Item = S>) -> Self {
            $settings.entrypoint = words.into_iter().map(Into::into).collect();
            $self
        }

        /// Arguments of the container's program, in place of `train`.
        pub fn container_arguments<S: Into<String>>(mut $self, words: impl IntoIterator<Item = S>) -> Self {
            $settings.arguments = words.into_iter().map(Into::into).collect();
            $self
        }

        /// Lets people connect to the containers through AWS Systems Manager. Default: off.
        pub fn remote_debug(mut $self, enabled: bool) -> Self {
            $settings.remote_debug = Some(enabled);
            $self
        }

        /// Checks the instances' GPUs and network before training begins. Default: off.
        pub fn infra_check(mut $self, enabled: bool) -> Self {
            $settings.infra_check = Some(enabled);
            $self
        }

        /// Passes the caller's session tags on to the job. Default: off.
        pub fn session_tag_chaining(mut $self, enabled: bool) -> Self {
            $settings.session_tag_chaining = Some(enabled);
            $self
        }

        /// Saves tensors while the job trains. Default: off.
        pub fn debugger_hook(mut $self, hook: $crate::training::debugger::DebuggerHook) -> Self {
            $settings.debugger.hook = Some(hook);
            $self
        }

        /// A rule that watches saved tensors; may be called again for more. Default: none.
        pub fn debugger_rule(mut $self, rule: $crate::training::debugger::DebuggerRule) -> Self {
            $settings.debugger.rules.push(rule);
            $self
        }

        /// Measures the instances while the job trains. Default: off.
        pub fn profiler(mut $self, profiler: $crate::training::debugger::Profiler) -> Self {
            $settings.debugger.profiler = Some(profiler);
            $self
        }

        /// A rule that watches what the profiler measures; may be called again for more. Default: none.
        pub fn profiler_rule(mut $self, rule: $crate::training::debugger::ProfilerRule) -> Self {
            $settings.debugger.profiler_rules.push(rule);
            $self
        }

        /// Keeps what the container writes for TensorBoard. Default: off.
        pub fn tensorboard(mut $self, tensorboard: $crate::training::debugger::TensorBoard) -> Self {
            $settings.debugger.tensorboard = Some(tensorboard);
            $self
        }
    };
}
pub(crate) use training_setters;

impl TrainingSettings {
    training_setters!(self => self);

    /// The request of an estimator with these settings; what is refused is noted.
    pub(super) fn request<E: Estimator + ?Sized>(
        &self,
        estimator: &E,
        context: &PlanContext,
        channels: &Channels,
        problems: &mut Problems,
    ) -> CreateTrainingJobInputBuilder {
        let algorithm = estimator.algorithm(context.region());
        let base = match (&self.base_job_name, &algorithm) {
            (Some(base), _) => base.clone(),
            (None, Ok(algorithm)) => algorithm.base_name().to_owned(),
            (None, Err(_)) => "training".to_owned(),
        };
        let generated = || name_from_base(&base, context.now());
        let name = match context.given_job_name() {
            Some(name) => problems.check("job_name", ResourceName::new(name)).unwrap_or_else(generated),
            None => generated(),
        };
        if let Some(base) = &self.base_job_name {
            let has_any = base.chars().any(|c| c.is_ascii_alphanumeric());
            problems.require(has_any, "base_job_name", "has no letter or digit");
        }
        let hyperparameters = estimator.hyperparameters();
        let region = context.region();
        let has_network = self.vpc.is_some() || context.has_network();
        let request =
            TrainingRequest { name: &name, algorithm, hyperparameters, channels, region, settings: self, has_network };
        request.check(problems)
    }

    /// Checks what can be checked before the channels are known.
    pub(crate) fn check_alone<E: Estimator + ?Sized>(&self, estimator: &E, problems: &mut Problems) {
        // Any region does: only the images depend on it, and those are checked again when the job is planned.
        let context = PlanContext::new("us-east-1", SystemTime::UNIX_EPOCH).of_any_session();
        self.request(estimator, &context, &Channels::default(), problems);
    }
}
