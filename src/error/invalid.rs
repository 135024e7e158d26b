use std::fmt;

use super::{Error, Result};

/// One refused value: where it was given and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidValue {
    /// Path of the field as the user wrote it, such as `hyperparameters.eta` or `inputs.train`.
    pub field: String,
    /// What is wrong and what is accepted.
    pub message: String,
}

impl InvalidValue {
    /// A refused value.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Collects every refused value of a builder, so that one error lists them all.
///
/// ```
/// use sagemaker::{Error, error::Problems};
///
/// let mut problems = Problems::default();
/// problems.push("max_jobs", "must be at least 1, is 0");
/// problems.require(false, "role", "is needed");
/// let error: Error = problems.into_result().unwrap_err();
/// assert_eq!(error.invalid_values().len(), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Problems(Vec<InvalidValue>);

impl Problems {
    /// Adds a refused value.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(InvalidValue::new(field, message));
    }

    /// Adds a refused value unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &str, message: &str) {
        if !holds {
            self.push(field, message);
        }
    }

    /// Keeps the value, or notes the error under `field` (an error's own inner field names are kept behind it).
    pub fn check<T>(&mut self, field: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.absorb(field, &error);
                None
            }
        }
    }

    /// Notes an error under `field`.
    pub fn absorb(&mut self, field: &str, error: &Error) {
        if error.invalid_values().is_empty() {
            self.push(field, error.to_string());
        }
        for value in error.invalid_values() {
            let path = match (field.is_empty(), value.field.is_empty()) {
                (true, _) => value.field.clone(),
                (_, true) => field.to_owned(),
                _ if value.field.starts_with('[') => format!("{field}{}", value.field),
                _ => format!("{field}.{}", value.field),
            };
            self.push(path, value.message.clone());
        }
    }

    /// Whether nothing was refused so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error that lists everything that was noted, if anything was.
    pub fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::from_invalid_values(self.0)) }
    }
}
