//! `SdkError` to [`Error`]: a table over (code, status, message), because most not-found and already-exists answers
//! are not modelled and differ per operation.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

#[cfg(feature = "control-plane")]
use crate::error::InvalidValue;
use crate::{Error, ErrorKind, Result};

/// Turns the result of an AWS call into this crate's.
pub(crate) trait ServiceCall<T> {
    /// Names the operation and sorts the error.
    fn of(self, operation: &'static str) -> Result<T>;
}

impl<T, E> ServiceCall<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    fn of(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| convert(operation, error))
    }
}

fn convert<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    SdkError<E, HttpResponse>: RequestId,
{
    let request_id = error.request_id().map(str::to_owned);
    let status = error.raw_response().map(|response| response.status().as_u16());
    match &error {
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            let code = meta.code().map(str::to_owned);
            let message = meta.message().map_or_else(|| format!("HTTP status {}", status.unwrap_or(0)), str::to_owned);
            let (kind, message) = match elsewhere(context.raw()) {
                Some(text) => (ErrorKind::Config, text),
                None => (classify(code.as_deref().unwrap_or_default(), status.unwrap_or(0), &message), message),
            };
            let out = Error::new(kind, message).with_operation(operation).with_service_answer(
                code.as_deref(),
                request_id.as_deref(),
                status,
            );
            let out = if out.is_transient() { out.with_retries_exhausted() } else { out };
            out.with_source(error)
        }
        SdkError::ResponseError(_) => Error::new(ErrorKind::Transport, "the answer could not be read")
            .with_operation(operation)
            .with_service_answer(None, request_id.as_deref(), status)
            .with_source(error),
        _ => not_sent(operation, error),
    }
}

/// S3 redirects requests for a bucket in another region, and tells which.
fn elsewhere(answer: &HttpResponse) -> Option<String> {
    let region = answer.headers().get("x-amz-bucket-region").filter(|_| answer.status().as_u16() == 301)?;
    Some(format!("the bucket is in another region: use a session with Session::builder().region({region:?})"))
}

/// Errors before or without an answer.
fn not_sent<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    #[cfg(feature = "control-plane")]
    if let Some(refused) = super::validation::RequestRefused::find(&error) {
        let values = refused.violations.iter().map(|v| InvalidValue::new(v.field.as_str(), v.advice()));
        return Error::from_invalid_values(values.collect()).with_operation(operation);
    }
    let (mut deepest, mut credentials) = (error.to_string(), None);
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(cause) = next {
        deepest = cause.to_string();
        credentials = credentials.or_else(|| cause.downcast_ref::<CredentialsError>());
        next = cause.source();
    }
    match credentials {
        Some(CredentialsError::ProviderTimedOut(_)) | None => {}
        Some(_) => {
            let help = format!(
                "no AWS credentials could be had ({deepest}): set AWS_PROFILE, or the variables AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or run where a role is attached"
            );
            return Error::new(ErrorKind::Config, help).with_operation(operation).with_source(error);
        }
    }
    let kind = match &error {
        SdkError::ConstructionFailure(_) => ErrorKind::InvalidInput,
        _ => ErrorKind::Transport,
    };
    let out = Error::new(kind, deepest).with_operation(operation).with_source(error);
    // Without an answer the AWS client has tried as often as it was told to.
    if kind == ErrorKind::Transport { out.with_retries_exhausted() } else { out }
}

/// The table. Codes first, then the texts that the services use under `ValidationException`.
fn classify(code: &str, status: u16, message: &str) -> ErrorKind {
    let says = |needle: &str| message.to_ascii_lowercase().contains(needle);
    match code {
        "ModelError" => return ErrorKind::Model,
        "ModelNotReadyException" => return ErrorKind::Conflict,
        "ResourceNotFound"
        | "ResourceNotFoundException"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "NoSuchEntity"
        | "NoSuchUpload"
        | "NotFound" => return ErrorKind::NotFound,
        "ResourceAlreadyExists"
        | "ResourceAlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "EntityAlreadyExists" => return ErrorKind::AlreadyExists,
        code if is_throttling(code) => {
            return ErrorKind::Throttled;
        }
        "ResourceLimitExceeded" | "LimitExceededException" | "ServiceQuotaExceededException" => {
            return ErrorKind::LimitExceeded;
        }
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" | "Forbidden" => {
            return ErrorKind::AccessDenied;
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch" => return ErrorKind::Config,
        "UnknownOperationException" | "NotImplemented" => return ErrorKind::Unsupported,
        "InsufficientCapacityException" | "CapacityError" => return ErrorKind::Capacity,
        "ResourceInUse"
        | "ResourceInUseException"
        | "ConflictException"
        | "PreconditionFailed"
        | "OperationAborted" => {
            return if says("already exist") { ErrorKind::AlreadyExists } else { ErrorKind::Conflict };
        }
        _ => {}
    }
    if matches!(code, "ValidationException" | "ValidationError") {
        let gone = ["could not find", "not found", "does not exist", "recordnotfound", "cannot find", "no workforce"];
        if gone.iter().any(|text| says(text)) {
            return ErrorKind::NotFound;
        }
        if says("already exist") {
            return ErrorKind::AlreadyExists;
        }
        if ["in-progress", "is in status", "not in service", "in use"].iter().any(|text| says(text)) {
            return ErrorKind::Conflict;
        }
        return ErrorKind::Rejected;
    }
    match status {
        403 => ErrorKind::AccessDenied,
        404 => ErrorKind::NotFound,
        413 => ErrorKind::PayloadTooLarge,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Rejected,
        _ => ErrorKind::Service,
    }
}

/// Whether an error code says that there were too many requests.
pub(super) fn is_throttling(code: &str) -> bool {
    ["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"]
        .contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as AWS gives them; the sources are listed in the reference of this project.
    #[test]
    fn known_answers_get_their_kind() {
        for (code, status, message, kind) in [
            ("ValidationException", 400, "Requested resource not found.", ErrorKind::NotFound),
            ("ValidationException", 400, "Could not find endpoint \"arn:aws:x\".", ErrorKind::NotFound),
            ("ValidationException", 400, "RecordNotFound", ErrorKind::NotFound),
            ("ResourceNotFound", 400, "", ErrorKind::NotFound),
            ("ValidationError", 400, "Endpoint X of account 123 not found.", ErrorKind::NotFound),
            (
                "ResourceInUse",
                400,
                "Training job names must be unique within an AWS account and region, and a training job with this \
                 name already exists (arn:..)",
                ErrorKind::AlreadyExists,
            ),
            (
                "ValidationException",
                400,
                "Cannot create already existing model \"arn:aws:sagemaker:..\".",
                ErrorKind::AlreadyExists,
            ),
            ("ValidationException", 400, "Cannot update in-progress endpoint \"arn..\".", ErrorKind::Conflict),
            (
                "ValidationException",
                400,
                "The request was rejected because the training job is in status Stopped.",
                ErrorKind::Conflict,
            ),
            (
                "ValidationException",
                400,
                "1 validation error detected: Value 'a_b' at 'trainingJobName' failed to satisfy constraint: ..",
                ErrorKind::Rejected,
            ),
            ("ThrottlingException", 400, "Rate exceeded", ErrorKind::Throttled),
            ("ResourceLimitExceeded", 400, "The account-level service limit ..", ErrorKind::LimitExceeded),
            ("AccessDeniedException", 400, "User: arn:.. is not authorized", ErrorKind::AccessDenied),
            ("ModelError", 424, "Received server error (500) from primary", ErrorKind::Model),
            ("", 413, "", ErrorKind::PayloadTooLarge),
            ("UnknownOperationException", 400, "", ErrorKind::Unsupported),
            ("InternalFailure", 500, "", ErrorKind::Service),
            ("", 404, "", ErrorKind::NotFound),
        ] {
            assert_eq!(classify(code, status, message), kind, "{code} {status} {message}");
        }
    }

    #[cfg(feature = "local")]
    #[tokio::test]
    async fn missing_credentials_are_told_as_such() {
        use aws_config::{BehaviorVersion, Region, SdkConfig};
        use aws_credential_types::provider::{SharedCredentialsProvider, future};

        #[derive(Debug)]
        struct Nobody;
        impl aws_credential_types::provider::ProvideCredentials for Nobody {
            fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
            where
                Self: 'a,
            {
                future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("the profile dev has none")))
            }
        }
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .http_client(crate::local::LocalBackend::new().http_client())
            .credentials_provider(SharedCredentialsProvider::new(Nobody))
            .build();
        let session = crate::Session::builder().sdk_config(config).build().await.unwrap();
        let error = session.account_id().await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Config, false), "{error}");
        assert!(error.to_string().contains("AWS_PROFILE"), "{error}");
    }
}
