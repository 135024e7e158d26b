//! Bad input gets one error that lists everything, before anything is sent.

use std::time::Duration;

use sagemaker::algorithms::xgboost::{EvalMetric, Objective, XGBoost};
use sagemaker::codec::Csv;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, Spot, VpcConfig};
use sagemaker::{Error, ErrorKind, Result, Session};

use crate::fixture::{endpoint, operations, plane, put, xgboost};

fn fields(error: &Error) -> Vec<&str> {
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    error.invalid_values().iter().map(|value| value.field.as_str()).collect()
}

#[test]
fn every_bad_setting_is_listed_at_once() {
    let error = XGBoost::builder(Objective::RegSquaredError, 10)
        .eta(1.5)
        .subsample(0.0)
        .compute(Compute::instances("m5.xlarge", 0))
        .role("arn:aws:iam::123456789012:user/alice")
        .output_path("some/folder")
        .max_run(Duration::from_secs(3600))
        .spot(Spot::max_wait(Duration::from_secs(60)))
        .vpc(VpcConfig::new(["subnet-1"], Vec::<String>::new()))
        .tags([("aws:x", "1")])
        .build()
        .unwrap_err();
    let fields = fields(&error);
    for field in [
        "hyperparameters.eta",
        "hyperparameters.subsample",
        "compute.instance_type",
        "compute.instance_count",
        "role",
        "output_path",
        "spot.max_wait",
        "vpc.security_group_ids",
        "tags.aws:x",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
    assert_eq!(fields.len(), 9, "{error}");
    assert!(error.to_string().contains("eta") && error.to_string().contains("role"), "the text lists them too");
}

#[tokio::test]
async fn bad_channels_and_names_are_refused_before_anything_is_sent() {
    let session = Session::local();
    let xgboost = xgboost().build().unwrap();
    let inputs = [
        ("train", TrainingInput::csv("https://example.com/train.csv")),
        ("tset", TrainingInput::csv("s3://bucket/test.csv")),
    ];
    let error = xgboost.fit(&session, inputs).job_name("my_job").await.unwrap_err();
    assert_eq!(fields(&error), ["inputs.tset", "job_name", "inputs.train"]);
    assert_eq!(operations(&session), [""; 0], "nothing was sent");

    let error = xgboost.fit(&session, Vec::<(String, TrainingInput)>::new()).await.unwrap_err();
    assert_eq!(fields(&error), ["inputs.train"]);
}

#[tokio::test]
async fn early_stopping_needs_something_to_watch() {
    let session = Session::local();
    let xgboost = xgboost().eval_metric([EvalMetric::Rmse]).early_stopping_rounds(5).build().unwrap();
    let error = xgboost.fit(&session, [("train", TrainingInput::csv("s3://bucket/t.csv"))]).await.unwrap_err();
    assert_eq!(fields(&error), ["inputs.validation"]);
}

#[tokio::test]
async fn an_empty_channel_is_told_before_a_job_is_created() -> Result<()> {
    let session = Session::local();
    put(&session, "there/train.csv", plane()).await?;
    let (there, empty) = (session.default_uri("there/").await?, session.default_uri("nothing/here").await?);
    let inputs = [
        ("train", TrainingInput::csv(&there)),
        ("validation", TrainingInput::csv(&empty)),
        ("model", TrainingInput::csv("s3://no-such-bucket/x")),
    ];
    let error = xgboost().build()?.fit(&session, inputs).await.unwrap_err();
    assert_eq!(fields(&error), ["inputs.validation", "inputs.model"]);
    assert!(error.to_string().contains(&empty.to_string()), "{error}");
    assert!(!operations(&session).iter().any(|operation| operation.contains("CreateTrainingJob")));
    Ok(())
}

#[test]
fn an_image_and_its_hyperparameters_are_checked() {
    let error = ContainerEstimator::builder("https://example.com/image")
        .hyperparameter("x", "y".repeat(2501))
        .build()
        .unwrap_err();
    assert_eq!(fields(&error), ["image_uri", "hyperparameters.x", "compute"]);
}

#[tokio::test]
async fn raw_requests_are_checked_before_they_are_signed() {
    use sagemaker::aws::sagemaker::error::SdkError;
    let session = Session::local();
    let sent = session.aws().sagemaker().create_model().model_name("a_b").send().await;
    assert!(matches!(sent, Err(SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_))), "{sent:?}");
    assert_eq!(operations(&session), [""; 0], "nothing was sent");
}

#[tokio::test]
async fn rows_are_refused_with_line_and_column() -> Result<()> {
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    let predictor = endpoint.predictor(Csv::rows(), Csv::floats());
    let before = operations(&session).len();
    for (rows, place) in [
        (vec![vec![1.0, 2.0], vec![1.0]], "line 2"),
        (vec![vec![1.0, 2.0], vec![1.0, f64::NAN]], "line 2, column 2"),
        (vec![vec![f64::INFINITY, 2.0]], "line 1, column 1"),
    ] {
        let error = predictor.predict(&rows).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Serialization, "{error}");
        assert!(error.to_string().contains(place), "{error}");
    }
    assert_eq!(operations(&session).len(), before, "nothing was sent");

    // What only the container can know comes back as its own answer.
    let error = predictor.predict(&[1.0, 2.0, 3.0]).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Model, Some(400)), "{error}");
    assert!(error.to_string().contains("not consistent"), "{error}");
    let text = endpoint.predictor(Csv::text(), Csv::floats());
    let error = text.predict("1,2\n3,four").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    Ok(())
}

#[tokio::test]
async fn a_payload_that_no_endpoint_takes_is_not_sent() -> Result<()> {
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    let before = operations(&session).len();
    let rows = vec![vec![0.123_456_789_012_345_6; 100]; 4000];
    let error = endpoint.predictor(Csv::rows(), Csv::floats()).predict(&rows).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
    assert_eq!(operations(&session).len(), before);
    Ok(())
}

#[tokio::test]
async fn a_training_file_with_a_wrong_row_fails_with_its_place() -> Result<()> {
    let session = Session::local();
    for (csv, place) in [("1,2,3\n4,5\n", "line 2"), ("1,2\n3,x\n", "line 2, column 2")] {
        let data = put(&session, "bad/train.csv", csv).await?;
        let estimator = xgboost().build()?;
        let job = estimator.fit(&session, [("train", TrainingInput::csv(data))]).await?;
        let error = job.wait().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::JobFailed);
        assert!(error.to_string().contains(place), "{error}");
    }
    Ok(())
}
