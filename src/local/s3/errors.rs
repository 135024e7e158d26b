//! The errors of S3 in AWS's words.

use http::{HeaderMap, HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode, s3_error};

use super::listing::url_encode;

/// Carries a member of an error document to the answer, where it is taken off again.
pub(super) const DETAIL: &str = "x-local-error-detail";

/// Adds members to the document of an error.
pub(super) fn with_details(mut error: S3Error, details: &[(&str, &str)]) -> S3Error {
    let mut headers = error.headers().cloned().unwrap_or_default();
    for (name, value) in details {
        if let Ok(detail) = HeaderValue::try_from(format!("{name}={}", url_encode(value))) {
            headers.append(DETAIL, detail);
        }
    }
    error.set_headers(headers);
    error
}

/// An argument that S3 does not take, which its answer names.
pub(super) fn argument(message: impl Into<String>, name: &str, value: &str) -> S3Error {
    with_details(invalid_argument(message), &[("ArgumentName", name), ("ArgumentValue", value)])
}

pub(super) fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

pub(super) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

pub(super) fn no_such_version() -> S3Error {
    s3_error!(NoSuchVersion, "The specified version does not exist.")
}

/// The newest version of the key is a delete marker.
pub(super) fn deleted(version: &str) -> S3Error {
    let mut error = no_such_key();
    error.set_headers(delete_marker(version));
    error
}

/// The version that is asked for is a delete marker, made at this time in seconds since 1970.
pub(super) fn is_delete_marker(version: &str, modified: u64) -> S3Error {
    let mut error = s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.");
    let mut headers = delete_marker(version);
    headers.insert(http::header::ALLOW, HeaderValue::from_static("DELETE"));
    if let Some(date) = http_date(modified) {
        headers.insert(http::header::LAST_MODIFIED, date);
    }
    error.set_headers(headers);
    with_details(error, &[("ResourceType", "DeleteMarker")])
}

fn delete_marker(version: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(version) = HeaderValue::from_str(version) {
        headers.insert("x-amz-version-id", version);
    }
    headers
}

/// Seconds since 1970 as a header has them.
pub(super) fn http_date(seconds: u64) -> Option<HeaderValue> {
    let mut date = Vec::new();
    super::object::timestamp(seconds).format(s3s::dto::TimestampFormat::HttpDate, &mut date).ok()?;
    HeaderValue::from_bytes(&date).ok()
}

pub(super) fn bucket_not_empty(has_versions: bool) -> S3Error {
    let more = if has_versions { ". You must delete all versions in the bucket." } else { "" };
    s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty{more}")
}

pub(super) fn malformed_acl() -> S3Error {
    s3_error!(MalformedACLError, "{}", default_message("MalformedXML").unwrap_or_default())
}

pub(super) fn unknown_email(address: &str) -> S3Error {
    let error = s3_error!(
        UnresolvableGrantByEmailAddress,
        "The e-mail address you provided does not match any account on record."
    );
    with_details(error, &[("emailAddress", address)])
}

pub(super) fn acl_with_ownership() -> S3Error {
    custom(
        "InvalidBucketAclWithObjectOwnership",
        StatusCode::BAD_REQUEST,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    )
}

pub(super) fn acl_with_public_access_block() -> S3Error {
    custom(
        "InvalidBucketAclWithBlockPublicAccessError",
        StatusCode::BAD_REQUEST,
        "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
    )
}

pub(super) fn no_acls() -> S3Error {
    s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs")
}

/// The object must be restored from its archive before it can be read.
pub(super) fn archived(storage_class: &str) -> S3Error {
    let error = s3_error!(InvalidObjectState, "The operation is not valid for the object's storage class");
    with_details(error, &[("StorageClass", storage_class)])
}

/// The object of a copy must be restored first.
pub(super) fn archived_source() -> S3Error {
    custom(
        "ObjectNotInActiveTierError",
        StatusCode::FORBIDDEN,
        "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.",
    )
}

pub(super) fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed."
    )
}

pub(super) fn access_denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

/// `condition` is the header that did not hold.
pub(super) fn precondition_failed(condition: &str) -> S3Error {
    let error = s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold");
    with_details(error, &[("Condition", condition)])
}

/// The range of the request is beyond an object of this size.
pub(super) fn invalid_range(size: u64) -> S3Error {
    let error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    with_details(error, &[("ActualObjectSize", &size.to_string())])
}

pub(super) fn invalid_argument(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message.into())
}

pub(super) fn invalid_request(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message.into())
}

pub(super) fn not_implemented(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::NotImplemented, message.into())
}

pub(super) fn bad_digest(of: &str) -> S3Error {
    let message = match of {
        "Content-MD5" => "The Content-MD5 you specified did not match what we received.".to_owned(),
        _ => format!("The {of} you specified did not match the calculated checksum."),
    };
    S3Error::with_message(S3ErrorCode::BadDigest, message)
}

/// There is no memory left for the body.
pub(super) fn slow_down() -> S3Error {
    s3_error!(SlowDown, "Please reduce your request rate.")
}

pub(super) fn incomplete_body() -> S3Error {
    s3_error!(IncompleteBody, "The request body terminated unexpectedly")
}

pub(super) fn entity_too_large() -> S3Error {
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
}

pub(super) fn entity_too_small() -> S3Error {
    s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size")
}

pub(super) fn malformed_xml() -> S3Error {
    s3_error!(MalformedXML, "{}", default_message("MalformedXML").unwrap_or_default())
}

/// An error whose code the protocol crate does not list.
pub(super) fn custom(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// AWS's text for what the protocol crate refuses without one.
pub(super) fn default_message(code: &str) -> Option<&'static str> {
    Some(match code {
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "MissingRequestBodyError" => "Request Body is empty",
        _ => return None,
    })
}
