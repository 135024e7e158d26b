//! The envelopes of the protocols: JSON 1.1, REST-JSON and query (XML).

use std::error::Error;
use std::io;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use super::aws_error::AwsError;

pub(super) type Answer = Response<SdkBody>;

pub(super) const JSON: &str = "application/x-amz-json-1.1";

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than this limit.
    TooLarge(u64),
    /// It ended too early.
    Incomplete,
    /// There is no memory left for it while others are received.
    NoRoom,
}

impl Unread {
    /// The error of services that are not S3.
    pub(super) fn error(self) -> AwsError {
        match self {
            Self::TooLarge(limit) => {
                let message = format!("The body is larger than the {limit} bytes that the service accepts.");
                AwsError::new(413, "RequestEntityTooLarge", message)
            }
            Self::Incomplete => {
                AwsError::new(400, "RequestTimeout", "The request's body ended before it was complete.")
            }
            Self::NoRoom => {
                let message = "The server holds too many request bodies at once. Please try again.";
                AwsError::new(503, "ServiceUnavailable", message)
            }
        }
    }
}

/// Reads a body of at most `limit` bytes; what is in memory already is not copied.
pub(super) async fn collect(body: SdkBody, limit: u64) -> Result<Bytes, Unread> {
    match Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX)).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge(limit)),
        Err(error) if is_out_of_memory(&*error) => Err(Unread::NoRoom),
        Err(_) => Err(Unread::Incomplete),
    }
}

/// Whether that is how the sender of a body says that it has no room for more.
fn is_out_of_memory(error: &(dyn Error + 'static)) -> bool {
    let is = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory);
    is || error.source().is_some_and(is_out_of_memory)
}

pub(super) fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let body = body.into();
    let length = body.len();
    let mut answer = Response::new(SdkBody::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut answer, CONTENT_TYPE.as_str(), content_type);
    set(&mut answer, CONTENT_LENGTH.as_str(), &length.to_string());
    answer
}

/// Sets a header; one that cannot be a header is left out.
pub(super) fn set(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A JSON 1.1 answer; operations without output answer with an empty body.
pub(super) fn json(result: Result<Value, AwsError>) -> Answer {
    match result {
        Ok(Value::Null) => answer(200, JSON, Bytes::new()),
        Ok(value) => answer(200, JSON, value.to_string()),
        Err(error) => {
            let mut body = error.members;
            body.insert("__type".to_owned(), Value::from(error.code));
            body.insert("message".to_owned(), Value::from(error.message));
            answer(error.status, JSON, Value::Object(body).to_string())
        }
    }
}

/// A REST-JSON error: the code is in a header.
pub(super) fn rest_json_error(error: AwsError) -> Answer {
    let mut body = error.members;
    body.insert("Message".to_owned(), Value::from(error.message));
    let mut answer = answer(error.status, "application/json", Value::Object(body).to_string());
    if !error.code.is_empty() {
        set(&mut answer, "x-amzn-errortype", &error.code);
    }
    answer
}

/// A query-protocol answer of `action`; `result` is the XML inside its result element.
pub(super) fn xml(namespace: &str, action: &str, request_id: &str, result: Result<String, AwsError>) -> Answer {
    match result {
        Ok(inner) => {
            let body = format!(
                "<{action}Response xmlns=\"{namespace}\"><{action}Result>{inner}</{action}Result><ResponseMetadata>\
                 <RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
            );
            answer(200, "text/xml", body)
        }
        Err(error) => {
            let (code, message) = (escape(&error.code), escape(&error.message));
            let fault_of = if error.status < 500 { "Sender" } else { "Receiver" };
            let body = format!(
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault_of}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            );
            answer(error.status, "text/xml", body)
        }
    }
}

/// Text inside an XML element.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
