//! The published API model, condensed: the constraints of every operation's input and output, and a check of a JSON
//! document against them that answers in the service's own words.
//!
//! The tables are made by `tools/api_model.py`.

mod check;
mod echo;
mod pattern;
mod place;
mod regex_syntax;
mod table;
mod violation;
#[cfg(feature = "local")]
mod walk;

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

#[cfg(test)]
use self::table::Kind;
use self::table::Table;
#[cfg(feature = "local")]
pub(crate) use self::table::{Location, Member};
#[cfg(any(test, feature = "local"))]
pub(crate) use self::violation::Constraint;
pub(crate) use self::violation::Violation;
#[cfg(feature = "local")]
pub(crate) use self::violation::message;
#[cfg(feature = "local")]
pub(crate) use self::walk::{EnumValues, Kind as ShapeKind, ModelShape};

/// A service whose API is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    SageMaker,
    #[cfg(feature = "local")]
    SageMakerRuntime,
    #[cfg(feature = "local")]
    Logs,
    #[cfg(feature = "local")]
    CloudWatch,
}

impl Service {
    #[cfg(test)]
    const ALL: [Self; 4] = [Self::SageMaker, Self::SageMakerRuntime, Self::Logs, Self::CloudWatch];

    fn table(self) -> Table {
        macro_rules! table {
            ($file:literal) => {{
                static STARTS: OnceLock<Box<[u32]>> = OnceLock::new();
                Table { text: include_str!(concat!("api_model/tables/", $file)), starts: &STARTS }
            }};
        }
        match self {
            Self::SageMaker => table!("sagemaker.tsv"),
            #[cfg(feature = "local")]
            Self::SageMakerRuntime => table!("sagemaker-runtime.tsv"),
            #[cfg(feature = "local")]
            Self::Logs => table!("logs.tsv"),
            #[cfg(feature = "local")]
            Self::CloudWatch => table!("cloudwatch.tsv"),
        }
    }
}

/// Which deviations from the model count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// The sender may be newer than the tables: members and enum values that they do not list pass.
    Client,
    /// As the services do: members that they do not know pass.
    #[cfg(feature = "local")]
    Server,
    /// Everything that deviates counts.
    #[cfg(test)]
    Exact,
}

/// The service has no such operation in the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownOperation {
    pub(crate) service: Service,
    pub(crate) operation: String,
}

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} has no operation {:?} in the API model", self.service, self.operation)
    }
}

impl std::error::Error for UnknownOperation {}

/// Checks an operation's input. No violations: the list is empty.
///
/// Violations come in the order of the model's members. Wrong JSON types hide all others, as a service that cannot
/// read a request does not come to check it.
pub(crate) fn validate(
    service: Service,
    operation: &str,
    input: &Value,
    strictness: Strictness,
) -> Result<Vec<Violation>, UnknownOperation> {
    let (shape, _) = ends(service, operation)?;
    Ok(check::document(service.table(), shape, input, strictness))
}

/// Checks an operation's output, as [`validate`] does its input.
#[cfg(test)]
pub(crate) fn validate_output(
    service: Service,
    operation: &str,
    output: &Value,
    strictness: Strictness,
) -> Result<Vec<Violation>, UnknownOperation> {
    let (_, shape) = ends(service, operation)?;
    Ok(check::document(service.table(), shape, output, strictness))
}

/// The names of all operations, sorted.
#[cfg(test)]
pub(crate) fn operations(service: Service) -> impl Iterator<Item = &'static str> {
    service.table().operations()
}

/// The declared members of an operation's input, in the model's order.
#[cfg(feature = "local")]
pub(crate) fn input_members(service: Service, operation: &str) -> Result<Vec<Member>, UnknownOperation> {
    let (shape, _) = ends(service, operation)?;
    Ok(service.table().shape(shape).into_iter().flat_map(|shape| shape.members().collect::<Vec<_>>()).collect())
}

fn ends(service: Service, operation: &str) -> Result<(&'static str, &'static str), UnknownOperation> {
    let unknown = || UnknownOperation { service, operation: operation.to_owned() };
    service.table().operation(operation).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
