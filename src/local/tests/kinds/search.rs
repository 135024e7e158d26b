//! Experiments and what Search finds of them.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;
use crate::local::tests::support::Aws;

async fn experiment() -> LocalBackend {
    let backend = LocalBackend::new();
    for (name, team) in [("first", "red"), ("second", "blue")] {
        let tags = json!([{"Key": "team", "Value": team}]);
        done(&backend, "CreateExperiment", json!({"ExperimentName": name, "Tags": tags})).await;
    }
    done(&backend, "CreateTrial", json!({"TrialName": "trial", "ExperimentName": "first"})).await;
    for (name, rate) in [("slow", 0.1), ("fast", 0.9)] {
        let component = json!({"TrialComponentName": name, "Parameters": {"rate": {"NumberValue": rate}, "kind": {"StringValue": name}},
            "Status": {"PrimaryStatus": "Completed"}});
        done(&backend, "CreateTrialComponent", component).await;
    }
    let both = json!({"TrialName": "trial", "TrialComponentName": "fast"});
    done(&backend, "AssociateTrialComponent", both).await;
    backend
}

async fn names(backend: &LocalBackend, operation: &str, request: Value, path: [&str; 2]) -> Vec<String> {
    let answer = done(backend, operation, request).await;
    let items = answer[path[0]].as_array().unwrap();
    items.iter().map(|item| item[path[1]].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn trials_belong_to_experiments() {
    let backend = experiment().await;
    let trials = ["TrialSummaries", "TrialName"];
    assert_eq!(names(&backend, "ListTrials", json!({"ExperimentName": "first"}), trials).await, ["trial"]);
    assert!(names(&backend, "ListTrials", json!({"ExperimentName": "second"}), trials).await.is_empty());
    assert_eq!(names(&backend, "ListTrials", json!({"TrialComponentName": "fast"}), trials).await, ["trial"]);
    let components = ["TrialComponentSummaries", "TrialComponentName"];
    assert_eq!(names(&backend, "ListTrialComponents", json!({"TrialName": "trial"}), components).await, ["fast"]);
    assert_eq!(names(&backend, "ListTrialComponents", json!({"ExperimentName": "first"}), components).await, ["fast"]);
    assert_eq!(names(&backend, "ListTrialComponents", json!({}), components).await.len(), 2);
    let unknown = call(&backend, "ListTrials", &json!({"ExperimentName": "no"})).await.unwrap_err();
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:experiment/no";
    assert_eq!(unknown, ("ResourceNotFound".to_owned(), format!("Experiment '{arn}' does not exist.")));
    let again = call(&backend, "CreateExperiment", &json!({"ExperimentName": "first"})).await.unwrap_err();
    assert!(again.0 == "ValidationException" && again.1.contains("already exists"), "{again:?}");

    // From the inside out.
    for (operation, request) in [
        ("DeleteExperiment", json!({"ExperimentName": "first"})),
        ("DeleteTrial", json!({"TrialName": "trial"})),
        ("DeleteTrialComponent", json!({"TrialComponentName": "fast"})),
    ] {
        assert_eq!(call(&backend, operation, &request).await.unwrap_err().0, "ValidationException", "{operation}");
    }
    let both = json!({"TrialName": "trial", "TrialComponentName": "fast"});
    done(&backend, "DisassociateTrialComponent", both).await;
    done(&backend, "DeleteTrialComponent", json!({"TrialComponentName": "fast"})).await;
    done(&backend, "DeleteTrial", json!({"TrialName": "trial"})).await;
    done(&backend, "DeleteExperiment", json!({"ExperimentName": "first"})).await;
}

#[tokio::test]
async fn components_are_changed_value_by_value() {
    let backend = experiment().await;
    let update = json!({"TrialComponentName": "slow", "Parameters": {"depth": {"NumberValue": 3}}, "ParametersToRemove": ["kind"]});
    done(&backend, "UpdateTrialComponent", update).await;
    let described = done(&backend, "DescribeTrialComponent", json!({"TrialComponentName": "slow"})).await;
    assert_eq!(described["Parameters"], json!({"rate": {"NumberValue": 0.1}, "depth": {"NumberValue": 3}}));
}

#[tokio::test]
async fn search_finds_by_any_property() {
    let backend = experiment().await;
    let found = |resource: &'static str, expression: Value| {
        let backend = &backend;
        async move {
            let request = json!({"Resource": resource, "SearchExpression": expression, "SortBy": "CreationTime", "SortOrder": "Ascending"});
            let answer = done(backend, "Search", request).await;
            let records = answer["Results"].as_array().unwrap();
            assert_eq!(answer["TotalHits"]["Value"], records.len());
            records
                .iter()
                .map(|record| {
                    let record = record.as_object().unwrap().values().next().unwrap();
                    let name = ["ExperimentName", "TrialComponentName"].into_iter().find_map(|name| record.get(name));
                    name.unwrap().as_str().unwrap().to_owned()
                })
                .collect::<Vec<_>>()
        }
    };
    let filter = |name: &str, operator: &str, value: &str| json!({"Name": name, "Operator": operator, "Value": value});
    let filters = |filters: Value| json!({"Filters": filters});
    assert_eq!(found("Experiment", json!({})).await, ["first", "second"]);
    assert_eq!(found("Experiment", filters(json!([filter("Tags.team", "Equals", "blue")]))).await, ["second"]);
    assert_eq!(found("Experiment", filters(json!([filter("ExperimentName", "Contains", "irs")]))).await, ["first"]);
    let component = "ExperimentTrialComponent";
    assert_eq!(found(component, filters(json!([filter("Parameters.rate", "GreaterThan", "0.5")]))).await, ["fast"]);
    assert_eq!(found(component, filters(json!([filter("Parameters.kind", "Equals", "slow")]))).await, ["slow"]);
    assert_eq!(found(component, filters(json!([filter("Parents.ExperimentName", "Equals", "first")]))).await, ["fast"]);
    let either = json!({"Operator": "Or", "Filters": [filter("Parameters.kind", "Equals", "slow")],
        "SubExpressions": [filters(json!([filter("Parameters.rate", "GreaterThan", "0.5")]))]});
    assert_eq!(found(component, either).await, ["slow", "fast"]);
    let nested = json!({"NestedFilters": [{"NestedPropertyName": "Parents", "Filters": [filter("Parents.TrialName", "Equals", "trial")]}]});
    assert_eq!(found(component, nested).await, ["fast"]);

    let unknown =
        json!({"Resource": "Experiment", "SearchExpression": {"Filters": [filter("Nonsense", "Equals", "1")]}});
    assert_eq!(
        call(&backend, "Search", &unknown).await.unwrap_err(),
        ("ValidationException".to_owned(), "Unknown property name: Nonsense".to_owned())
    );
    let page = done(&backend, "Search", json!({"Resource": "Experiment", "MaxResults": 1})).await;
    assert_eq!(page["Results"][0]["Experiment"]["ExperimentName"], "second", "the latest first");
    assert_eq!(page["Results"][0]["Experiment"]["Tags"], json!([{"Key": "team", "Value": "blue"}]));
    let next = json!({"Resource": "Experiment", "MaxResults": 1, "NextToken": page["NextToken"]});
    assert_eq!(done(&backend, "Search", next).await["Results"][0]["Experiment"]["ExperimentName"], "first");

    let hint =
        json!({"Resource": "TrainingJob", "SuggestionQuery": {"PropertyNameQuery": {"PropertyNameHint": "algo"}}});
    let suggested = done(&backend, "GetSearchSuggestions", hint).await;
    assert_eq!(suggested["PropertyNameSuggestions"][0]["PropertyName"], "AlgorithmSpecification");
}

#[tokio::test]
async fn records_without_a_time_of_change_are_found() {
    let backend = LocalBackend::new();
    done(&backend, "CreateModelPackageGroup", json!({"ModelPackageGroupName": "g"})).await;
    let found = done(&backend, "Search", json!({"Resource": "ModelPackageGroup"})).await;
    assert_eq!(found["Results"][0]["ModelPackageGroup"]["ModelPackageGroupName"], "g");
    let sorted = json!({"Resource": "ModelPackageGroup", "SortBy": "LastModifiedTime"});
    assert!(super::call(&backend, "Search", &sorted).await.is_err());
}

#[tokio::test]
async fn parts_of_resources_are_found() {
    let backend = LocalBackend::new();
    let model =
        json!({"ModelName": "Served", "PrimaryContainer": {"Image": "i"}, "Tags": [{"Key": "team", "Value": "a"}]});
    done(&backend, "CreateModel", model).await;
    done(&backend, "CreateModel", json!({"ModelName": "other", "PrimaryContainer": {"Image": "i"}})).await;
    let variant =
        json!({"VariantName": "V", "ModelName": "Served", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1});
    done(&backend, "CreateEndpointConfig", json!({"EndpointConfigName": "c", "ProductionVariants": [variant]})).await;
    done(&backend, "CreateEndpoint", json!({"EndpointName": "e", "EndpointConfigName": "c"})).await;
    backend.clock().settle().await;
    let search = |resource: &'static str, name: &'static str, value: &'static str| {
        let backend = &backend;
        async move {
            let filters = json!([{"Name": name, "Operator": "Equals", "Value": value}]);
            let request = json!({"Resource": resource, "SearchExpression": {"Filters": filters}});
            done(backend, "Search", request).await["Results"].clone()
        }
    };
    for (name, value) in
        [("Model.ModelName", "Served"), ("ModelName", "Served"), ("Tags.team", "a"), ("Endpoints.EndpointName", "e")]
    {
        let found = search("Model", name, value).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{name}: {found}");
        assert_eq!(found[0]["Model"]["Model"]["ModelName"], "Served");
        assert_eq!(found[0]["Model"]["Endpoints"][0]["EndpointName"], "e");
    }
    let all = done(&backend, "Search", json!({"Resource": "Model"})).await;
    assert_eq!(all["TotalHits"]["Value"], 2);

    let feature = |name: &str| json!({"FeatureName": name, "FeatureType": "String"});
    let group = json!({"FeatureGroupName": "g", "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "time",
        "FeatureDefinitions": [feature("id"), feature("time")], "OnlineStoreConfig": {"EnableOnlineStore": true}});
    done(&backend, "CreateFeatureGroup", group).await;
    let note = json!({"FeatureGroupName": "g", "FeatureName": "id", "Description": "who",
        "ParameterAdditions": [{"Key": "owner", "Value": "me"}]});
    backend.clock().settle().await;
    done(&backend, "UpdateFeatureMetadata", note).await;
    let found = search("FeatureMetadata", "Description", "who").await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["FeatureMetadata"]["FeatureName"]), (1, &json!("id")));
    assert_eq!(found[0]["FeatureMetadata"]["Parameters"], json!([{"Key": "owner", "Value": "me"}]));
    assert_eq!(search("FeatureMetadata", "FeatureGroupName", "g").await.as_array().unwrap().len(), 2);

    let token = "a-token-of-at-least-thirty-two-characters";
    let definition = r#"{"Version": "2020-12-01", "Steps": []}"#;
    let pipeline = json!({"PipelineName": "p", "ClientRequestToken": token, "RoleArn": backend.role_arn(), "PipelineDefinition": definition});
    done(&backend, "CreatePipeline", pipeline).await;
    done(&backend, "UpdatePipeline", json!({"PipelineName": "p", "PipelineDefinition": definition})).await;
    let start = json!({"PipelineName": "p", "PipelineVersionId": 2, "ClientRequestToken": token});
    let execution = done(&backend, "StartPipelineExecution", start).await["PipelineExecutionArn"].clone();
    let found = search("PipelineVersion", "PipelineVersionId", "2").await;
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found[0]["PipelineVersion"]["LastExecutedPipelineExecutionArn"], execution);
    assert!(found[0]["PipelineVersion"].get("PipelineDefinition").is_none());
    let all = done(&backend, "Search", json!({"Resource": "PipelineVersion"})).await;
    assert_eq!(all["TotalHits"]["Value"], 2);

    let job = json!({"JobName": "tuned", "JobCategory": "AgentRFT", "JobConfigSchemaVersion": "1.0.0", "JobConfigDocument": "{}", "RoleArn": backend.role_arn()});
    done(&backend, "CreateJob", job).await;
    let found = search("Job", "JobName", "tuned").await;
    assert_eq!(found[0]["Job"]["JobName"], "tuned");
}

#[tokio::test]
async fn operators_suit_the_types_of_properties() {
    let aws = Aws::new();
    aws.train("job").hyper_parameters("eta", "0.5").send().await.unwrap();
    aws.ended("job").await;
    let found = |name: &'static str, operator: &'static str, value: &'static str| {
        let backend = &aws.backend;
        async move {
            let filters = json!([{"Name": name, "Operator": operator, "Value": value}]);
            let request = json!({"Resource": "TrainingJob", "SearchExpression": {"Filters": filters}});
            call(backend, "Search", &request).await.map(|answer| answer["TotalHits"]["Value"].clone())
        }
    };
    for (name, operator, value, hits) in [
        ("HyperParameters.eta", "LessThan", "10.5", 1),
        ("HyperParameters.eta", "GreaterThan", "0.50001", 0),
        ("TrainingJobName", "Contains", "jo", 1),
        ("TrainingJobStatus", "In", "Failed, Completed", 1),
        ("CreationTime", "GreaterThan", "2001-01-01T00:00:00Z", 1),
        ("ResourceConfig.InstanceCount", "LessThan", "2", 1),
        ("Tags.a", "Exists", "any", 0),
    ] {
        assert_eq!(found(name, operator, value).await, Ok(json!(hits)), "{name} {operator}");
    }
    for (name, operator) in [
        ("TrainingJobName", "GreaterThan"),
        ("Tags.a", "LessThanOrEqualTo"),
        ("ResourceConfig.InstanceCount", "Contains"),
        ("CreationTime", "In"),
        ("EnableNetworkIsolation", "Contains"),
    ] {
        assert_eq!(found(name, operator, "1").await.unwrap_err().0, "ValidationException", "{name} {operator}");
    }
}

#[tokio::test]
async fn names_in_use_are_suggested() {
    let aws = Aws::new();
    let tag = aws_sdk_sagemaker::types::Tag::builder().key("Team").value("a").build();
    let definition = aws_sdk_sagemaker::types::MetricDefinition::builder().name("mean").regex("mean=([0-9.]+)").build();
    let mut job = aws.train("job").hyper_parameters("eta", "1").tags(tag);
    let mut algorithm = job.get_algorithm_specification().clone().unwrap();
    algorithm.metric_definitions = Some(vec![definition]);
    job = job.algorithm_specification(algorithm);
    job.send().await.unwrap();
    aws.ended("job").await;
    for (hint, name) in
        [("HyperParameters.", "HyperParameters.eta"), ("tags.t", "Tags.Team"), ("Metrics.", "Metrics.mean")]
    {
        let request =
            json!({"Resource": "TrainingJob", "SuggestionQuery": {"PropertyNameQuery": {"PropertyNameHint": hint}}});
        let suggested = done(&aws.backend, "GetSearchSuggestions", request).await;
        assert_eq!(suggested["PropertyNameSuggestions"], json!([{"PropertyName": name}]));
    }
}
