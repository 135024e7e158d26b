//! The one seam that sees both the session and the local backend.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Inner, Session, SessionBuilder};
use crate::aws::Aws;
pub(super) use crate::local::LocalBackend;
use crate::local::LocalClock;
use crate::poll::Clock;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;

impl Session {
    /// A session on a local backend of its own: no account, no network, no container, and nothing to pay.
    ///
    /// The real AWS clients run on top of it, so serialisation, signing, retries and errors are the real ones.
    pub fn local() -> Self {
        Self::with_backend(&LocalBackend::new())
    }

    /// A session on the given local backend; several sessions may share one.
    pub fn with_backend(backend: &LocalBackend) -> Self {
        Self(Arc::new(Inner {
            clock: clock(backend),
            backend: Some(backend.clone()),
            ..Inner::new(Aws::new(&sdk_config(backend), false, true), backend.region().to_owned())
        }))
    }

    /// The local backend of this session, if it has one.
    pub fn backend(&self) -> Option<&LocalBackend> {
        self.0.backend.as_ref()
    }
}

impl SessionBuilder {
    /// Makes a session on a local backend, with settings of its own. Region, credentials and clock are the backend's.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> sagemaker::Result<()> {
    /// use sagemaker::{Session, local::LocalBackend};
    ///
    /// let session = Session::builder().local(&LocalBackend::new()).bucket("ours").bucket_prefix("team-a").build().await?;
    /// assert_eq!(session.default_uri("train").await?.to_string(), "s3://ours/team-a/train");
    /// # Ok(())
    /// # }
    /// ```
    pub fn local(mut self, backend: &LocalBackend) -> Self {
        self.backend = Some(backend.clone());
        #[cfg(feature = "config-file")]
        {
            self.files.only_given = true;
        }
        self
    }
}

/// What the AWS clients need to reach the backend.
pub(super) fn sdk_config(backend: &LocalBackend) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(backend.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local")))
        .http_client(backend.http_client())
        // The clock may leap hours between two requests: that is no time-out, and retries need not wait for real.
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(SharedAsyncSleep::new(BackendClock(backend.clock().clone())))
        .build()
}

pub(super) fn clock(backend: &LocalBackend) -> Arc<dyn Clock> {
    Arc::new(BackendClock(backend.clock().clone()))
}

/// The backend's clock as waits and the AWS clients' retries see it.
#[derive(Debug, Clone)]
struct BackendClock(LocalClock);

impl Clock for BackendClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.0.clone();
        Box::pin(async move { clock.pause(duration).await })
    }

    fn mark(&self) -> u64 {
        self.0.changes()
    }

    fn pause_since(&self, mark: u64, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.0.clone();
        Box::pin(async move { clock.pause_since(mark, duration).await })
    }
}

impl AsyncSleep for BackendClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}
