//! Models, and the endpoints that serve them.

use super::row::plain;
use super::{ListRow, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        flags: &["EnableNetworkIsolation"],
        missing: |_, arn| AwsError::validation(format!("Could not find model \"{arn}\".")),
        taken: |_, arn| AwsError::validation(format!("Cannot create already existing model \"{arn}\".")),
        ..plain!(Model, "model", ListRow::newest_first("ListModels"))
    },
    Row {
        flags: &["EnableNetworkIsolation"],
        missing: |_, arn| AwsError::validation(format!("Could not find endpoint configuration \"{arn}\".")),
        taken: |_, arn| {
            AwsError::validation(format!("Cannot create already existing endpoint configuration \"{arn}\"."))
        },
        ..plain!(EndpointConfig, "endpoint-config", ListRow::newest_first("ListEndpointConfigs"))
    },
    Row {
        status: Status::of("EndpointStatus"),
        missing: |_, arn| AwsError::validation(format!("Could not find endpoint \"{arn}\".")),
        taken: |_, arn| AwsError::validation(format!("Cannot create already existing endpoint \"{arn}\".")),
        ..plain!(Endpoint, "endpoint", ListRow::newest_first("ListEndpoints"))
    },
    Row {
        status: Status::of("InferenceComponentStatus"),
        missing: |_, arn| AwsError::validation(format!("Could not find inference component \"{arn}\".")),
        taken: |_, arn| AwsError::validation(format!("Cannot create already existing inference component \"{arn}\".")),
        ..plain!(InferenceComponent, "inference-component", ListRow::newest_first("ListInferenceComponents"))
    },
];
