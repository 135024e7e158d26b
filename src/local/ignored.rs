//! Finds the fields of a request that the backend accepts and does not act on.

use serde_json::Value;

/// A field that a request carried, was accepted, and has no effect on the local backend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct IgnoredField {
    /// Such as `CreateTrainingJob`.
    pub operation: String,
    /// Such as `ResourceConfig.VolumeKmsKeyId` or `InputDataConfig[].ShuffleConfig`.
    pub path: String,
}

/// What the backend acts on. A path stands for all that is below it. Operations that are not listed act on everything.
const ACTED_ON: &[(&str, &[&str])] = &[
    (
        "CreateTrainingJob",
        &[
            "TrainingJobName",
            "HyperParameters",
            "AlgorithmSpecification.TrainingImage",
            "AlgorithmSpecification.AlgorithmName",
            "AlgorithmSpecification.MetricDefinitions",
            "AlgorithmSpecification.TrainingInputMode",
            "AlgorithmSpecification.ContainerEntrypoint",
            "AlgorithmSpecification.ContainerArguments",
            "RoleArn",
            "InputDataConfig[].ChannelName",
            "InputDataConfig[].ContentType",
            "InputDataConfig[].CompressionType",
            "InputDataConfig[].InputMode",
            "InputDataConfig[].RecordWrapperType",
            "InputDataConfig[].DataSource.S3DataSource.S3DataDistributionType",
            "InputDataConfig[].DataSource.S3DataSource.S3DataType",
            "InputDataConfig[].DataSource.S3DataSource.S3Uri",
            "InputDataConfig[].DataSource.S3DataSource.AttributeNames",
            "InputDataConfig[].DataSource.FileSystemDataSource",
            "InputDataConfig[].ShuffleConfig",
            "OutputDataConfig.S3OutputPath",
            "OutputDataConfig.CompressionType",
            "ResourceConfig.KeepAlivePeriodInSeconds",
            "ResourceConfig.InstanceGroups[].InstanceCount",
            "ResourceConfig.InstanceCount",
            "ResourceConfig.InstanceType",
            "StoppingCondition.MaxRuntimeInSeconds",
            "StoppingCondition.MaxWaitTimeInSeconds",
            "EnableManagedSpotTraining",
            "CheckpointConfig",
            "Environment",
            "Tags",
        ],
    ),
    (
        "CreateModel",
        &[
            "ModelName",
            "PrimaryContainer.Image",
            "PrimaryContainer.ContainerHostname",
            "PrimaryContainer.Environment",
            "PrimaryContainer.InferenceSpecificationName",
            "PrimaryContainer.Mode",
            "PrimaryContainer.ModelPackageName",
            "PrimaryContainer.ModelDataUrl",
            "PrimaryContainer.ModelDataSource.S3DataSource.S3Uri",
            "PrimaryContainer.ModelDataSource.S3DataSource.S3DataType",
            "PrimaryContainer.ModelDataSource.S3DataSource.CompressionType",
            "Containers[].Image",
            "Containers[].ContainerHostname",
            "Containers[].Environment",
            "Containers[].InferenceSpecificationName",
            "Containers[].Mode",
            "Containers[].ModelPackageName",
            "Containers[].ModelDataUrl",
            "Containers[].ModelDataSource.S3DataSource.S3Uri",
            "Containers[].ModelDataSource.S3DataSource.S3DataType",
            "Containers[].ModelDataSource.S3DataSource.CompressionType",
            "InferenceExecutionConfig",
            "ExecutionRoleArn",
            "Tags",
        ],
    ),
    (
        "CreateEndpointConfig",
        &[
            "EndpointConfigName",
            "ProductionVariants[].VariantName",
            "ProductionVariants[].ModelName",
            "ProductionVariants[].InitialInstanceCount",
            "ProductionVariants[].InitialVariantWeight",
            "ProductionVariants[].InstanceType",
            "ProductionVariants[].ContainerStartupHealthCheckTimeoutInSeconds",
            "ProductionVariants[].ServerlessConfig.MaxConcurrency",
            "ProductionVariants[].ServerlessConfig.ProvisionedConcurrency",
            "ShadowProductionVariants[].VariantName",
            "ShadowProductionVariants[].ModelName",
            "ShadowProductionVariants[].InitialInstanceCount",
            "ShadowProductionVariants[].InitialVariantWeight",
            "ShadowProductionVariants[].InstanceType",
            "ShadowProductionVariants[].ContainerStartupHealthCheckTimeoutInSeconds",
            "AsyncInferenceConfig.ClientConfig",
            "AsyncInferenceConfig.OutputConfig.S3OutputPath",
            "AsyncInferenceConfig.OutputConfig.S3FailurePath",
            "DataCaptureConfig.EnableCapture",
            "DataCaptureConfig.InitialSamplingPercentage",
            "DataCaptureConfig.DestinationS3Uri",
            "DataCaptureConfig.CaptureOptions",
            "DataCaptureConfig.CaptureContentTypeHeader",
            "ExecutionRoleArn",
            "Tags",
        ],
    ),
    ("CreateEndpoint", &["EndpointName", "EndpointConfigName", "Tags"]),
    (
        "UpdateEndpoint",
        &[
            "EndpointName",
            "EndpointConfigName",
            "RetainAllVariantProperties",
            "ExcludeRetainedVariantProperties",
            "RetainDeploymentConfig",
            "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration",
            "DeploymentConfig.BlueGreenUpdatePolicy.TerminationWaitInSeconds",
            "DeploymentConfig.RollingUpdatePolicy.MaximumBatchSize",
            "DeploymentConfig.RollingUpdatePolicy.WaitIntervalInSeconds",
        ],
    ),
    (
        "CreateInferenceComponent",
        &[
            "InferenceComponentName",
            "EndpointName",
            "VariantName",
            "Specification.ModelName",
            "Specification.Container.Image",
            "Specification.Container.ArtifactUrl",
            "Specification.Container.Environment",
            "Specification.StartupParameters.ContainerStartupHealthCheckTimeoutInSeconds",
            "Specifications[].ModelName",
            "Specifications[].Container.Image",
            "Specifications[].Container.ArtifactUrl",
            "Specifications[].Container.Environment",
            "Specifications[].StartupParameters.ContainerStartupHealthCheckTimeoutInSeconds",
            "RuntimeConfig.CopyCount",
            "Tags",
        ],
    ),
    (
        "CreateProcessingJob",
        &[
            "ProcessingJobName",
            "AppSpecification",
            "RoleArn",
            "Environment",
            "ProcessingInputs[].InputName",
            "ProcessingInputs[].AppManaged",
            "ProcessingInputs[].S3Input.S3Uri",
            "ProcessingInputs[].S3Input.LocalPath",
            "ProcessingInputs[].S3Input.S3DataType",
            "ProcessingInputs[].S3Input.S3InputMode",
            "ProcessingInputs[].S3Input.S3CompressionType",
            "ProcessingOutputConfig.Outputs[].OutputName",
            "ProcessingOutputConfig.Outputs[].AppManaged",
            "ProcessingOutputConfig.Outputs[].S3Output",
            "ProcessingResources.ClusterConfig.InstanceCount",
            "ProcessingResources.ClusterConfig.InstanceType",
            "StoppingCondition",
            "Tags",
        ],
    ),
    (
        "CreateTransformJob",
        &[
            "TransformJobName",
            "ModelName",
            "MaxConcurrentTransforms",
            "ModelClientConfig",
            "MaxPayloadInMB",
            "BatchStrategy",
            "Environment",
            "TransformInput",
            "TransformOutput.S3OutputPath",
            "TransformOutput.Accept",
            "TransformOutput.AssembleWith",
            "TransformResources.InstanceType",
            "TransformResources.InstanceCount",
            "DataProcessing",
            "Tags",
        ],
    ),
    (
        "PutMetricAlarm",
        &[
            "AlarmName",
            "AlarmDescription",
            "ActionsEnabled",
            "MetricName",
            "Namespace",
            "Statistic",
            "ExtendedStatistic",
            "Dimensions",
            "Period",
            "Unit",
            "EvaluationPeriods",
            "DatapointsToAlarm",
            "Threshold",
            "ComparisonOperator",
            "TreatMissingData",
            "Metrics",
            "Tags",
        ],
    ),
    ("PutCompositeAlarm", &["AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmRule", "Tags"]),
    ("PutInsightRule", &["RuleName", "RuleState", "Tags"]),
    ("PutSubscriptionFilter", &["logGroupName", "filterName", "filterPattern"]),
    ("PutDataProtectionPolicy", &["logGroupIdentifier"]),
    ("PutAccountPolicy", &["policyName", "policyType"]),
    ("PutIndexPolicy", &["logGroupIdentifier"]),
    ("CreateDelivery", &["deliverySourceName", "deliveryDestinationArn", "tags"]),
];

/// The fields of a request that nothing acts on.
pub(super) fn find(operation: &str, request: &Value) -> Vec<IgnoredField> {
    let Some((_, acted_on)) = ACTED_ON.iter().find(|(name, _)| *name == operation) else { return Vec::new() };
    let mut paths = Vec::new();
    visit(request, String::new(), acted_on, &mut paths);
    paths.sort();
    paths.dedup();
    paths.into_iter().map(|path| IgnoredField { operation: operation.to_owned(), path }).collect()
}

fn visit(value: &Value, path: String, acted_on: &[&str], out: &mut Vec<String>) {
    let below = |entry: &&str| entry.strip_prefix(path.as_str()).is_some_and(|tail| tail.starts_with(['.', '[']));
    if acted_on.contains(&path.as_str()) {
        return;
    }
    if !path.is_empty() && !acted_on.iter().any(below) {
        out.push(path);
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                visit(member, inner, acted_on, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                visit(item, format!("{path}[]"), acted_on, out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_what_has_no_effect_and_nothing_else() {
        let request = json!({
            "TrainingJobName": "j",
            "HyperParameters": {"a": "1"},
            "InputDataConfig": [
                {"ChannelName": "train", "DataSource": {"DatasetSource": {"DatasetArn": "a"}}},
                {"ChannelName": "validation", "DataSource": {"DatasetSource": {"DatasetArn": "b"}}},
            ],
            "ResourceConfig": {"InstanceCount": 1, "VolumeKmsKeyId": "k"},
            "VpcConfig": {"Subnets": ["s"]},
        });
        let paths: Vec<String> = find("CreateTrainingJob", &request).into_iter().map(|field| field.path).collect();
        assert_eq!(paths, ["InputDataConfig[].DataSource.DatasetSource", "ResourceConfig.VolumeKmsKeyId", "VpcConfig"]);
        assert!(find("DescribeTrainingJob", &request).is_empty());
    }
}
