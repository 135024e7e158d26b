//! Pipelines run their steps.

use serde_json::{Value, json};

use super::{call, done};
use crate::local::LocalBackend;
use crate::local::tests::support::{Aws, IMAGE};

const TOKEN: &str = "a-token-of-at-least-thirty-two-characters";

async fn create(aws: &Aws, definition: Value) {
    let request = json!({"PipelineName": "Flow", "ClientRequestToken": TOKEN, "RoleArn": aws.backend.role_arn(),
        "PipelineDefinition": definition.to_string()});
    done(&aws.backend, "CreatePipeline", request).await;
}

async fn start(aws: &Aws, parameters: Value) -> Value {
    let token = format!("{TOKEN}-{}", aws.backend.requests().len());
    let request = json!({"PipelineName": "Flow", "ClientRequestToken": token, "PipelineParameters": parameters});
    let started = done(&aws.backend, "StartPipelineExecution", request).await;
    json!({"PipelineExecutionArn": started["PipelineExecutionArn"]})
}

async fn ended(aws: &Aws, execution: &Value) -> Value {
    aws.backend.clock().settle().await;
    done(&aws.backend, "DescribePipelineExecution", execution.clone()).await
}

/// Names and statuses, in order.
async fn steps(aws: &Aws, execution: &Value) -> Vec<(String, String)> {
    let mut request = execution.clone();
    request["SortOrder"] = json!("Ascending");
    let answer = done(&aws.backend, "ListPipelineExecutionSteps", request).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    answer["PipelineExecutionSteps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (text(&step["StepName"]), text(&step["StepStatus"])))
        .collect()
}

fn training(aws: &Aws, mode: Value) -> Value {
    json!({"Name": "Train", "Type": "Training", "Arguments": {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": aws.backend.role_arn(),
        "HyperParameters": {"mode": mode},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {
            "S3DataType": "S3Prefix",
            "S3Uri": {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Bucket"}, "train"]}},
        }}}],
        "OutputDataConfig": {"S3OutputPath": "s3://out/pipeline"},
        "ResourceConfig": {"InstanceCount": {"Get": "Parameters.Count"}, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }})
}

fn definition(aws: &Aws) -> Value {
    json!({
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "Bucket", "Type": "String", "DefaultValue": "data"},
            {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
            {"Name": "Mode", "Type": "String", "DefaultValue": "none"},
        ],
        "Steps": [
            {"Name": "Register", "Type": "RegisterModel", "DependsOn": ["Model"], "Arguments": {
                "ModelPackageGroupName": "flow",
                "InferenceSpecification": {
                    "Containers": [{"Image": IMAGE, "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["text/csv"],
                },
            }},
            {"Name": "Model", "Type": "Model", "Arguments": {
                "ExecutionRoleArn": aws.backend.role_arn(),
                "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}},
            }},
            training(aws, json!({"Get": "Parameters.Mode"})),
        ],
    })
}

#[tokio::test]
async fn steps_run_in_the_order_in_which_they_need_each_other() {
    let aws = Aws::new();
    create(&aws, definition(&aws)).await;
    let execution = start(&aws, json!([{"Name": "Count", "Value": "2"}])).await;
    let arn = execution["PipelineExecutionArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:sagemaker:us-east-1:123456789012:pipeline/flow/execution/"), "{arn}");
    let described = ended(&aws, &execution).await;
    assert_eq!(described["PipelineExecutionStatus"], "Succeeded", "{described:#}");
    let done_steps = ["Train", "Model", "Register"].map(|name| (name.to_owned(), "Succeeded".to_owned()));
    assert_eq!(steps(&aws, &execution).await, done_steps);

    // What the steps made is there.
    let jobs = done(&aws.backend, "ListTrainingJobs", json!({})).await;
    let name = jobs["TrainingJobSummaries"][0]["TrainingJobName"].as_str().unwrap();
    assert!(name.starts_with("pipelines-") && name.contains("-Train-"), "{name}");
    let job = done(&aws.backend, "DescribeTrainingJob", json!({"TrainingJobName": name})).await;
    assert_eq!(job["ResourceConfig"]["InstanceCount"], 2);
    let packages = done(&aws.backend, "ListModelPackages", json!({"ModelPackageGroupName": "flow"})).await;
    let package = packages["ModelPackageSummaryList"][0]["ModelPackageArn"].clone();
    let package = done(&aws.backend, "DescribeModelPackage", json!({"ModelPackageName": package})).await;
    let data = &package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"];
    assert_eq!(*data, job["ModelArtifacts"]["S3ModelArtifacts"]);

    let listed = done(&aws.backend, "ListPipelineExecutions", json!({"PipelineName": "Flow"})).await;
    assert_eq!(listed["PipelineExecutionSummaries"].as_array().unwrap().len(), 1);
    let parameters = done(&aws.backend, "ListPipelineParametersForExecution", execution.clone()).await;
    assert_eq!(parameters["PipelineParameters"], json!([{"Name": "Count", "Value": "2"}]));
    let pipeline = done(&aws.backend, "DescribePipeline", json!({"PipelineName": "Flow"})).await;
    assert!(pipeline["LastRunTime"].is_number() && pipeline["PipelineStatus"] == "Active");
}

#[tokio::test]
async fn a_failed_step_fails_the_execution() {
    let aws = Aws::new();
    create(&aws, definition(&aws)).await;
    let execution = start(&aws, json!([{"Name": "Mode", "Value": "fail"}])).await;
    let described = ended(&aws, &execution).await;
    assert_eq!(described["PipelineExecutionStatus"], "Failed");
    assert!(described["FailureReason"].as_str().unwrap().contains("Train"), "{described}");
    assert_eq!(steps(&aws, &execution).await, [("Train".to_owned(), "Failed".to_owned())]);
    let mut retry = execution.clone();
    retry["ClientRequestToken"] = json!(TOKEN);
    done(&aws.backend, "RetryPipelineExecution", retry).await;
    assert_eq!(ended(&aws, &execution).await["PipelineExecutionStatus"], "Failed");
}

#[tokio::test]
async fn a_stopped_execution_stops_its_jobs() {
    let aws = Aws::new();
    create(&aws, definition(&aws)).await;
    let execution = start(&aws, json!([{"Name": "Mode", "Value": "stuck"}])).await;
    while steps(&aws, &execution).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let mut stop = execution.clone();
    stop["ClientRequestToken"] = json!(TOKEN);
    done(&aws.backend, "StopPipelineExecution", stop.clone()).await;
    assert_eq!(ended(&aws, &execution).await["PipelineExecutionStatus"], "Stopped");
    assert_eq!(steps(&aws, &execution).await, [("Train".to_owned(), "Stopped".to_owned())]);
    let jobs = done(&aws.backend, "ListTrainingJobs", json!({})).await;
    assert_eq!(jobs["TrainingJobSummaries"][0]["TrainingJobStatus"], "Stopped");
    assert_eq!(call(&aws.backend, "StopPipelineExecution", &stop).await.unwrap_err().0, "ValidationException");
}

#[tokio::test]
async fn a_pipeline_that_runs_is_not_deleted() {
    let aws = Aws::new();
    create(&aws, definition(&aws)).await;
    let execution = start(&aws, json!([{"Name": "Mode", "Value": "stuck"}])).await;
    while steps(&aws, &execution).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let delete = json!({"PipelineName": "Flow", "ClientRequestToken": TOKEN});
    assert_eq!(call(&aws.backend, "DeletePipeline", &delete).await.unwrap_err().0, "ConflictException");
    let mut stop = execution.clone();
    stop["ClientRequestToken"] = json!(TOKEN);
    done(&aws.backend, "StopPipelineExecution", stop).await;
    assert_eq!(ended(&aws, &execution).await["PipelineExecutionStatus"], "Stopped");
    let deleted = done(&aws.backend, "DeletePipeline", delete.clone()).await;
    assert_eq!(deleted["PipelineArn"], "arn:aws:sagemaker:us-east-1:123456789012:pipeline/flow");
    assert_eq!(call(&aws.backend, "DescribePipelineExecution", &execution).await.unwrap_err().0, "ResourceNotFound");
    assert_eq!(call(&aws.backend, "DeletePipeline", &delete).await.unwrap_err().0, "ResourceNotFound");
}

#[tokio::test]
async fn conditions_choose_a_branch() {
    let aws = Aws::new();
    let fail = |name: &str| json!({"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": ["limit", {"Get": "Parameters.Limit"}]}}}});
    create(&aws, json!({
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Limit", "Type": "Float"}],
        "Steps": [
            {"Name": "Check", "Type": "Condition", "Arguments": {
                "Conditions": [{"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.Limit"}, "RightValue": 0.5}],
                "IfSteps": [fail("TooHigh")],
                "ElseSteps": [],
            }},
            {"Name": "After", "Type": "Fail", "DependsOn": ["TooHigh"], "Arguments": {"ErrorMessage": "never"}},
        ],
    })).await;
    let missing = json!({"PipelineName": "Flow", "ClientRequestToken": TOKEN});
    assert_eq!(call(&aws.backend, "StartPipelineExecution", &missing).await.unwrap_err().0, "ValidationException");
    let low = start(&aws, json!([{"Name": "Limit", "Value": "0.1"}])).await;
    assert_eq!(ended(&aws, &low).await["PipelineExecutionStatus"], "Succeeded");
    assert_eq!(steps(&aws, &low).await, [("Check".to_owned(), "Succeeded".to_owned())]);
    let high = start(&aws, json!([{"Name": "Limit", "Value": "0.9"}])).await;
    let described = ended(&aws, &high).await;
    assert!(described["FailureReason"].as_str().unwrap().ends_with("limit 0.9"), "{described}");
}

#[tokio::test]
async fn definitions_are_checked_and_kept_by_version() {
    let aws = Aws::new();
    for bad in ["no JSON", "[]", "{}", r#"{"Version": "2020-12-01"}"#, r#"{"Version": "1", "Steps": [{"Name": "a"}]}"#]
    {
        let request = json!({"PipelineName": "Flow", "ClientRequestToken": TOKEN, "RoleArn": aws.backend.role_arn(), "PipelineDefinition": bad});
        let refusal = call(&aws.backend, "CreatePipeline", &request).await.unwrap_err();
        assert!(refusal.1.starts_with("Unable to parse pipeline definition. "), "{refusal:?}");
    }
    let cycle =
        json!([{"Name": "a", "Type": "Fail", "DependsOn": ["b"]}, {"Name": "b", "Type": "Fail", "DependsOn": ["a"]}]);
    let unknown = json!([{"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Q"}}}]);
    for steps in [cycle, unknown] {
        let definition = json!({"Version": "2020-12-01", "Steps": steps}).to_string();
        let mut request =
            json!({"PipelineName": "Flow", "PipelineDefinition": definition, "RoleArn": aws.backend.role_arn()});
        assert_eq!(call(&aws.backend, "UpdatePipeline", &request).await.unwrap_err().0, "ValidationException");
        request["ClientRequestToken"] = json!(TOKEN);
        assert_eq!(call(&aws.backend, "CreatePipeline", &request).await.unwrap_err().0, "ValidationException");
    }
    create(&aws, json!({"Version": "2020-12-01", "Steps": []})).await;
    create(&aws, json!({"Version": "2020-12-01", "Steps": []})).await;
    let other = json!({"PipelineName": "Flow", "ClientRequestToken": format!("{TOKEN}2"), "RoleArn": aws.backend.role_arn(),
        "PipelineDefinition": r#"{"Version": "2020-12-01", "Steps": []}"#});
    let refusal = call(&aws.backend, "CreatePipeline", &other).await.unwrap_err();
    assert!(refusal.1.starts_with("Pipeline names must be unique within an AWS account and region"), "{refusal:?}");
    aws.put("data", "flow.json", r#"{"Version": "2020-12-01", "Metadata": {}, "Steps": []}"#);
    let update =
        json!({"PipelineName": "Flow", "PipelineDefinitionS3Location": {"Bucket": "data", "ObjectKey": "flow.json"}});
    assert_eq!(done(&aws.backend, "UpdatePipeline", update).await["PipelineVersionId"], 2);
    let describe = |version: Value| {
        let aws = &aws;
        async move {
            let mut request = json!({"PipelineName": "Flow"});
            if !version.is_null() {
                request["PipelineVersionId"] = version;
            }
            done(&aws.backend, "DescribePipeline", request).await["PipelineDefinition"]
                .as_str()
                .unwrap()
                .contains("Metadata")
        }
    };
    assert!(describe(Value::Null).await && !describe(json!(1)).await);
    let versions = done(&aws.backend, "ListPipelineVersions", json!({"PipelineName": "Flow"})).await;
    assert_eq!(versions["PipelineVersionSummaries"].as_array().unwrap().len(), 2);
}

/// An execution whose callback step waits, and its token.
async fn waiting(backend: &LocalBackend) -> (Value, String) {
    let definition = json!({"Version": "2020-12-01", "Steps": [
        {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": "https://sqs/q", "Arguments": {"a": 1},
            "OutputParameters": [{"OutputName": "word", "OutputType": "String"}, {"OutputName": "count", "OutputType": "Integer"}]},
        {"Name": "Tell", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [
            {"Get": "Steps.Ask.OutputParameters['word']"}, {"Get": "Steps.Ask.OutputParameters['count']"}]}}}},
    ]});
    let token = "a-token-of-at-least-thirty-two-characters";
    let create = json!({"PipelineName": "ask", "ClientRequestToken": token, "RoleArn": backend.role_arn(),
        "PipelineDefinition": definition.to_string()});
    done(backend, "CreatePipeline", create).await;
    let execution =
        done(backend, "StartPipelineExecution", json!({"PipelineName": "ask", "ClientRequestToken": token})).await;
    backend.clock().settle().await;
    let steps = done(backend, "ListPipelineExecutionSteps", execution.clone()).await["PipelineExecutionSteps"].clone();
    assert_eq!((&steps[0]["StepName"], &steps[0]["StepStatus"]), (&json!("Ask"), &json!("Executing")));
    let callback = &steps[0]["Metadata"]["Callback"];
    assert_eq!(callback["SqsQueueUrl"], "https://sqs/q");
    (execution, callback["CallbackToken"].as_str().unwrap().to_owned())
}

/// What Describe tells once the execution is over.
async fn over(backend: &LocalBackend, execution: &Value) -> Value {
    for _ in 0..1000 {
        backend.clock().settle().await;
        let described = done(backend, "DescribePipelineExecution", execution.clone()).await;
        if described["PipelineExecutionStatus"] != "Executing" && described["PipelineExecutionStatus"] != "Stopping" {
            return described;
        }
        tokio::task::yield_now().await;
    }
    panic!("it goes on");
}

#[tokio::test]
async fn callback_steps_wait_for_their_answer() {
    let backend = LocalBackend::new();
    let (execution, token) = waiting(&backend).await;
    let outputs = json!([{"Name": "word", "Value": "yes"}, {"Name": "count", "Value": "7"}]);
    let success = json!({"CallbackToken": token, "OutputParameters": outputs});
    let answered = done(&backend, "SendPipelineExecutionStepSuccess", success.clone()).await;
    assert_eq!(answered["PipelineExecutionArn"], execution["PipelineExecutionArn"]);
    let reason = over(&backend, &execution).await["FailureReason"].clone();
    assert!(reason.as_str().unwrap().ends_with("Tell: yes 7"), "{reason}");
    let steps = done(&backend, "ListPipelineExecutionSteps", execution).await["PipelineExecutionSteps"].clone();
    assert_eq!(
        (&steps[1]["StepStatus"], &steps[1]["Metadata"]["Callback"]["OutputParameters"]),
        (&json!("Succeeded"), &outputs)
    );
    done(&backend, "SendPipelineExecutionStepSuccess", success).await;
    let late = call(&backend, "SendPipelineExecutionStepFailure", &json!({"CallbackToken": token})).await.unwrap_err();
    assert_eq!(late.0, "ConflictException");
    let unknown = call(&backend, "SendPipelineExecutionStepFailure", &json!({"CallbackToken": "0123456789"})).await;
    assert_eq!(unknown.unwrap_err().0, "ResourceNotFound");
}

#[tokio::test]
async fn callback_steps_fail_and_stop() {
    let backend = LocalBackend::new();
    let (execution, token) = waiting(&backend).await;
    let failure = json!({"CallbackToken": token, "FailureReason": "nobody knows"});
    done(&backend, "SendPipelineExecutionStepFailure", failure).await;
    let described = over(&backend, &execution).await;
    assert!(described["FailureReason"].as_str().unwrap().ends_with("Ask: nobody knows"), "{described}");

    let backend = LocalBackend::new();
    let (mut execution, token) = waiting(&backend).await;
    execution["ClientRequestToken"] = json!("another-token-of-at-least-32-characters");
    done(&backend, "StopPipelineExecution", execution.clone()).await;
    if let Some(execution) = execution.as_object_mut() {
        execution.remove("ClientRequestToken");
    }
    assert_eq!(over(&backend, &execution).await["PipelineExecutionStatus"], "Stopped");
    let late = call(&backend, "SendPipelineExecutionStepSuccess", &json!({"CallbackToken": token})).await.unwrap_err();
    assert_eq!(late.0, "ConflictException");
}
