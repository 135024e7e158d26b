//! What the targets share: a backend that others have used before, and requests written as text.

use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use sagemaker::local::LocalBackend;
use sagemaker::local::engines::{FnEngine, Invocation, Reply};
use tokio::runtime::Runtime;

/// After so many requests everything begins anew, so that what is found can be found again.
const GENERATION: u32 = 10_000;

const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature=0";

/// What makes the endpoint, model and bucket that requests find.
const FURNITURE: [(&str, &str); 3] = [
    (
        "CreateModel",
        r#"{"ModelName":"m","ExecutionRoleArn":"arn:aws:iam::123456789012:role/SageMakerRole","PrimaryContainer":{"Image":"echo:1"}}"#,
    ),
    (
        "CreateEndpointConfig",
        r#"{"EndpointConfigName":"c","ProductionVariants":[{"VariantName":"v","ModelName":"m","InstanceType":"ml.m5.large","InitialInstanceCount":1}],"AsyncInferenceConfig":{"OutputConfig":{"S3OutputPath":"s3://bucket/async"}}}"#,
    ),
    ("CreateEndpoint", r#"{"EndpointName":"e","EndpointConfigName":"c"}"#),
];

/// A backend and the runtime that it is on.
pub struct World {
    pub runtime: Runtime,
    pub backend: LocalBackend,
    requests: u32,
}

impl World {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let echo = FnEngine::for_image("echo")
            .serve_with(|request: &Invocation| Ok(Reply::new(request.content_type.clone(), request.body.clone())));
        Self { runtime, backend: LocalBackend::builder().engine(echo).build(), requests: 0 }
    }

    /// Answers a request and reads the answer to its end.
    pub fn answer(&mut self, request: Request<SdkBody>) -> Response<bytes::Bytes> {
        let Self { runtime, backend, requests } = self;
        let first = *requests % GENERATION == 0;
        *requests += 1;
        runtime.block_on(async {
            if first {
                backend.reset();
                furnish(backend).await;
            }
            let (parts, body) = backend.handle(request).await.into_parts();
            assert!((100..600).contains(&parts.status.as_u16()));
            // A stream may break off; jobs that the request began get a turn.
            let body = body.collect().await.map(|whole| whole.to_bytes()).unwrap_or_default();
            tokio::task::yield_now().await;
            Response::from_parts(parts, body)
        })
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

async fn furnish(backend: &LocalBackend) {
    for (path, body) in [("/bucket", ""), ("/bucket/key", "content"), ("/bucket/folder/data.csv", "1,2\n3,4\n")] {
        let request = request(format!("PUT {path}\n\n{body}").as_bytes()).expect("a request");
        assert!(backend.handle(request).await.status().is_success(), "{path}");
    }
    for (operation, body) in FURNITURE {
        let text = format!("POST /\nx-amz-target: SageMaker.{operation}\n\n{body}");
        let answer = backend.handle(request(text.as_bytes()).expect("a request")).await;
        assert!(answer.status().is_success(), "{operation}");
    }
}

/// Reads `METHOD /path\nname: value\n\nbody`. A request that does not say how it is signed is signed.
pub fn request(text: &[u8]) -> Option<Request<SdkBody>> {
    let split = text.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match split {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, path) = first.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(path);
    let headers = request.headers_mut()?;
    for line in lines.take(32) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    for (name, value) in [("host", "localhost"), ("authorization", SIGNATURE), ("x-amz-date", "20260102T030405Z")] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    request.body(SdkBody::from(body.to_vec())).ok()
}

/// A log that nobody reads.
pub fn silent() -> Arc<dyn Fn(&str) + Send + Sync> {
    Arc::new(|_| {})
}
