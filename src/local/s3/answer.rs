//! Turns an answer of the protocol crate into one of AWS: request ids, the details of errors, no body where none is.

use std::ops::Range;
use std::sync::atomic::Ordering;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RANGE, SERVER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::{HttpError, HttpResponse};

use super::body::Body;
use super::{Inner, address, errors, receive};
use crate::local::aws_error::AwsError;

/// What an answer has to know of its request.
pub(super) struct Context {
    method: Method,
    /// `/bucket/key`, decoded.
    resource: String,
    request_id: String,
    query: String,
    range: Option<String>,
}

impl Context {
    pub(super) fn new(inner: &Inner, request: &Request<SdkBody>) -> Self {
        let resource = resource(request);
        // Spread over all digits, as ids of AWS are, yet the same in every run.
        let number = inner.requests.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned);
        Self {
            method: request.method().clone(),
            resource,
            request_id: format!("{number:016X}"),
            query: request.uri().query().unwrap_or_default().to_owned(),
            range,
        }
    }

    /// A parameter of the query, decoded.
    fn parameter(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.filter(|(parameter, _)| *parameter == name).map(|(_, value)| value).next();
        crate::local::query::decode(value.unwrap_or_default().as_bytes())
    }

    /// What the request is for, in the words of errors.
    fn kind(&self) -> &'static str {
        match self.bucket_and_key() {
            ("", _) => "SERVICE",
            (_, "") => "BUCKET",
            _ => "OBJECT",
        }
    }

    fn bucket_and_key(&self) -> (&str, &str) {
        let path = self.resource.strip_prefix('/').unwrap_or(&self.resource);
        path.split_once('/').unwrap_or((path, ""))
    }
}

/// `/bucket/key`, decoded.
pub(super) fn resource(request: &Request<SdkBody>) -> String {
    let address = address::of_host(receive::host(request.uri(), request.headers()));
    let path = crate::local::query::decode(request.uri().path().as_bytes());
    match address.bucket {
        Some(bucket) => format!("/{bucket}{path}"),
        None => path,
    }
}

/// An error that somebody else decided on.
pub(super) fn refuse(error: &AwsError, context: &Context) -> Response<SdkBody> {
    let document = format!("{}{}", tag("Code", &error.code), tag("Message", &error.message));
    let members = error.members.iter().filter_map(|(name, value)| Some(tag(name, value.as_str()?)));
    let body = Bytes::from(error_document(&document, &members.collect::<String>(), context));
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(());
    *response.status_mut() = status;
    let (mut parts, ()) = response.into_parts();
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    complete(parts, body, None, context)
}

/// Completes an answer.
pub(super) async fn finish(response: Result<HttpResponse, HttpError>, context: &Context) -> Response<SdkBody> {
    let (mut parts, body) = match response {
        Ok(response) => response.into_parts(),
        Err(_) => {
            let mut response = HttpResponse::default();
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.into_parts()
        }
    };
    let content: Option<Sent> = parts.extensions.remove();
    if let Some(Status(status)) = parts.extensions.remove() {
        parts.status = status;
    }
    // One frame of memory at hand: nothing is copied, and nothing can fail.
    let mut body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();

    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    if is_error {
        let details = details(&mut parts.headers);
        body = error_document(&String::from_utf8_lossy(&body), &details, context).into();
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    } else if parts.extensions.remove::<Events>().is_none() {
        body = escape_controls(body);
        if parts.extensions.remove::<BareEtag>().is_some() {
            let document = String::from_utf8_lossy(&body);
            body = document.replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>").into();
        }
    }
    complete(parts, body, content, context)
}

/// The headers that every answer has, and no body where none is.
fn complete(
    mut parts: http::response::Parts,
    mut body: Bytes,
    content: Option<Sent>,
    context: &Context,
) -> Response<SdkBody> {
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    let bodiless = matches!(parts.status, StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
    if bodiless || context.method == Method::HEAD {
        body.clear();
        if !is_error && context.bucket_and_key().1.is_empty() {
            parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        if bodiless || is_error {
            parts.headers.remove(CONTENT_TYPE);
            parts.headers.remove(CONTENT_LENGTH);
        }
    } else {
        let length = content.as_ref().map_or(body.len() as u64, |Sent(_, range)| range.end - range.start);
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Ok(id) = HeaderValue::try_from(&context.request_id) {
        parts.headers.insert("x-amz-request-id", id);
    }
    parts.headers.insert("x-amz-id-2", HeaderValue::from_static(HOST_ID));
    parts.headers.insert(SERVER, HeaderValue::from_static("AmazonS3"));
    parts.extensions.clear();
    let body = match content {
        Some(Sent(body, range)) if context.method != Method::HEAD => body.answer(range),
        _ => SdkBody::from(body),
    };
    Response::from_parts(parts, body)
}

/// A status that an operation answers in place of its usual one, which the protocol crate does not let it say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status(pub(super) StatusCode);

/// Asks for an entity tag without quotes: the one document of S3 that has it so is that of GetObjectAttributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct BareEtag;

/// The body is a stream of events and no document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events;

/// The content of an object and the range of it that is the body of an answer. It bypasses the protocol crate.
#[derive(Debug, Clone)]
pub(super) struct Sent(pub(super) Body, pub(super) Range<u64>);

const HOST_ID: &str = "bG9jYWwgYmFja2VuZCBvZiBzYWdlbWFrZXI=";

/// The document of an error; the protocol crate's has but a code and a message, both escaped already.
fn error_document(document: &str, more: &str, context: &Context) -> String {
    let code = element(document, "Code").unwrap_or("InternalError");
    let message = element(document, "Message").or_else(|| errors::default_message(code)).unwrap_or(code);
    let (bucket, key) = context.bucket_and_key();
    let details = match code {
        // Of a copy, it may be the bucket of the source.
        "NoSuchBucket" if !more.is_empty() => String::new(),
        "NoSuchBucket"
        | "InvalidBucketName"
        | "BucketNotEmpty"
        | "BucketAlreadyOwnedByYou"
        | "NoSuchBucketPolicy"
        | "NoSuchTagSet"
        | "NoSuchLifecycleConfiguration"
        | "NoSuchCORSConfiguration"
        | "NoSuchWebsiteConfiguration"
        | "NoSuchPublicAccessBlockConfiguration"
        | "OwnershipControlsNotFoundError"
        | "ReplicationConfigurationNotFoundError"
        | "ObjectLockConfigurationNotFoundError" => tag("BucketName", bucket),
        "NoSuchKey" if more.is_empty() => tag("Key", key),
        "NoSuchVersion" => format!("{}{}", tag("Key", key), tag("VersionId", &context.parameter("versionId"))),
        "NoSuchUpload" => tag("UploadId", &context.parameter("uploadId")),
        "InvalidRange" => context.range.as_deref().map(|range| tag("RangeRequested", range)).unwrap_or_default(),
        "MethodNotAllowed" => {
            let kind = if more.is_empty() { tag("ResourceType", context.kind()) } else { String::new() };
            format!("{}{kind}", tag("Method", context.method.as_str()))
        }
        _ if !more.is_empty() => String::new(),
        _ => tag("Resource", &context.resource),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{details}{more}\
         <RequestId>{}</RequestId><HostId>{HOST_ID}</HostId></Error>",
        context.request_id
    )
}

/// The members that the error carries in headers.
fn details(headers: &mut HeaderMap) -> String {
    let carried: Vec<HeaderValue> = headers.get_all(errors::DETAIL).iter().cloned().collect();
    headers.remove(errors::DETAIL);
    let pairs = carried.iter().filter_map(|detail| detail.to_str().ok()?.split_once('='));
    let decode = |value: &str| crate::local::query::decode(value.replace('+', " ").as_bytes());
    pairs.map(|(name, value)| tag(name, &decode(value))).collect()
}

fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

fn tag(name: &str, content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    for character in content.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            control if is_escaped_control(control) => escaped.push_str(&format!("&#x{:X};", u32::from(control))),
            other => escaped.push(other),
        }
    }
    format!("<{name}>{escaped}</{name}>")
}

/// Control characters in keys are written as references: a parser would turn a bare carriage return into a line feed.
fn escape_controls(document: Bytes) -> Bytes {
    if !document.iter().any(|byte| is_escaped_control(char::from(*byte))) {
        return document;
    }
    let mut escaped = Vec::with_capacity(document.len() + 64);
    for byte in document {
        if is_escaped_control(char::from(byte)) {
            escaped.extend_from_slice(format!("&#x{byte:X};").as_bytes());
        } else {
            escaped.push(byte);
        }
    }
    escaped.into()
}

fn is_escaped_control(character: char) -> bool {
    character.is_ascii_control() && !matches!(character, '\t' | '\n')
}
