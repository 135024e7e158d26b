//! What several tests start from.

use aws_smithy_types::body::SdkBody;
use sagemaker::algorithms::xgboost::{Objective, XGBoost, XGBoostBuilder};
use sagemaker::endpoint::Endpoint;
use sagemaker::estimator::EstimatorExt;
use sagemaker::job::Completed;
use sagemaker::model::Model;
use sagemaker::training::{Training, TrainingInput};
use sagemaker::types::{Compute, ContentType, S3Uri};
use sagemaker::{Result, Session};
use serde_json::Value;

/// A request by hand, signed as far as the backend looks.
pub fn by_hand(service: &str, region: &str, target: &str, version: &str, body: &Value) -> http::Request<SdkBody> {
    let scope = format!("AK/20260102/{region}/{service}/aws4_request");
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00");
    let host = if service == "sagemaker" { "api.sagemaker" } else { service };
    http::Request::post(format!("http://{host}.{region}.amazonaws.com/"))
        .header("content-type", format!("application/x-amz-json-{version}"))
        .header("x-amz-target", target)
        .header("x-amz-date", "20260102T000000Z")
        .header("authorization", signature)
        .body(SdkBody::from(body.to_string()))
        .unwrap()
}

pub fn one() -> Compute {
    Compute::instances("ml.m5.xlarge", 1)
}

/// y = 3 x0 + x1 on a grid, with the label first: easy to learn, easy to check.
pub fn plane() -> String {
    let rows = (0..400).map(|i| (f64::from(i % 20), f64::from(i / 20)));
    rows.map(|(a, b)| format!("{},{a},{b}\n", 3.0 * a + b)).collect()
}

pub async fn put(session: &Session, key: &str, csv: impl Into<String>) -> Result<S3Uri> {
    session.ensure_bucket().await?;
    let uri = session.default_uri(key).await?;
    session.upload_bytes(csv.into(), &uri, &ContentType::CSV).await?;
    Ok(uri)
}

pub fn xgboost() -> XGBoostBuilder {
    XGBoost::builder(Objective::RegSquaredError, 60).eta(0.3).compute(one())
}

pub async fn trained(session: &Session) -> Result<(XGBoost, Completed<Training>)> {
    let data = put(session, "plane/train.csv", plane()).await?;
    let xgboost = xgboost().build()?;
    let done = xgboost.fit(session, [("train", TrainingInput::csv(data))]).await?.wait().await?;
    Ok((xgboost, done))
}

pub async fn model(session: &Session) -> Result<Model> {
    let (xgboost, done) = trained(session).await?;
    xgboost.model(session, &done).await
}

pub async fn endpoint(session: &Session) -> Result<(Model, Endpoint)> {
    let model = model(session).await?;
    let endpoint = model.deploy(one()).await?;
    Ok((model, endpoint))
}

/// Operations that the backend has seen, in order, such as `sagemaker.CreateModel`.
pub fn operations(session: &Session) -> Vec<String> {
    let requests = session.backend().unwrap().requests();
    requests.iter().map(|request| format!("{}.{}", request.service, request.operation)).collect()
}
