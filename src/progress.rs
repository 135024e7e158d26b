//! A small view of a job for people at a terminal. Nothing else in this crate prints, and this only where it is told to.

mod line;
mod metrics;
mod view;

pub use view::JobView;
