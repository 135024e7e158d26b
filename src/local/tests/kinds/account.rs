//! What belongs to an account, to an endpoint or to a version: small things with no kind of their own.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;

#[tokio::test]
async fn service_catalog_is_enabled_and_disabled() {
    let backend = LocalBackend::new();
    let status =
        || async { done(&backend, "GetSagemakerServicecatalogPortfolioStatus", json!({})).await["Status"].clone() };
    assert_eq!(status().await, "Disabled");
    for _ in 0..2 {
        done(&backend, "EnableSagemakerServicecatalogPortfolio", json!({})).await;
        assert_eq!(status().await, "Enabled");
    }
    for _ in 0..2 {
        done(&backend, "DisableSagemakerServicecatalogPortfolio", json!({})).await;
        assert_eq!(status().await, "Disabled");
    }
}

#[tokio::test]
async fn the_default_lineage_group_comes_with_the_first_entity() {
    let backend = LocalBackend::new();
    let name = json!({"LineageGroupName": "sagemaker-default-lineage-group"});
    assert_eq!(done(&backend, "ListLineageGroups", json!({})).await["LineageGroupSummaries"], json!([]));
    assert_eq!(call(&backend, "DescribeLineageGroup", &name).await.unwrap_err().0, "ResourceNotFound");
    let context = json!({"ContextName": "c", "ContextType": "t", "Source": {"SourceUri": "s3://b/k"}});
    done(&backend, "CreateContext", context).await;
    let group = done(&backend, "DescribeLineageGroup", name.clone()).await;
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:lineage-group/sagemaker-default-lineage-group";
    assert_eq!(group["LineageGroupArn"], arn);
    let listed = done(&backend, "ListLineageGroups", json!({})).await["LineageGroupSummaries"].clone();
    assert_eq!(listed[0]["LineageGroupArn"], arn);
    let late = done(&backend, "ListLineageGroups", json!({"CreatedAfter": 4_000_000_000_u64})).await;
    assert_eq!(late["LineageGroupSummaries"], json!([]));
    for name in [name, json!({"LineageGroupName": arn})] {
        let none = call(&backend, "GetLineageGroupPolicy", &name).await.unwrap_err();
        assert_eq!(none.1, format!("Lineage group '{arn}' has no resource policy."));
    }
}

#[tokio::test]
async fn the_feature_group_catalog_comes_with_the_first_group() {
    let backend = LocalBackend::new();
    assert_eq!(done(&backend, "ListResourceCatalogs", json!({})).await["ResourceCatalogs"], json!([]));
    let feature = |name: &str| json!({"FeatureName": name, "FeatureType": "String"});
    let create = json!({"FeatureGroupName": "g", "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "time",
        "FeatureDefinitions": [feature("id"), feature("time")], "OnlineStoreConfig": {"EnableOnlineStore": true}});
    done(&backend, "CreateFeatureGroup", create).await;
    let catalogs = done(&backend, "ListResourceCatalogs", json!({"NameContains": "Feature"})).await;
    assert_eq!(
        catalogs["ResourceCatalogs"][0]["ResourceCatalogArn"],
        "arn:aws:sagemaker:us-east-1:123456789012:sagemaker-catalog/DefaultFeatureGroupCatalog"
    );
    let other = done(&backend, "ListResourceCatalogs", json!({"NameContains": "Other"})).await;
    assert_eq!(other["ResourceCatalogs"], json!([]));
}

#[tokio::test]
async fn nobody_has_subscribed_to_teams_of_vendors() {
    let backend = LocalBackend::new();
    assert_eq!(done(&backend, "ListSubscribedWorkteams", json!({})).await["SubscribedWorkteams"], json!([]));
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:workteam/vendor-crowd/a";
    let unknown = call(&backend, "DescribeSubscribedWorkteam", &json!({"WorkteamArn": arn})).await.unwrap_err();
    assert_eq!(unknown, ("ValidationException".to_owned(), format!("The work team \"{arn}\" was not found.")));
}

#[tokio::test]
async fn alerts_of_schedules_have_criteria() {
    let backend = LocalBackend::new();
    let schedule = json!({"MonitoringScheduleName": "s", "MonitoringScheduleConfig": {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}}});
    done(&backend, "CreateMonitoringSchedule", schedule).await;
    let name = json!({"MonitoringScheduleName": "s"});
    let alert =
        || async { done(&backend, "ListMonitoringAlerts", name.clone()).await["MonitoringAlertSummaries"][0].clone() };
    let first = alert().await;
    assert_eq!((&first["AlertStatus"], &first["EvaluationPeriod"]), (&json!("OK"), &json!(1)));
    let update = |alert: &str, points: u64, period: u64| json!({"MonitoringScheduleName": "s", "MonitoringAlertName": alert, "DatapointsToAlert": points, "EvaluationPeriod": period});
    done(&backend, "UpdateMonitoringAlert", update("s", 2, 3)).await;
    let now = alert().await;
    assert_eq!((&now["DatapointsToAlert"], &now["EvaluationPeriod"]), (&json!(2), &json!(3)));
    assert_eq!(call(&backend, "UpdateMonitoringAlert", &update("no", 1, 1)).await.unwrap_err().0, "ResourceNotFound");
    assert_eq!(call(&backend, "UpdateMonitoringAlert", &update("s", 3, 2)).await.unwrap_err().0, "ValidationException");
    assert_eq!(done(&backend, "ListMonitoringAlertHistory", name.clone()).await["MonitoringAlertHistory"], json!([]));
}

#[tokio::test]
async fn hubs_refer_to_public_models() {
    let backend = LocalBackend::new();
    done(&backend, "CreateHub", json!({"HubName": "Hub", "HubDescription": "d"})).await;
    let public = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/net";
    let create = json!({"HubName": "Hub", "SageMakerPublicHubContentArn": public, "MinVersion": "1.2.0"});
    let made = done(&backend, "CreateHubContentReference", create.clone()).await;
    assert_eq!(call(&backend, "CreateHubContentReference", &create).await.unwrap_err().0, "ResourceInUse");
    backend.clock().settle().await;
    let of = json!({"HubName": "Hub", "HubContentType": "ModelReference", "HubContentName": "net"});
    let described = done(&backend, "DescribeHubContent", of.clone()).await;
    assert_eq!(described["HubContentArn"], made["HubContentArn"]);
    assert_eq!(
        (&described["SageMakerPublicHubContentArn"], &described["ReferenceMinVersion"]),
        (&json!(public), &json!("1.2.0"))
    );
    let mut update = of.clone();
    update["MinVersion"] = json!("1.3.0");
    done(&backend, "UpdateHubContentReference", update).await;
    assert_eq!(done(&backend, "DescribeHubContent", of.clone()).await["ReferenceMinVersion"], "1.3.0");
    let mut other = of.clone();
    other["HubContentType"] = json!("Model");
    assert_eq!(call(&backend, "DeleteHubContentReference", &other).await.unwrap_err().0, "ValidationException");
    done(&backend, "DeleteHubContentReference", of.clone()).await;
    assert_eq!(call(&backend, "DescribeHubContent", &of).await.unwrap_err().0, "ResourceNotFound");
}

#[tokio::test]
async fn endpoints_have_policies_and_routers_look_at_them() {
    let aws = crate::local::tests::support::Aws::new();
    aws.deploy("Served", "1").await;
    let backend = &aws.backend;
    let name = json!({"EndpointName": "Served"});
    let none = call(backend, "GetEndpointPolicy", &name).await.unwrap_err();
    assert_eq!(none.0, "ValidationException");
    let put = |policy: &str| json!({"EndpointName": "Served", "ResourcePolicy": policy});
    assert_eq!(call(backend, "PutEndpointPolicy", &put("no")).await.unwrap_err().0, "ValidationException");
    let arn = done(backend, "PutEndpointPolicy", put("{}")).await["EndpointArn"].clone();
    assert_eq!(done(backend, "GetEndpointPolicy", name.clone()).await["ResourcePolicy"], "{}");
    done(backend, "DeleteEndpointPolicy", name.clone()).await;
    assert_eq!(call(backend, "GetEndpointPolicy", &name).await.unwrap_err(), none);

    let destination = |arn: &str| json!({"ResourceArn": arn});
    let other = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/far";
    let missing = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/missing";
    let targets = |arns: &[&str]| -> Value {
        json!([{"Name": "llm", "Destinations": arns.iter().map(|arn| destination(arn)).collect::<Vec<_>>()}])
    };
    let served = arn.as_str().unwrap();
    let create = json!({"InferenceRouterName": "Router", "ClientToken": "t", "RoutingTargets": targets(&[served, missing, other])});
    let router = done(backend, "CreateInferenceRouter", create.clone()).await;
    assert_eq!(done(backend, "CreateInferenceRouter", create.clone()).await, router, "the same token");
    let mut again = create;
    again["ClientToken"] = json!("u");
    assert_eq!(call(backend, "CreateInferenceRouter", &again).await.unwrap_err().0, "ResourceAlreadyExists");
    again["InferenceRouterName"] = json!("twice");
    again["RoutingTargets"] = targets(&[other, other]);
    assert_eq!(call(backend, "CreateInferenceRouter", &again).await.unwrap_err().0, "ValidationException");
    let of = json!({"InferenceRouterName": "Router"});
    backend.clock().settle().await;
    let described = done(backend, "DescribeInferenceRouter", of.clone()).await;
    let found: Vec<&Value> = described["RoutingTargets"][0]["Destinations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|destination| &destination["RoutingStatus"])
        .collect();
    assert_eq!(found, [&json!("Routable"), &json!("Unroutable"), &json!("Unknown")]);
    done(backend, "DeleteInferenceRouter", of).await;
}

#[tokio::test]
async fn versions_of_pipelines_have_names_and_aliases() {
    let backend = LocalBackend::new();
    let definition = |step: &str| {
        format!(
            r#"{{"Version": "2020-12-01", "Steps": [{{"Name": "{step}", "Type": "Fail", "Arguments": {{"ErrorMessage": "{step}"}}}}]}}"#
        )
    };
    let token = "a-token-of-at-least-thirty-two-characters";
    let create = json!({"PipelineName": "Flow", "ClientRequestToken": token, "RoleArn": backend.role_arn(),
        "PipelineDefinition": definition("one")});
    let arn = done(&backend, "CreatePipeline", create).await["PipelineArn"].clone();
    done(&backend, "UpdatePipeline", json!({"PipelineName": "Flow", "PipelineDefinition": definition("two")})).await;
    let update = |version: u64, operations: Value| {
        json!({"PipelineArn": arn, "PipelineVersionId": version, "PipelineVersionDisplayName": "named",
            "PipelineVersionAliasOperations": operations})
    };
    done(&backend, "UpdatePipelineVersion", update(1, json!({"Add": ["live", "old"]}))).await;
    assert_eq!(
        call(&backend, "UpdatePipelineVersion", &update(2, json!({"Add": ["live"]}))).await.unwrap_err().0,
        "ConflictException"
    );
    assert_eq!(call(&backend, "UpdatePipelineVersion", &update(9, json!({}))).await.unwrap_err().0, "ResourceNotFound");
    let live =
        done(&backend, "DescribePipeline", json!({"PipelineName": "Flow", "PipelineVersionAlias": "live"})).await;
    assert!(live["PipelineDefinition"].as_str().unwrap().contains("one"), "{live}");
    assert_eq!(live["PipelineVersionAliases"], json!(["live", "old"]));
    let start = json!({"PipelineName": "Flow", "ClientRequestToken": token, "PipelineVersionAlias": "live"});
    let execution = done(&backend, "StartPipelineExecution", start).await;
    backend.clock().settle().await;
    let ran = done(&backend, "DescribePipelineExecution", execution).await;
    assert_eq!(ran["PipelineVersionId"], 1);
    assert!(ran["FailureReason"].as_str().unwrap().contains("one"), "the steps of that version ran: {ran}");
    done(&backend, "UpdatePipelineVersion", update(1, json!({"Remove": ["live"]}))).await;
    done(&backend, "UpdatePipelineVersion", update(2, json!({"Add": ["live"]}))).await;
    let versions =
        done(&backend, "ListPipelineVersions", json!({"PipelineName": "Flow"})).await["PipelineVersionSummaries"]
            .clone();
    assert_eq!(
        (&versions[0]["PipelineVersionAliases"], &versions[1]["PipelineVersionAliases"]),
        (&json!(["live"]), &json!(["old"]))
    );
    assert_eq!(versions[0]["PipelineVersionDisplayName"], "named");
    assert!(versions[0].get("PipelineDefinition").is_none());
}

#[tokio::test]
async fn apps_have_presigned_urls() {
    let backend = LocalBackend::new();
    let create = json!({"Name": "app", "ArtifactStoreUri": "s3://bucket/flow", "RoleArn": backend.role_arn()});
    let arn = done(&backend, "CreateMlflowApp", create).await["Arn"].clone();
    let url = done(&backend, "CreatePresignedMlflowAppUrl", json!({"Arn": arn})).await;
    assert!(url["AuthorizedUrl"].as_str().unwrap().starts_with("https://app-"), "{url}");
    let unknown = json!({"Arn": "arn:aws:sagemaker:us-east-1:123456789012:partner-app/app-ABCDEFGHIJKL"});
    assert_eq!(call(&backend, "CreatePartnerAppPresignedUrl", &unknown).await.unwrap_err().0, "ResourceNotFound");
}

#[tokio::test]
async fn customization_is_kept_but_not_run() {
    let backend = LocalBackend::new();
    let of = json!({"JobName": "Tune", "JobCategory": "AgentRFT"});
    let mut create = json!({"JobName": "Tune", "JobCategory": "AgentRFT", "RoleArn": backend.role_arn(),
        "JobConfigSchemaVersion": "1.0.0", "JobConfigDocument": "no JSON"});
    assert_eq!(call(&backend, "CreateJob", &create).await.unwrap_err().0, "ValidationException");
    create["JobConfigDocument"] = json!("{}");
    let arn = done(&backend, "CreateJob", create.clone()).await["JobArn"].clone();
    assert_eq!(arn, "arn:aws:sagemaker:us-east-1:123456789012:job/AgentRFT/Tune");
    create["JobCategory"] = json!("DataTransformation");
    done(&backend, "CreateJob", create).await;
    backend.clock().settle().await;
    let job = done(&backend, "DescribeJob", of.clone()).await;
    assert_eq!((&job["JobStatus"], &job["SecondaryStatus"]), (&json!("Failed"), &json!("Failed")));
    assert!(job["FailureReason"].as_str().unwrap().contains("no foundation models"));
    assert!(job["SecondaryStatusTransitions"][0]["EndTime"].is_number());
    assert_eq!(call(&backend, "StopJob", &of).await.unwrap_err().0, "ValidationException");
    done(&backend, "DeleteJob", of).await;
    let listed = done(&backend, "ListJobs", json!({"JobCategory": "DataTransformation"})).await;
    assert_eq!(listed["JobSummaries"][0]["JobSecondaryStatus"], "Failed");

    let session = json!({"TrainingSessionName": "S", "LoraConfig": {"Rank": 8, "Alpha": 16}, "RoleArn": backend.role_arn(),
        "ModelConfig": {"BaseModelArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/net"},
        "OutputConfig": {"S3Location": {"Path": "s3://bucket/out"}}});
    done(&backend, "CreateTrainingSession", session).await;
    let name = json!({"TrainingSessionName": "S"});
    backend.clock().settle().await;
    assert_eq!(call(&backend, "DeleteTrainingSession", &name).await.unwrap_err().0, "ValidationException", "it runs");
    done(&backend, "StopTrainingSession", name.clone()).await;
    backend.clock().settle().await;
    let detail = done(&backend, "DescribeTrainingSession", name.clone()).await["TrainingSessionDetail"].clone();
    assert_eq!(detail["TrainingSessionStatus"], "Stopped");
    assert!(detail["EndTime"].is_number());
    done(&backend, "DeleteTrainingSession", name).await;
}
