//! Takes authentication off a request: any key and any signature is accepted. Of a presigned URL the form and the time
//! are checked here, of a header elsewhere: see [`signature`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::errors;
use crate::local::query;
use crate::local::signature::{self, Credential};

/// The longest life of a presigned URL: a week.
const MAX_EXPIRES: u64 = 604_800;

/// What was found out while authentication was taken off.
#[derive(Debug, Default)]
pub(super) struct Unsigned {
    /// The query string without what belongs to the signature.
    pub(super) query: String,
    /// The region of the credential scope.
    pub(super) region: Option<String>,
}

/// Strips the signature from headers and query; an expired presigned URL is refused.
///
/// A presigned request may carry headers as parameters of its query: they are moved back.
pub(super) fn strip(query: &str, headers: &mut HeaderMap, now: SystemTime) -> S3Result<Unsigned> {
    let authorization = headers.remove(AUTHORIZATION);
    headers.remove("x-amz-security-token");
    let region = authorization.as_ref().and_then(|value| value.to_str().ok()).and_then(scope_of_header);

    let parameters: Vec<Parameter<'_>> = query.split('&').filter(|pair| !pair.is_empty()).map(Parameter::new).collect();
    let find = |name: &str| parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name));
    let value = |name: &str| find(name).map(|parameter| parameter.value.as_str());
    let presigned_v4 = find("X-Amz-Signature").is_some() || find("X-Amz-Algorithm").is_some();
    // Without a signature the same names belong to the operation.
    let presigned_v2 = !presigned_v4 && (find("Signature").is_some() || find("AWSAccessKeyId").is_some());
    if presigned_v4 {
        check_v4(&value, now)?;
    } else if presigned_v2 {
        check_v2(&value, now)?;
    }
    let region = region.or_else(|| find("X-Amz-Credential").and_then(|credential| scope(&credential.value)));

    let mut kept = Vec::new();
    for parameter in &parameters {
        let name = parameter.name.to_ascii_lowercase();
        let of_signature = (presigned_v4 && is_v4(&name)) || (presigned_v2 && is_v2(&name));
        if of_signature {
            continue;
        }
        if (presigned_v4 || presigned_v2) && name.starts_with("x-amz-") {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(&name), HeaderValue::try_from(&parameter.value)) {
                headers.entry(name).or_insert(value);
            }
            continue;
        }
        kept.push(parameter.raw);
    }
    Ok(Unsigned { query: kept.join("&"), region })
}

struct Parameter<'a> {
    raw: &'a str,
    name: String,
    value: String,
}

impl<'a> Parameter<'a> {
    fn new(raw: &'a str) -> Self {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        Self { raw, name: query::decode(name.as_bytes()), value: query::decode(value.as_bytes()) }
    }
}

fn is_v4(name: &str) -> bool {
    matches!(
        name,
        "x-amz-algorithm"
            | "x-amz-credential"
            | "x-amz-date"
            | "x-amz-expires"
            | "x-amz-signedheaders"
            | "x-amz-signature"
            | "x-amz-security-token"
    )
}

fn is_v2(name: &str) -> bool {
    matches!(name, "awsaccesskeyid" | "signature" | "expires" | "x-amz-security-token")
}

/// Looks up a parameter of the query.
type Value<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

fn check_v4(value: Value<'_>, now: SystemTime) -> S3Result<()> {
    let given = |name: &str| {
        value(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            query_error(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            )
        })
    };
    let (algorithm, credential) = (given("X-Amz-Algorithm")?, given("X-Amz-Credential")?);
    let (signed_headers, _) = (given("X-Amz-SignedHeaders")?, given("X-Amz-Signature")?);
    let (date, expires) = (given("X-Amz-Date")?, given("X-Amz-Expires")?);
    if !signature::ALGORITHMS.contains(&algorithm) {
        return Err(query_error("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""));
    }
    let bad = |what: &str| query_error(&format!("Error parsing the X-Amz-Credential parameter; {what}"));
    let scope = Credential::parse(credential, algorithm).ok_or_else(|| bad(signature::s3::BAD_CREDENTIAL))?;
    signature::s3::check_scope(&scope).map_err(|what| bad(&what))?;
    let signed = signature::timestamp(date)
        .ok_or_else(|| query_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
    let day = date.get(..8).unwrap_or_default();
    if scope.date != day {
        return Err(bad(&signature::s3::wrong_day(scope.date, day)));
    }
    let life: i64 = expires.parse().map_err(|_| query_error("X-Amz-Expires should be a number"))?;
    let life = u64::try_from(life).map_err(|_| query_error("X-Amz-Expires must be non-negative"))?;
    if life > MAX_EXPIRES {
        return Err(query_error(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ));
    }
    if !signature::signs_host(signed_headers) {
        let error = s3_error!(AccessDenied, "There were headers present in the request which were not signed");
        return Err(errors::with_details(error, &[("HeadersNotSigned", "host")]));
    }
    check_not_after(signed + Duration::from_secs(life), now, &[("X-Amz-Expires", expires)])
}

fn check_v2(value: Value<'_>, now: SystemTime) -> S3Result<()> {
    let (Some(expires), Some(_), Some(_)) = (value("Expires"), value("Signature"), value("AWSAccessKeyId")) else {
        return Err(s3_error!(
            AccessDenied,
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        ));
    };
    let end = expires.parse::<u64>().ok().and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    let end = end.ok_or_else(|| s3_error!(AccessDenied, "Invalid date (should be seconds since epoch)"))?;
    check_not_after(end, now, &[])
}

fn check_not_after(end: SystemTime, now: SystemTime, details: &[(&str, &str)]) -> S3Result<()> {
    if now <= end {
        return Ok(());
    }
    let date = |time: SystemTime| DateTime::from(time).fmt(Format::DateTime).unwrap_or_default();
    let (end, now) = (date(end), date(now));
    let times = [("Expires", end.as_str()), ("ServerTime", now.as_str())];
    Err(errors::with_details(s3_error!(AccessDenied, "Request has expired"), &[details, &times].concat()))
}

fn query_error(message: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::AuthorizationQueryParametersError, message.to_owned())
}

fn scope_of_header(authorization: &str) -> Option<String> {
    let credential = authorization.split_once("Credential=")?.1;
    scope(credential.split([',', ' ']).next()?)
}

/// The region in `AKID/20260102/us-east-1/s3/aws4_request`; keys may hold slashes, so it is counted from the end.
fn scope(credential: &str) -> Option<String> {
    let region = credential.rsplit('/').nth(2)?;
    (!region.is_empty()).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V4: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb%2F20260102%2Feu-west-1%2Fs3%2Faws4_request\
                      &X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";

    fn at(seconds: u64) -> SystemTime {
        // 2026-01-02T03:04:05Z
        UNIX_EPOCH + Duration::from_secs(1_767_323_045 + seconds)
    }

    #[test]
    fn a_presigned_url_lives_until_it_expires() {
        let query = format!("versionId=null&{V4}&x-amz-checksum-mode=ENABLED&x-id=GetObject");
        let mut headers = HeaderMap::new();
        let unsigned = strip(&query, &mut headers, at(60)).unwrap();
        assert_eq!(unsigned.query, "versionId=null&x-id=GetObject");
        assert_eq!(unsigned.region.as_deref(), Some("eu-west-1"));
        assert_eq!(headers["x-amz-checksum-mode"], "ENABLED");

        let error = strip(&query, &mut HeaderMap::new(), at(61)).unwrap_err();
        assert_eq!((error.code().as_str(), error.message()), ("AccessDenied", Some("Request has expired")));
    }

    #[test]
    fn the_older_form_of_presigned_url_is_known_too() {
        let query = "AWSAccessKeyId=AKID&Signature=a%2Bb%3D&Expires=1767323045&tagging";
        assert_eq!(strip(query, &mut HeaderMap::new(), at(0)).unwrap().query, "tagging");
        assert!(strip(query, &mut HeaderMap::new(), at(1)).is_err());
        for missing in ["AWSAccessKeyId=AKID&Expires=1767323045", "Signature=a&AWSAccessKeyId=AKID"] {
            assert_eq!(strip(missing, &mut HeaderMap::new(), at(0)).unwrap_err().code().as_str(), "AccessDenied");
        }
        assert_eq!(strip("Expires=1", &mut HeaderMap::new(), at(0)).unwrap().query, "Expires=1");
    }

    #[test]
    fn malformed_presigned_urls_are_refused() {
        for (from, to) in [
            ("X-Amz-Date=20260102T030405Z&", ""),
            ("20260102T030405Z", "yesterday"),
            ("20260102T030405Z", "20261302T030405Z"),
            ("X-Amz-Expires=60", "X-Amz-Expires=soon"),
            ("X-Amz-Expires=60", "X-Amz-Expires=-1"),
            ("X-Amz-Expires=60", "X-Amz-Expires=604801"),
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""),
            ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
            ("X-Amz-Signature=00", "X-Amz-Signature="),
            ("&X-Amz-SignedHeaders=host", ""),
            ("X-Amz-Credential", "Credential"),
            ("a%2Fb%2F20260102%2F", ""),
            ("a%2Fb%2F", "%2F"),
            ("%2F20260102%2F", "%2F20260103%2F"),
            ("%2Fs3%2F", "%2Fsts%2F"),
            ("aws4_request", "aws5_request"),
        ] {
            let error = strip(&V4.replace(from, to), &mut HeaderMap::new(), at(0)).unwrap_err();
            assert_eq!(error.code().as_str(), "AuthorizationQueryParametersError", "{to}");
        }
        let unsigned = V4.replace("Headers=host", "Headers=date");
        assert_eq!(strip(&unsigned, &mut HeaderMap::new(), at(0)).unwrap_err().code().as_str(), "AccessDenied");
    }

    #[test]
    fn a_signature_in_the_header_goes() {
        let mut headers = HeaderMap::new();
        let value =
            "AWS4-HMAC-SHA256 Credential=AKID/20260102/us-west-2/s3/aws4_request, SignedHeaders=host, Signature=0";
        headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
        headers.insert("x-amz-security-token", HeaderValue::from_static("token"));
        let unsigned = strip("list-type=2", &mut headers, at(0)).unwrap();
        assert_eq!((unsigned.query.as_str(), unsigned.region.as_deref()), ("list-type=2", Some("us-west-2")));
        assert!(headers.is_empty());
    }

    proptest! {
        #[test]
        fn any_query_and_header_is_read_without_a_panic(query in "\\PC{0,80}", header in "[ -~]{0,80}") {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::try_from(header).unwrap());
            let _ = strip(&query, &mut headers, at(0));
            let _ = strip(&format!("{V4}&{query}"), &mut headers, at(0));
        }
    }
}
