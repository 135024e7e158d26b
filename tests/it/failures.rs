//! Jobs and endpoints that fail say why, and where to see more.

use sagemaker::codec::Csv;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::frameworks::FrameworkModel;
use sagemaker::job::Outcome;
use sagemaker::model::Model;
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::transform::TransformInput;
use sagemaker::types::ContentType;
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::{endpoint, model, one, plane, put, trained, xgboost};

#[tokio::test]
async fn nothing_shows_the_values_of_environment_variables() -> Result<()> {
    const TOKEN: &str = "hf_doNotShow";
    let session = Session::local();
    let estimator = xgboost().environment("TOKEN", TOKEN).build()?;
    let framework = FrameworkModel::pytorch("2.3", "py311").environment("TOKEN", TOKEN);
    let transformer = model(&session).await?.transformer(one()).environment("TOKEN", TOKEN).build()?;
    for text in [format!("{estimator:?}"), format!("{framework:?}"), format!("{transformer:?}")] {
        assert!(text.contains("TOKEN") && !text.contains(TOKEN), "{text}");
    }
    let fit = estimator.fit(&session, TrainingInput::csv("s3://bucket/train.csv"));
    let start = transformer.transform(TransformInput::csv("s3://bucket/rows.csv"));
    for text in [format!("{fit:?}"), format!("{start:?}")] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_job_tells_reason_exit_code_last_lines_and_where_to_look() -> Result<()> {
    let session = Session::local();
    let data = put(&session, "f/train.csv", "1,2\nx,3\n").await?;
    let estimator = xgboost().build()?;
    let job = estimator.fit(&session, [("train", TrainingInput::csv(data))]).job_name("will-fail").await?;
    let error = job.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    let failure = error.job_failure().unwrap();
    assert_eq!((failure.job_name.as_str(), failure.status.as_str()), ("will-fail", "Failed"));
    assert!(failure.reason.as_deref().unwrap().starts_with("AlgorithmError: "), "{failure:?}");
    assert!(failure.exit_code.is_some_and(|code| code != 0));
    assert!(!failure.last_log_lines.is_empty(), "the container logged before it gave up");
    assert!(
        failure.see_more.contains("job.logs()")
            && failure.see_more.contains("/aws/sagemaker/TrainingJobs")
            && failure.see_more.contains("will-fail/")
    );
    assert_eq!(failure.logs_error, None);
    for part in [failure.reason.as_deref().unwrap(), &failure.last_log_lines[0], "job.logs()"] {
        assert!(error.to_string().contains(part.trim_end()), "{error}");
    }
    assert!(matches!(job.wait().outcome().await?, Outcome::Failed(_)), "as a value too");
    Ok(())
}

#[tokio::test]
async fn an_image_without_an_engine_says_how_to_register_one() -> Result<()> {
    let session = Session::local();
    let data = put(&session, "x/train.csv", plane()).await?;
    let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/forecaster:3";
    let estimator = ContainerEstimator::builder(image).compute(one()).build()?;
    let job = estimator.fit(&session, TrainingInput::csv(data)).await?;
    let error = job.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.to_string().contains("engine"), "{error}");
    Ok(())
}

#[tokio::test]
async fn unknown_names_are_not_found() -> Result<()> {
    let session = Session::local();
    assert_eq!(TrainingJob::attach(&session, "nothing").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(Model::attach(&session, "nothing").await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = sagemaker::endpoint::Endpoint::attach(&session, "nothing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.request_id().is_some() && error.operation() == Some("DescribeEndpoint"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_was_deleted_meanwhile_is_not_found() -> Result<()> {
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    let predictor = endpoint.predictor(Csv::rows(), Csv::floats());
    predictor.predict(&[1.0, 2.0]).await?;
    endpoint.delete().await?;
    assert_eq!(predictor.predict(&[1.0, 2.0]).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(endpoint.wait_in_service().await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(endpoint.delete().await.unwrap_err().kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_for_every_kind() -> Result<()> {
    let session = Session::local();
    let (xgboost, done) = trained(&session).await?;
    let data = session.default_uri("plane/train.csv").await?;
    let again = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).job_name(done.name()).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);

    let model = xgboost.model(&session, &done).name("taken").await?;
    let error = xgboost.model(&session, &done).name("taken").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("Model::attach"), "{error}");

    let endpoint = model.deploy(one()).await?;
    let error = model.deploy(one()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("endpoint_name"), "{error}");
    assert!(endpoint.describe().await.is_ok(), "the first one is untouched");
    Ok(())
}

#[tokio::test]
async fn a_model_that_does_not_load_fails_the_deployment_and_leaves_nothing() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let artifacts = session.default_uri("broken/model.tar.gz").await?;
    session.upload_bytes("no archive at all", &artifacts, &ContentType::OCTET_STREAM).await?;
    let image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
    let model = Model::create(&session, image).model_data(artifacts.to_string()).name("broken").await?;
    let error = model.deploy(one()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EndpointFailed, "{error}");
    let logs = "session.aws().logs().filter_log_events().log_group_name(\"/aws/sagemaker/Endpoints/broken\")";
    assert!(error.to_string().contains(logs) && !error.to_string().contains("aws logs tail"), "{error}");
    let left = session.aws().sagemaker().list_endpoints().send().await.unwrap();
    assert!(left.endpoints().is_empty(), "a failed endpoint is removed again");
    let left = session.aws().sagemaker().list_endpoint_configs().send().await.unwrap();
    assert!(left.endpoint_configs().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_transform_over_bad_rows_fails_with_a_reason() -> Result<()> {
    let session = Session::local();
    let model = model(&session).await?;
    let data = put(&session, "rows/bad.csv", "1,2\n1,2,3\n").await?;
    let transformer = model.transformer(one()).build()?;
    let job = transformer.transform(TransformInput::csv(data)).await?;
    let error = job.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JobFailed);
    assert!(error.job_failure().unwrap().reason.is_some(), "{error}");
    Ok(())
}
