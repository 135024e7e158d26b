use std::fmt;
use std::time::{Duration, SystemTime};

/// One line that a container logged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEvent {
    /// When it was logged, to the millisecond.
    pub timestamp: SystemTime,
    /// The instance: the log stream's name without the job's, such as `algo-1-1700000000`.
    pub instance: String,
    /// The line, without its line break.
    pub message: String,
}

impl LogEvent {
    pub(crate) fn new(stream: &str, prefix: &str, millis: i64, message: &str) -> Self {
        Self {
            timestamp: SystemTime::UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs()),
            instance: stream.strip_prefix(prefix).unwrap_or(stream).to_owned(),
            message: message.trim_end_matches(['\r', '\n']).to_owned(),
        }
    }

    /// The bytes that it takes, roughly.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.instance.len() + self.message.len()
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.instance, self.message)
    }
}
