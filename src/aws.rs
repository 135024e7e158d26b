//! The AWS clients beneath a session, and the mapping of their errors to [`Error`](crate::Error).

#[cfg(feature = "control-plane")]
mod attempts;
#[cfg(feature = "control-plane")]
mod clients;
mod error;
#[cfg(feature = "control-plane")]
mod iam;
#[cfg(feature = "control-plane")]
mod metrics;
#[cfg(feature = "control-plane")]
mod raw;
#[cfg(feature = "control-plane")]
mod read_timeout;
#[cfg(feature = "control-plane")]
mod signed;
#[cfg(feature = "control-plane")]
pub(crate) mod validation;

#[cfg(feature = "control-plane")]
pub(crate) use attempts::counted;
#[cfg(feature = "control-plane")]
pub use clients::Aws;
pub(crate) use error::ServiceCall;
#[cfg(feature = "control-plane")]
pub(crate) use metrics::MetricQuery;
#[cfg(feature = "control-plane")]
pub(crate) use raw::RawChanges;

#[cfg(feature = "control-plane")]
pub use aws_config as config;
#[cfg(feature = "control-plane")]
pub use aws_sdk_cloudwatchlogs as cloudwatchlogs;
#[cfg(feature = "control-plane")]
pub use aws_sdk_s3 as s3;
#[cfg(feature = "control-plane")]
pub use aws_sdk_sagemaker as sagemaker;
pub use aws_sdk_sagemakerruntime as sagemakerruntime;
