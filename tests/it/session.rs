//! Sessions: bucket, role, and what they refuse.

use std::future::IntoFuture;
use std::time::Duration;

use sagemaker::local::LocalBackend;
use sagemaker::poll::PollPolicy;
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::operations;

#[tokio::test]
async fn the_default_bucket_is_named_and_not_created() -> Result<()> {
    let backend = LocalBackend::builder().region("eu-west-1").account("111122223333").build();
    let session = Session::with_backend(&backend);
    assert_eq!((session.region(), session.account_id().await?), ("eu-west-1", "111122223333"));
    let bucket = session.default_bucket().await?;
    assert_eq!(bucket, "sagemaker-eu-west-1-111122223333");
    let uri = session.default_uri("x").await?;
    let error = session.read(&uri).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("NoSuchBucket")));
    assert_eq!(
        operations(&session).iter().filter(|op| op.starts_with("sts")).count(),
        1,
        "the account is asked for once"
    );
    Ok(())
}

#[tokio::test]
async fn ensure_bucket_creates_once_in_any_region() -> Result<()> {
    for region in ["us-east-1", "eu-central-1"] {
        let session = Session::with_backend(&LocalBackend::builder().region(region).build());
        let bucket = session.ensure_bucket().await?;
        assert_eq!(session.ensure_bucket().await?, bucket);
        let created = operations(&session).iter().filter(|operation| operation.contains("CreateBucket")).count();
        assert_eq!(created, 1, "{:?}", operations(&session));
        let location = session.aws().s3().get_bucket_location().bucket(&bucket).send().await.unwrap();
        let named = location.location_constraint().map(|location| location.as_str().to_owned()).unwrap_or_default();
        assert_eq!(named, if region == "us-east-1" { "" } else { region });
    }
    Ok(())
}

#[tokio::test]
async fn an_upload_into_no_bucket_says_how_to_get_one() -> Result<()> {
    let session = Session::local();
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("x.csv"), "1")?;
    let error = session.upload(folder.path(), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("ensure_bucket"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_role_is_the_one_that_the_caller_has_assumed() -> Result<()> {
    let session = Session::local();
    let role = session.execution_role().await?;
    assert_eq!(role.as_str(), session.backend().unwrap().role_arn());
    let before = operations(&session).len();
    session.execution_role().await?;
    assert_eq!(operations(&session).len(), before, "it is remembered");
    Ok(())
}

#[tokio::test]
async fn a_builder_lists_what_is_wrong_before_anything_is_sent() {
    let built = Session::builder().role("no/role").bucket("NOT_A_BUCKET").endpoint_url("localhost:4566").build().await;
    let error = built.unwrap_err();
    let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    assert_eq!(fields, ["role", "bucket", "endpoint_url"]);
    assert!(PollPolicy::new(Duration::ZERO, Duration::from_secs(1)).is_err());
}

#[tokio::test]
async fn clients_of_a_config_of_ones_own_are_used() -> Result<()> {
    let backend = LocalBackend::new();
    let config = sagemaker::aws::config::SdkConfig::builder()
        .behavior_version(sagemaker::aws::config::BehaviorVersion::latest())
        .region(sagemaker::aws::config::Region::new("ap-south-1"))
        .http_client(backend.http_client())
        .credentials_provider(sagemaker::aws::sagemaker::config::SharedCredentialsProvider::new(
            sagemaker::aws::sagemaker::config::Credentials::new("a", "b", None, None, "test"),
        ))
        .build();
    let session = Session::builder().sdk_config(config).bucket("my-own-bucket").build().await?;
    assert_eq!(session.region(), "ap-south-1");
    assert_eq!(session.ensure_bucket().await?, "my-own-bucket");
    Ok(())
}

#[test]
fn sessions_and_handles_are_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Session>();
    check::<sagemaker::Error>();
    check::<sagemaker::endpoint::Endpoint>();
    check::<sagemaker::model::Model>();
    check::<sagemaker::training::TrainingJob>();
    check::<sagemaker::local::LocalBackend>();
}

#[tokio::test]
async fn names_made_at_the_same_moment_differ() -> Result<()> {
    let session = Session::local();
    let data = crate::fixture::put(&session, "n/train.csv", crate::fixture::plane()).await?;
    let xgboost = crate::fixture::xgboost().build()?;
    let fits = (0..5).map(|_| {
        let inputs = [("train", sagemaker::training::TrainingInput::csv(&data))];
        sagemaker::estimator::EstimatorExt::fit(&xgboost, &session, inputs).into_future()
    });
    let jobs = futures_util::future::try_join_all(fits).await?;
    let names: std::collections::BTreeSet<_> = jobs.iter().map(|job| job.name().to_owned()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    Ok(())
}
