//! Faults of the exchange of a request and its answer.

use std::fmt;
use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use super::active::Asked;
use super::{Fault, answer};
use crate::local::backend::Core;
use crate::local::query;
use crate::local::reading::Handling;
use crate::local::recorder;
use crate::local::router::{self, Service};
use crate::local::s3::S3;
use crate::local::services::{self, SeenBody};
use crate::local::wire::Answer;

/// The connection broke: there is no answer.
#[derive(Debug)]
pub(in crate::local) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection broke, because the backend's faults say so")
    }
}

impl std::error::Error for Broken {}

/// Why a request does not reach its service.
pub(in crate::local) enum Hindrance {
    /// It is lost.
    Broken,
    /// It is refused.
    Refused(Box<Refusal>),
}

impl Hindrance {
    /// The request is not signed as it must be; its body is not read.
    pub(in crate::local) fn unsigned(operation: String, answer: Answer) -> Self {
        Self::Refused(Box::new(Refusal { operation, seen: SeenBody::default(), answer }))
    }
}

/// A request for its service, and the fault that befalls the answer.
pub(in crate::local) type Passed = (Request<SdkBody>, Option<Box<AnswerFault>>);

/// A request that takes no effect.
pub(in crate::local) struct Refusal {
    pub(in crate::local) operation: String,
    pub(in crate::local) seen: SeenBody,
    pub(in crate::local) answer: Answer,
}

/// What becomes of an answer.
pub(in crate::local) struct AnswerFault {
    fault: Fault,
    instead: Option<Answer>,
}

impl AnswerFault {
    /// What the caller gets.
    pub(in crate::local) fn befall(self, answer: Answer) -> Result<Response<SdkBody>, Broken> {
        match (self.fault, self.instead) {
            (Fault::BreakAnswer { after }, _) => Ok(answer::break_off(answer, after)),
            (_, Some(instead)) => Ok(instead),
            (_, None) => Err(Broken),
        }
    }
}

/// Decides what becomes of a request, after the latency that it meets.
pub(in crate::local) async fn meet(
    core: &Arc<Core>,
    service: &Service,
    request: Request<SdkBody>,
    handling: &Handling,
) -> Result<Passed, Hindrance> {
    if !core.faults.has(Fault::is_of_request) {
        return Ok((request, None));
    }
    let (request, about) = match about(core, service, request).await {
        Ok(read) => read,
        // The service would refuse the body too.
        Err(refusal) => return Err(Hindrance::Refused(refusal)),
    };
    let asked = Asked { service: service.name(), operation: &about.operation, resources: &about.resources };
    let mut faults = core.faults.decide(&asked, Fault::is_of_request, false);
    for fault in &faults {
        if let Fault::Latency(time) = fault {
            handling.sleep(*time).await;
        }
    }
    let Some(fault) = faults.pop().filter(|fault| !matches!(fault, Fault::Latency(_))) else {
        return Ok((request, None));
    };
    let error = answer::error(&fault, service).map(|error| services::refuse(core, service, &request, error));
    match (fault, error) {
        (Fault::DropConnection, _) => Err(Hindrance::Broken),
        (Fault::Throttle | Fault::InternalError | Fault::Refuse { .. }, Some(answer)) => {
            let refusal = Refusal { operation: about.operation, seen: about.seen, answer };
            Err(Hindrance::Refused(Box::new(refusal)))
        }
        (fault, instead) => Ok((request, Some(Box::new(AnswerFault { fault, instead })))),
    }
}

/// What rules can match.
struct About {
    operation: String,
    resources: Vec<String>,
    seen: SeenBody,
}

/// Reads what a request is about; a body that says it is read, and put back.
async fn about(
    core: &Core,
    service: &Service,
    request: Request<SdkBody>,
) -> Result<(Request<SdkBody>, About), Box<Refusal>> {
    let path = query::decode(request.uri().path().as_bytes());
    match service {
        Service::S3 => {
            let resources = vec![S3::resource(&request).trim_start_matches('/').to_owned()];
            let operation = S3::operation(&request).to_owned();
            Ok((request, About { operation, resources, seen: SeenBody::default() }))
        }
        Service::Runtime => {
            let (endpoint, verb) =
                path.strip_prefix("/endpoints/").and_then(|tail| tail.split_once('/')).unwrap_or_default();
            let operation = match verb {
                "invocations" => "InvokeEndpoint",
                "async-invocations" => "InvokeEndpointAsync",
                "invocations-response-stream" => "InvokeEndpointWithResponseStream",
                _ => "Unknown",
            };
            let resources = vec![endpoint.to_owned()];
            Ok((request, About { operation: operation.to_owned(), resources, seen: SeenBody::default() }))
        }
        _ => {
            // Of the RPC protocol with CBOR it is in the path.
            let in_path = path.rsplit_once("/operation/").map(|(_, operation)| operation);
            let target = router::target(&request).map(|(_, operation)| operation).or(in_path).map(str::to_owned);
            let in_query = request.uri().query().unwrap_or_default().to_owned();
            let (parts, body) = request.into_parts();
            let bytes = match services::read(body).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    let request = Request::from_parts(parts, SdkBody::empty());
                    let answer = services::refuse(core, service, &request, error);
                    let operation = target.unwrap_or_else(|| "Unknown".to_owned());
                    return Err(Box::new(Refusal { operation, seen: SeenBody::default(), answer }));
                }
            };
            let value = document(target.is_some(), &bytes, &in_query);
            let action = || value.get("Action").and_then(Value::as_str).unwrap_or_default().to_owned();
            let operation = target.unwrap_or_else(action);
            let resources = names(&value);
            let seen = SeenBody { value, length: Some(bytes.len() as u64) };
            Ok((Request::from_parts(parts, SdkBody::from(bytes)), About { operation, resources, seen }))
        }
    }
}

fn document(is_json: bool, bytes: &Bytes, in_query: &str) -> Value {
    if is_json {
        return serde_json::from_slice(bytes).unwrap_or_default();
    }
    let text = if bytes.is_empty() { in_query.as_bytes() } else { bytes };
    let members = query::form(text).into_iter().filter(|(name, _)| !recorder::signs(name));
    members.map(|(name, value)| (name, Value::from(value))).collect()
}

/// The names of resources in a request's members: all texts that are called a name, and the last part of ARNs.
fn names(document: &Value) -> Vec<String> {
    let members = document.as_object().into_iter().flatten();
    let texts = members.filter_map(|(member, value)| Some((member, value.as_str()?)));
    texts
        .filter_map(|(member, text)| {
            if member.ends_with("Name") || member.ends_with("Identifier") {
                Some(text.to_owned())
            } else if member.ends_with("Arn") {
                text.rsplit('/').next().map(str::to_owned)
            } else {
                None
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_found_in_members() {
        let document = json!({
            "TrainingJobName": "job",
            "RoleArn": "arn:aws:iam::1:role/path/r",
            "logStreamName": "s",
            "Environment": {"Name": "no"},
            "NameContains": "no",
        });
        let mut found = names(&document);
        found.sort();
        assert_eq!(found, ["job", "r", "s"]);
        assert!(names(&Value::Null).is_empty());
    }
}
