//! SageMaker Runtime: endpoints answer.

use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, Request};

use super::SeenBody;
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::engines::Invocation;
use crate::local::query;
use crate::local::reading::Handling;
use crate::local::router::Service;
use crate::local::validation;
use crate::local::wire::{self, Answer, Unread};

mod aim;
mod asynchronous;
mod event_stream;
mod failure;
mod invoke;
mod observe;
mod stream;

/// The largest body of `InvokeEndpoint` unless the backend was built otherwise.
pub(in crate::local) const MAX_BODY: u64 = 6_291_456;
/// The largest body that `InvokeEndpointAsync` takes in line.
const MAX_ASYNC_BODY: u64 = 128_000;
/// The largest body of a serverless endpoint.
const MAX_SERVERLESS_BODY: u64 = 4_194_304;

const ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";
const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";
const TARGET_MODEL: &str = "x-amzn-sagemaker-target-model";
const SESSION: &str = "x-amzn-sagemaker-session-id";
const NEW_SESSION: &str = "x-amzn-sagemaker-new-session-id";
const CLOSED_SESSION: &str = "x-amzn-sagemaker-closed-session-id";

/// The ways to ask an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Invoke,
    Async,
    Stream,
}

impl Operation {
    fn of_path(tail: &str) -> Option<Self> {
        Some(match tail {
            "invocations" => Self::Invoke,
            "async-invocations" => Self::Async,
            "invocations-response-stream" => Self::Stream,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Invoke => "InvokeEndpoint",
            Self::Async => "InvokeEndpointAsync",
            Self::Stream => "InvokeEndpointWithResponseStream",
        }
    }
}

/// A request without its body.
struct Incoming {
    operation: Operation,
    endpoint: String,
    headers: HeaderMap,
}

impl Incoming {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The request as its caller describes it. Where the body or the answer is wrapped, so are their types.
    fn invocation(&self, body: Bytes) -> Invocation {
        let (content_type, accept) = match self.operation {
            Operation::Invoke => ("content-type", "accept"),
            Operation::Stream => ("content-type", "x-amzn-sagemaker-accept"),
            Operation::Async => ("x-amzn-sagemaker-content-type", "x-amzn-sagemaker-accept"),
        };
        Invocation {
            content_type: self.header(content_type).unwrap_or_default().to_owned(),
            accept: self.header(accept).unwrap_or("*/*").to_owned(),
            body,
        }
    }

    /// What is sent on to containers besides content type and accept.
    fn forwarded(&self) -> std::collections::BTreeMap<String, String> {
        let names = [ATTRIBUTES, INFERENCE_ID, TARGET_MODEL, SESSION];
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.header(name)?.to_owned()))).collect()
    }
}

/// Answers a request.
pub(super) async fn handle(
    core: &Arc<Core>,
    request: Request<SdkBody>,
    handling: &Handling,
) -> (Option<String>, SeenBody, Answer) {
    let (parts, body) = request.into_parts();
    let route = parts.uri.path().strip_prefix("/endpoints/").and_then(|tail| tail.split_once('/'));
    let route = route.and_then(|(endpoint, tail)| Some((endpoint, Operation::of_path(tail)?)));
    let Some((endpoint, operation)) = route else {
        let error = AwsError::unsupported("sagemaker-runtime", "Unknown");
        return (Some("Unknown".to_owned()), SeenBody::default(), wire::rest_json_error(error));
    };
    let incoming = Incoming { operation, endpoint: query::decode(endpoint.as_bytes()), headers: parts.headers };
    let limit = if operation == Operation::Async { MAX_ASYNC_BODY } else { core.max_invocation_body };
    let (length, result) = match wire::collect(body, limit).await {
        Ok(body) => (Some(body.len() as u64), answer(core, &incoming, body, handling).await),
        Err(unread) => (None, Err(unread_error(operation, unread))),
    };
    let answer = result.unwrap_or_else(wire::rest_json_error);
    (Some(operation.name().to_owned()), SeenBody { value: serde_json::Value::Null, length }, answer)
}

async fn answer(core: &Arc<Core>, incoming: &Incoming, body: Bytes, handling: &Handling) -> Result<Answer, AwsError> {
    let operation = incoming.operation.name();
    let document = validation::runtime_document(operation, &incoming.endpoint, &incoming.headers);
    validation::validate(&Service::Runtime, operation, &document)?;
    match incoming.operation {
        Operation::Invoke => invoke::answer(core, incoming, body, handling).await,
        Operation::Async => asynchronous::answer(core, incoming, body),
        Operation::Stream => stream::answer(core, incoming, body, handling).await,
    }
}

fn unread_error(operation: Operation, unread: Unread) -> AwsError {
    match unread {
        Unread::TooLarge(limit) if operation == Operation::Async => body_too_long(limit),
        // The service's front answers this one, without a code.
        Unread::TooLarge(limit) => AwsError::new(413, "", format!("HTTP content length exceeded {limit} bytes.")),
        unread @ (Unread::Incomplete | Unread::NoRoom) => unread.error(),
    }
}

fn body_too_long(limit: u64) -> AwsError {
    AwsError::runtime_validation(format!(
        "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than \
         or equal to {limit}"
    ))
}
