use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use super::attempts::CountAttempts;
use super::iam::Iam;
use super::metrics::CloudWatch;
use super::read_timeout::ReadTimeout;
use super::validation::ValidateRequests;

/// The AWS SDK for Rust waits for an answer for ever unless it is told otherwise; the other SDKs of AWS wait so long.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// A container may take 60 s to answer; the service cuts it off then, so the client waits a little longer.
const RUNTIME_READ_TIMEOUT: Duration = Duration::from_secs(80);
/// Reading the logs of many instances is throttled early and often.
const LOGS_ATTEMPTS: u32 = 15;

/// The raw AWS clients of a session, for what this crate does not wrap.
///
/// Requests of the SageMaker client are checked against the published API model before they are signed.
///
/// ```
/// # #[cfg(feature = "local")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let session = sagemaker::Session::local();
/// let models = session.aws().sagemaker().list_models().send().await?;
/// assert!(models.models().is_empty());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "local"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Aws {
    sagemaker: aws_sdk_sagemaker::Client,
    runtime: aws_sdk_sagemakerruntime::Client,
    s3: aws_sdk_s3::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    sts: aws_sdk_sts::Client,
    iam: Iam,
    metrics: CloudWatch,
}

impl Aws {
    /// All clients from one configuration.
    pub(crate) fn new(config: &SdkConfig, path_style_s3: bool, validate_requests: bool) -> Self {
        let patient = patience(config, READ_TIMEOUT);
        let mut sagemaker =
            aws_sdk_sagemaker::config::Builder::from(config).timeout_config(patient.clone()).interceptor(CountAttempts);
        if validate_requests {
            sagemaker = sagemaker.interceptor(ValidateRequests);
        }
        let runtime = aws_sdk_sagemakerruntime::config::Builder::from(config)
            .timeout_config(patience(config, RUNTIME_READ_TIMEOUT))
            .build();
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(path_style_s3)
            .interceptor(ReadTimeout(READ_TIMEOUT))
            .build();
        let logs = aws_sdk_cloudwatchlogs::config::Builder::from(config)
            .retry_config(logs_retries(config))
            .timeout_config(patient.clone())
            .build();
        let sts = aws_sdk_sts::config::Builder::from(config).timeout_config(patient.clone()).build();
        Self {
            sagemaker: aws_sdk_sagemaker::Client::from_conf(sagemaker.build()),
            runtime: aws_sdk_sagemakerruntime::Client::from_conf(runtime),
            s3: aws_sdk_s3::Client::from_conf(s3),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs),
            sts: aws_sdk_sts::Client::from_conf(sts),
            iam: Iam::new(config, patient.clone()),
            metrics: CloudWatch::new(config, patient),
        }
    }

    /// SageMaker: jobs, models, endpoints.
    pub fn sagemaker(&self) -> &aws_sdk_sagemaker::Client {
        &self.sagemaker
    }

    /// SageMaker Runtime: invoking endpoints.
    pub fn runtime(&self) -> &aws_sdk_sagemakerruntime::Client {
        &self.runtime
    }

    /// S3.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        &self.s3
    }

    /// CloudWatch Logs.
    pub fn logs(&self) -> &aws_sdk_cloudwatchlogs::Client {
        &self.logs
    }

    pub(crate) fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    pub(crate) fn iam(&self) -> &Iam {
        &self.iam
    }

    pub(crate) fn metrics(&self) -> &CloudWatch {
        &self.metrics
    }
}

/// The time-outs of the caller's configuration, with a read time-out where it neither sets one nor turns it off.
fn patience(config: &SdkConfig, read: Duration) -> TimeoutConfig {
    let ours = TimeoutConfig::builder().read_timeout(read);
    match config.timeout_config() {
        Some(own) => own.to_builder().take_unset_from(ours).build(),
        None => ours.build(),
    }
}

/// More attempts than the AWS SDK's default number, unless the caller has chosen another, or that very one.
fn logs_retries(config: &SdkConfig) -> RetryConfig {
    let standard = RetryConfig::standard();
    match config.retry_config() {
        Some(own) if own.max_attempts() != standard.max_attempts() || is_chosen(config) => own.clone(),
        own => own.cloned().unwrap_or(standard).with_max_attempts(LOGS_ATTEMPTS),
    }
}

/// A configuration that was loaded has always a number of attempts; one that was put together by hand has one only if
/// somebody chose it. What a profile has chosen, or who loads with a number of their own, cannot be told apart.
fn is_chosen(config: &SdkConfig) -> bool {
    config.service_config().is_none() || std::env::var_os("AWS_MAX_ATTEMPTS").is_some()
}

#[cfg(all(test, feature = "local"))]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

    use super::*;

    /// Answers nothing, and notes the read time-out that each request came with.
    #[derive(Debug, Clone, Default)]
    struct Notes {
        seen: Arc<Mutex<BTreeMap<String, Option<u64>>>>,
        timeout: Option<Duration>,
    }

    impl HttpClient for Notes {
        fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(Self { timeout: settings.read_timeout(), ..self.clone() })
        }
    }

    impl HttpConnector for Notes {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let host =
                request.uri().split('/').nth(2).unwrap_or_default().split(".us-east-1").next().unwrap_or_default();
            let host = host.trim_start_matches("b.");
            let name = format!("{} {host}", request.method());
            self.seen.lock().expect("no test panics here").insert(name, self.timeout.map(|timeout| timeout.as_secs()));
            HttpConnectorFuture::ready(Err(ConnectorError::user("no answer".into())))
        }
    }

    async fn timeouts(own: Option<TimeoutConfig>) -> Vec<(String, Option<u64>)> {
        let notes = Notes::default();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .http_client(notes.clone());
        config.set_timeout_config(own);
        let aws = Aws::new(&config.build(), false, true);
        let _ = aws.sagemaker().list_models().send().await;
        let _ = aws.runtime().invoke_endpoint().endpoint_name("e").send().await;
        let _ = aws.logs().describe_log_groups().send().await;
        let _ = aws.sts().get_caller_identity().send().await;
        let _ = aws.iam().role("r").await;
        let _ = aws.s3().head_bucket().bucket("b").send().await;
        let _ = aws.s3().put_object().bucket("b").key("k").send().await;
        let seen = std::mem::take(&mut *notes.seen.lock().expect("no test panics here"));
        seen.into_iter().collect()
    }

    #[tokio::test]
    async fn what_gives_no_answer_is_not_waited_for_for_ever() {
        let with = |own: Option<TimeoutConfig>, others, runtime, uploads| async move {
            let expected = [
                ("HEAD s3", others),
                ("POST api.sagemaker", others),
                ("POST iam.amazonaws.com", others),
                ("POST logs", others),
                ("POST runtime.sagemaker", runtime),
                ("POST sts", others),
                ("PUT s3", uploads),
            ];
            assert_eq!(timeouts(own).await, expected.map(|(name, timeout)| (name.to_owned(), timeout)));
        };
        with(None, Some(60), Some(80), None).await;
        let only_another = TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).build();
        with(Some(only_another), Some(60), Some(80), None).await;
        with(Some(TimeoutConfig::disabled()), None, None, None).await;
        let own = TimeoutConfig::builder().read_timeout(Duration::from_secs(5)).build();
        with(Some(own), Some(5), Some(5), Some(5)).await;
    }

    #[test]
    fn attempts_that_the_caller_has_chosen_stay() {
        let attempts = |own: Option<RetryConfig>| {
            let mut config = SdkConfig::builder();
            config.set_retry_config(own);
            logs_retries(&config.build()).max_attempts()
        };
        assert_eq!(attempts(None), 15);
        assert_eq!(attempts(Some(RetryConfig::standard())), 3, "somebody has put it there");
        assert_eq!(attempts(Some(RetryConfig::disabled())), 1);
        assert_eq!(attempts(Some(RetryConfig::standard().with_max_attempts(20))), 20);
    }
}
