//! The operations through the real client, and what only bare requests can show.

mod acls;
mod buckets;
mod checksums;
mod conditions;
mod configuration;
mod forms;
mod keys;
mod listings;
mod locks;
mod memory;
mod multipart;
mod objects;
mod several;
mod versions;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::*;

/// 2026-01-02T03:04:05Z.
const START: u64 = 1_767_323_045;
const ACCOUNT: &str = "123456789012";

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// Hands the client's requests to S3 without a socket.
#[derive(Clone, Debug)]
struct InProcess(S3);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let s3 = self.0.clone();
        HttpConnectorFuture::new(async move {
            let response = s3.handle(request.try_into_http1x().unwrap()).await;
            Ok(HttpResponse::try_from(response).unwrap())
        })
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

struct Fixture {
    s3: S3,
    clock: Clock,
    client: Client,
}

impl Fixture {
    fn new() -> Self {
        let clock = Clock(Arc::new(AtomicU64::new(START)));
        let time = clock.clone();
        let now = Arc::new(move || time.now());
        let s3 = S3::new("us-east-1", ACCOUNT, now.clone(), now);
        s3.create_bucket("data");
        let client = client(&s3, "us-east-1", false);
        Self { s3, clock, client }
    }

    async fn put(&self, key: &str, body: &'static str) {
        let body = ByteStream::from_static(body.as_bytes());
        self.client.put_object().bucket("data").key(key).body(body).send().await.unwrap();
    }

    async fn send(&self, request: http::Request<&str>) -> (http::response::Parts, String) {
        let (parts, body) = self.s3.handle(request.map(SdkBody::from)).await.into_parts();
        let body = ByteStream::new(body).collect().await.unwrap().to_vec();
        (parts, String::from_utf8(body).unwrap())
    }
}

fn client(s3: &S3, region: &'static str, path_style: bool) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new("anyone", "anything", None, None, "tests"))
        .http_client(InProcess(s3.clone()))
        .force_path_style(path_style)
        .build();
    Client::from_conf(config)
}

/// Code and message of a refused operation, with the status.
fn refused<E: ProvideErrorMetadata + fmt::Debug, T: fmt::Debug>(
    outcome: Result<T, SdkError<E>>,
) -> (u16, String, String) {
    let error = outcome.unwrap_err();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (status, text(error.code()), text(error.message()))
}

/// Asserts status and code.
macro_rules! assert_refused {
    ($outcome:expr, $status:expr, $code:expr) => {{
        let (status, code, message) = $crate::local::s3::tests::refused($outcome);
        assert_eq!((status, code.as_str()), ($status, $code), "{message}");
        message
    }};
}
use assert_refused;

#[tokio::test]
async fn jobs_inside_the_backend_see_what_clients_see() {
    let fixture = Fixture::new();
    let Fixture { s3, client, .. } = &fixture;
    assert!(s3.bucket_exists("data") && !s3.bucket_exists("other"));
    assert!(s3.put("data", "in/b.csv", Bytes::from_static(b"1,2"), Some("text/csv")));
    assert!(!s3.put("other", "a", Bytes::new(), None));
    let object = client.get_object().bucket("data").key("in/b.csv").send().await.unwrap();
    assert_eq!(object.content_type(), Some("text/csv"));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"1,2");

    fixture.put("in/a.csv", "3").await;
    fixture.put("out", "").await;
    assert_eq!(s3.get("data", "in/a.csv").as_deref(), Some(b"3".as_slice()));
    assert_eq!((s3.get("data", "in"), s3.get("other", "a")), (None, None));
    let info = |key: &str, size| ObjectInfo { key: key.to_owned(), size };
    assert_eq!(s3.list("data", "in/"), [info("in/a.csv", 1), info("in/b.csv", 3)]);
    assert_eq!((s3.list("data", "").len(), s3.list("other", "").len()), (3, 0));

    s3.create_bucket("data");
    assert_eq!(s3.list("data", "").len(), 3);
    s3.reset();
    assert!(!s3.bucket_exists("data"));
}
