//! CloudWatch log streams of a job as one ordered sequence of events.

mod event;
mod tail;

pub use event::LogEvent;
pub(crate) use tail::{LastLines, RoundEnd, Tail};
