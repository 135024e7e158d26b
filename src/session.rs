//! [`Session`]: the AWS clients and the defaults that everything else starts from.

mod adopt;
mod bucket;
mod builder;
mod defaults;
mod drain;
mod identity;
#[cfg(feature = "local")]
mod local;
mod role;
mod sent_code;
mod transfers;
mod watches;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::OnceCell;

use crate::Result;
use crate::aws::Aws;
use crate::poll::{Clock, PollPolicy, Poller};
use crate::types::{Arn, GivenRole, ResourceName, name_from_base};

pub(crate) use adopt::Found;
pub use builder::SessionBuilder;
pub use defaults::Defaults;
pub use drain::Drained;
pub(crate) use drain::Pending;
use identity::Identity;
pub(crate) use sent_code::SentCode;
pub(crate) use transfers::Transfers;
pub(crate) use watches::{Listing, WatchedJob, Watches};

/// The door to SageMaker: clients, region, default bucket and role. Cheap to clone; clones share everything.
///
/// [`Session::from_env`] finds region and credentials as every AWS program does; `Session::local` (feature `local`)
/// is a whole small AWS in this process.
///
/// ```
/// # #[cfg(feature = "local")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// use sagemaker::Session;
///
/// let session = Session::local(); // or Session::from_env().await?
/// let bucket = session.default_bucket().await?;
/// assert_eq!(bucket, format!("sagemaker-{}-{}", session.region(), session.account_id().await?));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "local"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    aws: Aws,
    region: String,
    role: Option<GivenRole>,
    bucket: Option<String>,
    /// What keys in the default bucket begin with; without slashes at its ends.
    prefix: Option<String>,
    defaults: Defaults,
    poll: PollPolicy,
    clock: Arc<dyn Clock>,
    identity: OnceCell<Identity>,
    resolved_role: OnceCell<Arn>,
    pending: Pending,
    transfers: Transfers,
    sent_code: SentCode,
    watches: Watches,
    last_name: AtomicU64,
    #[cfg(feature = "local")]
    backend: Option<crate::local::LocalBackend>,
}

impl Session {
    /// Region and credentials from the environment, the shared config files, or the instance's role.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if no region is set anywhere.
    pub async fn from_env() -> Result<Self> {
        Self::builder().build().await
    }

    /// A session with settings of its own.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// The region of every client.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The raw AWS clients.
    pub fn aws(&self) -> &Aws {
        &self.0.aws
    }

    /// The present on this session's clock.
    pub fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    pub(crate) fn poller(&self, timeout: Option<Duration>) -> Poller {
        Poller::new(self.0.clock.clone(), self.0.poll, timeout)
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    /// Whether this is a session of the local backend, which the AWS command line tool does not reach.
    pub(crate) fn is_local(&self) -> bool {
        #[cfg(feature = "local")]
        let local = self.0.backend.is_some();
        #[cfg(not(feature = "local"))]
        let local = false;
        local
    }

    pub(crate) fn pending(&self) -> &Pending {
        &self.0.pending
    }

    pub(crate) fn transfers(&self) -> &Transfers {
        &self.0.transfers
    }

    pub(crate) fn sent_code(&self) -> &SentCode {
        &self.0.sent_code
    }

    pub(crate) fn watches(&self) -> &Watches {
        &self.0.watches
    }

    /// The present for a generated name: to the millisecond, and never the same twice in this session.
    pub(crate) fn name_time(&self) -> SystemTime {
        let now = self.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let next = |last: u64| Some(now.max(last + 1));
        let last =
            self.0.last_name.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|last| last);
        SystemTime::UNIX_EPOCH + Duration::from_millis(now.max(last + 1))
    }

    pub(crate) fn name_from_base(&self, base: &str) -> ResourceName {
        name_from_base(base, self.name_time())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("region", &self.0.region).finish_non_exhaustive()
    }
}
