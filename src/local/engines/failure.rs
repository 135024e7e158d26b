//! What an engine says when it cannot do what it was asked.

use std::fmt;

/// Why an engine gave up. Its text becomes the `FailureReason` of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineFailure {
    /// The program failed: `AlgorithmError: .., exit code: N`.
    Algorithm {
        /// The text.
        message: String,
        /// The container's exit code.
        exit_code: i32,
    },
    /// What the user asked for cannot be done: `ClientError: ..`.
    Client {
        /// The text.
        message: String,
        /// The container's exit code; `None` if no container ran.
        exit_code: Option<i32>,
    },
    /// The job was asked to stop and left nothing behind.
    Stopped,
}

impl EngineFailure {
    /// The program failed; the container would end with exit code 1.
    ///
    /// ```
    /// use sagemaker::local::engines::EngineFailure;
    ///
    /// let failure = EngineFailure::algorithm("the loss is NaN").with_exit_code(3);
    /// assert_eq!(failure.to_string(), "AlgorithmError: the loss is NaN, exit code: 3");
    /// ```
    pub fn algorithm(message: impl Into<String>) -> Self {
        Self::Algorithm { message: message.into(), exit_code: 1 }
    }

    /// The user's settings or data are wrong, found before anything ran.
    ///
    /// ```
    /// use sagemaker::local::engines::EngineFailure;
    ///
    /// assert_eq!(EngineFailure::client("no channel train").to_string(), "ClientError: no channel train");
    /// ```
    pub fn client(message: impl Into<String>) -> Self {
        Self::Client { message: message.into(), exit_code: None }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn with_exit_code(mut self, code: i32) -> Self {
        match &mut self {
            Self::Algorithm { exit_code, .. } => *exit_code = code,
            Self::Client { exit_code, .. } => *exit_code = Some(code),
            Self::Stopped => {}
        }
        self
    }

    /// The text without class and exit code.
    pub fn message(&self) -> &str {
        match self {
            Self::Algorithm { message, .. } | Self::Client { message, .. } => message,
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for EngineFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm { message, exit_code } => write!(f, "AlgorithmError: {message}, exit code: {exit_code}"),
            Self::Client { message, exit_code: Some(code) } => write!(f, "ClientError: {message}, exit code: {code}"),
            Self::Client { message, exit_code: None } => write!(f, "ClientError: {message}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for EngineFailure {}

/// A serving container's error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationFailure {
    /// The HTTP status that the container gave, such as 400, 415 or 500; 0 if it gave none.
    pub status: u16,
    /// The body that the container gave.
    pub message: String,
}

impl InvocationFailure {
    /// An answer with a status and a body.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}
