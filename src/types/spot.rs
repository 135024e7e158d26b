use std::time::Duration;

use super::S3Uri;

/// Managed spot training: cheaper instances that AWS may take back, with checkpoints to resume from.
///
/// ```
/// use std::time::Duration;
/// use sagemaker::types::{S3Uri, Spot};
///
/// let checkpoints: S3Uri = "s3://my-bucket/checkpoints".parse()?;
/// let spot = Spot::max_wait(Duration::from_secs(7200)).checkpoint(&checkpoints);
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub(crate) max_wait: Duration,
    pub(crate) checkpoint: Option<S3Uri>,
}

impl Spot {
    /// How long to wait for the job in all, with the time that it waits for capacity: at least the job's maximum run.
    pub fn max_wait(max_wait: Duration) -> Self {
        Self { max_wait, checkpoint: None }
    }

    /// Where the container's `/opt/ml/checkpoints` is kept, so that an interrupted job resumes.
    #[must_use]
    pub fn checkpoint(mut self, uri: impl Into<S3Uri>) -> Self {
        self.checkpoint = Some(uri.into());
        self
    }
}
