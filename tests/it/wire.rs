//! What is sent is what the SageMaker Python SDK sends: the recorded requests, as JSON.

use std::time::Duration;

use sagemaker::algorithms::xgboost::{Objective, XGBoost};
use sagemaker::codec::Csv;
use sagemaker::estimator::EstimatorExt;
use sagemaker::local::LocalBackend;
use sagemaker::training::TrainingInput;
use sagemaker::transform::TransformInput;
use sagemaker::types::{Compute, S3Uri, Spot, VpcConfig};
use sagemaker::{Result, Session};
use serde_json::{Value, json};

use crate::fixture::{endpoint, one, put, xgboost};

fn body(session: &Session, operation: &str) -> Value {
    let requests = session.backend().unwrap().requests();
    let request = requests.iter().rev().find(|request| request.operation == operation);
    request.unwrap_or_else(|| panic!("{operation} was not sent")).body.clone()
}

/// The scenario `train_xgboost_csv` of the parity suite, without the debugger and profiler that the Python SDK turns on
/// unasked.
#[tokio::test]
async fn training_of_the_builtin_xgboost() -> Result<()> {
    let session = Session::with_backend(&LocalBackend::builder().region("us-west-2").build());
    let train = put(&session, "demo-xgboost/train/train.csv", "1,0.5,10\n0,0.25,20\n1,0.75,30\n").await?;
    let validation = put(&session, "demo-xgboost/validation/validation.csv", "0,0.1,40\n1,0.9,50\n").await?;
    let bucket = session.default_bucket().await?;
    let role = session.execution_role().await?;
    let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100)
        .max_depth(5)
        .eta(0.2)
        .gamma(4.0)
        .min_child_weight(6.0)
        .subsample(0.8)
        .output_path(format!("s3://{bucket}/demo-xgboost/output"))
        .compute(Compute::instances("ml.m5.xlarge", 1).volume_gb(5))
        .build()?;
    let inputs = [
        ("train", TrainingInput::new(&train).content_type("csv")),
        ("validation", TrainingInput::new(&validation).content_type("csv")),
    ];
    xgboost.fit(&session, inputs).job_name("demo-xgboost-job").await?;

    let channel = |name: &str, uri: &S3Uri| {
        json!({
            "ChannelName": name,
            "ContentType": "csv",
            "DataSource": {"S3DataSource": {
                "S3DataDistributionType": "FullyReplicated",
                "S3DataType": "S3Prefix",
                "S3Uri": uri.to_string(),
            }},
        })
    };
    let expected = json!({
        "AlgorithmSpecification": {
            "TrainingImage": "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1",
            "TrainingInputMode": "File",
        },
        "HyperParameters": {
            "eta": "0.2",
            "gamma": "4",
            "max_depth": "5",
            "min_child_weight": "6",
            "num_round": "100",
            "objective": "binary:logistic",
            "subsample": "0.8",
        },
        "InputDataConfig": [channel("train", &train), channel("validation", &validation)],
        "OutputDataConfig": {"S3OutputPath": format!("s3://{bucket}/demo-xgboost/output")},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 5},
        "RoleArn": role.as_str(),
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "TrainingJobName": "demo-xgboost-job",
    });
    assert_eq!(body(&session, "CreateTrainingJob"), expected);
    Ok(())
}

#[tokio::test]
async fn options_of_training() -> Result<()> {
    let session = Session::local();
    let data = put(&session, "o/train.csv", "1,2\n2,3\n3,4\n").await?;
    let bucket = session.default_bucket().await?;
    let checkpoints: S3Uri = "s3://my-checkpoints/here".parse()?;
    session.aws().s3().create_bucket().bucket("my-checkpoints").send().await.unwrap();
    let xgboost = xgboost()
        .max_run(Duration::from_secs(600))
        .spot(Spot::max_wait(Duration::from_secs(1200)).checkpoint(&checkpoints))
        .vpc(VpcConfig::new(["subnet-0a1b2c3d"], ["sg-01234567"]))
        .environment("LEVEL", "high")
        .tags([("team", "forecast")])
        .network_isolation()
        .encrypt_inter_container_traffic()
        .output_kms_key("alias/mine")
        .base_job_name("my_model.v2")
        .build()?;
    let job = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?;
    assert!(job.name().starts_with("my-model-v2-20"), "{}", job.name());
    let sent = body(&session, "CreateTrainingJob");
    for (member, value) in [
        ("EnableManagedSpotTraining", json!(true)),
        ("StoppingCondition", json!({"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200})),
        ("CheckpointConfig", json!({"S3Uri": "s3://my-checkpoints/here"})),
        ("VpcConfig", json!({"SecurityGroupIds": ["sg-01234567"], "Subnets": ["subnet-0a1b2c3d"]})),
        ("Environment", json!({"LEVEL": "high"})),
        ("Tags", json!([{"Key": "team", "Value": "forecast"}])),
        ("EnableNetworkIsolation", json!(true)),
        ("EnableInterContainerTrafficEncryption", json!(true)),
        ("OutputDataConfig", json!({"KmsKeyId": "alias/mine", "S3OutputPath": format!("s3://{bucket}/")})),
    ] {
        assert_eq!(sent[member], value, "{member}");
    }
    Ok(())
}

/// The scenarios `deploy_estimator` and `transform_estimator`.
#[tokio::test]
async fn hosting_and_transform() -> Result<()> {
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    let name = model.name();
    let sent = body(&session, "CreateModel");
    let container = &sent["PrimaryContainer"];
    assert_eq!((&sent["ModelName"], &container["Environment"]), (&json!(name), &json!({})));
    assert!(container["ModelDataUrl"].as_str().is_some_and(|url| url.ends_with("/output/model.tar.gz")), "{container}");
    let variant = json!({
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        "InstanceType": "ml.m5.xlarge",
        "ModelName": name,
        "VariantName": "AllTraffic",
    });
    let config = json!({"EndpointConfigName": name, "ProductionVariants": [variant]});
    assert_eq!(body(&session, "CreateEndpointConfig"), config);
    let created = json!({"EndpointConfigName": name, "EndpointName": name, "Tags": []});
    assert_eq!(body(&session, "CreateEndpoint"), created);

    endpoint.predictor(Csv::rows(), Csv::floats()).predict(&[2.0, 3.0]).await?;
    let requests = session.backend().unwrap().requests();
    let invoked = requests.iter().find(|request| request.operation == "InvokeEndpoint").unwrap();
    assert_eq!(invoked.headers.get("content-type").map(String::as_str), Some("text/csv"));
    assert_eq!(invoked.headers.get("accept").map(String::as_str), Some("text/csv"));

    let data = put(&session, "t/rows.csv", "1,2\n").await?;
    let job = model.transformer(one()).build()?.transform(TransformInput::csv(&data)).await?;
    let sent = body(&session, "CreateTransformJob");
    let bucket = session.default_bucket().await?;
    let expected = json!({
        "ModelName": name,
        "TransformInput": {
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data.to_string()}},
            "SplitType": "Line",
        },
        "TransformJobName": job.name(),
        "TransformOutput": {"S3OutputPath": format!("s3://{bucket}/{}", job.name())},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge"},
    });
    assert_eq!(sent, expected);
    assert!(job.name().starts_with("sagemaker-xgboost-20"), "named after the model's image: {}", job.name());
    Ok(())
}
