//! Turns a request as clients send it into one that the protocol crate takes: path-style, unsigned, body decoded.

use std::sync::Arc;

use aws_smithy_types::base64;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST, RANGE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use s3s::{Body, HttpRequest, S3Error, S3Result, s3_error};

use super::body::off_thread;
use super::checksum::{Algorithm, Checksum, md5, sha256_hex};
use super::form::{self, Form};
use super::object::Content;
use super::{IN_MEMORY, Inner, address, auth, aws_chunked, errors, operation};
use crate::local::wire;

/// The largest body: that of the largest PutObject, 5 GiB, with room for chunk headers.
const MAX_BODY: u64 = 5 * 1024 * 1024 * 1024 + 64 * 1024 * 1024;
/// The largest object of one request.
const MAX_OBJECT: u64 = 5 * 1024 * 1024 * 1024;
/// The largest document; a list of 1000 keys to delete, each written as references, is smaller.
const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;
/// Above it, the digests of a body are computed where they keep nobody waiting.
const LARGE: usize = 256 * 1024;

/// What was found out on the way, for the operations.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// The body, unless it is the content of an object.
    pub(super) bytes: Bytes,
    pub(super) content: Option<Content>,
    /// The region that the request was sent to.
    pub(super) region: String,
}

/// Prepares a request for the protocol crate, or refuses it.
pub(super) async fn receive(inner: &Arc<Inner>, request: Request<SdkBody>) -> S3Result<HttpRequest> {
    let boundary = form::boundary(request.method(), request.headers()).transpose()?;
    let has_content = boundary.is_some() || matches!(operation::name(&request), "PutObject" | "UploadPart");
    if operation::is_plain_post(&request) {
        return Err(s3_error!(MethodNotAllowed));
    }
    let (mut parts, body) = request.into_parts();
    let address = address::of_host(host(&parts.uri, &parts.headers));
    let unsigned = auth::strip(parts.uri.query().unwrap_or_default(), &mut parts.headers, (inner.real_now)())?;
    check_numbers(&unsigned.query)?;
    let place = host(&parts.uri, &parts.headers).to_owned();
    parts.uri = path_style(&parts.uri, address.bucket.as_deref(), &unsigned.query)?;
    // The protocol crate would guess from it whether the request is virtual-hosted.
    parts.headers.remove(HOST);
    check_owner(inner, bucket_of_path(parts.uri.path()), &parts.headers)?;
    drop_unreadable_range(&mut parts.headers);
    mend_etags(&mut parts.headers);

    refuse_announced(&parts.headers)?;

    let body = collect(body, if has_content { MAX_BODY } else { MAX_DOCUMENT }).await?;
    let mut body = decode(body, &mut parts.headers)?;
    if let Some(boundary) = boundary {
        let (file, reply) = form::rewrite(inner, &mut parts, Form::read(&body, &boundary)?, &place)?;
        body = file;
        parts.extensions.insert(reply);
    }
    let region = address.region.or(unsigned.region).unwrap_or_else(|| inner.region.clone());
    let (s3, query) = (inner.clone(), unsigned.query);
    let large = body.len() > if inner.store.is_on_disk() { IN_MEMORY } else { LARGE };
    let take = move || {
        let checksum = verify(&parts.method, &query, &parts.headers, &body)?;
        let (bytes, content) = match has_content {
            true => (Bytes::new(), Some(s3.keep(body, checksum)?)),
            false => (body, None),
        };
        Ok::<_, S3Error>((parts, bytes, content))
    };
    let (mut parts, bytes, content) = off_thread(large, take).await??;

    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    parts.extensions.insert(Received { bytes: bytes.clone(), content, region });
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// What says that it is too large is not read at all.
fn refuse_announced(headers: &HeaderMap) -> S3Result<()> {
    let announced = |name: &HeaderName| text(headers, name).and_then(|length| length.parse::<u64>().ok());
    let body = announced(&CONTENT_LENGTH).unwrap_or(0);
    let object = announced(&HeaderName::from_static("x-amz-decoded-content-length")).unwrap_or(0);
    if body > MAX_BODY || object > MAX_OBJECT { Err(errors::entity_too_large()) } else { Ok(()) }
}

/// The host of an absolute URI, as in-process clients send it, or of the header.
pub(super) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    let header = || headers.get(HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(http::uri::Authority::as_str).or_else(header).unwrap_or_default()
}

fn path_style(uri: &Uri, bucket: Option<&str>, query: &str) -> S3Result<Uri> {
    let mut target = match bucket {
        Some(bucket) => format!("/{bucket}{}", uri.path()),
        None => uri.path().to_owned(),
    };
    if !query.is_empty() {
        target.push('?');
        target.push_str(query);
    }
    target.parse().map_err(|error| s3_error!(error, InvalidURI))
}

/// Numbers of the query that are none; the protocol crate would refuse them in words of its own.
fn check_numbers(query: &str) -> S3Result<()> {
    const NUMBERS: [&str; 5] = ["max-keys", "max-parts", "max-uploads", "part-number-marker", "max-buckets"];
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if value.is_empty() || value.parse::<i32>().is_ok() {
            continue;
        }
        if NUMBERS.contains(&name) {
            let message = format!("Provided {name} not an integer or within integer range");
            return Err(errors::argument(message, name, value));
        }
        if name == "partNumber" {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            return Err(errors::argument(message, name, value));
        }
    }
    Ok(())
}

fn bucket_of_path(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// A bucket that exists belongs to this account.
fn check_owner(inner: &Inner, bucket: &str, headers: &HeaderMap) -> S3Result<()> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        let Some(owner) = headers.get(name) else { continue };
        let owner = owner.as_bytes();
        if owner.len() != 12 || !owner.iter().all(u8::is_ascii_digit) {
            return Err(s3_error!(
                InvalidBucketOwnerAWSAccountID,
                "The value of the expected bucket owner parameter must be an AWS Account ID"
            ));
        }
        if owner != inner.account.as_bytes() && inner.storage.read().contains_key(bucket) {
            return Err(errors::access_denied());
        }
    }
    Ok(())
}

/// S3 answers the whole object to a range that it cannot read, among them lists of ranges.
fn drop_unreadable_range(headers: &mut HeaderMap) {
    let is_bad = |range: &str| match s3s::dto::Range::parse(range) {
        Ok(s3s::dto::Range::Int { first, last: Some(last) }) => last < first,
        parsed => parsed.is_err(),
    };
    if text(headers, &RANGE).is_some_and(is_bad) {
        headers.remove(RANGE);
    }
}

/// S3 takes entity tags without their quotes, and to it a tag of any other form is one that no object has.
fn mend_etags(headers: &mut HeaderMap) {
    for name in ["if-match", "if-none-match", "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match"] {
        let Some(given) = headers.get(name) else { continue };
        if given == "*" || s3s::dto::ETag::parse_http_header(given.as_bytes()).is_ok() {
            continue;
        }
        let bare = given.to_str().unwrap_or_default().trim_matches('"');
        let is_tag = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let tag = HeaderValue::try_from(format!("\"{bare}\"")).ok().filter(|_| is_tag);
        headers.insert(name, tag.unwrap_or(HeaderValue::from_static("\"-\"")));
    }
}

async fn collect(body: SdkBody, limit: u64) -> S3Result<Bytes> {
    wire::collect(body, limit).await.map_err(|unread| match unread {
        wire::Unread::TooLarge(MAX_DOCUMENT) => S3Error::new(s3s::S3ErrorCode::MaxMessageLengthExceeded),
        wire::Unread::TooLarge(_) => errors::entity_too_large(),
        wire::Unread::Incomplete => errors::incomplete_body(),
        wire::Unread::NoRoom => errors::slow_down(),
    })
}

/// Undoes `aws-chunked`; checksums in trailers become headers.
fn decode(body: Bytes, headers: &mut HeaderMap) -> S3Result<Bytes> {
    let payload_hash = headers.get("x-amz-content-sha256").and_then(|hash| hash.to_str().ok());
    let streaming = payload_hash.is_some_and(|hash| hash.starts_with("STREAMING-"));
    let encodings = text(headers, &CONTENT_ENCODING).unwrap_or_default().to_owned();
    let (chunked, others): (Vec<&str>, Vec<&str>) =
        encodings.split(',').map(str::trim).filter(|part| !part.is_empty()).partition(|part| *part == "aws-chunked");
    if !streaming && chunked.is_empty() {
        return limited(body);
    }
    let announced = text(headers, &HeaderName::from_static("x-amz-decoded-content-length"))
        .map(|length| {
            length.parse::<usize>().map_err(|_| errors::invalid_argument("Invalid x-amz-decoded-content-length"))
        })
        .transpose()?;
    let signatures = match payload_hash {
        Some(hash) if hash.starts_with("STREAMING-AWS4-HMAC-") => aws_chunked::Signatures::Hmac,
        _ => aws_chunked::Signatures::Optional,
    };
    let decoded = aws_chunked::decode(body, signatures).map_err(chunked_error)?;
    if announced.is_some_and(|announced| announced != decoded.body.len()) {
        return Err(errors::incomplete_body());
    }
    for (name, value) in &decoded.trailers {
        if name.starts_with("x-amz-checksum-") {
            let name = HeaderName::try_from(name).map_err(|_| trailer_error())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| trailer_error())?);
        }
    }
    check_announced_trailers(headers, &decoded.trailers)?;
    match HeaderValue::try_from(others.join(",")) {
        Ok(others) if !others.is_empty() => headers.insert(CONTENT_ENCODING, others),
        _ => headers.remove(CONTENT_ENCODING),
    };
    for done in ["x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer"] {
        headers.remove(done);
    }
    headers.remove(TRANSFER_ENCODING);
    limited(decoded.body)
}

fn limited(body: Bytes) -> S3Result<Bytes> {
    if body.len() as u64 > MAX_OBJECT { Err(errors::entity_too_large()) } else { Ok(body) }
}

fn check_announced_trailers(headers: &HeaderMap, trailers: &[(String, String)]) -> S3Result<()> {
    let announced = headers.get_all("x-amz-trailer").iter().filter_map(|names| names.to_str().ok());
    for name in announced.flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        if !trailers.iter().any(|(trailer, _)| trailer.eq_ignore_ascii_case(name)) {
            return Err(trailer_error());
        }
    }
    Ok(())
}

fn chunked_error(error: aws_chunked::DecodeError) -> S3Error {
    match error {
        aws_chunked::DecodeError::Truncated => errors::incomplete_body(),
        aws_chunked::DecodeError::Trailer => trailer_error(),
        aws_chunked::DecodeError::Signature => s3_error!(
            SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method."
        ),
        aws_chunked::DecodeError::Malformed => errors::invalid_request("The aws-chunked body is not well-formed."),
    }
}

fn trailer_error() -> S3Error {
    errors::custom(
        "MalformedTrailerError",
        StatusCode::BAD_REQUEST,
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
}

/// Checks the body against the digests of the headers; gives back the checksum among them.
fn verify(method: &Method, query: &str, headers: &HeaderMap, body: &Bytes) -> S3Result<Option<Checksum>> {
    if let Some(hash) = text(headers, &HeaderName::from_static("x-amz-content-sha256")) {
        // Anything else, such as `UNSIGNED-PAYLOAD`, says nothing about the body.
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash && !hash.eq_ignore_ascii_case(&sha256_hex(body)) {
            return Err(errors::custom(
                "XAmzContentSHA256Mismatch",
                StatusCode::BAD_REQUEST,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
    }
    if let Some(given) = text(headers, &HeaderName::from_static("content-md5")) {
        let given = base64::decode(given).ok().filter(|raw| raw.len() == 16);
        let given = given.ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."))?;
        if given != md5(body).as_slice() {
            return Err(errors::bad_digest("Content-MD5"));
        }
    }
    // There the headers speak of the object that the parts make, or of the copy.
    let of_other_content = *method == Method::POST && query.split('&').any(|pair| pair.starts_with("uploadId="));
    if of_other_content || headers.contains_key("x-amz-copy-source") || !matches!(*method, Method::PUT | Method::POST) {
        return Ok(None);
    }
    verify_checksum(headers, body)
}

fn verify_checksum(headers: &HeaderMap, body: &Bytes) -> S3Result<Option<Checksum>> {
    let given = |algorithm: &Algorithm| headers.contains_key(algorithm.header());
    let mut algorithms = Algorithm::ALL.into_iter().filter(given);
    let algorithm = algorithms.next();
    if algorithms.next().is_some() {
        return Err(errors::invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    let Some(algorithm) = algorithm else {
        // Clients that send `Content-MD5` in place of a checksum still name the algorithm.
        if headers.contains_key("x-amz-sdk-checksum-algorithm") && !headers.contains_key("content-md5") {
            return Err(errors::invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
                 headers were found.",
            ));
        }
        return Ok(None);
    };
    let value = text(headers, &HeaderName::from_static(algorithm.header())).unwrap_or_default();
    if !algorithm.accepts(value) {
        return Err(errors::invalid_request(format!("Value for {} header is invalid.", algorithm.header())));
    }
    let computed = Checksum::of(algorithm, body);
    if *computed.value != *value {
        return Err(errors::bad_digest(algorithm.name()));
    }
    Ok(Some(computed))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_in_memory_are_not_copied() {
        let bytes = Bytes::from_static(b"hello");
        let collected = collect(SdkBody::from(bytes.clone()), 5).await.unwrap();
        assert_eq!(collected.as_ptr(), bytes.as_ptr());
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused() {
        let error = collect(SdkBody::from("hello"), 4).await.unwrap_err();
        assert_eq!(error.code().as_str(), "EntityTooLarge");
    }
}
