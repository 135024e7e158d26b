//! The errors of S3 in AWS's words.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

pub(super) fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

pub(super) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
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

pub(super) fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

pub(super) fn invalid_range() -> S3Error {
    s3_error!(InvalidRange, "The requested range is not satisfiable")
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

pub(super) fn incomplete_body() -> S3Error {
    s3_error!(IncompleteBody, "The request body terminated unexpectedly")
}

pub(super) fn entity_too_large() -> S3Error {
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
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
