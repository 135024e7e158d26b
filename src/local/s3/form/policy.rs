//! The policy of a form: which fields and files its author allows, and until when.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::base64;
use aws_smithy_types::date_time::Format;
use http::StatusCode;
use s3s::{S3Error, S3Result};
use serde_json::Value;

use super::Form;
use crate::local::s3::errors;

/// Fields that are part of the signature and never become headers.
pub(super) fn is_of_signature(name: &str) -> bool {
    matches!(name, "x-amz-algorithm" | "x-amz-credential" | "x-amz-date" | "x-amz-signature" | "x-amz-security-token")
}

/// Whether a policy need not speak of a field.
fn is_free(name: &str) -> bool {
    matches!(name, "policy" | "signature" | "awsaccesskeyid" | "x-amz-signature") || name.starts_with("x-ignore-")
}

/// Checks a form against its policy, which is Base64 of JSON.
pub(super) fn check(policy: &str, form: &Form, bucket: &str, now: SystemTime) -> S3Result<()> {
    let compact: String = policy.split_ascii_whitespace().collect();
    let document: Value = base64::decode(compact)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| invalid("Invalid Policy: Invalid JSON."))?;
    let expiration = document.get("expiration").and_then(Value::as_str);
    let expiration = expiration.ok_or_else(|| invalid("Invalid Policy: Policy missing expiration."))?;
    let end = DateTime::from_str(expiration, Format::DateTime).ok().and_then(|end| SystemTime::try_from(end).ok());
    let end = end.ok_or_else(|| invalid(format!("Invalid Policy: Invalid 'expiration' value: '{expiration}'")))?;
    let conditions = document.get("conditions").and_then(Value::as_array);
    let conditions = conditions.ok_or_else(|| invalid("Invalid Policy: Policy missing conditions."))?;
    if now > end {
        return Err(denied("Policy expired."));
    }

    let mut named = Vec::new();
    for condition in conditions {
        for rule in Rule::of(condition)? {
            rule.check(form, bucket)?;
            named.extend(rule.field());
        }
    }
    let is_named = |name: &str| named.iter().any(|named| named == name);
    let extra: Vec<&str> =
        form.fields.iter().map(|(name, _)| name.as_str()).filter(|name| !is_free(name) && !is_named(name)).collect();
    if extra.is_empty() { Ok(()) } else { Err(denied(&format!("Extra input fields: {}", extra.join(", ")))) }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    let mut error = S3Error::with_message(s3s::S3ErrorCode::Custom("InvalidPolicyDocument".into()), message);
    error.set_status_code(StatusCode::BAD_REQUEST);
    error
}

fn denied(why: &str) -> S3Error {
    S3Error::with_message(s3s::S3ErrorCode::AccessDenied, format!("Invalid according to Policy: {why}"))
}

/// One condition.
#[derive(Debug)]
enum Rule {
    Equals(String, String),
    StartsWith(String, String),
    Length(u64, u64),
}

impl Rule {
    /// `{"field": "value", ..}`, `["eq" | "starts-with", "$field", "value"]` or `["content-length-range", 1, 10]`.
    fn of(condition: &Value) -> S3Result<Vec<Self>> {
        let malformed = || invalid("Invalid Policy: Invalid Simple-Condition: value must be a string.");
        match condition {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    Ok(Self::Equals(name.to_ascii_lowercase(), value.as_str().ok_or_else(malformed)?.to_owned()))
                })
                .collect(),
            Value::Array(items) => Self::of_list(items).map(|rule| vec![rule]),
            _ => Err(invalid("Invalid Policy: Invalid Condition: must be an object or a list.")),
        }
    }

    fn of_list(items: &[Value]) -> S3Result<Self> {
        let malformed = || invalid("Invalid Policy: Invalid Condition: wrong number of arguments or of their types.");
        let [operator, first, second] = items else { return Err(malformed()) };
        let operator = operator.as_str().ok_or_else(malformed)?.to_ascii_lowercase();
        if operator == "content-length-range" {
            let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(malformed);
            return Ok(Self::Length(number(first)?, number(second)?));
        }
        let field = first.as_str().and_then(|field| field.strip_prefix('$')).ok_or_else(malformed)?;
        let (field, value) = (field.to_ascii_lowercase(), second.as_str().ok_or_else(malformed)?.to_owned());
        match operator.as_str() {
            "eq" => Ok(Self::Equals(field, value)),
            "starts-with" => Ok(Self::StartsWith(field, value)),
            _ => Err(malformed()),
        }
    }

    /// The form field that it allows.
    fn field(&self) -> Option<String> {
        match self {
            Self::Equals(field, _) | Self::StartsWith(field, _) => Some(field.clone()),
            Self::Length(..) => None,
        }
    }

    fn check(&self, form: &Form, bucket: &str) -> S3Result<()> {
        let actual = |field: &str| match form.field(field) {
            None if field == "bucket" => bucket.to_owned(),
            value => value.unwrap_or_default().to_owned(),
        };
        let (operator, field, value, holds) = match self {
            Self::Length(least, most) => return check_length(form.file.len() as u64, *least, *most),
            Self::Equals(field, value) => ("eq", field, value, actual(field) == *value),
            Self::StartsWith(field, value) => {
                let actual = actual(field);
                // A list of content types must match as a whole.
                let holds = match field.as_str() {
                    "content-type" => actual.split(',').all(|kind| kind.trim_start().starts_with(value.as_str())),
                    _ => actual.starts_with(value.as_str()),
                };
                ("starts-with", field, value, holds)
            }
        };
        if holds {
            return Ok(());
        }
        let condition = Value::from(vec![operator.to_owned(), format!("${field}"), value.clone()]);
        let condition = condition.to_string().replace("\",\"", "\", \"");
        Err(denied(&format!("Policy Condition failed: {condition}")))
    }
}

fn check_length(length: u64, least: u64, most: u64) -> S3Result<()> {
    let size = length.to_string();
    if length > most {
        let details = [("ProposedSize", size.as_str()), ("MaxSizeAllowed", &most.to_string())];
        return Err(errors::with_details(errors::entity_too_large(), &details));
    }
    if length < least {
        let details = [("ProposedSize", size.as_str()), ("MinSizeAllowed", &least.to_string())];
        return Err(errors::with_details(errors::entity_too_small(), &details));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn form() -> Form {
        let field = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields = [field("key", "up/a"), field("Content-Type", "image/png"), field("x-ignore-me", "1")].concat();
        let body = format!("{fields}--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--b--");
        Form::read(&Bytes::from(body), "b").unwrap()
    }

    fn outcome(policy: &str) -> Result<(), (String, String)> {
        let now = UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        check(&base64::encode(policy), &form(), "data", now)
            .map_err(|error| (error.code().as_str().to_owned(), error.message().unwrap_or_default().to_owned()))
    }

    #[test]
    fn conditions_are_held_against_the_form() {
        let policy = |conditions: &str| {
            let both = r#"{"key": "up/a"}, ["starts-with", "$Content-Type", "image/"]"#;
            format!(r#"{{"expiration": "2026-01-02T03:04:05Z", "conditions": [{both}{conditions}]}}"#)
        };
        assert_eq!(outcome(&policy(r#", {"bucket": "data"}, ["content-length-range", 5, "5"]"#)), Ok(()));
        let denied = "Invalid according to Policy: ";
        for (policy, code, message) in [
            ("{".to_owned(), "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.".to_owned()),
            ("{}".to_owned(), "InvalidPolicyDocument", "Invalid Policy: Policy missing expiration.".to_owned()),
            (policy("").replace(":05Z", ":04Z"), "AccessDenied", format!("{denied}Policy expired.")),
            (
                policy("").replace("key", "keys"),
                "AccessDenied",
                format!("{denied}Policy Condition failed: [\"eq\", \"$keys\", \"up/a\"]"),
            ),
            (
                policy(r#", {"bucket": "other"}"#),
                "AccessDenied",
                format!("{denied}Policy Condition failed: [\"eq\", \"$bucket\", \"other\"]"),
            ),
            (
                policy("").replace("Content-Type", "x-ignore-me").replace("image/", ""),
                "AccessDenied",
                format!("{denied}Extra input fields: content-type"),
            ),
            (
                policy(r#", ["content-length-range", 6, 9]"#),
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size".to_owned(),
            ),
            (
                policy(r#", ["content-length-range", 1, 4]"#),
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size".to_owned(),
            ),
        ] {
            assert_eq!(outcome(&policy), Err((code.to_owned(), message)), "{policy}");
        }
    }

    proptest! {
        #[test]
        fn any_policy_is_read_without_a_panic(condition in "[\\[\\]{}\",:$a-z0-9]{0,40}") {
            let _ = outcome(&format!(r#"{{"expiration":"2030-01-01T00:00:00Z","conditions":[{condition}]}}"#));
        }
    }
}
