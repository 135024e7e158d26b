use std::time::Duration;

use crate::{Error, Result};

/// How often a wait asks: 2 s at first, growing by half each time to 30 s.
///
/// ```
/// use std::time::Duration;
/// use sagemaker::poll::PollPolicy;
///
/// let eager = PollPolicy::new(Duration::from_millis(500), Duration::from_secs(5))?;
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollPolicy {
    first: Duration,
    longest: Duration,
}

impl PollPolicy {
    /// The first pause and the longest one.
    pub fn new(first: Duration, longest: Duration) -> Result<Self> {
        if first.is_zero() || longest < first {
            return Err(Error::invalid("poll", "the first pause must be above zero and at most the longest"));
        }
        Ok(Self { first, longest })
    }

    pub(super) fn first(&self) -> Duration {
        self.first
    }

    /// The same with no pause longer than `longest`; a first pause that was chosen longer stays.
    pub(super) fn at_most(self, longest: Duration) -> Self {
        Self { longest: self.longest.min(longest).max(self.first), ..self }
    }

    pub(super) fn after(&self, pause: Duration) -> Duration {
        pause.mul_f64(1.5).min(self.longest)
    }
}

impl Default for PollPolicy {
    fn default() -> Self {
        Self { first: Duration::from_secs(2), longest: Duration::from_secs(30) }
    }
}
