//! The check as a whole: real messages of the services, every kind of constraint, and properties over the model.

mod constraints;
mod properties;
mod wording;

use serde_json::{Value, json};

use super::*;

fn server(operation: &str, input: &Value) -> Vec<Violation> {
    validate(Service::SageMaker, operation, input, Strictness::Exact).unwrap()
}

/// A request that the service accepts.
fn training_job() -> Value {
    json!({
        "TrainingJobName": "xgb-1",
        "HyperParameters": {"eta": "0.2", "num_round": "10"},
        "AlgorithmSpecification": {
            "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7-1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
        },
        "RoleArn": "arn:aws:iam::123456789012:role/SageMaker",
        "InputDataConfig": [{
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
        }],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "Environment": {"A": "b"},
        "Tags": [{"Key": "team", "Value": "\u{e9}quipe"}],
    })
}

/// The training job with one value replaced or, by null, taken out.
fn with(pointer: &str, value: Value) -> Value {
    let mut job = training_job();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    job.pointer_mut(parent).unwrap()[name] = value;
    job
}

#[test]
fn a_good_request_has_no_violations() {
    assert_eq!(server("CreateTrainingJob", &training_job()), []);
}

#[test]
fn operations_and_members_are_known() {
    assert!(operations(Service::Logs).any(|name| name == "GetLogEvents"));
    assert_eq!(
        operations(Service::SageMakerRuntime).collect::<Vec<_>>(),
        ["InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"]
    );

    let unknown = validate(Service::SageMaker, "Nothing", &json!({}), Strictness::Client).unwrap_err();
    assert_eq!(unknown.to_string(), "SageMaker has no operation \"Nothing\" in the API model");

    let first = input_members(Service::SageMaker, "CreateTrainingJob").unwrap().remove(0);
    assert_eq!((first.name, first.required, first.location), ("TrainingJobName", true, Location::Body));
    let header = input_members(Service::SageMakerRuntime, "InvokeEndpoint")
        .unwrap()
        .into_iter()
        .find(|member| member.name == "TargetVariant")
        .unwrap();
    assert_eq!(header.location, Location::Header("X-Amzn-SageMaker-Target-Variant"));
}
