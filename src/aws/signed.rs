//! Requests that no generated client makes: a whole client for one request would cost a tenth of the build.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::service_config::ServiceConfigKey;

use super::ServiceCall;
use super::error::is_throttling;
use crate::{Error, ErrorKind, Result};

/// A `POST` to the root of an endpoint.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub(super) config: &'a SdkConfig,
    pub(super) timeouts: &'a TimeoutConfig,
    /// The name to sign for.
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    pub(super) endpoint: String,
    /// The region to sign for.
    pub(super) region: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// Reads an answer, or what it says against the request.
pub(super) type Read<T> = fn(&HttpResponse) -> std::result::Result<T, OrchestratorError<ErrorMetadata>>;

impl Signed<'_> {
    /// Sends it with the retries, time-outs and credentials of the configuration.
    pub(super) async fn send<T: std::fmt::Debug + Send + Sync + 'static>(self, read: Read<T>) -> Result<T> {
        let (config, name) = (self.config, self.operation);
        let Some(credentials) = config.credentials_provider() else {
            return Err(Error::new(ErrorKind::Config, "the configuration has no credentials").with_operation(name));
        };
        let credentials = credentials.provide_credentials().await;
        let credentials = credentials.map_err(|e| Error::new(ErrorKind::Config, "no credentials").with_source(e))?;
        let identity = Identity::from(credentials);
        let time = config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        let signing_time = time.clone();

        let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let mut operation = Operation::builder()
            .service_name(self.service)
            .operation_name(name)
            .endpoint_url(&self.endpoint)
            .no_auth()
            .standard_retry(&retries)
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(Throttling)
            .timeout_config(self.timeouts.clone())
            .time_source(time);
        if let Some(behavior) = config.behavior_version() {
            operation = operation.behavior_version(behavior);
        }
        if let Some(client) = config.http_client() {
            operation = operation.http_client(client);
        }
        if let Some(sleep) = config.sleep_impl() {
            operation = operation.sleep_impl(sleep);
        }
        let Self { service, endpoint, region, headers, body, .. } = self;
        let operation = operation
            .serializer(move |(): ()| {
                request(service, &endpoint, &region, &headers, &body, &identity, signing_time.now())
            })
            .deserializer(read)
            .build();
        operation.invoke(()).await.of(name)
    }
}

/// Has a throttled request sent again: AWS refuses it with the status 400, which says nothing by itself.
#[derive(Debug)]
struct Throttling;

impl ClassifyRetry for Throttling {
    fn name(&self) -> &'static str {
        "Throttling"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(|answer| answer.err()?.as_operation_error());
        let code = error.and_then(|error| error.downcast_ref::<ErrorMetadata>()?.code());
        if code.is_some_and(is_throttling) { RetryAction::throttling_error() } else { RetryAction::NoActionIndicated }
    }
}

fn request(
    service: &'static str,
    endpoint: &str,
    region: &str,
    headers: &[(&'static str, String)],
    body: &str,
    identity: &Identity,
    time: std::time::SystemTime,
) -> std::result::Result<HttpRequest, BoxError> {
    let params = v4::SigningParams::builder()
        .identity(identity)
        .region(region)
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let url = format!("{}/", endpoint.trim_end_matches('/'));
    let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new("POST", url, signed, SignableBody::Bytes(body.as_bytes()))?;
    let (signature, _) = sign(signable, &params)?.into_parts();
    let (signature, _) = signature.into_parts();

    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.clone());
    }
    for header in signature {
        request.headers_mut().insert(header.name(), header.value().to_owned());
    }
    Ok(request)
}

/// The URL that the configuration names for a service, if it names one.
pub(super) fn own_endpoint(config: &SdkConfig, service_id: &'static str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let own = config.service_config().and_then(|loaded| loaded.load_config(key.build().ok()?));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}
