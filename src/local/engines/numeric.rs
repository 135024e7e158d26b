//! What the engines of the numeric built-in algorithms share: rows, channels, hyperparameters, log lines, requests,
//! answers and the model file.
//!
//! Log lines, texts of refusals, content types and answers follow what the containers show to their users (training
//! logs, `DescribeTrainingJob`, the developer guide); their programs are not public. The model file is ours: see
//! [`artifact`].

pub(super) mod answer;
pub(super) mod artifact;
pub(super) mod content;
pub(super) mod csv;
pub(super) mod data;
pub(super) mod linear_algebra;
pub(super) mod log;
pub(super) mod matrix;
pub(super) mod optimizer;
pub(super) mod parameters;
pub(super) mod random;
pub(super) mod records;
pub(super) mod request;
pub(super) mod scores;
pub(super) mod serving;

use crate::local::engines::EngineFailure;

/// What the user asked for is wrong: the containers end with exit code 2 then.
pub(super) fn refused(message: impl Into<String>) -> EngineFailure {
    EngineFailure::client(message).with_exit_code(2)
}

/// The repository of an image: no registry, tag or digest.
pub(super) fn repository(image: &str) -> &str {
    let path = image.rsplit('/').next().unwrap_or_default();
    path.split(['@', ':']).next().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
