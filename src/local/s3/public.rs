//! What somebody may do who has no credentials: what a list or a policy grants to everybody.

use aws_smithy_types::body::SdkBody;
use http::{Method, Request};
use serde_json::Value;

use super::storage::Bucket;
use super::{Inner, answer, form, operation};

/// Whether a request without a signature may be handled.
pub(super) fn may(inner: &Inner, request: &Request<SdkBody>) -> bool {
    // A browser asks before it sends, and the signature of a form is among its fields.
    if request.method() == Method::OPTIONS || form::boundary(request.method(), request.headers()).is_some() {
        return true;
    }
    let name = operation::name(request);
    let resource = answer::resource(request);
    let path = resource.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() || name == "CreateBucket" {
        return false;
    }
    // That a bucket does not exist is said to everybody.
    inner.storage.with(bucket, |bucket| Ok(bucket.grants_all(name, key))).unwrap_or(true)
}

/// The permission of access control lists, and the action of policies, that an operation needs.
fn needs(operation: &str) -> (Option<&'static str>, &'static str) {
    match operation {
        "GetObject" | "HeadObject" | "GetObjectAttributes" => (Some("READ"), "s3:GetObject"),
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => (Some("READ"), "s3:ListBucket"),
        "ListObjectVersions" => (Some("READ"), "s3:ListBucketVersions"),
        "ListMultipartUploads" => (Some("READ"), "s3:ListBucketMultipartUploads"),
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            (Some("WRITE"), "s3:PutObject")
        }
        "DeleteObject" | "DeleteObjects" => (Some("WRITE"), "s3:DeleteObject"),
        "AbortMultipartUpload" => (None, "s3:AbortMultipartUpload"),
        "ListParts" => (None, "s3:ListMultipartUploadParts"),
        "GetObjectAcl" => (Some("READ_ACP"), "s3:GetObjectAcl"),
        "GetBucketAcl" => (Some("READ_ACP"), "s3:GetBucketAcl"),
        "PutObjectAcl" => (Some("WRITE_ACP"), "s3:PutObjectAcl"),
        "PutBucketAcl" => (Some("WRITE_ACP"), "s3:PutBucketAcl"),
        "GetObjectTagging" => (None, "s3:GetObjectTagging"),
        "GetBucketLocation" => (None, "s3:GetBucketLocation"),
        // All others are the owner's alone, whatever a policy says of them.
        _ => (None, ""),
    }
}

/// Whether the permission is one of an object, not of its bucket.
fn is_of_object(operation: &str) -> bool {
    matches!(operation, "GetObject" | "HeadObject" | "GetObjectAttributes" | "GetObjectAcl" | "PutObjectAcl")
}

impl Bucket {
    fn grants_all(&self, operation: &str, key: &str) -> bool {
        let (permission, action) = needs(operation);
        if action.is_empty() {
            return false;
        }
        let resource = match key {
            "" => format!("arn:aws:s3:::{}", self.name()),
            key => format!("arn:aws:s3:::{}/{key}", self.name()),
        };
        let policy = self.documents.get("policy").and_then(|policy| serde_json::from_str(policy).ok());
        match policy.as_ref().and_then(|policy| ruling(policy, action, &resource)) {
            Some(ruling) => ruling,
            None => permission.is_some_and(|permission| self.list_grants_all(operation, key, permission)),
        }
    }

    fn list_grants_all(&self, operation: &str, key: &str, permission: &str) -> bool {
        if self.refuses_acls() {
            return false;
        }
        match is_of_object(operation) {
            false => self.acl().is_some_and(|acl| acl.grants_all(permission)),
            true => match self.objects.get(key) {
                Some(object) => object.attributes.acl.as_ref().is_some_and(|acl| acl.grants_all(permission)),
                // Who may list the bucket may know that there is no such object.
                None => self.acl().is_some_and(|acl| acl.grants_all("READ")),
            },
        }
    }
}

/// What a policy says about everybody doing something: `None` if it says nothing. A statement with conditions is
/// passed over, so that it lets nobody in.
fn ruling(policy: &Value, action: &str, resource: &str) -> Option<bool> {
    let mut allowed = None;
    for statement in one_or_many(&policy["Statement"]) {
        let everybody = match &statement["Principal"] {
            Value::String(all) => all == "*",
            accounts => one_or_many(&accounts["AWS"]).iter().any(|account| *account == "*"),
        };
        let names = |member: &str, text: &str| {
            let matches = |pattern: &Value| pattern.as_str().is_some_and(|pattern| is_like(pattern, text));
            one_or_many(&statement[member]).iter().any(matches)
        };
        let applies =
            everybody && statement.get("Condition").is_none() && names("Action", action) && names("Resource", resource);
        match statement["Effect"].as_str() {
            Some("Deny") if applies => return Some(false),
            Some("Allow") if applies => allowed = Some(true),
            _ => {}
        }
    }
    allowed
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// Whether a text is what a pattern with `*` and `?` describes. Only the last `*` is ever tried again, so that no
/// pattern takes long.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut in_text) = (0, 0);
    let mut star = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, in_text) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn policies_rule_on_everybody() {
        let statement = |effect: &str, principal: Value, action: Value| json!({"Effect": effect, "Principal": principal, "Action": action, "Resource": ["arn:aws:s3:::b/open/*"]});
        let rule =
            |statements: Vec<Value>| ruling(&json!({"Statement": statements}), "s3:GetObject", "arn:aws:s3:::b/open/k");
        let get = || json!("s3:GetObject");
        assert_eq!(rule(vec![statement("Allow", json!("*"), get())]), Some(true));
        assert_eq!(rule(vec![statement("Allow", json!({"AWS": ["1", "*"]}), json!(["s3:Put*", "s3:*"]))]), Some(true));
        assert_eq!(rule(vec![statement("Allow", json!({"AWS": "1"}), get())]), None);
        assert_eq!(rule(vec![statement("Allow", json!("*"), json!("s3:PutObject"))]), None);
        let denied = statement("Deny", json!("*"), json!("s3:Get*"));
        assert_eq!(rule(vec![statement("Allow", json!("*"), get()), denied]), Some(false));
        let mut conditional = statement("Allow", json!("*"), get());
        conditional["Condition"] = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
        assert_eq!(rule(vec![conditional]), None);
        let one = json!({"Statement": statement("Allow", json!("*"), get())});
        assert_eq!(ruling(&one, "s3:GetObject", "arn:aws:s3:::b/closed/k"), None);
        assert_eq!(ruling(&json!({"Statement": [1, null]}), "s3:GetObject", "arn:aws:s3:::b/k"), None);
    }

    #[test]
    fn patterns_are_matched() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a?c", "abc", true),
            ("a?", "a", false),
            ("**b", "aab", true),
            ("", "a", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_like_itself_with_a_star_in_it(text in "[a-c?]{0,12}", at in 0usize..12, length in 0usize..12) {
            prop_assert!(is_like(&text, &text));
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            let starred = format!("{}*{}", &text[..at], &text[end..]);
            prop_assert!(is_like(&starred, &text));
        }
    }
}
