//! The AWS clients with an endpoint URL and nothing else of ours.

use std::time::Duration;

use sagemaker::aws::config::{BehaviorVersion, Region, SdkConfig};
use sagemaker::aws::s3::presigning::PresigningConfig;
use sagemaker::aws::sagemaker::config::{Credentials, SharedCredentialsProvider};
use sagemaker::estimator::EstimatorExt;
use sagemaker::local::{LocalBackend, LocalServer};
use sagemaker::poll::PollPolicy;
use sagemaker::training::TrainingInput;
use sagemaker::{Result, Session};

use super::raw::Raw;
use crate::fixture::{one, plane, put, xgboost};

/// A session that knows of the server only its URL.
async fn session(server: &LocalServer, backend: &LocalBackend, region: &str) -> Session {
    let session = Session::builder().sdk_config(config(server, region)).role(backend.role_arn());
    // It waits in real time: what it sent is on its way while the backend's own clock sees nothing to do, and leaps.
    session.poll(PollPolicy::new(Duration::from_millis(5), Duration::from_millis(20)).unwrap()).build().await.unwrap()
}

fn config(server: &LocalServer, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(server.url())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn training_to_prediction_over_the_port() -> Result<()> {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    let session = session(&server, &backend, backend.region()).await;
    let data = put(&session, "plane/train.csv", plane()).await?;
    let xgboost = xgboost().build()?;
    let job = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?;
    let done = job.wait().await?;
    let model = xgboost.model(&session, &done).await?;
    let endpoint = model.deploy(one()).await?;
    let answer = session.aws().runtime().invoke_endpoint().endpoint_name(endpoint.name()).content_type("text/csv");
    let answer = answer.body(b"1,2".to_vec().into()).send().await.unwrap();
    let text = String::from_utf8(answer.body.unwrap().into_inner()).unwrap();
    let value: f64 = text.trim().parse().unwrap();
    assert!((value - 5.0).abs() < 1.5, "{value}");
    endpoint.delete().await?;
    let groups = session.aws().logs().describe_log_streams().log_group_name("/aws/sagemaker/TrainingJobs");
    assert_eq!(groups.send().await.unwrap().log_streams().len(), 1);
    Ok(())
}

#[tokio::test]
async fn another_region_of_the_signature_is_accepted() {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    let session = session(&server, &backend, "eu-central-1").await;
    assert!(session.aws().sagemaker().list_models().send().await.unwrap().models().is_empty());
    let s3 = session.aws().s3();
    s3.create_bucket().bucket("there").send().await.unwrap_err(); // AWS wants the region in the body then
    let caller = aws_sdk_sts::Client::new(&config(&server, "eu-central-1")).get_caller_identity().send().await.unwrap();
    assert_eq!(caller.account(), Some(backend.account_id()));
}

#[tokio::test]
async fn large_objects_and_presigned_urls_work() {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    let session = session(&server, &backend, backend.region()).await;
    let s3 = session.aws().s3();
    s3.create_bucket().bucket("data").send().await.unwrap();
    let content: Vec<u8> = (0..9_000_000_u32).map(|i| (i % 251) as u8).collect();
    // From a file the client sends aws-chunked with a checksum in the trailer.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    std::fs::write(&file, &content).unwrap();
    let body = sagemaker::aws::s3::primitives::ByteStream::from_path(&file).await.unwrap();
    s3.put_object().bucket("data").key("large").body(body).send().await.unwrap();
    let got = s3.get_object().bucket("data").key("large").send().await.unwrap();
    assert!(got.body.collect().await.unwrap().into_bytes() == content, "the content is the same");

    let expires = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    s3.put_object().bucket("data").key("k").body(b"hello".to_vec().into()).send().await.unwrap();
    let url = s3.get_object().bucket("data").key("k").presigned(expires).await.unwrap();
    let (_, rest) = url.uri().split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut client = Raw::connect(&server).await;
    client.send(format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
}
