//! Checks a request against the API model before a service sees it.

use http::HeaderMap;
use serde_json::Value;

use super::aws_error::AwsError;
use super::profile::Profile;
use super::router;
use crate::api_model::{self, Constraint, Location, ModelShape, Service, ShapeKind, Strictness, Violation};

/// Operations of CloudWatch Logs that answer `ValidationException`, by what their names hold.
const DELIVERY: [&str; 5] = ["Delivery", "Deliveries", "ScheduledQuer", "ConfigurationTemplates", "S3TableIntegration"];

/// Names whose length CloudWatch Logs checks before all else, in words of its own.
const NAMES: [&str; 2] = ["logGroupName", "logStreamName"];

/// Members of CloudWatch Logs whose values the service does not repeat.
const UNREPEATED: [&str; 2] = ["logGroupIdentifier", "logGroupIdentifiers"];

/// Refuses a request as the service would. What the model does not know is left to the service.
pub(super) fn validate(service: &router::Service, operation: &str, request: &Value) -> Result<(), AwsError> {
    validate_for(Profile::Strict, service, operation, request)
}

/// The same, as far as the profile does not forgive it.
pub(super) fn validate_for(
    profile: Profile,
    service: &router::Service,
    operation: &str,
    request: &Value,
) -> Result<(), AwsError> {
    let Some(service) = modelled(service) else { return Ok(()) };
    let Ok(mut violations) = api_model::validate(service, operation, request, Strictness::Server) else {
        return Ok(());
    };
    if profile == Profile::Lenient {
        violations.retain(|violation| !violation.constraint.is_of_form());
    }
    if violations.is_empty() {
        return Ok(());
    }
    if service == Service::Logs {
        let too_long = |violation: &Violation| {
            NAMES.contains(&violation.path.as_str()) && matches!(violation.constraint, Constraint::AtMost { .. })
        };
        if violations.iter().any(too_long) {
            let message = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
            return Err(AwsError::invalid_parameter(message));
        }
        violations
            .iter_mut()
            .filter(|violation| UNREPEATED.contains(&violation.path.as_str()))
            .for_each(Violation::mute);
    }
    let message = api_model::message(&violations);
    Err(match service {
        _ if violations.iter().any(|violation| violation.constraint.is_serialization()) => {
            AwsError::serialization(message)
        }
        Service::Logs if DELIVERY.iter().any(|part| operation.contains(part)) => AwsError::validation(message),
        Service::Logs => AwsError::invalid_parameter(message),
        Service::SageMakerRuntime => AwsError::runtime_validation(message),
        Service::SageMaker => AwsError::validation(message),
        Service::CloudWatch => AwsError::new(400, "ValidationError", message),
    })
}

/// The members of a runtime operation that are in its path and headers, as a document to validate.
pub(super) fn runtime_document(operation: &str, endpoint: &str, headers: &HeaderMap) -> Value {
    let mut document = serde_json::Map::new();
    let input = ModelShape::input(Service::SageMakerRuntime, operation);
    for member in api_model::input_members(Service::SageMakerRuntime, operation).unwrap_or_default() {
        let value = match member.location {
            Location::Uri(_) => Some(endpoint),
            Location::Header(name) => headers.get(name).and_then(|value| value.to_str().ok()),
            // It is there, if only empty; its length is the service's own business.
            Location::Payload => Some(""),
            Location::Body | Location::Query(_) => None,
        };
        let number = |text: &str| {
            let kind = input?.member(member.name)?.kind();
            matches!(kind, ShapeKind::Integer | ShapeKind::Long).then(|| text.parse::<i64>().ok()).flatten()
        };
        if let Some(value) = value {
            let value = number(value).map_or_else(|| Value::from(value), Value::from);
            document.insert(member.name.to_owned(), value);
        }
    }
    Value::Object(document)
}

fn modelled(service: &router::Service) -> Option<Service> {
    match service {
        router::Service::SageMaker => Some(Service::SageMaker),
        router::Service::Logs => Some(Service::Logs),
        router::Service::Runtime => Some(Service::SageMakerRuntime),
        router::Service::CloudWatch => Some(Service::CloudWatch),
        _ => None,
    }
}

/// In tests, what the backend answers must have the form that the model declares.
#[cfg(test)]
pub(super) fn check_answer(service: &router::Service, operation: &str, answer: &Value) {
    let Some(service) = modelled(service) else { return };
    // Operations without output answer with an empty body.
    let empty = Value::Object(serde_json::Map::new());
    let answer = if answer.is_null() { &empty } else { answer };
    let mut violations = api_model::validate_output(service, operation, answer, Strictness::Exact).unwrap_or_default();
    // Their patterns know no region with a digit, or another service: no ARN that AWS gives has that form.
    let impossible = ["DeviceFleetArn", "DeviceArn", "EdgePackagingJobArn", "EdgeDeploymentPlanArn"];
    violations.retain(|violation| !impossible.iter().any(|member| violation.field.ends_with(member)));
    assert!(violations.is_empty(), "{operation} answers against the model: {violations:?}\n{answer:#}");
}
