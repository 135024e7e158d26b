//! The services: each takes a request apart by its protocol and puts the answer together.

use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::aws_error::AwsError;
use super::backend::Core;
use super::reading::Handling;
use super::router::{self, Service};
use super::s3::S3;
use super::wire::{self, Answer};
use super::{query, recorder, validation};

pub(super) mod cloudwatch;
pub(super) mod iam;
pub(super) mod logs;
pub(super) mod runtime;
pub(super) mod sagemaker;
pub(super) mod sts;

/// The largest body of the JSON protocols: a full batch of log events is 1 MiB, and escaped at most six times that.
const MAX_JSON: u64 = 8 << 20;
const MAX_FORM: u64 = 1 << 20;

/// What the recorder keeps of a body.
#[derive(Debug, Default)]
pub(super) struct SeenBody {
    pub(super) value: Value,
    pub(super) length: Option<u64>,
}

/// Answers a request; also gives the operation's name, if the request had one, and what was seen of the body.
pub(super) async fn handle(
    core: &Arc<Core>,
    service: &Service,
    request: Request<SdkBody>,
    handling: &Handling,
) -> (Option<String>, SeenBody, Answer) {
    match service {
        Service::S3 => (None, SeenBody::default(), core.s3.handle(request).await),
        Service::Runtime => runtime::handle(core, request, handling).await,
        Service::CloudWatch => cloudwatch::handle(core, request).await,
        Service::SageMaker | Service::Logs | Service::Other(_) => json(core, service, request).await,
        Service::Sts | Service::Iam => form(core, service, request).await,
    }
}

/// The JSON 1.1 protocol: the operation is in `X-Amz-Target`.
async fn json(core: &Arc<Core>, service: &Service, request: Request<SdkBody>) -> (Option<String>, SeenBody, Answer) {
    let operation = router::target(&request).map_or_else(|| "Unknown".to_owned(), |(_, name)| name.to_owned());
    let bytes = match wire::collect(request.into_body(), MAX_JSON).await {
        Ok(bytes) => bytes,
        Err(unread) => return (Some(operation), SeenBody::default(), wire::json(Err(unread.error()))),
    };
    let length = Some(bytes.len() as u64);
    let value = match parse(&bytes) {
        Ok(value) => value,
        Err(error) => return (Some(operation), SeenBody { value: Value::Null, length }, wire::json(Err(error))),
    };
    let checked = validation::validate_for(core.profile, service, &operation, &value);
    let result = checked.and_then(|()| match service {
        Service::SageMaker => sagemaker::handle(core, &operation, &value),
        Service::Logs => logs::handle(core, &operation, &value),
        other => Err(AwsError::unsupported(other.name(), &operation)),
    });
    #[cfg(test)]
    if let Ok(answer) = &result {
        validation::check_answer(service, &operation, answer);
    }
    (Some(operation), SeenBody { value, length }, wire::json(result))
}

/// What is answered when the data directory can no longer be written: nobody may believe that a change is safe.
pub(super) fn not_kept(core: &Core, service: &Service) -> Answer {
    let message = "The local backend can no longer write its data directory. Make room and start it again.";
    let error = AwsError::new(500, "InternalFailure", message);
    match service {
        Service::S3 => S3::failure(message),
        Service::Runtime => wire::rest_json_error(error),
        Service::Sts => wire::xml(sts::NAMESPACE, "", &core.request_id(), Err(error)),
        Service::Iam => wire::xml(iam::NAMESPACE, "", &core.request_id(), Err(error)),
        _ => wire::json(Err(error)),
    }
}

/// Reads the body of a request whose service is told what to do by its body.
pub(super) async fn read(body: SdkBody) -> Result<Bytes, AwsError> {
    wire::collect(body, MAX_JSON).await.map_err(wire::Unread::error)
}

/// An error in a service's own form.
pub(super) fn refuse(core: &Core, service: &Service, request: &Request<SdkBody>, error: AwsError) -> Answer {
    match service {
        Service::S3 => core.s3.refuse(request, &error),
        Service::Runtime => wire::rest_json_error(error),
        Service::Sts => wire::xml(sts::NAMESPACE, "", &core.request_id(), Err(error)),
        Service::Iam => wire::xml(iam::NAMESPACE, "", &core.request_id(), Err(error)),
        Service::CloudWatch => cloudwatch::refuse(core, request, error),
        _ => wire::json(Err(error)),
    }
}

fn parse(bytes: &Bytes) -> Result<Value, AwsError> {
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(AwsError::serialization("The body is no JSON object.")),
        Err(error) => Err(AwsError::serialization(format!("The body is no JSON: {error}"))),
    }
}

/// The query protocol: the operation is the form member `Action`.
async fn form(core: &Arc<Core>, service: &Service, request: Request<SdkBody>) -> (Option<String>, SeenBody, Answer) {
    let request_id = core.request_id();
    let namespace = if *service == Service::Sts { sts::NAMESPACE } else { iam::NAMESPACE };
    let in_query = request.uri().query().unwrap_or_default().to_owned();
    let bytes = match wire::collect(request.into_body(), MAX_FORM).await {
        Ok(bytes) => bytes,
        Err(unread) => {
            return (None, SeenBody::default(), wire::xml(namespace, "", &request_id, Err(unread.error())));
        }
    };
    // A presigned URL has them in its query.
    let members = if bytes.is_empty() { query::form(in_query.as_bytes()) } else { query::form(&bytes) };
    let action = members.get("Action").cloned().unwrap_or_default();
    let result = match service {
        Service::Sts => sts::handle(core, &action, &members),
        _ => iam::handle(core, &action, &members),
    };
    let mut answer = wire::xml(namespace, &action, &request_id, result);
    wire::set(&mut answer, "x-amzn-requestid", &request_id);
    let value = members
        .into_iter()
        .filter(|(name, _)| !recorder::signs(name))
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    (Some(action), SeenBody { value, length: Some(bytes.len() as u64) }, answer)
}
