//! The one request to IAM that this crate makes. The whole IAM client would cost a tenth of the build for it.

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
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, try_data};
use aws_types::service_config::ServiceConfigKey;

use super::ServiceCall;
use crate::types::Arn;
use crate::{Error, ErrorKind, Result};

const OPERATION: &str = "GetRole";
const FORM: &str = "application/x-www-form-urlencoded";

/// IAM is one service for all regions of a partition: beginning of the regions' names, host, region to sign for.
const PARTITIONS: &[(&str, &str, &str)] = &[
    ("cn-", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ("us-gov-", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
    ("us-iso-", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
    ("us-isob-", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
    ("us-isof-", "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
    ("eu-isoe-", "iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
    ("eusc-", "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    ("", "iam.amazonaws.com", "us-east-1"),
];

/// IAM, as far as looking a role up needs it.
#[derive(Debug, Clone)]
pub(crate) struct Iam {
    config: SdkConfig,
    timeouts: TimeoutConfig,
}

impl Iam {
    pub(super) fn new(config: &SdkConfig, timeouts: TimeoutConfig) -> Self {
        Self { config: config.clone(), timeouts }
    }

    /// The ARN of the role called `name`, with its path.
    pub(crate) async fn role(&self, name: &str) -> Result<Arn> {
        let config = &self.config;
        let Some(credentials) = config.credentials_provider() else {
            return Err(Error::new(ErrorKind::Config, "the configuration has no credentials").with_operation(OPERATION));
        };
        let credentials = credentials.provide_credentials().await;
        let credentials = credentials.map_err(|e| Error::new(ErrorKind::Config, "no credentials").with_source(e))?;
        let (endpoint, region) = self.endpoint();
        let time = config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        let (identity, form, url) = (Identity::from(credentials), get_role(name), endpoint.clone());
        let signing_time = time.clone();

        let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let mut operation = Operation::builder()
            .service_name("iam")
            .operation_name(OPERATION)
            .endpoint_url(&endpoint)
            .no_auth()
            .standard_retry(&retries)
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
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
        let operation = operation
            .serializer(move |(): ()| signed(&form, &url, region, &identity, signing_time.now()))
            .deserializer(read)
            .build();
        let arn = operation.invoke(()).await.of(OPERATION)?;
        Arn::role(arn)
    }

    /// Where IAM is, and the region to sign for.
    fn endpoint(&self) -> (String, &'static str) {
        let config = &self.config;
        let region = config.region().map_or("", |region| region.as_ref());
        let of_region = PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix));
        let (host, signed_for) =
            of_region.map_or(("iam.amazonaws.com", "us-east-1"), |(_, host, region)| (host, region));
        let key = ServiceConfigKey::builder().service_id("IAM").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = config.service_config().and_then(|loaded| loaded.load_config(key.ok()?));
        let url = own.or_else(|| config.endpoint_url().map(str::to_owned));
        (url.unwrap_or_else(|| format!("https://{host}")), signed_for)
    }
}

fn get_role(name: &str) -> String {
    let encoded: String = name.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    });
    format!("Action=GetRole&RoleName={encoded}&Version=2010-05-08")
}

fn signed(
    form: &str,
    endpoint: &str,
    region: &str,
    identity: &Identity,
    time: std::time::SystemTime,
) -> std::result::Result<HttpRequest, BoxError> {
    let params = v4::SigningParams::builder()
        .identity(identity)
        .region(region)
        .name("iam")
        .time(time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let url = format!("{}/", endpoint.trim_end_matches('/'));
    let headers = [("content-type", FORM)];
    let signable = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(form.as_bytes()))?;
    let (signature, _) = sign(signable, &params)?.into_parts();
    let (headers, _) = signature.into_parts();

    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", FORM);
    for header in headers {
        request.headers_mut().insert(header.name(), header.value().to_owned());
    }
    Ok(request)
}

/// The role's ARN, or what IAM says against it.
fn read(response: &HttpResponse) -> std::result::Result<String, OrchestratorError<ErrorMetadata>> {
    let text = response.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    if response.status().is_success() {
        return element(text, "Arn").ok_or_else(|| OrchestratorError::other("the answer names no role"));
    }
    let mut error = ErrorMetadata::builder();
    if let Some(code) = element(text, "Code") {
        error = error.code(code);
    }
    if let Some(message) = element(text, "Message") {
        error = error.message(message);
    }
    Err(OrchestratorError::operation(error.build()))
}

/// The text of the first element of that name.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut document = Document::new(xml);
    while let Some(start) = document.next_start_element() {
        if start.local() == name {
            let text = try_data(&mut document).ok()?;
            return (!text.is_empty()).then(|| text.into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(region: &'static str) -> (String, &'static str) {
        let config = SdkConfig::builder().region(aws_config::Region::new(region)).build();
        Iam::new(&config, TimeoutConfig::disabled()).endpoint()
    }

    #[test]
    fn each_partition_has_its_own_iam() {
        assert_eq!(host("eu-west-1"), ("https://iam.amazonaws.com".into(), "us-east-1"));
        assert_eq!(host("cn-northwest-1"), ("https://iam.cn-north-1.amazonaws.com.cn".into(), "cn-north-1"));
        assert_eq!(host("us-gov-east-1"), ("https://iam.us-gov.amazonaws.com".into(), "us-gov-west-1"));
        let config = SdkConfig::builder().endpoint_url("http://localhost:4566").build();
        assert_eq!(Iam::new(&config, TimeoutConfig::disabled()).endpoint().0, "http://localhost:4566");
    }

    #[test]
    fn names_are_encoded_and_answers_decoded() {
        assert_eq!(get_role("a+b@c"), "Action=GetRole&RoleName=a%2Bb%40c&Version=2010-05-08");
        let xml = "<GetRoleResponse><GetRoleResult><Role><Path>/a&amp;b/</Path><Arn>arn:x/a&amp;b/R</Arn></Role></GetRoleResult></GetRoleResponse>";
        assert_eq!(element(xml, "Arn").as_deref(), Some("arn:x/a&b/R"));
        assert_eq!(element(xml, "Code"), None);
        assert_eq!(element("<a><Arn>", "Arn"), None);
    }
}
