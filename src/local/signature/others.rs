//! The services that are not S3: one front checks the signatures of all of them, in the same words.

use aws_smithy_types::base64;
use aws_smithy_types::body::SdkBody;
use http::Request;
use sha2::{Digest, Sha256};

use super::header::Header;
use super::{ALGORITHMS, Credential, Signed, TERMINATOR};
use super::{authorization, day, is_digits, parameter, signed_at, signs_host, timestamp};
use crate::local::aws_error::AwsError;
use crate::local::router::{self, Service};

const PARAMETERS: [&str; 5] =
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];

/// Refuses what is not signed, or not in the way that it must be.
pub(super) fn check(service: &Service, request: &Request<SdkBody>) -> Result<(), AwsError> {
    let refusals = Refusals(Protocol::of(service, request));
    let presigned = PARAMETERS.iter().take(3).any(|name| parameter(request, name).is_some());
    match authorization(request) {
        Some(_) if parameter(request, PARAMETERS[0]).is_some() => {
            let both = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.";
            Err(refusals.invalid(both))
        }
        Some(header) => check_header(&refusals, &header, request),
        None if presigned => check_query(&refusals, request),
        None => Err(refusals.missing()),
    }
}

fn check_header(refusals: &Refusals, text: &str, request: &Request<SdkBody>) -> Result<(), AwsError> {
    let header = Header::parse(text);
    // A header may hold what nobody else should see, such as a password: AWS names it by its digest, too.
    let digest = || base64::encode(Sha256::digest(text));
    if header.has_strange_part {
        return Err(refusals.incomplete(format!(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with \
             Base64): '{}'.",
            digest()
        )));
    }
    let parts =
        [("Credential", header.credential), ("Signature", header.signature), ("SignedHeaders", header.signed_headers)];
    let mut missing: String = parts
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| format!("Authorization header requires '{name}' parameter. "))
        .collect();
    let signed = signed_at(request);
    if matches!(signed, Signed::Unsaid) {
        missing.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    }
    let (Some(credential), Some(signed_headers), true) = (header.credential, header.signed_headers, missing.is_empty())
    else {
        let digest = digest();
        let message = format!("{missing}(Hashed with SHA-256 and encoded with Base64) Authorization={digest}");
        return Err(refusals.incomplete(message));
    };
    let day = match signed {
        Signed::At(time) => day(time),
        Signed::Unreadable(text) => return Err(refusals.date(text)),
        Signed::Unsaid => String::new(),
    };
    refusals.check_parts(header.algorithm, credential, signed_headers, &day)
}

fn check_query(refusals: &Refusals, request: &Request<SdkBody>) -> Result<(), AwsError> {
    let given = PARAMETERS.map(|name| parameter(request, name).filter(|value| !value.is_empty()));
    let missing = PARAMETERS.iter().zip(&given).filter(|(_, value)| value.is_none());
    let missing: String =
        missing.map(|(name, _)| format!("AWS query-string parameters must include '{name}'. ")).collect();
    let [Some(algorithm), Some(credential), Some(_), Some(signed_headers), Some(date)] = &given else {
        return Err(refusals.incomplete(format!("{missing}Re-examine the query-string parameters.")));
    };
    let time = timestamp(date).ok_or_else(|| refusals.date(date))?;
    refusals.check_parts(algorithm, credential, signed_headers, &day(time))
}

/// How a service says that it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Json,
    RestJson,
    Query,
}

impl Protocol {
    fn of(service: &Service, request: &Request<SdkBody>) -> Self {
        match service {
            Service::Runtime => Self::RestJson,
            Service::Sts | Service::Iam => Self::Query,
            // Older clients of CloudWatch speak it as well.
            Service::CloudWatch if router::target(request).is_none() => Self::Query,
            _ => Self::Json,
        }
    }
}

struct Refusals(Protocol);

impl Refusals {
    fn check_parts(&self, algorithm: &str, credential: &str, signed_headers: &str, day: &str) -> Result<(), AwsError> {
        if !signs_host(signed_headers) {
            return Err(self.invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
        }
        if !ALGORITHMS.contains(&algorithm) {
            return Err(self.incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let Some(scope) = Credential::parse(credential, algorithm) else {
            return Err(self.incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'"
            )));
        };
        if scope.key.is_empty() {
            return Err(self.missing());
        }
        if scope.terminator != TERMINATOR {
            return Err(self.invalid(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
                scope.terminator
            )));
        }
        if !is_digits(scope.date, 8) || scope.date != day {
            return Err(self.invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{day}'.",
                scope.date
            )));
        }
        Ok(())
    }

    /// The request is not signed.
    fn missing(&self) -> AwsError {
        match self.0 {
            Protocol::Json => self.error(400, "MissingAuthenticationToken", "Missing Authentication Token"),
            Protocol::RestJson => self.error(403, "MissingAuthenticationToken", "Missing Authentication Token"),
            Protocol::Query => self.error(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        }
    }

    /// Something is not there or cannot be read.
    fn incomplete(&self, message: impl Into<String>) -> AwsError {
        let status = if self.0 == Protocol::RestJson { 403 } else { 400 };
        self.error(status, "IncompleteSignature", message)
    }

    /// It can be read, and no signature could be right.
    fn invalid(&self, message: impl Into<String>) -> AwsError {
        match self.0 {
            Protocol::Json => self.error(400, "InvalidSignature", message),
            Protocol::RestJson => self.error(403, "InvalidSignature", message),
            Protocol::Query => self.error(403, "SignatureDoesNotMatch", message),
        }
    }

    fn date(&self, date: &str) -> AwsError {
        self.incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ))
    }

    /// In the JSON protocols, the codes are the names of exceptions.
    fn error(&self, status: u16, code: &'static str, message: impl Into<String>) -> AwsError {
        match self.0 {
            Protocol::Query => AwsError::new(status, code, message),
            Protocol::Json | Protocol::RestJson => AwsError::new(status, format!("{code}Exception"), message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/sagemaker/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=0f";
    const DATE: (&str, &str) = ("x-amz-date", "20260102T030405Z");

    fn outcome(service: Service, uri: &str, headers: &[(&str, &str)]) -> Result<(), (u16, String, String)> {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        check(&service, &request.body(SdkBody::empty()).unwrap())
            .map_err(|error| (error.status, error.code.into_owned(), error.message))
    }

    fn refused(headers: &[(&str, &str)]) -> (u16, String, String) {
        outcome(Service::SageMaker, "/", headers).unwrap_err()
    }

    #[test]
    fn a_signature_of_the_right_form_is_accepted() {
        assert_eq!(outcome(Service::SageMaker, "/", &[("authorization", GOOD), DATE]), Ok(()));
        let date = ("date", "Fri, 02 Jan 2026 03:04:05 GMT");
        assert_eq!(outcome(Service::Runtime, "/", &[("authorization", GOOD), date]), Ok(()));
        let everywhere = GOOD.replace("AWS4-HMAC", "AWS4-ECDSA-P256").replace("us-east-1/", "");
        assert_eq!(outcome(Service::Logs, "/", &[("authorization", &everywhere), DATE]), Ok(()));
        let presigned = "/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0f\
                         &X-Amz-Credential=AK%2F20260102%2Fus-east-1%2Fsts%2Faws4_request\
                         &X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host";
        assert_eq!(outcome(Service::Sts, presigned, &[]), Ok(()));
    }

    #[test]
    fn what_is_not_signed_is_refused_in_each_protocol() {
        let missing = |service| outcome(service, "/", &[]).unwrap_err();
        let expected = |status, code: &str, message: &str| (status, code.to_owned(), message.to_owned());
        let text = "Missing Authentication Token";
        assert_eq!(missing(Service::SageMaker), expected(400, "MissingAuthenticationTokenException", text));
        assert_eq!(missing(Service::Runtime), expected(403, "MissingAuthenticationTokenException", text));
        let text = "Request is missing Authentication Token";
        assert_eq!(missing(Service::Sts), expected(403, "MissingAuthenticationToken", text));
        assert_eq!(missing(Service::CloudWatch), expected(403, "MissingAuthenticationToken", text));
        assert_eq!(refused(&[("authorization", " ")]).1, "MissingAuthenticationTokenException");
    }

    #[test]
    fn malformed_headers_are_refused() {
        for (from, to, code, text) in [
            ("Credential=AK/", "Cred=AK/", "IncompleteSignature", "requires 'Credential' parameter"),
            ("SignedHeaders=host;x-amz-date, ", "", "IncompleteSignature", "requires 'SignedHeaders' parameter"),
            ("Signature=0f", "Signature=", "IncompleteSignature", "requires 'Signature' parameter"),
            ("Signature=0f", "Signature", "IncompleteSignature", "missing equal-sign"),
            ("us-east-1/", "", "IncompleteSignature", "exactly 5 slash-delimited elements"),
            (
                "AWS4-HMAC-SHA256",
                "AWS4-HMAC-SHA1",
                "IncompleteSignature",
                "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'",
            ),
            ("host;", "", "InvalidSignature", "'Host' or ':authority' must be a 'SignedHeader'"),
            ("aws4_request", "aws5_request", "InvalidSignature", "not 'aws5_request'"),
            ("20260102", "20260103", "InvalidSignature", "'20260103' != '20260102'"),
            ("20260102", "2026-01-02", "InvalidSignature", "Date in Credential scope"),
            ("AK/", "/", "MissingAuthenticationToken", "Missing"),
        ] {
            let (status, given, message) = refused(&[("authorization", &GOOD.replace(from, to)), DATE]);
            assert_eq!((status, given), (400, format!("{code}Exception")), "{to}: {message}");
            assert!(message.contains(text), "{to}: {message}");
        }
        for scheme in ["AWS AK:c2lnbmF0dXJl", "Basic dXNlcjpwYXNz", "Bearer token", "AWS4-HMAC-SHA256", "\u{fffd}"] {
            let (_, code, message) = refused(&[("authorization", scheme), DATE]);
            assert_eq!(code, "IncompleteSignatureException", "{scheme}");
            assert!(!message.contains("token") && !message.contains("dXNl"), "{message}");
        }
        let no_date = refused(&[("authorization", GOOD)]).2;
        assert!(no_date.contains("either a 'X-Amz-Date' or a 'Date' header."), "{no_date}");
        let (_, code, text) = refused(&[("authorization", GOOD), ("x-amz-date", "yesterday")]);
        assert_eq!(code, "IncompleteSignatureException");
        assert!(text.contains("Got 'yesterday'"), "{text}");
    }

    #[test]
    fn malformed_presigned_requests_are_refused() {
        let refused = |query: &str| outcome(Service::Sts, &format!("/?{query}"), &[]).unwrap_err();
        let (status, code, message) = refused("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260102T030405Z");
        assert_eq!((status, code.as_str()), (400, "IncompleteSignature"));
        assert!(message.contains("must include 'X-Amz-Credential'. ") && message.ends_with("parameters."), "{message}");
        let both = outcome(Service::Sts, "/?X-Amz-Algorithm=a", &[("authorization", GOOD), DATE]).unwrap_err();
        assert_eq!((both.0, both.1.as_str()), (403, "SignatureDoesNotMatch"));
    }
}
