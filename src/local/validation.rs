//! Checks a request against the API model before a service sees it.

use serde_json::Value;

use super::aws_error::AwsError;

/// The members that an operation requires.
const REQUIRED: &[(&str, &[&str])] = &[
    (
        "CreateTrainingJob",
        &[
            "TrainingJobName",
            "AlgorithmSpecification",
            "RoleArn",
            "OutputDataConfig",
            "ResourceConfig",
            "StoppingCondition",
        ],
    ),
    ("CreateModel", &["ModelName"]),
    ("CreateEndpointConfig", &["EndpointConfigName", "ProductionVariants"]),
    ("CreateEndpoint", &["EndpointName", "EndpointConfigName"]),
    ("UpdateEndpoint", &["EndpointName", "EndpointConfigName"]),
    ("UpdateEndpointWeightsAndCapacities", &["EndpointName", "DesiredWeightsAndCapacities"]),
    (
        "CreateTransformJob",
        &["TransformJobName", "ModelName", "TransformInput", "TransformOutput", "TransformResources"],
    ),
    ("AddTags", &["ResourceArn", "Tags"]),
    ("ListTags", &["ResourceArn"]),
    ("DeleteTags", &["ResourceArn", "TagKeys"]),
];

/// Refuses a request as the service would.
pub(super) fn validate(operation: &str, request: &Value) -> Result<(), AwsError> {
    let required = REQUIRED.iter().find(|(name, _)| *name == operation).map_or(&[][..], |(_, members)| members);
    let missing: Vec<String> = required
        .iter()
        .filter(|member| request.get(**member).is_none_or(Value::is_null))
        .map(|member| {
            format!("Value null at '{}' failed to satisfy constraint: Member must not be null", lower_first(member))
        })
        .collect();
    match missing.len() {
        0 => Ok(()),
        1 => Err(AwsError::validation(format!("1 validation error detected: {}", missing[0]))),
        n => Err(AwsError::validation(format!("{n} validation errors detected: {}", missing.join("; ")))),
    }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
