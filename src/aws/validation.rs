use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use crate::api_model::{self, Service, Strictness, Violation};

/// Checks each SageMaker request against the API model once it is written and before anything else happens: no
/// credentials are asked for, nothing is signed, sent or retried when it is refused.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValidateRequests;

impl Intercept for ValidateRequests {
    fn name(&self) -> &'static str {
        "ValidateRequests"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target");
        let Some(operation) = target.and_then(|target| target.strip_prefix("SageMaker.")) else { return Ok(()) };
        let Some(input) = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok()) else {
            return Ok(());
        };
        match api_model::validate(Service::SageMaker, operation, &input, Strictness::Client) {
            Ok(violations) if !violations.is_empty() => {
                Err(Box::new(RequestRefused { operation: operation.to_owned(), violations }))
            }
            // The client may know operations that the tables do not have.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A request that was not sent because the API model does not allow its values.
///
/// Found by walking the `source()` chain of the `SdkError`; see [`RequestRefused::find`].
#[derive(Debug)]
pub(crate) struct RequestRefused {
    pub(crate) operation: String,
    pub(crate) violations: Vec<Violation>,
}

impl RequestRefused {
    /// The refusal in an error or behind it.
    pub(crate) fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(refused) = error.downcast_ref() {
                return Some(refused);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for RequestRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let dot = if violation.field.is_empty() { ": " } else { "." };
            write!(f, "{separator}{}{dot}{violation}", self.operation)?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestRefused {}
