//! Which protocol a request speaks, and the envelopes of each.

use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::{Map, Value};

use super::{cbor, form, xml};
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::wire::{self, Answer};

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
const JSON: &str = "application/x-amz-json-1.0";
const CBOR: &str = "application/cbor";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Cbor,
    Json,
    Query,
}

impl Protocol {
    /// The protocol and the operation; of a query request the operation is in the body.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> (Self, String) {
        let path = uri.path();
        if let Some((_, operation)) = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/")) {
            return (Self::Cbor, operation.to_owned());
        }
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match target.and_then(|target| target.rsplit_once('.')) {
            Some((_, operation)) => (Self::Json, operation.to_owned()),
            None => (Self::Query, String::new()),
        }
    }

    /// The request as a document.
    pub(super) fn read(self, bytes: &Bytes, operation: &mut String) -> Result<Value, AwsError> {
        let document = match self {
            Self::Cbor if bytes.is_empty() => Value::Object(Map::new()),
            Self::Cbor => cbor::read(bytes)?,
            Self::Json if bytes.is_empty() => Value::Object(Map::new()),
            Self::Json => serde_json::from_slice(bytes)
                .map_err(|error| AwsError::serialization(format!("The body is no JSON: {error}")))?,
            Self::Query => form::read(bytes, operation),
        };
        if document.is_object() {
            return Ok(document);
        }
        Err(AwsError::serialization("The body is no structure."))
    }

    pub(super) fn answer(self, operation: &str, request_id: &str, result: Result<Value, AwsError>) -> Answer {
        let shape = ModelShape::output(Service::CloudWatch, operation);
        let mut answer = match (self, result) {
            (Self::Query, result) => {
                let inner = result.map(|value| shape.map_or_else(String::new, |shape| xml::members(shape, &value)));
                wire::xml(NAMESPACE, operation, request_id, inner)
            }
            (Self::Json, Ok(Value::Null)) => wire::answer(200, JSON, Bytes::new()),
            (Self::Json, Ok(value)) => wire::answer(200, JSON, value.to_string()),
            (Self::Cbor, Ok(Value::Null)) => wire::answer(200, CBOR, Bytes::new()),
            (Self::Cbor, Ok(value)) => wire::answer(200, CBOR, cbor::write(shape, &value)),
            (Self::Json, Err(error)) => self.error(operation, error, JSON, |body| Bytes::from(body.to_string())),
            (Self::Cbor, Err(error)) => self.error(operation, error, CBOR, |body| cbor::write(None, body)),
        };
        if self == Self::Cbor {
            wire::set(&mut answer, "smithy-protocol", "rpc-v2-cbor");
        }
        wire::set(&mut answer, "x-amzn-requestid", request_id);
        answer
    }

    /// The codes of the query protocol travel in a header beside the names of the newer ones.
    fn error(self, operation: &str, error: AwsError, content_type: &str, write: impl Fn(&Value) -> Bytes) -> Answer {
        let shape = shape(operation, &error.code);
        let mut body = error.members;
        body.insert("__type".to_owned(), Value::from(shape));
        if !error.message.is_empty() {
            body.insert("message".to_owned(), Value::from(error.message));
        }
        let mut answer = wire::answer(error.status, content_type, write(&Value::Object(body)));
        let fault_of = if error.status < 500 { "Sender" } else { "Receiver" };
        wire::set(&mut answer, "x-amzn-query-error", &format!("{};{fault_of}", error.code));
        answer
    }
}

/// The name of an error in the newer protocols.
fn shape(operation: &str, code: &str) -> String {
    let name = match code {
        "ValidationError" => return "com.amazon.coral.validate#ValidationException".to_owned(),
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "InvalidParameterInput" => "DashboardInvalidInputError",
        "ResourceNotFound" if operation.contains("Dashboard") => "DashboardNotFoundError",
        "LimitExceeded" => "LimitExceededFault",
        "InvalidFormat" => "InvalidFormatFault",
        code => code,
    };
    format!("com.amazonaws.cloudwatch.v2010_08_01#{name}")
}
