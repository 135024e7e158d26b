//! SageMaker Runtime: endpoints answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, Request};

use super::SeenBody;
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::engines::{Invocation, InvocationFailure, Reply};
use crate::local::jobs::{Variant, hosting, invoke};
use crate::local::kinds::Kind;
use crate::local::query;
use crate::local::router::Service;
use crate::local::validation;
use crate::local::wire::{self, Answer};

const MAX_BODY: u64 = 6_291_456;
/// Larger bodies are answered on a thread of their own; for smaller ones the hand-over would cost more than it saves,
/// unless the model says that it blocks.
const INLINE: usize = 256 * 1024;
/// How long a model may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// What a request may ask of an endpoint that has no effect here; silence would be a wrong answer.
const UNSUPPORTED: [(&str, &str); 5] = [
    ("x-amzn-sagemaker-target-model", "TargetModel"),
    ("x-amzn-sagemaker-target-container-hostname", "TargetContainerHostname"),
    ("x-amzn-sagemaker-inference-component", "InferenceComponentName"),
    ("x-amzn-sagemaker-session-id", "SessionId"),
    ("x-amzn-sagemaker-enable-explanations", "EnableExplanations"),
];

pub(super) async fn handle(core: &Arc<Core>, request: Request<SdkBody>) -> (Option<String>, SeenBody, Answer) {
    let (parts, body) = request.into_parts();
    let route = parts.uri.path().strip_prefix("/endpoints/").and_then(|tail| tail.split_once('/'));
    let (endpoint, operation) = match route {
        Some((endpoint, "invocations")) => (query::decode(endpoint.as_bytes()), "InvokeEndpoint"),
        Some((_, "async-invocations")) => (String::new(), "InvokeEndpointAsync"),
        Some((_, "invocations-response-stream")) => (String::new(), "InvokeEndpointWithResponseStream"),
        _ => (String::new(), "Unknown"),
    };
    if operation != "InvokeEndpoint" {
        let error = AwsError::unsupported("sagemaker-runtime", operation);
        return (Some(operation.to_owned()), SeenBody::default(), wire::rest_json_error(error));
    }
    let (length, result) = match wire::collect(body, MAX_BODY).await {
        Ok(body) => (Some(body.len() as u64), answer(core, &endpoint, &parts.headers, body).await),
        Err(unread) => (None, Err(unread.error())),
    };
    let answer = result.unwrap_or_else(wire::rest_json_error);
    (Some(operation.to_owned()), SeenBody { value: serde_json::Value::Null, length }, answer)
}

async fn answer(core: &Arc<Core>, endpoint: &str, headers: &HeaderMap, body: Bytes) -> Result<Answer, AwsError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let document = validation::runtime_document("InvokeEndpoint", endpoint, headers);
    validation::validate(&Service::Runtime, "InvokeEndpoint", &document)?;
    if let Some((_, member)) = UNSUPPORTED.iter().find(|(name, _)| headers.contains_key(*name)) {
        let message = format!("The local backend does not support {member} of InvokeEndpoint yet.");
        return Err(AwsError::runtime_validation(message));
    }
    let variant = variant(core, endpoint, header("x-amzn-sagemaker-target-variant"))?;
    let request = Invocation {
        content_type: header("content-type").unwrap_or_default().to_owned(),
        accept: header("accept").unwrap_or("*/*").to_owned(),
        body,
    };
    let replied = ask(core, &variant, request).await?;
    let reply = replied.map_err(|(container, failure)| model_error(core, endpoint, &variant, &container, failure))?;
    let mut answer = wire::answer(200, &reply.content_type, reply.body);
    wire::set(&mut answer, "x-amzn-invoked-production-variant", &variant.name);
    if let Some(attributes) = header("x-amzn-sagemaker-custom-attributes") {
        wire::set(&mut answer, "x-amzn-sagemaker-custom-attributes", attributes);
    }
    Ok(answer)
}

/// Sends a request through a variant's containers, on a thread of its own if that may take long.
async fn ask(
    core: &Core,
    variant: &Variant,
    request: Invocation,
) -> Result<Result<Reply, (String, InvocationFailure)>, AwsError> {
    let (containers, at) = (variant.containers.clone(), Arc::new(AtomicUsize::new(0)));
    if request.body.len() <= INLINE && !containers.iter().any(|container| container.model.blocks()) {
        return Ok(invoke(&containers, request, &at));
    }
    let of_thread = at.clone();
    let work = tokio::task::spawn_blocking(move || invoke(&containers, request, &of_thread));
    tokio::select! {
        biased;
        replied = work => {
            let ended = |_| AwsError::new(500, "InternalFailure", "The runtime ended before the endpoint answered.");
            replied.map_err(ended)
        }
        () = core.clock.sleep(ANSWER_LIMIT) => {
            let late = variant.containers.get(at.load(Ordering::Relaxed)).map_or("primary", |late| late.name.as_str());
            let message = format!(
                "Your invocation timed out while waiting for a response from container {late}. Review the latency \
                 metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
            );
            Ok(Err((late.to_owned(), InvocationFailure { status: 0, message })))
        }
    }
}

/// The variant that answers: the one asked for, or one by weight.
fn variant(core: &Core, endpoint: &str, target: Option<&str>) -> Result<Variant, AwsError> {
    let deployment = {
        let state = core.state();
        // Names of endpoints differ by more than their case here, unlike in the control plane.
        let found = state.get(Kind::Endpoint.row(), &core.place, endpoint).ok();
        found.filter(|found| found.name == endpoint).and_then(|found| found.deployment.clone())
    };
    let Some(deployment) = deployment else {
        let message = format!("Endpoint {endpoint} of account {} not found.", core.place.account);
        return Err(AwsError::runtime_validation(message));
    };
    let variant = match target {
        Some(target) => deployment.variants.iter().find(|variant| variant.name == target),
        None => deployment.choose(),
    };
    let missing = || format!("Variant {} not found for Request", target.unwrap_or_default());
    variant.cloned().ok_or_else(|| AwsError::runtime_validation(missing()))
}

fn model_error(
    core: &Core,
    endpoint: &str,
    variant: &Variant,
    container: &str,
    failure: InvocationFailure,
) -> AwsError {
    let InvocationFailure { status, message } = failure;
    let (region, account) = (&core.place.region, &core.place.account);
    let group = hosting::log_group(endpoint);
    core.logs.append(core, &group, &variant.log_stream, &format!("POST /invocations {status}: {message}"));
    let side = if (400..500).contains(&status) { "client" } else { "server" };
    let text = format!(
        "Received {side} error ({status}) from {container} with message \"{message}\". See \
         https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} in \
         account {account} for more information."
    );
    let arn = format!("arn:{}:logs:{region}:{account}:log-group:{group}", core.place.partition());
    AwsError::new(424, "ModelError", text)
        .with("OriginalStatusCode", status)
        .with("OriginalMessage", message)
        .with("LogStreamArn", arn)
}
