use std::fmt;

use super::JobDescription;

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobStatus {
    /// It waits, prepares or works.
    InProgress,
    /// It ended well.
    Completed,
    /// It ended with an error.
    Failed,
    /// It was asked to stop and has up to 120 s to save its work.
    Stopping,
    /// It was stopped, by a call or because it ran too long.
    Stopped,
    /// A status that this version of the crate does not know; counts as not finished unless the service tells an end
    /// time.
    Other(String),
}

impl JobStatus {
    /// Whether nothing will change any more.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }

    /// The service's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Other(word) => word,
        }
    }
}

/// Whether a job has ended: what waits and streams go by.
pub(crate) fn is_over(description: &impl JobDescription) -> bool {
    match description.status() {
        JobStatus::Other(_) => description.ended_at().is_some(),
        status => status.is_terminal(),
    }
}

impl From<&str> for JobStatus {
    fn from(word: &str) -> Self {
        let known = [Self::InProgress, Self::Completed, Self::Failed, Self::Stopping, Self::Stopped];
        known.into_iter().find(|status| status.as_str() == word).unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_statuses_are_final() {
        for (word, terminal) in [
            ("InProgress", false),
            ("Stopping", false),
            ("Completed", true),
            ("Failed", true),
            ("Stopped", true),
            ("Deleting", false),
        ] {
            let status = JobStatus::from(word);
            assert_eq!((status.is_terminal(), status.as_str()), (terminal, word));
        }
    }
}
