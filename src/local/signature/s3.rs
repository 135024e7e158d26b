//! S3 checks signatures itself, and in words of its own.

use aws_smithy_types::body::SdkBody;
use http::Request;

use super::header::Header;
use super::{ALGORITHMS, Credential, Signed, TERMINATOR};
use super::{authorization, day, is_digits, parameter, signed_at, signs_host};
use crate::local::aws_error::AwsError;

/// Whether a request is signed in any way; a header that is malformed is refused. Presigned URLs are looked at where
/// their parameters are taken off.
pub(super) fn is_signed(request: &Request<SdkBody>) -> Result<bool, AwsError> {
    let presigned = ["X-Amz-Algorithm", "X-Amz-Signature", "X-Amz-Credential", "Signature", "AWSAccessKeyId"]
        .iter()
        .any(|name| parameter(request, name).is_some());
    let Some(header) = authorization(request) else { return Ok(presigned) };
    let also_presigned = ["X-Amz-Algorithm", "Signature"].iter().any(|name| parameter(request, name).is_some());
    if also_presigned {
        return Err(argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        ));
    }
    check_payload_hash(request)?;
    match header.strip_prefix("AWS ") {
        Some(older) => check_older(older, request),
        None => check(&header, request),
    }?;
    Ok(true)
}

/// Signature Version 2: `AWS key:signature`.
fn check_older(pair: &str, request: &Request<SdkBody>) -> Result<(), AwsError> {
    let is_pair = pair.split_once(':').is_some_and(|(key, signature)| !key.is_empty() && !signature.is_empty());
    if !is_pair {
        return Err(argument("AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"));
    }
    signing_day(request).map(drop)
}

fn check(text: &str, request: &Request<SdkBody>) -> Result<(), AwsError> {
    let header = Header::parse(text);
    if !ALGORITHMS.contains(&header.algorithm) {
        return Err(argument("Unsupported Authorization Type"));
    }
    let (Some(credential), Some(signed_headers), Some(_), false) =
        (header.credential, header.signed_headers, header.signature, header.has_strange_part)
    else {
        return Err(malformed(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
        ));
    };
    let scope = Credential::parse(credential, header.algorithm).ok_or_else(|| malformed(BAD_CREDENTIAL))?;
    check_scope(&scope).map_err(|what| malformed(&what))?;
    let day = signing_day(request)?;
    if scope.date != day {
        return Err(malformed(&wrong_day(scope.date, &day)));
    }
    match signs_host(signed_headers) {
        true => Ok(()),
        false => Err(not_signed()),
    }
}

pub(in crate::local) const BAD_CREDENTIAL: &str =
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

/// What is wrong with a scope, whatever the request is.
pub(in crate::local) fn check_scope(scope: &Credential<'_>) -> Result<(), String> {
    let Credential { key, date, region, service, terminator } = scope;
    if key.is_empty() {
        return Err("a non-empty Access Key (AKID) must be provided in the credential.".to_owned());
    }
    if !is_digits(date, 8) {
        return Err(format!(
            "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
        ));
    }
    if region.is_some_and(str::is_empty) {
        return Err("a non-empty region must be provided in the credential.".to_owned());
    }
    // `s3express` and `s3-outposts` among them.
    if !service.starts_with("s3") {
        return Err(format!("incorrect service \"{service}\". This endpoint belongs to \"s3\"."));
    }
    if *terminator != TERMINATOR {
        return Err(format!("incorrect terminal \"{terminator}\". This endpoint uses \"{TERMINATOR}\"."));
    }
    Ok(())
}

pub(in crate::local) fn wrong_day(scope: &str, day: &str) -> String {
    format!("Invalid credential date \"{scope}\". This date is not the same as X-Amz-Date: \"{day}\".")
}

fn signing_day(request: &Request<SdkBody>) -> Result<String, AwsError> {
    match signed_at(request) {
        Signed::At(time) => Ok(day(time)),
        Signed::Unreadable(_) | Signed::Unsaid => {
            Err(AwsError::new(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"))
        }
    }
}

/// What a signature covers of the body: its digest, or a word that says how it is sent.
fn check_payload_hash(request: &Request<SdkBody>) -> Result<(), AwsError> {
    const WORDS: [&str; 6] = [
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    ];
    let Some(given) = request.headers().get("x-amz-content-sha256") else { return Ok(()) };
    let given = given.to_str().unwrap_or_default();
    let is_digest = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest || WORDS.contains(&given) {
        return Ok(());
    }
    let message = format!("x-amz-content-sha256 must be {} or a valid sha256 value.", WORDS.join(", "));
    Err(AwsError::new(400, "InvalidArgument", message)
        .with("ArgumentName", "x-amz-content-sha256")
        .with("ArgumentValue", given))
}

/// The value is not repeated: it may be the secret of something else.
fn argument(message: &str) -> AwsError {
    AwsError::new(400, "InvalidArgument", message).with("ArgumentName", "Authorization")
}

fn malformed(what: &str) -> AwsError {
    AwsError::new(400, "AuthorizationHeaderMalformed", format!("The authorization header is malformed; {what}"))
}

fn not_signed() -> AwsError {
    AwsError::new(403, "AccessDenied", "There were headers present in the request which were not signed")
        .with("HeadersNotSigned", "host")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=0f";
    const DATE: (&str, &str) = ("x-amz-date", "20260102T030405Z");

    fn outcome(uri: &str, headers: &[(&str, &str)]) -> Result<bool, (u16, String, String)> {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        is_signed(&request.body(SdkBody::empty()).unwrap())
            .map_err(|error| (error.status, error.code.into_owned(), error.message))
    }

    #[test]
    fn signatures_of_either_version_are_accepted() {
        assert_eq!(outcome("/b/k", &[("authorization", GOOD), DATE]), Ok(true));
        assert_eq!(outcome("/b/k", &[("authorization", "AWS AK:c2ln="), DATE]), Ok(true));
        assert_eq!(outcome("/b/k?X-Amz-Signature=0", &[]), Ok(true));
        assert_eq!(outcome("/b/k?AWSAccessKeyId=a&Signature=b&Expires=1", &[]), Ok(true));
        assert_eq!(outcome("/b/k", &[]), Ok(false));
        assert_eq!(outcome("/b/k", &[("authorization", "")]), Ok(false));
    }

    #[test]
    fn malformed_headers_are_refused() {
        const MALFORMED: (u16, &str) = (400, "AuthorizationHeaderMalformed");
        for (from, to, (status, code), text) in [
            ("Credential=AK/", "Cred=AK/", MALFORMED, "three components"),
            ("SignedHeaders=host;x-amz-date, ", "", MALFORMED, "three components"),
            (", Signature=0f", "", MALFORMED, "three components"),
            ("us-east-1/", "", MALFORMED, "the Credential is mal-formed; expecting \"<YOUR-AKID>/"),
            ("20260102", "2026012", MALFORMED, "incorrect date format \"2026012\""),
            ("20260102", "20260103", MALFORMED, "Invalid credential date \"20260103\""),
            ("/s3/", "/ec2/", MALFORMED, "incorrect service \"ec2\""),
            ("aws4_request", "aws5_request", MALFORMED, "incorrect terminal \"aws5_request\""),
            ("AK/", "/", MALFORMED, "a non-empty Access Key"),
            ("host;", "", (403, "AccessDenied"), "headers present in the request which were not signed"),
            ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", (400, "InvalidArgument"), "Unsupported Authorization Type"),
            ("AWS4-HMAC-SHA256", "Bearer", (400, "InvalidArgument"), "Unsupported Authorization Type"),
            ("AWS4-HMAC-SHA256", "\u{fffd}", (400, "InvalidArgument"), "Unsupported Authorization Type"),
        ] {
            let error = outcome("/b/k", &[("authorization", &GOOD.replace(from, to)), DATE]).unwrap_err();
            assert_eq!((error.0, error.1.as_str()), (status, code), "{to}");
            assert!(error.2.contains(text), "{to}: {}", error.2);
        }
        let error = outcome("/b/k", &[("authorization", "AWS AK"), DATE]).unwrap_err();
        assert!(error.2.contains("Expected AwsAccessKeyId:signature"), "{}", error.2);
        for dates in [&[("authorization", GOOD)][..], &[("authorization", GOOD), ("x-amz-date", "now")]] {
            let error = outcome("/b/k", dates).unwrap_err();
            assert_eq!((error.0, error.2.contains("valid Date or x-amz-date")), (403, true));
        }
        let error = outcome("/b/k?Signature=a", &[("authorization", GOOD), DATE]).unwrap_err();
        assert!(error.2.contains("Only one auth mechanism allowed"), "{}", error.2);
        let hash = [("authorization", GOOD), DATE, ("x-amz-content-sha256", "abc")];
        assert!(outcome("/b/k", &hash).unwrap_err().2.contains("or a valid sha256 value."));
    }
}
