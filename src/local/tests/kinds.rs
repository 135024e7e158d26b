//! Every row of the table of kinds, with requests made from the API model.

mod account;
mod capacity;
mod clusters;
mod edge;
mod minimal;
mod operations;
mod pipelines;
mod registry;
mod rows;
mod search;
mod special;

use aws_smithy_types::body::SdkBody;
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::local::LocalBackend;
use crate::local::signature::sign;

/// Code and message of a refusal.
pub(super) type Refusal = (String, String);

/// Sends an operation of SageMaker as any client does.
pub(super) async fn call(backend: &LocalBackend, operation: &str, body: &Value) -> Result<Value, Refusal> {
    let request = sign(Request::post("https://api.sagemaker.us-east-1.amazonaws.com/"))
        .header("x-amz-target", format!("SageMaker.{operation}"))
        .body(SdkBody::from(body.to_string()))
        .unwrap();
    let answer = backend.handle(request).await;
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let value: Value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    if status.is_success() {
        return Ok(value);
    }
    let text = |member: &str| value[member].as_str().unwrap_or_default().to_owned();
    Err((text("__type"), text("message")))
}

pub(super) async fn done(backend: &LocalBackend, operation: &str, body: Value) -> Value {
    match call(backend, operation, &body).await {
        Ok(answer) => answer,
        Err(refusal) => panic!("{operation} refused: {refusal:?}\n{body:#}"),
    }
}
