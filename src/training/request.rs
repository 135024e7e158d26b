use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::types as sdk;

use super::{Channels, InputMode};
use crate::Result;
use crate::error::Problems;
use crate::types::{Arn, Compute, ImageUri, ResourceName, S3Uri, Spot, Tags, VpcConfig};

const DEFAULT_VOLUME_GB: i32 = 30;

/// Everything that CreateTrainingJob takes from us; checked as a whole by [`check`](Self::check).
pub(crate) struct TrainingRequest<'a> {
    pub(crate) name: &'a ResourceName,
    pub(crate) image: Result<ImageUri>,
    pub(crate) hyperparameters: BTreeMap<String, String>,
    pub(crate) channels: &'a Channels,
    pub(crate) role: Option<&'a str>,
    pub(crate) output: Option<&'a str>,
    pub(crate) compute: Option<&'a Compute>,
    pub(crate) max_run: Duration,
    pub(crate) spot: Option<&'a Spot>,
    pub(crate) input_mode: InputMode,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) metric_definitions: &'a [(String, String)],
    pub(crate) vpc: Option<&'a VpcConfig>,
    pub(crate) tags: &'a Tags,
    pub(crate) network_isolation: bool,
    pub(crate) encrypt_traffic: bool,
    pub(crate) volume_kms_key: Option<&'a str>,
    pub(crate) output_kms_key: Option<&'a str>,
}

impl TrainingRequest<'_> {
    /// The request, or one note per refused value. Role and output stay open where they were not given.
    pub(crate) fn check(self, problems: &mut Problems) -> CreateTrainingJobInputBuilder {
        let mut request = CreateTrainingJobInputBuilder::default().training_job_name(self.name.as_str());

        if let Some(image) = problems.check("image_uri", self.image) {
            let mut algorithm = sdk::AlgorithmSpecification::builder()
                .training_image(image)
                .training_input_mode(self.input_mode.to_request());
            for (name, regex) in self.metric_definitions {
                let metric = sdk::MetricDefinition::builder().name(name).regex(regex).build();
                algorithm = algorithm.metric_definitions(metric);
            }
            request = request.algorithm_specification(algorithm.build());
        }

        check_hyperparameters(&self.hyperparameters, problems);
        if !self.hyperparameters.is_empty() {
            request = request.set_hyper_parameters(Some(self.hyperparameters.into_iter().collect()));
        }
        let channels = self.channels.to_request(problems);
        if !channels.is_empty() {
            request = request.set_input_data_config(Some(channels));
        }
        if let Some(role) = self.role {
            request = request.set_role_arn(problems.check("role", Arn::role(role)).map(String::from));
        }
        let output = self.output.and_then(|uri| problems.check("output_path", uri.parse::<S3Uri>()));
        if output.is_some() || self.output_kms_key.is_some() {
            let output = sdk::OutputDataConfig::builder()
                .set_s3_output_path(output.map(String::from))
                .set_kms_key_id(self.output_kms_key.map(str::to_owned));
            request = request.output_data_config(output.build());
        }

        match self.compute {
            None => problems.push("compute", "is needed: .compute(Compute::instances(\"ml.m5.xlarge\", 1))"),
            Some(compute) => {
                if let Some(compute) = problems.check("compute", compute.checked()) {
                    let volume = compute.volume_gb.unwrap_or(DEFAULT_VOLUME_GB);
                    let has_volume = compute.instance_type.has_volume();
                    let resources = sdk::ResourceConfig::builder()
                        .instance_type(sdk::TrainingInstanceType::from(compute.instance_type.as_str()))
                        .instance_count(compute.count)
                        .set_volume_size_in_gb((has_volume || compute.volume_gb.is_some()).then_some(volume))
                        .set_volume_kms_key_id(self.volume_kms_key.filter(|_| has_volume).map(str::to_owned));
                    request = request.resource_config(resources.build());
                }
            }
        }

        let max_run = whole_seconds("max_run", self.max_run, problems);
        let mut stopping = sdk::StoppingCondition::builder().max_runtime_in_seconds(max_run);
        if let Some(spot) = self.spot {
            let max_wait = whole_seconds("spot.max_wait", spot.max_wait, problems);
            if max_wait < max_run {
                let text = format!("must be at least the maximum run ({max_run} s, see .max_run(..)), is {max_wait} s");
                problems.push("spot.max_wait", text);
            }
            stopping = stopping.max_wait_time_in_seconds(max_wait);
            request = request.enable_managed_spot_training(true);
            if let Some(checkpoint) = &spot.checkpoint {
                let checkpoint = sdk::CheckpointConfig::builder().s3_uri(checkpoint.to_string()).build();
                request = request.checkpoint_config(checkpoint);
            }
        }
        request = request.stopping_condition(stopping.build());

        if let Some(vpc) = self.vpc {
            vpc.validate(problems);
            let vpc = sdk::VpcConfig::builder()
                .set_subnets(Some(vpc.subnets.clone()))
                .set_security_group_ids(Some(vpc.security_group_ids.clone()));
            request = request.vpc_config(vpc.build());
        }
        self.tags.validate(problems);
        for (key, value) in self.tags.iter() {
            request = request.tags(sdk::Tag::builder().key(key).value(value).build());
        }
        for (name, value) in self.environment {
            request = request.environment(name, value);
        }
        if self.network_isolation {
            request = request.enable_network_isolation(true);
        }
        if self.encrypt_traffic {
            request = request.enable_inter_container_traffic_encryption(true);
        }
        request
    }
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
