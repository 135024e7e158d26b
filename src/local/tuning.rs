//! The search of hyperparameter tuning jobs: what to try next, and which training to stop early.
//!
//! It knows nothing of jobs: points go out, values come back. Lower values are better here; who maximizes gives the
//! negative.

mod bayesian;
mod early_stop;
mod gaussian_process;
mod search;
mod space;

pub(super) use early_stop::{EarlyStop, Hyperband};
pub(super) use search::{Search, Strategy};
pub(super) use space::{Dimension, Point, Range, Scale, Space};

/// A point that was tried, and what came out.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) point: Point,
    /// Finite.
    pub(super) value: f64,
}
