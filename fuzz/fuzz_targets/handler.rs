//! Any HTTP request, to any service, on a backend that others have used before: it answers, and soon.
#![no_main]

use std::cell::RefCell;

use arbitrary::Arbitrary;
use aws_smithy_types::body::SdkBody;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use sagemaker::local::LocalBackend;
use tokio::runtime::Runtime;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    method: Method,
    to: Destination<'a>,
    headers: Vec<(Header, &'a [u8])>,
    body: Body<'a>,
}

#[derive(Debug, Arbitrary)]
enum Method {
    Get,
    Head,
    Put,
    Post,
    Delete,
    Other(u8),
}

#[derive(Debug, Arbitrary)]
enum Destination<'a> {
    Target(Service, &'a str),
    Runtime(&'a str, u8),
    Query(bool),
    Bucket(&'a str),
    Object(&'a str, &'a str),
    Cbor(&'a str),
    Anything(&'a str),
}

#[derive(Debug, Arbitrary)]
enum Service {
    SageMaker,
    Logs,
    Metrics,
}

#[derive(Debug, Arbitrary)]
enum Body<'a> {
    Bytes(&'a [u8]),
    /// A request that gets past the parser.
    Members(Vec<(&'a str, Member<'a>)>),
}

#[derive(Debug, Arbitrary)]
enum Member<'a> {
    Text(&'a str),
    Number(f64),
    Flag(bool),
    Texts(Vec<&'a str>),
    Pairs(Vec<(&'a str, &'a str)>),
}

#[derive(Debug, Arbitrary)]
enum Header {
    ContentType,
    ContentEncoding,
    ContentLength,
    ContentMd5,
    Sha256,
    Decoded,
    Trailer,
    Checksum,
    Range,
    IfMatch,
    CopySource,
    Authorization,
    Tagging,
    Meta,
    InputLocation,
    TargetVariant,
}

impl Header {
    fn name(&self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::ContentType => "content-type",
            Self::ContentEncoding => "content-encoding",
            Self::ContentLength => "content-length",
            Self::ContentMd5 => "content-md5",
            Self::Sha256 => "x-amz-content-sha256",
            Self::Decoded => "x-amz-decoded-content-length",
            Self::Trailer => "x-amz-trailer",
            Self::Checksum => "x-amz-checksum-crc32",
            Self::Range => "range",
            Self::IfMatch => "if-match",
            Self::CopySource => "x-amz-copy-source",
            Self::Authorization => "authorization",
            Self::Tagging => "x-amz-tagging",
            Self::Meta => "x-amz-meta-a",
            Self::InputLocation => "x-amzn-sagemaker-inputlocation",
            Self::TargetVariant => "x-amzn-sagemaker-target-variant",
        })
    }
}

impl Input<'_> {
    fn request(&self) -> Option<Request<SdkBody>> {
        let (path, target) = match &self.to {
            Destination::Target(Service::SageMaker, name) => ("/".to_owned(), Some(format!("SageMaker.{name}"))),
            Destination::Target(Service::Logs, name) => ("/".to_owned(), Some(format!("Logs_20140328.{name}"))),
            Destination::Target(Service::Metrics, name) => {
                ("/".to_owned(), Some(format!("GraniteServiceVersion20100801.{name}")))
            }
            Destination::Runtime(name, 0) => (format!("/endpoints/{name}/async-invocations"), None),
            Destination::Runtime(name, 1) => (format!("/endpoints/{name}/invocations-response-stream"), None),
            Destination::Runtime(name, _) => (format!("/endpoints/{name}/invocations"), None),
            Destination::Query(_) => ("/".to_owned(), None),
            Destination::Bucket(query) => (format!("/bucket?{query}"), None),
            Destination::Object(key, query) => (format!("/bucket/{key}?{query}"), None),
            Destination::Cbor(name) => (format!("/service/GraniteServiceVersion20100801/operation/{name}"), None),
            Destination::Anything(path) => ((*path).to_owned(), None),
        };
        let uri: Uri = path.parse().ok()?;
        let method = match self.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Other(_) => "OPTIONS",
        };
        let mut request = Request::builder().method(method).uri(uri).header("host", "localhost");
        if let Some(target) = target {
            request = request.header("x-amz-target", HeaderValue::from_str(&target).ok()?);
        }
        if let Destination::Query(sts) = self.to {
            let scope = if sts { "sts" } else { "iam" };
            let header = format!("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{scope}/aws4_request");
            request = request.header("authorization", header);
        }
        for (name, value) in self.headers.iter().take(8) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request = request.header(name.name(), value);
            }
        }
        let body = match &self.body {
            Body::Bytes(bytes) => SdkBody::from(bytes.to_vec()),
            Body::Members(members) => {
                let members = members.iter().map(|(name, member)| {
                    let value = match member {
                        Member::Text(text) => serde_json::json!(text),
                        Member::Number(number) => serde_json::json!(number),
                        Member::Flag(flag) => serde_json::json!(flag),
                        Member::Texts(texts) => serde_json::json!(texts),
                        Member::Pairs(pairs) => {
                            pairs.iter().map(|(k, v)| ((*k).to_owned(), serde_json::json!(v))).collect()
                        }
                    };
                    ((*name).to_owned(), value)
                });
                SdkBody::from(serde_json::Value::Object(members.collect()).to_string())
            }
        };
        request.body(body).ok()
    }
}

struct World {
    runtime: Runtime,
    backend: LocalBackend,
    requests: u32,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World {
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
        backend: LocalBackend::new(),
        requests: 0,
    });
}

fuzz_target!(|input: Input<'_>| {
    let Some(request) = input.request() else { return };
    WORLD.with_borrow_mut(|world| {
        let World { runtime, backend, requests } = world;
        runtime.block_on(async {
            if *requests % 10_000 == 0 {
                backend.reset();
                let bucket = Request::put("/bucket").header("host", "localhost").body(SdkBody::empty());
                backend.handle(bucket.expect("a request")).await;
            }
            let answer = backend.handle(request).await;
            assert!((100..600).contains(&answer.status().as_u16()));
            let _ = answer.into_body().collect().await;
        });
        *requests += 1;
    });
});
