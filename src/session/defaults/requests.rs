//! Which defaults go into which request. What the request has already stays.

use std::collections::HashMap;

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::operation::create_transform_job::builders::CreateTransformJobInputBuilder;
use aws_sdk_sagemaker::types as sdk;
use serde_json::Value;

use super::Defaults;
use crate::types::InstanceType;

impl Defaults {
    /// Everything but the role, which [`Session::role_for`](crate::Session) finds.
    pub(crate) fn training(&self, mut request: CreateTrainingJobInputBuilder) -> CreateTrainingJobInputBuilder {
        const AT: &str = "SageMaker.TrainingJob";
        if self.get(AT).is_none() {
            return request;
        }
        let tags = request.get_tags().clone();
        request = request.set_tags(self.tags(AT, tags));
        if request.get_enable_inter_container_traffic_encryption().is_none() {
            let encrypt = self.flag(&format!("{AT}.EnableInterContainerTrafficEncryption"));
            request = request.set_enable_inter_container_traffic_encryption(encrypt);
        }
        if request.get_enable_network_isolation().is_none() {
            request = request.set_enable_network_isolation(self.flag(&format!("{AT}.EnableNetworkIsolation")));
        }
        let environment = request.get_environment().clone();
        request = request.set_environment(self.environment(&format!("{AT}.Environment"), environment));
        if request.get_vpc_config().is_none() {
            request = request.set_vpc_config(self.vpc(AT));
        }
        if let Some(key) = self.text(&format!("{AT}.OutputDataConfig.KmsKeyId")) {
            let mut output = request.get_output_data_config().clone().unwrap_or_else(no_output);
            output.kms_key_id.get_or_insert(key);
            request = request.output_data_config(output);
        }
        if let (Some(key), Some(mut resources)) =
            (self.text(&format!("{AT}.ResourceConfig.VolumeKmsKeyId")), request.get_resource_config().clone())
        {
            let groups = resources.instance_groups().iter().filter_map(sdk::InstanceGroup::instance_type);
            let mut kinds = resources.instance_type().into_iter().chain(groups);
            if kinds.any(|kind| InstanceType::new(kind.as_str()).is_ok_and(|kind| kind.has_volume())) {
                resources.volume_kms_key_id.get_or_insert(key);
                request = request.resource_config(resources);
            }
        }
        // `ProfilerConfig.DisableProfiler` has nothing to say: profiling is off unless it is asked for.
        request
    }

    /// Whether training jobs that are given no network have that of the file.
    pub(crate) fn has_network_of_training(&self) -> bool {
        self.vpc("SageMaker.TrainingJob").is_some()
    }

    pub(crate) fn transform(&self, mut request: CreateTransformJobInputBuilder) -> CreateTransformJobInputBuilder {
        const AT: &str = "SageMaker.TransformJob";
        if self.get(AT).is_none() {
            return request;
        }
        let (tags, environment) = (request.get_tags().clone(), request.get_environment().clone());
        request = request.set_tags(self.tags(AT, tags));
        request = request.set_environment(self.environment(&format!("{AT}.Environment"), environment));
        if let Some(mut output) = request.get_transform_output().clone() {
            output.kms_key_id = output.kms_key_id.or_else(|| self.text(&format!("{AT}.TransformOutput.KmsKeyId")));
            request = request.transform_output(output);
        }
        if let Some(mut resources) = request.get_transform_resources().clone() {
            let key = || self.text(&format!("{AT}.TransformResources.VolumeKmsKeyId"));
            resources.volume_kms_key_id = resources.volume_kms_key_id.or_else(key);
            request = request.transform_resources(resources);
        }
        if let Some(mut capture) = request.get_data_capture_config().clone() {
            capture.kms_key_id = capture.kms_key_id.or_else(|| self.text(&format!("{AT}.DataCaptureConfig.KmsKeyId")));
            request = request.data_capture_config(capture);
        }
        request
    }

    /// Everything but the role.
    pub(crate) fn model(&self, mut request: CreateModelInputBuilder) -> CreateModelInputBuilder {
        const AT: &str = "SageMaker.Model";
        if self.get(AT).is_none() {
            return request;
        }
        let tags = request.get_tags().clone();
        request = request.set_tags(self.tags(AT, tags));
        if request.get_enable_network_isolation().is_none() {
            request = request.set_enable_network_isolation(self.flag(&format!("{AT}.EnableNetworkIsolation")));
        }
        if request.get_vpc_config().is_none() {
            request = request.set_vpc_config(self.vpc(AT));
        }
        if let Some(mut container) = request.get_primary_container().clone() {
            let environment = container.environment.take();
            container.environment = self.environment(&format!("{AT}.PrimaryContainer.Environment"), environment);
            request = request.primary_container(container);
        }
        if let (Some(mut containers), Some(defaults)) =
            (request.get_containers().clone(), self.get(&format!("{AT}.Containers")).and_then(Value::as_array))
        {
            for (container, default) in containers.iter_mut().zip(defaults) {
                let own = container.environment.take();
                container.environment = filled(own, default.get("Environment"));
            }
            request = request.set_containers(Some(containers));
        }
        request
    }

    pub(crate) fn endpoint_config(
        &self,
        mut request: CreateEndpointConfigInputBuilder,
    ) -> CreateEndpointConfigInputBuilder {
        const AT: &str = "SageMaker.EndpointConfig";
        if self.get(AT).is_none() {
            return request;
        }
        let tags = request.get_tags().clone();
        request = request.set_tags(self.tags(AT, tags));
        if request.get_kms_key_id().is_none() {
            request = request.set_kms_key_id(self.text(&format!("{AT}.KmsKeyId")));
        }
        if let Some(mut capture) = request.get_data_capture_config().clone() {
            capture.kms_key_id = capture.kms_key_id.or_else(|| self.text(&format!("{AT}.DataCaptureConfig.KmsKeyId")));
            request = request.data_capture_config(capture);
        }
        if let Some(mut inference) = request.get_async_inference_config().clone() {
            let key = self.text(&format!("{AT}.AsyncInferenceConfig.OutputConfig.KmsKeyId"));
            if let Some(output) = &mut inference.output_config {
                output.kms_key_id = output.kms_key_id.take().or(key);
            }
            request = request.async_inference_config(inference);
        }
        if let (Some(mut variants), Some(defaults)) = (
            request.get_production_variants().clone(),
            self.get(&format!("{AT}.ProductionVariants")).and_then(Value::as_array),
        ) {
            for (variant, default) in variants.iter_mut().zip(defaults) {
                let key = default.get("CoreDumpConfig").and_then(|dump| dump.get("KmsKeyId")).and_then(Value::as_str);
                // Without a destination there are no core dumps to encrypt.
                if let Some(dump) = &mut variant.core_dump_config {
                    dump.kms_key_id = dump.kms_key_id.take().or_else(|| key.map(str::to_owned));
                }
            }
            request = request.set_production_variants(Some(variants));
        }
        request
    }

    /// The tags of an endpoint.
    pub(crate) fn endpoint_tags(&self, tags: Vec<sdk::Tag>) -> Vec<sdk::Tag> {
        self.tags("SageMaker.Endpoint", Some(tags)).unwrap_or_default()
    }

    /// Own tags, and those of the file with other keys.
    fn tags(&self, at: &str, own: Option<Vec<sdk::Tag>>) -> Option<Vec<sdk::Tag>> {
        let mut all = own.clone().unwrap_or_default();
        for tag in self.get(&format!("{at}.Tags")).and_then(Value::as_array).into_iter().flatten() {
            let of = |name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default();
            if all.iter().all(|known| known.key() != Some(of("Key"))) {
                all.push(sdk::Tag::builder().key(of("Key")).value(of("Value")).build());
            }
        }
        if all.is_empty() { own } else { Some(all) }
    }

    fn environment(&self, path: &str, own: Option<HashMap<String, String>>) -> Option<HashMap<String, String>> {
        filled(own, self.get(path))
    }

    /// As far as the file tells it: the service says what is missing.
    fn vpc(&self, at: &str) -> Option<sdk::VpcConfig> {
        self.get(&format!("{at}.VpcConfig"))?;
        let vpc = sdk::VpcConfig::builder()
            .set_subnets(self.texts(&format!("{at}.VpcConfig.Subnets")))
            .set_security_group_ids(self.texts(&format!("{at}.VpcConfig.SecurityGroupIds")));
        Some(vpc.build())
    }
}

/// An own environment wins as a whole.
fn filled(own: Option<HashMap<String, String>>, default: Option<&Value>) -> Option<HashMap<String, String>> {
    if own.as_ref().is_some_and(|own| !own.is_empty()) {
        return own;
    }
    let Some(default) = default.and_then(Value::as_object) else { return own };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(default.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn no_output() -> sdk::OutputDataConfig {
    sdk::OutputDataConfig::builder().build()
}
