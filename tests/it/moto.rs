//! This crate's own flows against somebody else's mock, as far as it implements them: `moto_server` at `MOTO_URL`.
//! Ignored unless asked for, as it needs Python; the gate asks.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use futures_util::TryStreamExt;
use sagemaker::codec::{Csv, Text};
use sagemaker::estimator::EstimatorExt;
use sagemaker::job::JobDescription;
use sagemaker::poll::PollPolicy;
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::transform::TransformInput;
use sagemaker::types::{ContentType, Tags};
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::{one, plane, put, xgboost};

/// A session of its own region, so that flows that run at the same time do not see each other.
async fn session(region: &'static str) -> Result<Session> {
    let url = std::env::var("MOTO_URL").expect("MOTO_URL is that of a running moto_server");
    let credentials = Credentials::new("moto", "moto", None, None, "moto");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Session::builder()
        .sdk_config(config)
        .endpoint_url(url)
        .role("arn:aws:iam::123456789012:role/SageMakerRole")
        .poll(PollPolicy::new(Duration::from_millis(10), Duration::from_millis(50))?)
        .build()
        .await
}

#[tokio::test]
#[ignore = "needs moto_server at MOTO_URL"]
async fn train_deploy_predict_and_delete() -> Result<()> {
    let session = session("us-east-1").await?;
    let data = put(&session, "plane/train.csv", plane()).await?;
    let xgboost = xgboost().build()?;
    let job = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?;
    let done = job.wait().await?;
    assert_eq!(done.description().raw().hyper_parameters().unwrap()["num_round"], "60");
    assert!(job.logs().try_collect::<Vec<_>>().await?.is_empty(), "moto runs nothing, so it logs nothing");
    assert!(done.model_artifacts()?.to_string().ends_with("/output/model.tar.gz"));
    TrainingJob::attach(&session, done.name()).await?;

    let model = xgboost.model(&session, &done).await?;
    let endpoint = model.deploy(one()).await?;
    let answer: String = endpoint.predictor(Csv::rows(), Text::string()).predict(&[1.0, 2.0]).await?;
    assert!(!answer.is_empty());
    endpoint.delete().with_models().await?;
    let gone = endpoint.describe().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs moto_server at MOTO_URL"]
async fn batch_transform() -> Result<()> {
    let session = session("us-east-2").await?;
    let data = put(&session, "plane/train.csv", plane()).await?;
    let xgboost = xgboost().build()?;
    let done = xgboost.fit(&session, [("train", TrainingInput::csv(&data))]).await?.wait().await?;
    let model = xgboost.model(&session, &done).await?;
    let transformer = model.transformer(one()).build()?;
    let done = transformer.transform(TransformInput::csv(data)).await?.wait().await?;
    assert_eq!(done.description().status().as_str(), "Completed");
    Ok(())
}

#[tokio::test]
#[ignore = "needs moto_server at MOTO_URL"]
async fn files_go_up_and_come_down() -> Result<()> {
    let session = session("us-west-2").await?;
    session.ensure_bucket().await?;
    let folder = tempfile::tempdir()?;
    for (name, size) in [("a.csv", 10), ("deep/b.bin", 20 << 20), ("deep/c d+e.txt", 0)] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap())?;
        std::fs::write(path, vec![7; size])?;
    }
    let uri = session.upload(folder.path(), "files").await?;
    let back = tempfile::tempdir()?;
    session.download(&uri, back.path()).await?;
    assert_eq!(std::fs::read(back.path().join("deep/b.bin"))?.len(), 20 << 20);
    assert!(back.path().join("deep/c d+e.txt").exists());
    let one = session.default_uri("files/a.csv").await?;
    session.upload_bytes("new", &one, &ContentType::CSV).await?;
    assert_eq!(session.read(&one).await?, "new");
    Ok(())
}

#[tokio::test]
#[ignore = "needs moto_server at MOTO_URL"]
async fn unknown_names_are_told_and_tags_kept() -> Result<()> {
    let session = session("eu-west-1").await?;
    let missing = TrainingJob::attach(&session, "nobody").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    let data = put(&session, "plane/train.csv", plane()).await?;
    let xgboost = xgboost().tags(Tags::from([("team", "a")])).build()?;
    let job = xgboost.fit(&session, [("train", TrainingInput::csv(&data))]).await?;
    let description = job.describe().await?;
    let arn = description.raw().training_job_arn().unwrap();
    let tags = session.aws().sagemaker().list_tags().resource_arn(arn).send().await.unwrap();
    assert!(tags.tags().iter().any(|tag| tag.key() == Some("team") && tag.value() == Some("a")), "{tags:?}");
    Ok(())
}
