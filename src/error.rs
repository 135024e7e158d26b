//! The one error type of the crate: a small boxed struct with a [`kind`](Error::kind) and accessors.

use std::fmt;

mod failure;
mod invalid;

pub use failure::JobFailure;
pub use invalid::{InvalidValue, Problems};

/// Shorthand for a result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What went wrong, where, and what to do about it.
///
/// [`Display`](fmt::Display) says this layer's part only; the rest is in
/// [`source`](std::error::Error::source). Match on [`kind`](Error::kind), never on the text.
///
/// ```
/// use sagemaker::{ErrorKind, types::S3Uri};
///
/// let error = "https://example.com/data".parse::<S3Uri>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// ```
pub struct Error(Box<Repr>);

struct Repr {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    status: Option<u16>,
    retries_exhausted: bool,
    job_failure: Option<JobFailure>,
    invalid_values: Vec<InvalidValue>,
    source: Option<Source>,
}

/// The class of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value was refused before anything was sent; see [`Error::invalid_values`].
    InvalidInput,
    /// The service refused a value that passed the checks on this side.
    Rejected,
    /// The named resource does not exist.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The resource is in a state that does not allow the call, such as an endpoint that is still being created.
    Conflict,
    /// The caller, or the role that was passed, lacks a permission.
    AccessDenied,
    /// No credentials, no region or no role could be found.
    Config,
    /// The service asked to slow down, and the retries were used up.
    Throttled,
    /// An account quota would be exceeded.
    LimitExceeded,
    /// AWS has not enough instances of the type at the moment.
    Capacity,
    /// The job ended as failed; see [`Error::job_failure`].
    JobFailed,
    /// The job was stopped before it was complete; see [`Error::job_failure`].
    JobStopped,
    /// The endpoint came to a state from which it does not reach `InService`.
    EndpointFailed,
    /// A wait passed its deadline; the remote resource goes on.
    DeadlineExceeded,
    /// The model behind the endpoint answered with an error (HTTP 424 `ModelError`).
    Model,
    /// The payload is larger than the endpoint accepts.
    PayloadTooLarge,
    /// A value could not be turned into a request body.
    Serialization,
    /// A response body could not be understood.
    Deserialization,
    /// A local file could not be read or written.
    Io,
    /// No answer came: connection refused, broken or timed out.
    Transport,
    /// The service failed (5xx) or answered in a way that is not listed above.
    Service,
    /// The feature is not supported here.
    Unsupported,
}

impl ErrorKind {
    fn phrase(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid input",
            Self::Rejected => "the service refused the request",
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::Conflict => "conflict",
            Self::AccessDenied => "access denied",
            Self::Config => "configuration",
            Self::Throttled => "throttled",
            Self::LimitExceeded => "limit exceeded",
            Self::Capacity => "no capacity",
            Self::JobFailed => "job failed",
            Self::JobStopped => "job stopped",
            Self::EndpointFailed => "endpoint failed",
            Self::DeadlineExceeded => "deadline exceeded",
            Self::Model => "model error",
            Self::PayloadTooLarge => "payload too large",
            Self::Serialization => "cannot serialize",
            Self::Deserialization => "cannot deserialize",
            Self::Io => "file error",
            Self::Transport => "no answer",
            Self::Service => "service error",
            Self::Unsupported => "not supported",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phrase())
    }
}

impl Error {
    /// An error of a kind with a message for people: what was wrong, where, and what to do.
    ///
    /// For implementers of this crate's traits, such as [`Serializer`](crate::codec::Serializer).
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Repr {
            kind,
            message: message.into(),
            operation: None,
            code: None,
            request_id: None,
            status: None,
            retries_exhausted: false,
            job_failure: None,
            invalid_values: Vec::new(),
            source: None,
        }))
    }

    /// One refused value: `field` is its path as a user wrote it.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::from_invalid_values(vec![InvalidValue::new(field, message)])
    }

    pub(crate) fn from_invalid_values(values: Vec<InvalidValue>) -> Self {
        let lines: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut error = Self::new(ErrorKind::InvalidInput, lines.join("; "));
        error.0.invalid_values = values;
        error
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    #[cfg(feature = "control-plane")]
    pub(crate) fn with_job_failure(mut self, failure: JobFailure) -> Self {
        self.0.job_failure = Some(failure);
        self
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    pub(crate) fn with_service_answer(
        mut self,
        code: Option<&str>,
        request_id: Option<&str>,
        status: Option<u16>,
    ) -> Self {
        self.0.code = code.map(str::to_owned);
        self.0.request_id = request_id.map(str::to_owned);
        self.0.status = status;
        self
    }

    /// The same error in better words: kind, operation and the service's answer stay, the old error is the cause.
    #[cfg(feature = "control-plane")]
    pub(crate) fn reworded(self, text: impl Into<String>) -> Self {
        let mut error = Self::new(self.0.kind, text);
        error.0.operation = self.0.operation;
        error.0.code.clone_from(&self.0.code);
        error.0.request_id.clone_from(&self.0.request_id);
        error.0.status = self.0.status;
        error.0.retries_exhausted = self.0.retries_exhausted;
        error.with_source(self)
    }

    /// Says in front of the message where it went wrong, such as `row 3`.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        self.0.message.insert_str(0, &format!("{place}: "));
        self
    }

    pub(crate) fn with_retries_exhausted(mut self) -> Self {
        self.0.retries_exhausted = true;
        self
    }

    /// The class of the error: what to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The AWS operation that was called, such as `CreateTrainingJob`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The service's error code, such as `ValidationException`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The request id to give to AWS support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The HTTP status of the answer; for [`ErrorKind::Model`] the status that the container gave.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How the job ended, for [`ErrorKind::JobFailed`] and [`ErrorKind::JobStopped`].
    pub fn job_failure(&self) -> Option<&JobFailure> {
        self.0.job_failure.as_ref()
    }

    /// Every refused value with its field, for [`ErrorKind::InvalidInput`].
    pub fn invalid_values(&self) -> &[InvalidValue] {
        &self.0.invalid_values
    }

    /// Whether the same call may succeed later: throttling, capacity, a broken connection, a server fault.
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Throttled | ErrorKind::Capacity | ErrorKind::Transport)
            || (self.0.kind == ErrorKind::Service && self.0.status.is_some_and(|status| status >= 500))
    }

    /// Whether the AWS client retried already, so that an immediate retry is pointless.
    pub fn is_retries_exhausted(&self) -> bool {
        self.0.retries_exhausted
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repr { kind, message, operation, code, request_id, .. } = &*self.0;
        match operation {
            Some(operation) => write!(f, "{kind} ({operation}): {message}")?,
            None => write!(f, "{kind}: {message}")?,
        }
        match (code, request_id) {
            (Some(code), Some(id)) => write!(f, " [{code}, request {id}]"),
            (Some(code), None) => write!(f, " [{code}]"),
            _ => Ok(()),
        }
    }
}

/// For people too, as `main` shows an error by it: the text and its causes, each by its own text. The causes' own `Debug`
/// is left out, since the AWS SDK's shows whole response bodies.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            write!(f, "\n  caused by: {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, error.to_string()).with_source(error)
    }
}
