//! Options of training jobs that have more than one part.

use aws_sdk_sagemaker::types as sdk;

use crate::error::Problems;
use crate::types::{Arn, S3Uri};

/// Where a job keeps its checkpoints, so that an interrupted or later job resumes from them.
///
/// ```
/// use sagemaker::estimator::Checkpoints;
///
/// let checkpoints = Checkpoints::at("s3://my-bucket/checkpoints").local_path("/opt/ml/state");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    uri: String,
    local_path: Option<String>,
}

impl Checkpoints {
    /// In S3 below this URI.
    pub fn at(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), local_path: None }
    }

    /// Where the container reads and writes them. Default: `/opt/ml/checkpoints`.
    #[must_use]
    pub fn local_path(mut self, path: impl Into<String>) -> Self {
        self.local_path = Some(path.into());
        self
    }

    pub(super) fn to_request(&self, problems: &mut Problems) -> Option<sdk::CheckpointConfig> {
        let uri = problems.check("checkpoints", self.uri.parse::<S3Uri>())?;
        let config = sdk::CheckpointConfig::builder().s3_uri(uri.to_string());
        Some(config.set_local_path(self.local_path.clone()).build())
    }
}

/// How the service gets at the training image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryAccess {
    /// The image is in Amazon ECR.
    Platform,
    /// The image is in a private registry that the job's network reaches, and asks for no credentials.
    Vpc,
    /// As `Vpc`, with credentials from an AWS Lambda function (ARN).
    VpcWithCredentials(String),
}

impl RegistryAccess {
    pub(super) fn to_request(&self, has_network: bool, problems: &mut Problems) -> sdk::TrainingImageConfig {
        let mode = match self {
            Self::Platform => sdk::TrainingRepositoryAccessMode::Platform,
            Self::Vpc | Self::VpcWithCredentials(_) => sdk::TrainingRepositoryAccessMode::Vpc,
        };
        if *self != Self::Platform {
            let text = "a private registry is reached through the job's network: .vpc(..), or that of a defaults file";
            problems.require(has_network, "registry_access", text);
        }
        let credentials = match self {
            Self::VpcWithCredentials(function) => problems.check("registry_access", Arn::new(function.as_str())),
            Self::Platform | Self::Vpc => None,
        };
        let credentials = credentials.map(|function| {
            let auth = sdk::TrainingRepositoryAuthConfig::builder();
            auth.training_repository_credentials_provider_arn(function.to_string()).build()
        });
        sdk::TrainingImageConfig::builder()
            .training_repository_access_mode(mode)
            .set_training_repository_auth_config(credentials)
            .build()
    }
}

/// Where a job belongs in SageMaker Experiments; parts that are left out are left to the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExperimentConfig {
    experiment: Option<String>,
    trial: Option<String>,
    display_name: Option<String>,
    run: Option<String>,
}

impl ExperimentConfig {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The experiment.
    #[must_use]
    pub fn experiment(mut self, name: impl Into<String>) -> Self {
        self.experiment = Some(name.into());
        self
    }

    /// The trial, which is the run's group.
    #[must_use]
    pub fn trial(mut self, name: impl Into<String>) -> Self {
        self.trial = Some(name.into());
        self
    }

    /// What the job's trial component is called on screens.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// The run.
    #[must_use]
    pub fn run(mut self, name: impl Into<String>) -> Self {
        self.run = Some(name.into());
        self
    }

    pub(super) fn to_request(&self) -> sdk::ExperimentConfig {
        sdk::ExperimentConfig::builder()
            .set_experiment_name(self.experiment.clone())
            .set_trial_name(self.trial.clone())
            .set_trial_component_display_name(self.display_name.clone())
            .set_run_name(self.run.clone())
            .build()
    }
}

/// Which UltraServers a job's instances are placed on.
///
/// ```
/// use sagemaker::estimator::InstancePlacement;
///
/// let placement = InstancePlacement::new().share_with_other_jobs().on_ultra_server("us-0123", 4);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstancePlacement {
    shares: bool,
    servers: Vec<(String, u32)>,
}

impl InstancePlacement {
    /// Left to the service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Several jobs may share an UltraServer.
    #[must_use]
    pub fn share_with_other_jobs(mut self) -> Self {
        self.shares = true;
        self
    }

    /// So many instances on the UltraServer of an id.
    #[must_use]
    pub fn on_ultra_server(mut self, id: impl Into<String>, instances: u32) -> Self {
        self.servers.push((id.into(), instances));
        self
    }

    pub(super) fn to_request(&self) -> sdk::InstancePlacementConfig {
        let servers = self.servers.iter().map(|(id, count)| {
            let count = i32::try_from(*count).unwrap_or(i32::MAX);
            sdk::PlacementSpecification::builder().ultra_server_id(id).instance_count(count).build()
        });
        let servers: Vec<_> = servers.collect();
        sdk::InstancePlacementConfig::builder()
            .set_enable_multiple_jobs(self.shares.then_some(true))
            .set_placement_specifications(Some(servers).filter(|servers| !servers.is_empty()))
            .build()
    }
}
