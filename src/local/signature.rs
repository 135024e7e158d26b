//! Whether a request is signed, and whether what it says about its signature has the form that AWS wants.
//!
//! The backend knows no secret keys, so that any signature of the right form is as good as the right one. What is
//! malformed is refused in the words of AWS, and so is a request without a signature where AWS asks for one.
//! How far the clock of a client differs from that of the backend is not judged: the backend's time may be virtual.

use std::time::SystemTime;

use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::{DateTime, Format};
use http::Request;
use http::header::{AUTHORIZATION, DATE};

use super::aws_error::AwsError;
use super::backend::Core;
use super::query;
use super::router::Service;

mod header;
mod others;
pub(super) mod s3;

/// The one algorithm of Signature Version 4, and its sibling for several regions.
pub(super) const ALGORITHMS: [&str; 2] = ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"];
const TERMINATOR: &str = "aws4_request";

/// Refuses a request that AWS would refuse for its signature, whatever the secret key is.
pub(super) fn admit(core: &Core, service: &Service, request: &Request<SdkBody>) -> Result<(), AwsError> {
    if core.is_lenient() {
        return Ok(());
    }
    match service {
        Service::S3 if s3::is_signed(request)? => Ok(()),
        Service::S3 => core.s3.admit_anonymous(request),
        _ => others::check(service, request),
    }
}

/// The access key and the scope of a signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Credential<'a> {
    pub(super) key: &'a str,
    /// `20260102`.
    pub(super) date: &'a str,
    /// None for a signature for several regions.
    pub(super) region: Option<&'a str>,
    pub(super) service: &'a str,
    pub(super) terminator: &'a str,
}

impl<'a> Credential<'a> {
    /// Reads `key/date/region/service/aws4_request`. The key may hold slashes, so it is read from its end.
    pub(super) fn parse(text: &'a str, algorithm: &str) -> Option<Self> {
        let mut parts = text.rsplit('/');
        let (terminator, service) = (parts.next()?, parts.next()?);
        let region = match algorithm == ALGORITHMS[1] {
            true => None,
            false => Some(parts.next()?),
        };
        let date = parts.next()?;
        let scope = [Some(terminator), Some(service), region, Some(date)];
        let length: usize = scope.iter().flatten().map(|part| part.len() + 1).sum();
        let key = &text[..text.len().checked_sub(length)?];
        Some(Self { key, date, region, service, terminator })
    }
}

/// `20260102T030405Z`.
pub(super) fn timestamp(text: &str) -> Option<SystemTime> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    if !is_digits(day, 8) || !is_digits(time, 6) {
        return None;
    }
    let (year, month, day) = (&day[..4], &day[4..6], &day[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    SystemTime::try_from(DateTime::from_str(&text, Format::DateTime).ok()?).ok()
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The day in the form of a scope.
fn day(time: SystemTime) -> String {
    let date = DateTime::from(time).fmt(Format::DateTime).unwrap_or_default();
    date.chars().filter(char::is_ascii_digit).take(8).collect()
}

/// When a request with an `Authorization` header was signed, as far as it says so.
enum Signed<'a> {
    At(SystemTime),
    /// The header is there and cannot be read.
    Unreadable(&'a str),
    Unsaid,
}

fn signed_at(request: &Request<SdkBody>) -> Signed<'_> {
    let headers = request.headers();
    if let Some(date) = headers.get("x-amz-date") {
        let text = date.to_str().unwrap_or_default();
        return timestamp(text).map_or(Signed::Unreadable(text), Signed::At);
    }
    let Some(date) = headers.get(DATE) else { return Signed::Unsaid };
    let text = date.to_str().unwrap_or_default();
    let http_date = || SystemTime::try_from(DateTime::from_str(text, Format::HttpDate).ok()?).ok();
    timestamp(text).or_else(http_date).map_or(Signed::Unreadable(text), Signed::At)
}

/// The `Authorization` header, if there is one that says anything; one that is no text is kept as far as it is.
fn authorization(request: &Request<SdkBody>) -> Option<String> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let texts: Vec<_> = values.by_ref().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    // Two headers are one with a comma in it, which neither of them can mean.
    Some(texts.join(",").trim().to_owned()).filter(|text| !text.is_empty())
}

/// A parameter of the query, decoded; names may be in any case.
fn parameter(request: &Request<SdkBody>, name: &str) -> Option<String> {
    let pairs = request.uri().query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut named = pairs.filter(|(given, _)| query::decode(given.as_bytes()).eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| query::decode(value.as_bytes()))
}

/// Whether a list such as `content-type;host;x-amz-date` names the host.
pub(super) fn signs_host(signed_headers: &str) -> bool {
    signed_headers.split(';').any(|name| name.eq_ignore_ascii_case("host") || name == ":authority")
}

/// Signs a request of a test, as far as anybody looks at it.
#[cfg(test)]
pub(super) fn sign(request: http::request::Builder) -> http::request::Builder {
    let scope = "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    request.header(AUTHORIZATION, scope).header("x-amz-date", "20260102T030405Z")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn credentials_are_read_from_their_end() {
        let read = |text| Credential::parse(text, ALGORITHMS[0]).map(|c| (c.key, c.date, c.region, c.service));
        assert_eq!(read("a/20260102/eu-west-1/s3/aws4_request"), Some(("a", "20260102", Some("eu-west-1"), "s3")));
        assert_eq!(read("a/b/20260102/eu-west-1/s3/aws4_request").unwrap().0, "a/b");
        assert_eq!(read("/20260102/eu-west-1/s3/aws4_request").unwrap().0, "");
        for short in ["20260102/eu-west-1/s3/aws4_request", "a", "", "///"] {
            assert_eq!(read(short), None, "{short}");
        }
        let everywhere = Credential::parse("a/20260102/s3/aws4_request", ALGORITHMS[1]).unwrap();
        assert_eq!((everywhere.key, everywhere.region), ("a", None));
    }

    #[test]
    fn days_are_those_of_scopes() {
        assert_eq!(day(timestamp("20260102T235959Z").unwrap()), "20260102");
        assert_eq!(timestamp("20261302T000000Z"), None);
        assert_eq!(timestamp("2026-01-02T00:00:00Z"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", parts in "[0-9a-zTZ/;]{0,60}") {
            for text in [text, parts] {
                let _ = (Credential::parse(&text, ALGORITHMS[0]), Credential::parse(&text, ALGORITHMS[1]));
                let _ = (timestamp(&text), signs_host(&text), header::Header::parse(&text));
            }
        }
    }
}
