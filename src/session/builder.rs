use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use tokio::sync::OnceCell;

use super::bucket::checked_prefix;
use super::{Defaults, Inner, Pending, SentCode, Session, Transfers, Watches};
use crate::aws::Aws;
use crate::error::Problems;
use crate::poll::{Clock, PollPolicy, SystemClock};
use crate::types::{GivenRole, S3Uri};
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
    prefix: Option<String>,
    #[cfg(feature = "config-file")]
    pub(super) files: super::defaults::Locations,
    #[cfg(feature = "local")]
    pub(super) backend: Option<super::local::LocalBackend>,
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

    /// The execution role that jobs and models run as: its ARN, or its name, which is looked up in IAM. Default: see [`Session::execution_role`].
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// The bucket for uploads and outputs that name none. Default: `sagemaker-<region>-<account>`.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// What the keys of uploads and outputs in the default bucket begin with, such as `team-a/forecast`. Default: nothing.
    pub fn bucket_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// One more defaults file, above the others: a path or `s3://` location of a file or of a folder with a `config.yaml`.
    ///
    /// Read anyhow, where they are there: the administrator's file (`/etc/xdg/sagemaker/config.yaml`, or what
    /// `SAGEMAKER_ADMIN_CONFIG_OVERRIDE` names), then the user's (`~/.config/sagemaker/config.yaml`, or what
    /// `SAGEMAKER_USER_CONFIG_OVERRIDE` names). These are the files of the SageMaker Python SDK.
    #[cfg(feature = "config-file")]
    pub fn config_file(mut self, place: impl Into<String>) -> Self {
        self.files.given.push(place.into());
        self
    }

    /// Does not read the administrator's and the user's defaults files. Default: they are read; on a local backend, not.
    #[cfg(feature = "config-file")]
    pub fn no_standard_config_files(mut self) -> Self {
        self.files.only_given = true;
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

    /// Checks the settings, makes the clients and reads the defaults files. Sends nothing to SageMaker.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for settings that cannot be, [`ErrorKind::Config`] without a region, or for a defaults
    /// file that cannot be read or has a key or a value that it must not have; the error names the file and each key.
    pub async fn build(self) -> Result<Session> {
        let mut problems = Problems::default();
        let role = self.role.as_deref().map(|role| problems.check("role", GivenRole::new(role)));
        if let Some(bucket) = &self.bucket {
            problems.check("bucket", S3Uri::new(bucket.as_str(), ""));
        }
        let prefix = self.prefix.as_deref().map(|prefix| problems.check("bucket_prefix", checked_prefix(prefix)));
        if let Some(url) = self.endpoint_url.as_deref() {
            let http = url.starts_with("http://") || url.starts_with("https://");
            problems.require(http, "endpoint_url", "a URL such as http://127.0.0.1:4566 is needed");
        }
        problems.into_result()?;

        let config = self.aws_config().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            let text = "no region is set: pass Session::builder().region(..), or set AWS_REGION, or `region` in the AWS \
                        config file";
            return Err(Error::new(ErrorKind::Config, text));
        };
        let path_style = config.endpoint_url().is_some();
        let aws = Aws::new(&config, path_style, !self.trust_requests);
        #[cfg(feature = "config-file")]
        let defaults = self.files.read(&aws).await?;
        #[cfg(not(feature = "config-file"))]
        let defaults = Defaults::default();
        let of_file = |name: &str| {
            let value = defaults.get("SageMaker.PythonSDK.Modules.Session").and_then(|session| session.get(name));
            value.and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        let prefix = match prefix.flatten() {
            Some(prefix) => Some(prefix),
            None => of_file("DefaultS3ObjectKeyPrefix").map(|prefix| prefix.trim_matches('/').to_owned()),
        };
        Ok(Session(Arc::new(Inner {
            bucket: self.bucket.clone().or_else(|| of_file("DefaultS3Bucket")),
            prefix: prefix.filter(|prefix| !prefix.is_empty()),
            defaults,
            role: role.flatten(),
            poll: self.poll.unwrap_or_default(),
            clock: self.session_clock(),
            #[cfg(feature = "local")]
            backend: self.backend,
            ..Inner::new(aws, region)
        })))
    }

    async fn aws_config(&self) -> SdkConfig {
        #[cfg(feature = "local")]
        if let Some(backend) = &self.backend {
            return super::local::sdk_config(backend);
        }
        let config = match &self.sdk_config {
            Some(config) => config.clone(),
            None => aws_config::load_defaults(BehaviorVersion::latest()).await,
        };
        let mut own = config.into_builder();
        if let Some(region) = &self.region {
            own.set_region(Region::new(region.clone()));
        }
        if let Some(url) = &self.endpoint_url {
            own.set_endpoint_url(Some(url.clone()));
        }
        own.build()
    }

    fn session_clock(&self) -> Arc<dyn Clock> {
        if let Some(clock) = &self.clock {
            return clock.clone();
        }
        #[cfg(feature = "local")]
        if let Some(backend) = &self.backend {
            return super::local::clock(backend);
        }
        Arc::new(SystemClock)
    }
}

impl Session {
    /// A session of its own with the same clients and settings, some of them changed.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let of = &self.0;
        let mut inner = Inner {
            role: of.role.clone(),
            bucket: of.bucket.clone(),
            prefix: of.prefix.clone(),
            defaults: of.defaults.clone(),
            poll: of.poll,
            clock: of.clock.clone(),
            identity: of.identity.clone(),
            resolved_role: of.resolved_role.clone(),
            #[cfg(feature = "local")]
            backend: of.backend.clone(),
            ..Inner::new(of.aws.clone(), of.region.clone())
        };
        change(&mut inner);
        Self(Arc::new(inner))
    }
}

impl Inner {
    /// With clients, and defaults for everything else.
    pub(super) fn new(aws: Aws, region: String) -> Self {
        Self {
            aws,
            region,
            role: None,
            bucket: None,
            prefix: None,
            defaults: Defaults::default(),
            poll: PollPolicy::default(),
            clock: Arc::new(SystemClock),
            identity: OnceCell::new(),
            resolved_role: OnceCell::new(),
            pending: Pending::default(),
            transfers: Transfers::default(),
            sent_code: SentCode::default(),
            watches: Watches::default(),
            last_name: AtomicU64::new(0),
            #[cfg(feature = "local")]
            backend: None,
        }
    }
}
