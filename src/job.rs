//! What all jobs have in common: a handle, a status, events, logs and a wait.

mod event;
mod follow;
mod handle;
mod kind;
mod outcome;
mod share;
mod status;
mod wait;

pub use event::{JobEvent, StatusChange};
pub use handle::Job;
pub use kind::{JobDescription, JobKind};
pub use outcome::{Completed, Outcome, Stopped};
pub use status::JobStatus;
pub use wait::Wait;

pub(crate) use kind::{Changed, sealed};
pub(crate) use status::is_over;
