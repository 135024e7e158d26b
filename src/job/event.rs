use std::fmt;
use std::time::SystemTime;

use crate::logs::LogEvent;

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobEvent {
    /// It came to a new status, or the status has a new message.
    Status(StatusChange),
    /// A container logged a line.
    Log(LogEvent),
}

impl JobEvent {
    /// When it happened.
    pub fn timestamp(&self) -> SystemTime {
        match self {
            Self::Status(change) => change.at,
            Self::Log(event) => event.timestamp,
        }
    }
}

/// A status that a job came to, such as `Downloading`, with the service's message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusChange {
    /// The status; for training jobs the secondary one, such as `Downloading`.
    pub status: String,
    /// What the service says of it.
    pub message: String,
    /// When it began.
    pub at: SystemTime,
}

impl fmt::Display for StatusChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            f.write_str(&self.status)
        } else {
            write!(f, "{} - {}", self.status, self.message)
        }
    }
}
