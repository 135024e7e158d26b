//! What single kinds do beyond the table.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{call, done};
use crate::local::{LocalBackend, LocalClock};

#[tokio::test]
async fn notebooks_start_and_stop() {
    let backend = LocalBackend::builder().clock(LocalClock::manual()).build();
    let name = json!({"NotebookInstanceName": "Nb"});
    let create = json!({"NotebookInstanceName": "Nb", "InstanceType": "ml.t3.medium", "RoleArn": backend.role_arn()});
    done(&backend, "CreateNotebookInstance", create.clone()).await;
    let status =
        || async { done(&backend, "DescribeNotebookInstance", name.clone()).await["NotebookInstanceStatus"].clone() };
    let pass = || async {
        backend.clock().advance(Duration::from_secs(600));
        backend.clock().settle().await;
    };
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/nb";
    let refused = |from: &str, allowed: &str, to: &str| {
        let text = format!(
            "Status ({from}) not in ([{allowed}]). Unable to transition to ({to}) for Notebook Instance ({arn})"
        );
        ("ValidationException".to_owned(), text)
    };
    assert_eq!(status().await, "Pending");
    assert_eq!(
        call(&backend, "StopNotebookInstance", &name).await.unwrap_err(),
        refused("Pending", "InService", "Stopping")
    );
    pass().await;
    assert_eq!(status().await, "InService");
    let url = done(&backend, "CreatePresignedNotebookInstanceUrl", name.clone()).await;
    assert!(
        url["AuthorizedUrl"].as_str().unwrap().starts_with("https://nb.notebook.us-east-1.sagemaker.aws?authToken=")
    );
    assert_eq!(
        call(&backend, "DeleteNotebookInstance", &name).await.unwrap_err(),
        refused("InService", "Stopped, Failed", "Deleting")
    );
    done(&backend, "StopNotebookInstance", name.clone()).await;
    assert_eq!(status().await, "Stopping");
    pass().await;
    assert_eq!(status().await, "Stopped");
    done(&backend, "UpdateNotebookInstance", json!({"NotebookInstanceName": "Nb", "VolumeSizeInGB": 9})).await;
    pass().await;
    done(&backend, "StartNotebookInstance", name.clone()).await;
    pass().await;
    let described = done(&backend, "DescribeNotebookInstance", name.clone()).await;
    assert_eq!((&described["NotebookInstanceStatus"], &described["VolumeSizeInGB"]), (&json!("InService"), &json!(9)));
    assert_eq!(
        call(&backend, "CreateNotebookInstance", &create).await.unwrap_err(),
        ("ValidationException".to_owned(), format!("Cannot create a duplicate Notebook Instance ({arn})"))
    );
    let missing = call(&backend, "DescribeNotebookInstance", &json!({"NotebookInstanceName": "no"})).await;
    assert_eq!(missing.unwrap_err(), ("ValidationException".to_owned(), "RecordNotFound".to_owned()));
}

#[tokio::test]
async fn a_later_state_wins_over_an_earlier_way() {
    let backend = LocalBackend::builder().clock(LocalClock::manual()).build();
    let name = json!({"MonitoringScheduleName": "s"});
    let create = json!({"MonitoringScheduleName": "s", "MonitoringScheduleConfig": {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}}});
    done(&backend, "CreateMonitoringSchedule", create).await;
    done(&backend, "StopMonitoringSchedule", name.clone()).await;
    backend.clock().advance(Duration::from_secs(600));
    backend.clock().settle().await;
    assert_eq!(done(&backend, "DescribeMonitoringSchedule", name.clone()).await["MonitoringScheduleStatus"], "Stopped");
    assert_eq!(done(&backend, "ListMonitoringExecutions", name).await["MonitoringExecutionSummaries"], json!([]));
}

#[tokio::test]
async fn domains_keep_what_is_in_them() {
    let backend = LocalBackend::new();
    let create = json!({"DomainName": "lab", "AuthMode": "IAM", "DefaultUserSettings": {"ExecutionRole": backend.role_arn()},
        "SubnetIds": ["subnet-0123456789abcdef0"], "VpcId": "vpc-0123456789abcdef0"});
    let id = done(&backend, "CreateDomain", create).await["DomainArn"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert!(id.starts_with("d-") && id.len() == 14, "{id}");
    let profile = json!({"DomainId": id, "UserProfileName": "ann"});
    let made = done(&backend, "CreateUserProfile", profile.clone()).await;
    assert_eq!(made["UserProfileArn"], format!("arn:aws:sagemaker:us-east-1:123456789012:user-profile/{id}/ann"));
    let app = json!({"DomainId": id, "UserProfileName": "ann", "AppType": "JupyterServer", "AppName": "default"});
    done(&backend, "CreateApp", app.clone()).await;
    backend.clock().settle().await;
    for (operation, request) in [("DeleteDomain", json!({"DomainId": id})), ("DeleteUserProfile", profile.clone())] {
        assert_eq!(call(&backend, operation, &request).await.unwrap_err().0, "ResourceInUse", "{operation}");
    }
    let elsewhere = json!({"DomainId": "d-nowhere", "UserProfileName": "ann"});
    assert_eq!(call(&backend, "CreateUserProfile", &elsewhere).await.unwrap_err().0, "ResourceNotFound");
    let listed = done(&backend, "ListUserProfiles", json!({"DomainIdEquals": id})).await;
    assert_eq!(listed["UserProfiles"].as_array().unwrap().len(), 1);
    assert!(
        done(&backend, "ListUserProfiles", json!({"DomainIdEquals": "d-other"})).await["UserProfiles"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    done(&backend, "CreatePresignedDomainUrl", profile.clone()).await;
    for (operation, request) in
        [("DeleteApp", app), ("DeleteUserProfile", profile), ("DeleteDomain", json!({"DomainId": id}))]
    {
        done(&backend, operation, request).await;
        backend.clock().settle().await;
    }
    assert_eq!(done(&backend, "ListDomains", json!({})).await["Domains"], json!([]));
}

#[tokio::test]
async fn feature_groups_grow() {
    let backend = LocalBackend::new();
    let feature = |name: &str| json!({"FeatureName": name, "FeatureType": "String"});
    let mut create = json!({"FeatureGroupName": "Clicks", "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "time",
        "FeatureDefinitions": [feature("id")], "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://bucket/p"}}, "RoleArn": backend.role_arn()});
    assert_eq!(call(&backend, "CreateFeatureGroup", &create).await.unwrap_err().0, "ValidationException");
    create["FeatureDefinitions"] = json!([feature("id"), feature("time")]);
    let no_bucket = call(&backend, "CreateFeatureGroup", &create).await.unwrap_err();
    assert!(no_bucket.1.starts_with("Could not find the output S3 bucket \"bucket\""), "{no_bucket:?}");
    backend.core().s3.create_bucket("bucket");
    let integral = |name: &str| json!({"FeatureName": name, "FeatureType": "Integral"});
    for (definitions, part) in [
        (json!([feature("id"), integral("time")]), "can be a String or Fractional"),
        (json!([feature("id"), feature("time"), feature("write_time")]), "write_time is reserved"),
        (json!([feature("id"), feature("time"), integral("id")]), "id is there more than once"),
    ] {
        let mut wrong = create.clone();
        wrong["FeatureDefinitions"] = definitions;
        let refused = call(&backend, "CreateFeatureGroup", &wrong).await.unwrap_err();
        assert!(refused.0 == "ValidationException" && refused.1.contains(part), "{refused:?}");
    }
    let mut nowhere = create.clone();
    nowhere.as_object_mut().unwrap().remove("OfflineStoreConfig");
    assert_eq!(call(&backend, "CreateFeatureGroup", &nowhere).await.unwrap_err().0, "ValidationException");
    done(&backend, "CreateFeatureGroup", create).await;
    backend.clock().settle().await;
    let group = json!({"FeatureGroupName": "Clicks"});
    let described = done(&backend, "DescribeFeatureGroup", group.clone()).await;
    assert_eq!(
        (&described["FeatureGroupStatus"], &described["OfflineStoreStatus"]["Status"]),
        (&json!("Created"), &json!("Active"))
    );
    assert!(
        described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
            .as_str()
            .unwrap()
            .starts_with("s3://bucket/p/123456789012/")
    );
    done(&backend, "UpdateFeatureGroup", json!({"FeatureGroupName": "Clicks", "FeatureAdditions": [feature("new")]}))
        .await;
    let described = done(&backend, "DescribeFeatureGroup", group).await;
    assert_eq!(described["FeatureDefinitions"].as_array().unwrap().len(), 3);
    assert_eq!(described["LastUpdateStatus"]["Status"], "Successful");
    let of = json!({"FeatureGroupName": "Clicks", "FeatureName": "new"});
    let mut update = of.clone();
    update["Description"] = json!("what is new");
    update["ParameterAdditions"] = json!([{"Key": "owner", "Value": "me"}]);
    done(&backend, "UpdateFeatureMetadata", update).await;
    let described = done(&backend, "DescribeFeatureMetadata", of).await;
    assert_eq!(
        (&described["Description"], &described["Parameters"]),
        (&json!("what is new"), &json!([{"Key": "owner", "Value": "me"}]))
    );
    let unknown = json!({"FeatureGroupName": "no"});
    assert_eq!(call(&backend, "DescribeFeatureGroup", &unknown).await.unwrap_err().0, "ResourceNotFound");
}

#[tokio::test]
async fn clusters_have_nodes() {
    let backend = LocalBackend::new();
    let group = |name: &str, count: u64| {
        json!({"InstanceCount": count, "InstanceGroupName": name, "InstanceType": "ml.m5.large",
        "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-b/x", "OnCreate": "on.sh"}, "ExecutionRole": backend.role_arn()})
    };
    let name = json!({"ClusterName": "c"});
    let create = json!({"ClusterName": "c", "InstanceGroups": [group("a", 2), group("b", 1)]});
    let arn = done(&backend, "CreateCluster", create).await["ClusterArn"].clone();
    assert_eq!(arn.as_str().unwrap().rsplit('/').next().unwrap().len(), 12);
    backend.clock().settle().await;
    let nodes = || async {
        done(&backend, "ListClusterNodes", name.clone()).await["ClusterNodeSummaries"].as_array().unwrap().clone()
    };
    assert_eq!(nodes().await.len(), 3);
    let node = json!({"ClusterName": arn, "NodeId": nodes().await[2]["InstanceId"]});
    assert_eq!(done(&backend, "DescribeClusterNode", node).await["NodeDetails"]["InstanceGroupName"], "b");
    let update = json!({"ClusterName": "c", "InstanceGroups": [group("b", 4)], "InstanceGroupsToDelete": ["a"]});
    done(&backend, "UpdateCluster", update).await;
    assert_eq!(nodes().await.len(), 4);
    backend.clock().settle().await;
    let described = done(&backend, "DescribeCluster", name.clone()).await;
    assert_eq!(described["InstanceGroups"][0]["CurrentCount"], 4);
    assert_eq!(
        call(&backend, "DescribeClusterNode", &json!({"ClusterName": "c", "NodeId": "i-0123456789abcdef0"}))
            .await
            .unwrap_err()
            .0,
        "ResourceNotFound"
    );
}

#[tokio::test]
async fn lineage_is_followed() {
    let backend = LocalBackend::new();
    let artifact = |uri: &str| json!({"ArtifactType": "DataSet", "Source": {"SourceUri": uri}});
    let data = done(&backend, "CreateArtifact", artifact("s3://b/data")).await["ArtifactArn"].clone();
    let model = done(&backend, "CreateArtifact", artifact("s3://b/model")).await["ArtifactArn"].clone();
    let action = json!({"ActionName": "train", "ActionType": "ModelTraining", "Source": {"SourceUri": "job"}});
    let action = done(&backend, "CreateAction", action).await["ActionArn"].clone();
    for (source, destination, kind) in [(&data, &action, "ContributedTo"), (&action, &model, "Produced")] {
        done(
            &backend,
            "AddAssociation",
            json!({"SourceArn": source, "DestinationArn": destination, "AssociationType": kind}),
        )
        .await;
    }
    let listed = done(&backend, "ListAssociations", json!({"SourceType": "DataSet"})).await;
    assert_eq!(listed["AssociationSummaries"][0]["DestinationName"], "train");
    assert_eq!(listed["AssociationSummaries"].as_array().unwrap().len(), 1);
    let reached = |request: Value| {
        let backend = &backend;
        async move {
            let answer = done(backend, "QueryLineage", request).await;
            (answer["Vertices"].as_array().unwrap().len(), answer["Edges"].as_array().unwrap().len())
        }
    };
    assert_eq!(reached(json!({"StartArns": [data], "Direction": "Descendants", "IncludeEdges": true})).await, (2, 2));
    assert_eq!(reached(json!({"StartArns": [data], "Direction": "Descendants", "MaxDepth": 1})).await.0, 1);
    assert_eq!(reached(json!({"StartArns": [data], "Direction": "Ascendants"})).await.0, 0);
    assert_eq!(reached(json!({"StartArns": [data], "Filters": {"LineageTypes": ["Action"]}})).await.0, 1);
    let found = done(&backend, "ListArtifacts", json!({"SourceUri": "s3://b/model"})).await;
    assert_eq!(found["ArtifactSummaries"][0]["ArtifactArn"], model);
    let both = json!({"SourceArn": data, "DestinationArn": action});
    done(&backend, "DeleteAssociation", both.clone()).await;
    assert_eq!(call(&backend, "DeleteAssociation", &both).await.unwrap_err().0, "ResourceNotFound");
    let deleted = done(&backend, "DeleteArtifact", json!({"Source": {"SourceUri": "s3://b/model"}})).await;
    assert_eq!(deleted["ArtifactArn"], model);
}

#[tokio::test]
async fn automl_jobs_of_both_versions() {
    let backend = LocalBackend::new();
    let output = json!({"S3OutputPath": "s3://b/out"});
    let one = json!({"AutoMLJobName": "one", "RoleArn": backend.role_arn(), "OutputDataConfig": output, "InputDataConfig": [
        {"TargetAttributeName": "y", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}}]});
    done(&backend, "CreateAutoMLJob", one).await;
    let two = json!({"AutoMLJobName": "two", "RoleArn": backend.role_arn(), "OutputDataConfig": output,
        "AutoMLJobInputDataConfig": [{"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}}],
        "AutoMLProblemTypeConfig": {"TextClassificationJobConfig": {"ContentColumn": "a", "TargetLabelColumn": "b"}}});
    done(&backend, "CreateAutoMLJobV2", two).await;
    backend.clock().settle().await;
    for name in ["one", "two"] {
        let described = done(&backend, "DescribeAutoMLJobV2", json!({"AutoMLJobName": name})).await;
        assert_eq!(
            (&described["AutoMLJobStatus"], &described["AutoMLJobSecondaryStatus"]),
            (&json!("Failed"), &json!("Failed"))
        );
        let reason = described["FailureReason"].as_str().unwrap();
        assert!(reason.starts_with("ClientError: the local backend does not search for models"), "{reason}");
        assert_eq!(described.get("BestCandidate"), None, "nothing is invented");
    }
    assert_eq!(
        call(&backend, "DescribeAutoMLJob", &json!({"AutoMLJobName": "two"})).await.unwrap_err().0,
        "ValidationException"
    );
    assert_eq!(
        done(&backend, "ListCandidatesForAutoMLJob", json!({"AutoMLJobName": "two"})).await["Candidates"],
        json!([])
    );
}

/// Not a benchmark: ten thousand resources would take minutes if one operation looked at all of them.
#[tokio::test]
async fn many_resources_stay_fast() {
    let backend = LocalBackend::new();
    #[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
    let began = Instant::now();
    for number in 0..5_000 {
        done(&backend, "CreateExperiment", json!({"ExperimentName": format!("e-{number:05}")})).await;
    }
    for number in 0..5_000 {
        done(&backend, "DescribeExperiment", json!({"ExperimentName": format!("e-{number:05}")})).await;
    }
    let mut request = json!({"MaxResults": 100});
    let mut pages = 0;
    loop {
        let page = done(&backend, "ListExperiments", request.clone()).await;
        pages += 1;
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(pages, 50);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn kinds_are_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    // The end of the first runtime ends all that is on its way, as the end of a process does.
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let execution = runtime().block_on(before_a_restart(directory.path()));
    runtime().block_on(after_a_restart(directory.path(), execution));
}

fn open(directory: &std::path::Path) -> LocalBackend {
    LocalBackend::builder().clock(LocalClock::manual()).data_dir(directory).try_build().unwrap()
}

async fn before_a_restart(directory: &std::path::Path) -> Value {
    let role = "arn:aws:iam::123456789012:role/SageMakerRole";
    let backend = open(directory);
    let notebook = json!({"NotebookInstanceName": "nb", "InstanceType": "ml.t3.medium", "RoleArn": role});
    done(&backend, "CreateNotebookInstance", notebook).await;
    for image in ["kept", "gone"] {
        done(&backend, "CreateImage", json!({"ImageName": image, "RoleArn": role})).await;
        let version = json!({"ImageName": image, "BaseImage": "b", "ClientToken": "t", "Aliases": ["old"]});
        done(&backend, "CreateImageVersion", version).await;
    }
    let version = json!({"ImageName": "kept", "BaseImage": "b", "ClientToken": "u", "Aliases": ["old"]});
    done(&backend, "CreateImageVersion", version).await;
    done(&backend, "DeleteImage", json!({"ImageName": "gone"})).await;
    let definition = r#"{"Version": "2020-12-01", "Steps": [{"Name": "e", "Type": "Endpoint", "Arguments": {}}]}"#;
    let token = "a-token-of-at-least-thirty-two-characters";
    let pipeline =
        json!({"PipelineName": "flow", "ClientRequestToken": token, "RoleArn": role, "PipelineDefinition": definition});
    done(&backend, "CreatePipeline", pipeline).await;
    let start = json!({"PipelineName": "flow", "ClientRequestToken": token});
    done(&backend, "StartPipelineExecution", start).await
}

async fn after_a_restart(directory: &std::path::Path, execution: Value) {
    let role = "arn:aws:iam::123456789012:role/SageMakerRole";
    let backend = open(directory);
    let notebook = done(&backend, "DescribeNotebookInstance", json!({"NotebookInstanceName": "nb"})).await;
    assert_eq!(notebook["NotebookInstanceStatus"], "InService");
    let tags = done(&backend, "ListTags", json!({"ResourceArn": notebook["NotebookInstanceArn"]})).await;
    assert_eq!(tags["Tags"], json!([]));
    let version = done(&backend, "DescribeImageVersion", json!({"ImageName": "kept", "Alias": "old"})).await;
    assert_eq!(version["Version"], 2);
    let first = done(&backend, "ListAliases", json!({"ImageName": "kept", "Version": 1})).await;
    assert_eq!(first["SageMakerImageVersionAliases"], json!([]), "what the second has taken");
    let gone = call(&backend, "DescribeImage", &json!({"ImageName": "gone"})).await.unwrap_err();
    assert_eq!(gone.0, "ResourceNotFound");
    done(&backend, "CreateImage", json!({"ImageName": "gone", "RoleArn": role})).await;
    let none = done(&backend, "ListImageVersions", json!({"ImageName": "gone"})).await;
    assert_eq!(none["ImageVersions"], json!([]), "versions went with their image");
    let execution = done(&backend, "DescribePipelineExecution", execution).await;
    assert_eq!(execution["PipelineExecutionStatus"], "Failed");
    assert_eq!(done(&backend, "DescribePipeline", json!({"PipelineName": "flow"})).await["PipelineStatus"], "Active");
}

#[tokio::test]
async fn names_are_displayed_unless_others_are_given() {
    let backend = LocalBackend::new();
    done(&backend, "CreateExperiment", json!({"ExperimentName": "e"})).await;
    done(&backend, "CreateTrialComponent", json!({"TrialComponentName": "c", "DisplayName": "shown"})).await;
    assert_eq!(done(&backend, "DescribeExperiment", json!({"ExperimentName": "e"})).await["DisplayName"], "e");
    let component = done(&backend, "DescribeTrialComponent", json!({"TrialComponentName": "c"})).await;
    assert_eq!(component["DisplayName"], "shown");
}

#[tokio::test]
async fn lifecycle_scripts_are_in_buckets_of_sagemaker() {
    let backend = LocalBackend::new();
    let create = json!({"ClusterName": "c", "InstanceGroups": [{"InstanceCount": 1, "InstanceGroupName": "g",
        "InstanceType": "ml.m5.large", "ExecutionRole": backend.role_arn(),
        "LifeCycleConfig": {"SourceS3Uri": "s3://scripts/x", "OnCreate": "on_create.sh"}}]});
    let text = "Validation Error: SourceS3Uri s3://scripts/x does not start with 's3://sagemaker'.";
    let refused = call(&backend, "CreateCluster", &create).await.unwrap_err();
    assert_eq!(refused, ("ValidationException".to_owned(), text.to_owned()));
}

#[tokio::test]
async fn serverless_memory_comes_in_whole_gigabytes() {
    let aws = crate::local::tests::support::Aws::new();
    aws.model("m", "1").await;
    let config = |size: u64| {
        json!({"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "V", "ModelName": "m",
            "ServerlessConfig": {"MemorySizeInMB": size, "MaxConcurrency": 1}}]})
    };
    let refused = call(&aws.backend, "CreateEndpointConfig", &config(1500)).await.unwrap_err();
    assert_eq!(
        refused.1,
        "1 validation error detected: Value '1500' at 'productionVariants.1.member.serverlessConfig.memorySizeInMB' failed \
         to satisfy constraint: Member must satisfy enum value set: [1024, 2048, 3072, 4096, 5120, 6144]"
    );
    done(&aws.backend, "CreateEndpointConfig", config(2048)).await;
}
