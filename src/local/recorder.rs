//! Keeps every request for assertions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::query;

/// A request as it arrived.
///
/// JSON requests (SageMaker, Logs) keep their whole body, form requests (STS, IAM) their members. Of S3 and runtime
/// requests the headers that matter and the length of the body are kept, never the payload.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// `sagemaker`, `sagemaker-runtime`, `s3`, `logs`, `sts` or `iam`.
    pub service: String,
    /// Such as `CreateTrainingJob` or `PutObject`; the HTTP method where nothing tells.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// The host that the request was for; empty if it named none.
    pub host: String,
    /// Path and query, still percent-encoded; without the signature, key and token of a presigned URL.
    pub path: String,
    /// `content-type`, `accept` and all `x-amz-*` and `x-amzn-*` headers but those of signing and encryption keys; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The JSON body; `null` for S3 and the runtime.
    pub body: Value,
    /// The length of the body in bytes, as far as it is known.
    pub body_length: u64,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// The newest requests; the oldest go when there are too many or they are too large together.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<(RecordedRequest, u64)>,
    bytes: u64,
}

/// What must not be kept of a presigned URL.
const SIGNING_PARAMETERS: [&str; 5] =
    ["x-amz-signature", "x-amz-security-token", "x-amz-credential", "signature", "awsaccesskeyid"];

const MAX_REQUESTS: usize = 10_000;
const MAX_BYTES: u64 = 32 << 20;

impl Recorder {
    pub(super) fn record(&self, request: RecordedRequest) {
        let size = if request.body.is_null() { 0 } else { request.body_length };
        let mut kept = self.kept();
        kept.bytes += size;
        kept.requests.push_back((request, size));
        while kept.requests.len() > MAX_REQUESTS || (kept.bytes > MAX_BYTES && kept.requests.len() > 1) {
            if let Some((_, size)) = kept.requests.pop_front() {
                kept.bytes -= size;
            }
        }
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.kept().requests.iter().map(|(request, _)| request.clone()).collect()
    }

    pub(super) fn reset(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a header says something about the request, rather than about how it was signed or sent.
pub(super) fn matters(header: &str) -> bool {
    let signing = ["x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "x-amz-user-agent", "x-amz-target"];
    let relevant = header == "content-type" || header == "accept" || header.starts_with("x-amz");
    relevant && !signing.contains(&header) && !header.contains("customer-key")
}

/// Whether a parameter of a presigned URL is part of its signature, and so a secret.
pub(super) fn signs(parameter: &str) -> bool {
    SIGNING_PARAMETERS.contains(&parameter.to_ascii_lowercase().as_str())
}

/// Path and query without what signs a presigned URL: with it, whoever reads the record could send the request again.
pub(super) fn unsigned(path_and_query: &str) -> String {
    let Some((path, query)) = path_and_query.split_once('?') else { return path_and_query.to_owned() };
    let is_secret = |pair: &&str| signs(&query::decode(pair.split('=').next().unwrap_or_default().as_bytes()));
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_secret(pair)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: usize, length: u64) -> RecordedRequest {
        RecordedRequest {
            service: "sagemaker".into(),
            operation: operation.to_string(),
            method: "POST".into(),
            host: String::new(),
            path: "/".into(),
            headers: BTreeMap::new(),
            body: Value::Bool(true),
            body_length: length,
            status: 200,
        }
    }

    #[test]
    fn secrets_are_left_out() {
        let path = "/k?X-Amz-Signature=a&versionId=1&x-amz-security-token=b&X-Amz-Cred%65ntial=c&X-Amz-Expires=9";
        assert_eq!(unsigned(path), "/k?versionId=1&X-Amz-Expires=9");
        assert_eq!(unsigned("/k?Signature=a&AWSAccessKeyId=b"), "/k");
        assert_eq!(unsigned("/k"), "/k");
        assert!(matters("x-amz-meta-a") && !matters("x-amz-server-side-encryption-customer-key"));
        assert!(!matters("x-amz-copy-source-server-side-encryption-customer-key-md5"));
    }

    #[test]
    fn memory_is_bounded() {
        let recorder = Recorder::default();
        for i in 0..MAX_REQUESTS + 5 {
            recorder.record(request(i, 1));
        }
        let kept = recorder.requests();
        assert_eq!((kept.len(), kept[0].operation.as_str()), (MAX_REQUESTS, "5"));
        recorder.record(request(0, MAX_BYTES + 1));
        assert_eq!(recorder.requests().len(), 1);
        recorder.reset();
        assert!(recorder.requests().is_empty());
    }
}
