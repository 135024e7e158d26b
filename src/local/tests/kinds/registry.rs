//! Model packages, cards, images and hubs: what has versions.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;

fn refusal(result: Result<Value, (String, String)>) -> (String, String) {
    result.unwrap_err()
}

#[tokio::test]
async fn model_packages_have_versions() {
    let backend = LocalBackend::new();
    let group = json!({"ModelPackageGroupName": "Churn", "ModelPackageGroupDescription": "who leaves"});
    let version = json!({"ModelPackageGroupName": "Churn", "ModelApprovalStatus": "Approved"});
    assert_eq!(
        refusal(call(&backend, "CreateModelPackage", &version).await),
        (
            "ValidationException".to_owned(),
            "Cannot find Model Package Group: arn:aws:sagemaker:us-east-1:123456789012:model-package-group/churn"
                .to_owned()
        )
    );
    done(&backend, "CreateModelPackageGroup", group).await;
    let one = done(&backend, "CreateModelPackage", version.clone()).await["ModelPackageArn"].clone();
    let two = done(&backend, "CreateModelPackage", json!({"ModelPackageGroupName": "Churn"})).await["ModelPackageArn"]
        .clone();
    assert_eq!(two, "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/2");

    let described = done(&backend, "DescribeModelPackage", json!({"ModelPackageName": two})).await;
    assert_eq!(described["ModelPackageVersion"], 2);
    assert_eq!(described["ModelApprovalStatus"], "PendingManualApproval");
    assert_eq!(described["ModelPackageStatus"], "Completed");
    let update = json!({"ModelPackageArn": two, "ModelApprovalStatus": "Rejected", "ApprovalDescription": "no",
        "CustomerMetadataProperties": {"a": "1", "b": "2"}});
    done(&backend, "UpdateModelPackage", update).await;
    done(&backend, "UpdateModelPackage", json!({"ModelPackageArn": two, "CustomerMetadataPropertiesToRemove": ["a"]}))
        .await;
    let described = done(&backend, "DescribeModelPackage", json!({"ModelPackageName": two})).await;
    assert_eq!(described["ModelApprovalStatus"], "Rejected");
    assert_eq!(described["CustomerMetadataProperties"], json!({"b": "2"}));

    let list = |request: Value| {
        let backend = &backend;
        async move {
            let answer = done(backend, "ListModelPackages", request).await;
            answer["ModelPackageSummaryList"].as_array().unwrap().len()
        }
    };
    assert_eq!(list(json!({"ModelPackageGroupName": "Churn"})).await, 2);
    assert_eq!(list(json!({"ModelPackageGroupName": "Churn", "ModelApprovalStatus": "Approved"})).await, 1);
    assert_eq!(list(json!({})).await, 0, "without versions only");
    assert_eq!(list(json!({"ModelPackageType": "Versioned"})).await, 2);

    let batch = json!({"ModelPackageArnList": [one, "arn:aws:sagemaker:us-east-1:123456789012:model-package/no/1"]});
    // A package without an inference specification has no summary in the model.
    let batch = match call(
        &backend,
        "BatchDescribeModelPackage",
        &json!({"ModelPackageArnList": [batch["ModelPackageArnList"][1]]}),
    )
    .await
    {
        Ok(answer) => answer,
        Err(refusal) => panic!("{refusal:?}"),
    };
    assert_eq!(batch["BatchDescribeModelPackageErrorMap"].as_object().unwrap().len(), 1);

    let delete = json!({"ModelPackageGroupName": "Churn"});
    assert_eq!(refusal(call(&backend, "DeleteModelPackageGroup", &delete).await).0, "ConflictException");
    for arn in [one, two] {
        done(&backend, "DeleteModelPackage", json!({"ModelPackageName": arn})).await;
    }
    let three = done(&backend, "CreateModelPackage", version).await["ModelPackageArn"].clone();
    assert!(three.as_str().unwrap().ends_with("/3"), "no number comes twice: {three}");
    done(&backend, "DeleteModelPackage", json!({"ModelPackageName": three})).await;
    done(&backend, "DeleteModelPackageGroup", delete).await;
}

#[tokio::test]
async fn groups_have_policies() {
    let backend = LocalBackend::new();
    let group = json!({"ModelPackageGroupName": "g"});
    done(&backend, "CreateModelPackageGroup", group.clone()).await;
    let missing = refusal(call(&backend, "GetModelPackageGroupPolicy", &group).await);
    assert!(missing.1.starts_with("Cannot find resource policy"), "{missing:?}");
    let put = json!({"ModelPackageGroupName": "g", "ResourcePolicy": "{}"});
    done(&backend, "PutModelPackageGroupPolicy", put).await;
    assert_eq!(done(&backend, "GetModelPackageGroupPolicy", group.clone()).await["ResourcePolicy"], "{}");
    done(&backend, "DeleteModelPackageGroupPolicy", group.clone()).await;
    assert!(call(&backend, "GetModelPackageGroupPolicy", &group).await.is_err());
}

#[tokio::test]
async fn model_cards_have_versions() {
    let backend = LocalBackend::new();
    let card = json!({"ModelCardName": "card"});
    let create = json!({"ModelCardName": "card", "Content": "{\"a\":1}", "ModelCardStatus": "Draft"});
    done(&backend, "CreateModelCard", create).await;
    assert!(call(&backend, "UpdateModelCard", &json!({"ModelCardName": "card", "Content": "no JSON"})).await.is_err());
    done(&backend, "UpdateModelCard", json!({"ModelCardName": "card", "Content": "{\"a\":2}"})).await;
    done(&backend, "UpdateModelCard", json!({"ModelCardName": "card", "ModelCardStatus": "Approved"})).await;
    let now = done(&backend, "DescribeModelCard", card.clone()).await;
    assert_eq!((&now["ModelCardVersion"], &now["Content"]), (&json!(2), &json!("{\"a\":2}")));
    assert_eq!(now["ModelCardStatus"], "Approved");
    let before = done(&backend, "DescribeModelCard", json!({"ModelCardName": "card", "ModelCardVersion": 1})).await;
    assert_eq!((&before["Content"], &before["ModelCardStatus"]), (&json!("{\"a\":1}"), &json!("Draft")));
    assert!(
        call(&backend, "DescribeModelCard", &json!({"ModelCardName": "card", "ModelCardVersion": 9})).await.is_err()
    );
    let versions = done(&backend, "ListModelCardVersions", card).await;
    let versions: Vec<_> = versions["ModelCardVersionSummaryList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["ModelCardVersion"].clone())
        .collect();
    assert_eq!(versions, [1, 2]);
    let both = json!({"ModelCardName": "card", "Content": "{}", "ModelCardStatus": "Archived"});
    assert_eq!(refusal(call(&backend, "UpdateModelCard", &both).await).0, "ValidationException");
}

#[tokio::test]
async fn images_have_versions_and_aliases() {
    let backend = LocalBackend::new();
    let role = backend.role_arn();
    done(&backend, "CreateImage", json!({"ImageName": "studio", "RoleArn": role})).await;
    let create = |token: &str, alias: &str| {
        json!({"ImageName": "studio", "BaseImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1",
            "ClientToken": format!("{token}-{}", "0".repeat(30)), "Aliases": [alias]})
    };
    let first = done(&backend, "CreateImageVersion", create("a", "stable")).await["ImageVersionArn"].clone();
    assert_eq!(first, "arn:aws:sagemaker:us-east-1:123456789012:image-version/studio/1");
    assert_eq!(
        done(&backend, "CreateImageVersion", create("a", "stable")).await["ImageVersionArn"],
        first,
        "same token"
    );
    done(&backend, "CreateImageVersion", create("b", "edge")).await;
    backend.clock().settle().await;
    let version = |request: Value| {
        let backend = &backend;
        async move { done(backend, "DescribeImageVersion", request).await["Version"].clone() }
    };
    assert_eq!(version(json!({"ImageName": "studio"})).await, 2);
    assert_eq!(version(json!({"ImageName": "studio", "Alias": "stable"})).await, 1);
    let update = json!({"ImageName": "studio", "Version": 2, "AliasesToAdd": ["stable"]});
    done(&backend, "UpdateImageVersion", update).await;
    assert_eq!(version(json!({"ImageName": "studio", "Alias": "stable"})).await, 2, "an alias names one version");
    let listed = done(&backend, "ListImageVersions", json!({"ImageName": "studio"})).await;
    assert_eq!(listed["ImageVersions"].as_array().unwrap().len(), 2);
    let aliases = done(&backend, "ListAliases", json!({"ImageName": "studio"})).await;
    assert_eq!(aliases["SageMakerImageVersionAliases"], json!(["edge", "stable"]));
    done(&backend, "DeleteImageVersion", json!({"ImageName": "studio", "Version": 2})).await;
    backend.clock().settle().await;
    assert_eq!(version(json!({"ImageName": "studio"})).await, 1);
    done(&backend, "DeleteImage", json!({"ImageName": "studio"})).await;
    backend.clock().settle().await;
    assert_eq!(
        refusal(call(&backend, "DescribeImageVersion", &json!({"ImageName": "studio"})).await).0,
        "ResourceNotFound"
    );
}

#[tokio::test]
async fn hubs_list_the_newest_version_of_each_content() {
    let backend = LocalBackend::new();
    done(&backend, "CreateHub", json!({"HubName": "Hub", "HubDescription": "d"})).await;
    for version in ["1.9.0", "1.10.0"] {
        let import = json!({"HubName": "Hub", "HubContentType": "Model", "HubContentName": "net",
            "HubContentVersion": version, "DocumentSchemaVersion": "1.0.0", "HubContentDocument": "{}"});
        done(&backend, "ImportHubContent", import).await;
    }
    backend.clock().settle().await;
    let of = json!({"HubName": "Hub", "HubContentType": "Model", "HubContentName": "net"});
    let newest = done(&backend, "DescribeHubContent", of.clone()).await;
    assert_eq!(newest["HubContentVersion"], "1.10.0");
    assert_eq!(newest["HubContentArn"], "arn:aws:sagemaker:us-east-1:123456789012:hub-content/Hub/Model/net/1.10.0");
    let listed = done(&backend, "ListHubContents", json!({"HubName": "Hub", "HubContentType": "Model"})).await;
    assert_eq!(listed["HubContentSummaries"].as_array().unwrap().len(), 1);
    assert_eq!(listed["HubContentSummaries"][0]["HubContentVersion"], "1.10.0");
    let versions = done(&backend, "ListHubContentVersions", of).await;
    assert_eq!(versions["HubContentSummaries"].as_array().unwrap().len(), 2);
    assert_eq!(refusal(call(&backend, "DeleteHub", &json!({"HubName": "Hub"})).await).0, "ResourceInUse");
}
