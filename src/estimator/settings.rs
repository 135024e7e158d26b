use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;

use super::{Estimator, PlanContext};
use crate::error::Problems;
use crate::training::{Channels, InputMode, TrainingRequest};
use crate::types::{Compute, ResourceName, Spot, Tags, VpcConfig, name_from_base};

/// Where and how an estimator trains: machines, role, output, limits, network.
#[derive(Debug, Clone)]
#[must_use = "setters take and give back the settings"]
pub struct TrainingSettings {
    pub(crate) compute: Option<Compute>,
    pub(crate) role: Option<String>,
    pub(crate) output_path: Option<String>,
    pub(crate) base_job_name: Option<String>,
    pub(crate) max_run: Duration,
    pub(crate) spot: Option<Spot>,
    pub(crate) input_mode: InputMode,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) metric_definitions: Vec<(String, String)>,
    pub(crate) vpc: Option<VpcConfig>,
    pub(crate) tags: Tags,
    pub(crate) network_isolation: bool,
    pub(crate) encrypt_traffic: bool,
    pub(crate) volume_kms_key: Option<String>,
    pub(crate) output_kms_key: Option<String>,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            compute: None,
            role: None,
            output_path: None,
            base_job_name: None,
            max_run: Duration::from_secs(24 * 60 * 60),
            spot: None,
            input_mode: InputMode::File,
            environment: BTreeMap::new(),
            metric_definitions: Vec::new(),
            vpc: None,
            tags: Tags::default(),
            network_isolation: false,
            encrypt_traffic: false,
            volume_kms_key: None,
            output_kms_key: None,
        }
    }
}

/// The setters, written once: for [`TrainingSettings`] itself and, through `$settings`, for each estimator's builder.
macro_rules! training_setters {
    ($self:ident => $settings:expr) => {
        /// The instances to train on. Needed.
        pub fn compute(mut $self, compute: $crate::types::Compute) -> Self {
            $settings.compute = Some(compute);
            $self
        }

        /// The role (ARN) that the job runs as. Default: the session's
        /// [`execution_role`](crate::Session::execution_role).
        pub fn role(mut $self, arn: impl Into<String>) -> Self {
            $settings.role = Some(arn.into());
            $self
        }

        /// Where the model goes; the service adds `<job>/output/model.tar.gz`. Default: the default bucket.
        pub fn output_path(mut $self, uri: impl Into<String>) -> Self {
            $settings.output_path = Some(uri.into());
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

        /// How data reaches the container. Default: [`File`](crate::training::InputMode::File).
        pub fn input_mode(mut $self, mode: $crate::training::InputMode) -> Self {
            $settings.input_mode = mode;
            $self
        }

        /// An environment variable of the container.
        pub fn environment(mut $self, name: impl Into<String>, value: impl Into<String>) -> Self {
            $settings.environment.insert(name.into(), value.into());
            $self
        }

        /// A metric that the service reads off the log lines: its name, and a regular expression with one group.
        pub fn metric_definition(mut $self, name: impl Into<String>, regex: impl Into<String>) -> Self {
            $settings.metric_definitions.push((name.into(), regex.into()));
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

        /// Cuts the container off from every network. Default: off.
        pub fn network_isolation(mut $self) -> Self {
            $settings.network_isolation = true;
            $self
        }

        /// Encrypts what the instances send each other. Default: off.
        pub fn encrypt_inter_container_traffic(mut $self) -> Self {
            $settings.encrypt_traffic = true;
            $self
        }

        /// The KMS key of the storage volumes; left out for instance types that have none.
        pub fn volume_kms_key(mut $self, key: impl Into<String>) -> Self {
            $settings.volume_kms_key = Some(key.into());
            $self
        }

        /// The KMS key that the model is encrypted with. Default: the bucket's encryption.
        pub fn output_kms_key(mut $self, key: impl Into<String>) -> Self {
            $settings.output_kms_key = Some(key.into());
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
        let image = estimator.image_uri(context.region());
        let base = match (&self.base_job_name, &image) {
            (Some(base), _) => base.clone(),
            (None, Ok(image)) => image.repository().to_owned(),
            (None, Err(_)) => "training".to_owned(),
        };
        let generated = || name_from_base(&base, context.now());
        let name = match context.given_job_name() {
            Some(name) => problems.check("job_name", ResourceName::new(name)).unwrap_or_else(generated),
            None => generated(),
        };
        if let Some(base) = &self.base_job_name {
            problems.require(
                base.chars().any(|c| c.is_ascii_alphanumeric()),
                "base_job_name",
                "has no letter or digit",
            );
        }
        let request = TrainingRequest {
            name: &name,
            image,
            hyperparameters: estimator.hyperparameters(),
            channels,
            role: self.role.as_deref(),
            output: self.output_path.as_deref(),
            compute: self.compute.as_ref(),
            max_run: self.max_run,
            spot: self.spot.as_ref(),
            input_mode: self.input_mode,
            environment: &self.environment,
            metric_definitions: &self.metric_definitions,
            vpc: self.vpc.as_ref(),
            tags: &self.tags,
            network_isolation: self.network_isolation,
            encrypt_traffic: self.encrypt_traffic,
            volume_kms_key: self.volume_kms_key.as_deref(),
            output_kms_key: self.output_kms_key.as_deref(),
        };
        request.check(problems)
    }

    /// Checks what can be checked before the channels are known.
    pub(crate) fn check_alone<E: Estimator + ?Sized>(&self, estimator: &E, problems: &mut Problems) {
        // Any region does: only the image depends on it, and that is checked again when the job is planned.
        let context = PlanContext::new("us-east-1", SystemTime::UNIX_EPOCH);
        self.request(estimator, &context, &Channels::default(), problems);
    }
}
