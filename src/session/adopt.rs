//! Create calls whose answer was lost.

use std::future::Future;
use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::primitives::DateTime;
use futures_util::future::BoxFuture;

use super::Session;
use crate::aws::counted;
use crate::poll::Polled;
use crate::{Error, ErrorKind, Result};

/// How far the service's clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// How long to ask whether a resource is there while asking itself fails.
const LOOK_FOR: Duration = Duration::from_secs(20);

/// What Describe tells of a resource that a Create call may have made.
pub(crate) struct Found {
    created: Option<SystemTime>,
    as_asked: bool,
}

impl Found {
    /// When it was created, and whether it is what the call asked for.
    pub(crate) fn new(created: Option<&DateTime>, as_asked: bool) -> Self {
        Self { created: created.and_then(|at| SystemTime::try_from(*at).ok()), as_asked }
    }
}

impl Session {
    /// Sends a Create call of a resource, such as `training job x`.
    ///
    /// The AWS client sends a request again when no answer, or a 5xx, came. If the first one took effect, the second is
    /// refused as a name in use; if no answer comes at all, the resource may be there nevertheless, and cost money. So
    /// where a call may have taken effect unheard, the resource is looked for, and taken as created if it is what was
    /// asked for and was made since the call began. A name that was in use before the call stays an error.
    pub(crate) fn create<'a, T, D, Fut>(
        &'a self,
        what: String,
        call: impl Future<Output = Result<T>> + Send + 'a,
        find: D,
    ) -> BoxFuture<'a, Result<()>>
    where
        T: Send + 'a,
        D: Fn() -> Fut + Send + Sync + 'a,
        Fut: Future<Output = Result<Found>> + Send + 'a,
    {
        Box::pin(async move {
            let began = self.now();
            let (answer, attempts) = counted(call).await;
            let Err(error) = answer else { return Ok(()) };
            if attempts < 2 && !may_have_taken_effect(&error) {
                return Err(error);
            }
            let poller = self.poller(Some(LOOK_FOR));
            match poller.until(&what, || async { find().await.map(Polled::Ready) }).await {
                Ok(found) if found.as_asked && found.created >= began.checked_sub(self.clock_skew()) => {
                    tracing::debug!(what, %error, "its answer was lost, but it is there");
                    Ok(())
                }
                Ok(_) => Err(error),
                Err(missing) if missing.kind() == ErrorKind::NotFound => Err(error),
                Err(unknown) => {
                    tracing::warn!(what, error = %unknown, "cannot tell whether it was created");
                    let text = format!(
                        "whether {what} was created is not known, and asking for it failed too: look for it by its name before \
                         you try again, as it may be there and cost money"
                    );
                    Err(error.reworded(text))
                }
            }
        })
    }

    /// A local backend has the session's own clock; its times on the wire are in whole milliseconds.
    fn clock_skew(&self) -> Duration {
        #[cfg(feature = "local")]
        if self.backend().is_some() {
            return Duration::from_millis(1);
        }
        CLOCK_SKEW
    }
}

fn may_have_taken_effect(error: &Error) -> bool {
    error.kind() == ErrorKind::Transport || error.status().is_some_and(|status| status >= 500)
}
