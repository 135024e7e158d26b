//! Asking again until something is so: one engine for every kind of wait. Knows no SageMaker word.

mod clock;
mod engine;
mod policy;
mod tolerance;
mod within;

pub use clock::{Clock, SystemClock};
pub(crate) use engine::{Polled, Poller};
pub use policy::PollPolicy;
pub(crate) use tolerance::Tolerance;
pub(crate) use within::{rest, within};
