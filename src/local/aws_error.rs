//! Errors as the services word them; [`wire`](super::wire) puts them into each protocol's envelope.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// An error answer: HTTP status, code, message and, for the few modelled ones, further members.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AwsError {
    pub(super) status: u16,
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
    pub(super) members: Map<String, Value>,
}

impl AwsError {
    pub(super) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), members: Map::new() }
    }

    /// SageMaker's answer to most mistakes.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    pub(super) fn in_use(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceInUse", message)
    }

    pub(super) fn resource_not_found(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceNotFound", message)
    }

    /// CloudWatch Logs' answer to most mistakes.
    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    /// The runtime's answer to most mistakes.
    pub(super) fn runtime_validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// The body is no JSON, or a member has another type than the API says.
    pub(super) fn serialization(detail: impl std::fmt::Display) -> Self {
        Self::new(400, "SerializationException", detail.to_string())
    }

    pub(super) fn unsupported(service: &str, operation: &str) -> Self {
        let message = format!("The local backend does not support the operation {operation} of {service}.");
        Self::new(400, "UnknownOperationException", message)
    }

    pub(super) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}
