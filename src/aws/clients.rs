use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use super::validation::ValidateRequests;

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
    iam: aws_sdk_iam::Client,
}

impl Aws {
    /// All clients from one configuration.
    pub(crate) fn new(config: &SdkConfig, path_style_s3: bool, validate_requests: bool) -> Self {
        let mut sagemaker = aws_sdk_sagemaker::config::Builder::from(config);
        if validate_requests {
            sagemaker = sagemaker.interceptor(ValidateRequests);
        }
        let sagemaker = sagemaker.build();
        // A container may take 60 s to answer; the service cuts it off then, so the client waits a little longer.
        let patient = TimeoutConfig::builder().read_timeout(Duration::from_secs(80)).build();
        let runtime = aws_sdk_sagemakerruntime::config::Builder::from(config)
            .timeout_config(
                config
                    .timeout_config()
                    .cloned()
                    .map_or(patient.clone(), |own| own.to_builder().take_unset_from(patient.to_builder()).build()),
            )
            .build();
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style_s3).build();
        // Reading the logs of many instances is throttled early and often.
        let logs = aws_sdk_cloudwatchlogs::config::Builder::from(config)
            .retry_config(config.retry_config().cloned().unwrap_or_else(RetryConfig::standard).with_max_attempts(15))
            .build();
        Self {
            sagemaker: aws_sdk_sagemaker::Client::from_conf(sagemaker),
            runtime: aws_sdk_sagemakerruntime::Client::from_conf(runtime),
            s3: aws_sdk_s3::Client::from_conf(s3),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs),
            sts: aws_sdk_sts::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
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

    pub(crate) fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }
}
