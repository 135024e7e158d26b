//! What the lenient profile takes that AWS refuses, and what becomes of it.

use serde_json::{Value, json};

use super::kinds::{call, done};
use crate::local::{LocalBackend, Profile};

fn lenient() -> LocalBackend {
    LocalBackend::builder().profile(Profile::Lenient).build()
}

/// What a strict backend answers the same.
async fn strict(operation: &str, request: &Value) -> String {
    call(&LocalBackend::new(), operation, request).await.unwrap_err().0
}

#[tokio::test]
async fn records_need_not_make_sense() {
    let backend = lenient();
    let role = "arn:aws:iam::123456789012:role/Any";
    let model = json!({"ModelName": "empty", "ExecutionRoleArn": role});
    assert_eq!(strict("CreateModel", &model).await, "ValidationException");
    done(&backend, "CreateModel", model).await;
    let upper = json!({"ModelName": "upper", "ExecutionRoleArn": role,
        "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://MyBucket/model.tar.gz"}});
    done(&backend, "CreateModel", upper).await;
    let variant =
        json!({"VariantName": "V", "ModelName": "empty", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1});
    done(&backend, "CreateEndpointConfig", json!({"EndpointConfigName": "empty", "ProductionVariants": [variant]}))
        .await;
    done(&backend, "CreateEndpoint", json!({"EndpointName": "empty", "EndpointConfigName": "empty"})).await;
    backend.clock().settle().await;
    let endpoint = done(&backend, "DescribeEndpoint", json!({"EndpointName": "empty"})).await;
    assert_eq!(endpoint["EndpointStatus"], "InService");

    let card = json!({"ModelCardName": "card", "Content": "text", "ModelCardStatus": "Draft"});
    assert_eq!(strict("CreateModelCard", &card).await, "ValidationException");
    done(&backend, "CreateModelCard", card).await;
    let both = json!({"ModelCardName": "card", "Content": "more", "ModelCardStatus": "Approved"});
    done(&backend, "UpdateModelCard", both).await;
    let card = done(&backend, "DescribeModelCard", json!({"ModelCardName": "card"})).await;
    assert_eq!((&card["ModelCardVersion"], &card["ModelCardStatus"]), (&json!(2), &json!("Approved")));

    let token = "a-token-of-at-least-thirty-two-characters";
    let pipeline = json!({"PipelineName": "p", "ClientRequestToken": token, "RoleArn": role, "PipelineDefinition": "no definition"});
    assert_eq!(strict("CreatePipeline", &pipeline).await, "ValidationException");
    done(&backend, "CreatePipeline", pipeline).await;
    let execution =
        done(&backend, "StartPipelineExecution", json!({"PipelineName": "p", "ClientRequestToken": token})).await;
    backend.clock().settle().await;
    let execution = done(&backend, "DescribePipelineExecution", execution).await;
    assert_eq!(execution["PipelineExecutionStatus"], "Succeeded", "there was nothing to run");
}

#[tokio::test]
async fn a_tuning_job_without_definitions_is_over_at_once() {
    let limits = json!({"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1});
    let create = json!({"HyperParameterTuningJobName": "none",
        "HyperParameterTuningJobConfig": {"Strategy": "Bayesian", "ResourceLimits": limits}});
    assert_eq!(strict("CreateHyperParameterTuningJob", &create).await, "ValidationException");
    let backend = lenient();
    done(&backend, "CreateHyperParameterTuningJob", create).await;
    let name = json!({"HyperParameterTuningJobName": "none"});
    let job = done(&backend, "DescribeHyperParameterTuningJob", name.clone()).await;
    assert_eq!(job["HyperParameterTuningJobStatus"], "Completed");
    assert_eq!(job["TrainingJobStatusCounters"]["Completed"], 0, "and says that it trained nothing");
    assert!(job.get("BestTrainingJob").is_none());
    done(&backend, "DeleteHyperParameterTuningJob", name).await;
}

#[tokio::test]
async fn a_transform_job_of_no_model_fails() {
    let create = json!({"TransformJobName": "t", "ModelName": "nobody",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://Input/data"}}},
        "TransformOutput": {"S3OutputPath": "s3://Output/data"}, "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}});
    assert_eq!(strict("CreateTransformJob", &create).await, "ValidationException");
    let backend = lenient();
    done(&backend, "CreateTransformJob", create).await;
    backend.clock().settle().await;
    let job = done(&backend, "DescribeTransformJob", json!({"TransformJobName": "t"})).await;
    assert_eq!(job["TransformJobStatus"], "Failed");
    assert!(job["FailureReason"].as_str().unwrap().contains("model/nobody"), "{job}");
}

#[tokio::test]
async fn tags_take_arns_of_any_account_and_case() {
    let backend = lenient();
    done(&backend, "CreateExperiment", json!({"ExperimentName": "Trial-Run"})).await;
    let tags = json!([{"Key": "a", "Value": "b"}]);
    let other = "arn:aws:sagemaker:us-east-1:000000000000:experiment/Trial-Run";
    done(&backend, "AddTags", json!({"ResourceArn": other, "Tags": tags})).await;
    assert_eq!(done(&backend, "ListTags", json!({"ResourceArn": other})).await["Tags"], tags);
    let missing = "arn:aws:sagemaker:us-east-1:000000000000:experiment/none";
    assert!(call(&backend, "ListTags", &json!({"ResourceArn": missing})).await.is_err());
    let strict = LocalBackend::new();
    done(&strict, "CreateExperiment", json!({"ExperimentName": "Trial-Run"})).await;
    assert!(call(&strict, "ListTags", &json!({"ResourceArn": other})).await.is_err());
}

#[tokio::test]
async fn options_and_features_need_not_fit_together() {
    let backend = lenient();
    let role = backend.role_arn();
    let job = json!({"TrainingJobName": "j", "RoleArn": role, "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}],
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://out/x"}, "ResourceConfig": {"VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}});
    assert_eq!(strict("CreateTrainingJob", &job).await, "ValidationException");
    done(&backend, "CreateTrainingJob", job).await;
    let feature = |name: &str, kind: &str| json!({"FeatureName": name, "FeatureType": kind});
    let group = json!({"FeatureGroupName": "g", "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "time",
        "FeatureDefinitions": [feature("id", "String"), feature("time", "Integral")]});
    assert_eq!(strict("CreateFeatureGroup", &group).await, "ValidationException");
    done(&backend, "CreateFeatureGroup", group).await;
}
