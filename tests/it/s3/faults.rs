//! A network that fails where a test wants it to, in front of a local backend.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use sagemaker::local::LocalBackend;
use sagemaker::{Result, Session};

/// What becomes of a request.
pub enum Fault {
    /// The backend answers.
    None,
    /// The backend is not asked.
    Answer(Box<Response<SdkBody>>),
    /// The body of the backend's answer breaks off after so many bytes.
    BreakOff(usize),
    /// The request stays under way for so long and is counted meanwhile.
    Slow(Duration, Arc<Gauge>),
    /// No answer ever comes.
    Hang,
}

/// How many requests were under way at once.
#[derive(Debug, Default)]
pub struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

type Plan = dyn Fn(&Request<SdkBody>) -> Fault + Send + Sync;

#[derive(Clone)]
struct Faulty {
    backend: LocalBackend,
    plan: Arc<Plan>,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl HttpConnector for Faulty {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { backend, plan } = self.clone();
        HttpConnectorFuture::new(async move {
            let failed = |error| ConnectorError::other(Box::new(error), None);
            let request = request.try_into_http1x().map_err(failed)?;
            let answer = match plan(&request) {
                Fault::None => backend.handle(request).await,
                Fault::Answer(answer) => *answer,
                Fault::BreakOff(after) => break_off(backend.handle(request).await, after).await,
                Fault::Slow(time, gauge) => {
                    let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
                    gauge.most.fetch_max(now, Ordering::SeqCst);
                    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
                    let answer = backend.handle(request).await;
                    gauge.now.fetch_sub(1, Ordering::SeqCst);
                    answer
                }
                Fault::Hang => std::future::pending().await,
            };
            HttpResponse::try_from(answer).map_err(failed)
        })
    }
}

impl HttpClient for Faulty {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

async fn break_off(answer: Response<SdkBody>, after: usize) -> Response<SdkBody> {
    let (head, body) = answer.into_parts();
    let body: Bytes = body.collect().await.unwrap().to_bytes();
    let first = Full::new(body.slice(..after.min(body.len()))).frame().await.map(|frame| Ok(frame.unwrap()));
    let broken = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    let body = StreamBody::new(stream::iter(first.into_iter().chain([broken])));
    Response::from_parts(head, SdkBody::from_body_1_x(body))
}

/// A refusal in S3's form.
pub fn refused(status: u16, code: &str) -> Fault {
    let text = format!("<Error><Code>{code}</Code><Message>refused by the test</Message></Error>");
    answer(Response::builder().status(status), text)
}

pub fn answer(head: http::response::Builder, body: impl Into<SdkBody>) -> Fault {
    Fault::Answer(Box::new(head.body(body.into()).unwrap()))
}

/// Whether the request is an `operation` on a key that ends so.
pub fn is(request: &Request<SdkBody>, operation: &str, key: &str) -> bool {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    let method = request.method().as_str();
    let listing = query.contains("list-type=2") || query.contains("uploads");
    let root = uri.path() == "/";
    let found = match (method, query) {
        ("GET", _) if listing => "List",
        ("GET", _) => "GetObject",
        ("HEAD", _) if root => "HeadBucket",
        ("HEAD", _) => "HeadObject",
        ("POST", query) if query.starts_with("uploads") => "CreateMultipartUpload",
        ("PUT", query) if query.contains("partNumber=") => "UploadPart",
        ("PUT", _) if !root => "PutObject",
        _ => "",
    };
    found == operation && uri.path().ends_with(key)
}

/// A session with its own default bucket on the backend, whose requests all go through `plan`.
pub async fn session(
    backend: &LocalBackend,
    plan: impl Fn(&Request<SdkBody>) -> Fault + Send + Sync + 'static,
) -> Result<Session> {
    let credentials = sagemaker::aws::s3::config::Credentials::new("a", "b", None, None, "test");
    let config = sagemaker::aws::config::SdkConfig::builder()
        .behavior_version(sagemaker::aws::config::BehaviorVersion::latest())
        .region(sagemaker::aws::config::Region::new(backend.region().to_owned()))
        .credentials_provider(sagemaker::aws::s3::config::SharedCredentialsProvider::new(credentials))
        .http_client(SharedHttpClient::new(Faulty { backend: backend.clone(), plan: Arc::new(plan) }))
        .build();
    Session::builder().sdk_config(config).build().await
}
