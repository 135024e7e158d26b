//! From the registry to predictions: register, approve, create a model, deploy, invoke.

use serde_json::{Value, json};

use super::kinds::{call, done};
use super::support::{Aws, IMAGE};
use crate::local::LocalBackend;

const PACKAGE: &str = "arn:aws:sagemaker:us-east-1:123456789012:model-package/means/1";

fn specification(data: &str, scale: &str) -> Value {
    json!({
        "Containers": [{"Image": IMAGE, "ModelDataUrl": data, "Environment": {"SCALE": scale}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    })
}

/// A trained model, registered as the first version of the group `means`.
async fn registered() -> Aws {
    let aws = Aws::new();
    aws.train("mean").send().await.unwrap();
    aws.ended("mean").await;
    done(&aws.backend, "CreateModelPackageGroup", json!({"ModelPackageGroupName": "means"})).await;
    let trained = done(&aws.backend, "DescribeTrainingJob", json!({"TrainingJobName": "mean"})).await;
    let data = trained["ModelArtifacts"]["S3ModelArtifacts"].as_str().unwrap();
    let mut tripled = specification(data, "3");
    tripled["Name"] = json!("tripled");
    let create = json!({"ModelPackageGroupName": "means", "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": specification(data, "2"), "AdditionalInferenceSpecifications": [tripled]});
    assert_eq!(done(&aws.backend, "CreateModelPackage", create).await["ModelPackageArn"], PACKAGE);
    aws
}

async fn model(backend: &LocalBackend, name: &str, container: Value) -> Result<Value, (String, String)> {
    let create = json!({"ModelName": name, "ExecutionRoleArn": backend.role_arn(), "PrimaryContainer": container});
    call(backend, "CreateModel", &create).await
}

async fn answer(aws: &Aws, model: &str) -> String {
    aws.config(model, &[("V", model, 1.0)]).await;
    aws.up(model, model).await;
    let answer = aws.invoke(model, "1").send().await.unwrap();
    String::from_utf8(answer.body().unwrap().as_ref().to_vec()).unwrap()
}

#[tokio::test]
async fn an_approved_package_is_deployed_and_predicts() {
    let aws = registered().await;
    let approve = json!({"ModelPackageArn": PACKAGE, "ModelApprovalStatus": "Approved"});
    done(&aws.backend, "UpdateModelPackage", approve).await;
    let container = json!({"ModelPackageName": PACKAGE});
    model(&aws.backend, "approved", container.clone()).await.unwrap();
    let described = done(&aws.backend, "DescribeModel", json!({"ModelName": "approved"})).await;
    assert_eq!(described["PrimaryContainer"], container, "what was given; the package has the rest");
    assert_eq!(answer(&aws, "approved").await, "6", "the mean of 1, 2, 3 and 6, scaled by the package's environment");
    let endpoint = done(&aws.backend, "DescribeEndpoint", json!({"EndpointName": "approved"})).await;
    assert_eq!(endpoint["ProductionVariants"][0]["DeployedImages"][0]["SpecifiedImage"], IMAGE);
}

#[tokio::test]
async fn what_a_model_says_comes_on_top_of_its_package() {
    let aws = registered().await;
    // Approval is for people and pipelines: the service creates models of packages in any approval status.
    let named = json!({"ModelPackageName": "means/1", "Environment": {"SCALE": "10"}});
    model(&aws.backend, "own", named).await.unwrap();
    assert_eq!(answer(&aws, "own").await, "30");
    let other = json!({"ModelPackageName": PACKAGE, "InferenceSpecificationName": "tripled"});
    model(&aws.backend, "tripled", other).await.unwrap();
    assert_eq!(answer(&aws, "tripled").await, "9");
    // A model is as its package was.
    model(&aws.backend, "kept", json!({"ModelPackageName": PACKAGE})).await.unwrap();
    done(&aws.backend, "DeleteModelPackage", json!({"ModelPackageName": PACKAGE})).await;
    assert_eq!(answer(&aws, "kept").await, "6");
}

#[tokio::test]
async fn packages_that_cannot_be_served_are_refused() {
    let aws = registered().await;
    let refusal = async |container: Value| model(&aws.backend, "refused", container).await.unwrap_err();
    let validation = |text: String| ("ValidationException".to_owned(), text);
    assert_eq!(
        refusal(json!({"ModelPackageName": "means/9"})).await,
        validation(format!("ModelPackage {}/9 does not exist.", PACKAGE.trim_end_matches("/1")))
    );
    let both = refusal(json!({"ModelPackageName": PACKAGE, "Image": IMAGE})).await;
    assert!(both.1.starts_with("Image cannot be specified together with ModelPackageName"), "{both:?}");
    let unknown = json!({"ModelPackageName": PACKAGE, "InferenceSpecificationName": "no"});
    assert_eq!(
        refusal(unknown).await,
        validation(format!("Model package {PACKAGE} has no inference specification named no."))
    );
    done(&aws.backend, "CreateModelPackage", json!({"ModelPackageGroupName": "means"})).await;
    let empty = refusal(json!({"ModelPackageName": "means/2"})).await;
    assert!(empty.1.ends_with("/means/2 has no inference specification."), "{empty:?}");
    let lost = json!({"ModelPackageGroupName": "means", "InferenceSpecification": specification("s3://data/no", "1")});
    done(&aws.backend, "CreateModelPackage", lost).await;
    let lost = refusal(json!({"ModelPackageName": "means/3"})).await;
    assert_eq!(lost, validation("Could not find model data at s3://data/no.".to_owned()));
}

#[tokio::test]
async fn a_package_of_an_algorithm_is_served_by_its_image() {
    let aws = registered().await;
    let trained = done(&aws.backend, "DescribeTrainingJob", json!({"TrainingJobName": "mean"})).await;
    let algorithm = json!({
        "AlgorithmName": "averaging",
        "TrainingSpecification": {"TrainingImage": IMAGE, "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "TrainingChannels": [{"Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}]},
        "InferenceSpecification": {"Containers": [{"Image": IMAGE}], "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"]},
    });
    done(&aws.backend, "CreateAlgorithm", algorithm).await;
    let source = json!({"AlgorithmName": "averaging", "ModelDataUrl": trained["ModelArtifacts"]["S3ModelArtifacts"]});
    let create =
        json!({"ModelPackageName": "averaged", "SourceAlgorithmSpecification": {"SourceAlgorithms": [source]}});
    done(&aws.backend, "CreateModelPackage", create).await;
    aws.backend.clock().settle().await;
    model(&aws.backend, "averaged", json!({"ModelPackageName": "averaged"})).await.unwrap();
    assert_eq!(answer(&aws, "averaged").await, "3");
}
