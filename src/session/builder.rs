use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use tokio::sync::OnceCell;

use super::{Inner, Pending, Session, Transfers};
use crate::aws::Aws;
use crate::error::Problems;
use crate::poll::{Clock, PollPolicy, SystemClock};
use crate::types::{Arn, S3Uri};
use crate::{Error, ErrorKind, Result};

/// Settings of a [`Session`]; what is left out comes from the environment.
///
/// ```no_run
/// # async fn run() -> sagemaker::Result<()> {
/// let session = sagemaker::Session::builder()
///     .region("eu-west-1")
///     .role("arn:aws:iam::123456789012:role/SageMakerRole")
///     .bucket("my-bucket")
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct SessionBuilder {
    region: Option<String>,
    sdk_config: Option<SdkConfig>,
    endpoint_url: Option<String>,
    role: Option<String>,
    bucket: Option<String>,
    poll: Option<PollPolicy>,
    clock: Option<Arc<dyn Clock>>,
    trust_requests: bool,
}

impl SessionBuilder {
    /// The region. Default: that of the environment.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// A configuration made with `aws-config`, instead of loading one.
    pub fn sdk_config(mut self, config: SdkConfig) -> Self {
        self.sdk_config = Some(config);
        self
    }

    /// Sends every request, those to S3 with the bucket in the path, to this URL: for emulators.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// The execution role (ARN) that jobs and models run as. Default: see [`Session::execution_role`].
    pub fn role(mut self, arn: impl Into<String>) -> Self {
        self.role = Some(arn.into());
        self
    }

    /// The bucket for uploads and outputs that name none. Default: `sagemaker-<region>-<account>`.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// How often waits ask. Default: 2 s growing to 30 s.
    pub fn poll(mut self, policy: PollPolicy) -> Self {
        self.poll = Some(policy);
        self
    }

    /// The clock that waits and generated names use. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Whether SageMaker requests are checked against the published API model before they are sent. Default: they are.
    /// Turn it off if the service allows what this version of the model does not know yet.
    pub fn validate_requests(mut self, validate: bool) -> Self {
        self.trust_requests = !validate;
        self
    }

    /// Checks the settings and makes the clients. Sends nothing to SageMaker.
    pub async fn build(self) -> Result<Session> {
        let mut problems = Problems::default();
        let role = self.role.map(|arn| problems.check("role", Arn::role(arn)));
        if let Some(bucket) = &self.bucket {
            problems.check("bucket", S3Uri::new(bucket.as_str(), ""));
        }
        if let Some(url) = self.endpoint_url.as_deref() {
            let http = url.starts_with("http://") || url.starts_with("https://");
            problems.require(http, "endpoint_url", "a URL such as http://127.0.0.1:4566 is needed");
        }
        problems.into_result()?;

        let mut config = match self.sdk_config {
            Some(config) => config,
            None => aws_config::load_defaults(BehaviorVersion::latest()).await,
        };
        if self.region.is_some() || self.endpoint_url.is_some() {
            let mut own = config.into_builder();
            if let Some(region) = self.region {
                own.set_region(Region::new(region));
            }
            if let Some(url) = self.endpoint_url {
                own.set_endpoint_url(Some(url));
            }
            config = own.build();
        }
        let Some(region) = config.region().map(ToString::to_string) else {
            let text = "no region is set: pass Session::builder().region(..), or set AWS_REGION, or `region` in the AWS \
                        config file";
            return Err(Error::new(ErrorKind::Config, text));
        };
        let path_style = config.endpoint_url().is_some();
        Ok(Session(Arc::new(Inner {
            aws: Aws::new(&config, path_style, !self.trust_requests),
            region,
            role: role.flatten(),
            bucket: self.bucket,
            poll: self.poll.unwrap_or_default(),
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            identity: OnceCell::new(),
            resolved_role: OnceCell::new(),
            pending: Pending::default(),
            transfers: Transfers::default(),
            last_name: AtomicU64::new(0),
            #[cfg(feature = "local")]
            backend: None,
        })))
    }
}
