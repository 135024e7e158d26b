use crate::{Error, Result};

/// How many times in a row asking may fail for a passing reason before it is given up.
const TOLERATED_FAILURES: u32 = 5;

/// Tells a passing failure from a lasting one. What is asked apart from the rest has a counter of its own: the answers of
/// one service do not make up for the silence of another.
#[derive(Debug, Default)]
pub(crate) struct Tolerance {
    failures: u32,
}

impl Tolerance {
    /// `None` for a failure that may pass; the error once there were too many in a row.
    pub(crate) fn check<T>(&mut self, answer: Result<T>) -> Result<Option<T>> {
        match answer {
            Ok(value) => {
                self.answered();
                Ok(Some(value))
            }
            Err(error) => self.failed(error).map(|()| None),
        }
    }

    pub(crate) fn answered(&mut self) {
        self.failures = 0;
    }

    /// Gives the error back if it is tolerated no longer.
    pub(crate) fn failed(&mut self, error: Error) -> Result<()> {
        if !error.is_transient() || self.failures == TOLERATED_FAILURES {
            return Err(error);
        }
        self.failures += 1;
        tracing::debug!(failures = self.failures, kind = %error.kind(), "asking failed, will ask again");
        Ok(())
    }
}
