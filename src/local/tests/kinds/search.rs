//! Experiments and what Search finds of them.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;

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
