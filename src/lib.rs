//! The Rust SDK for Amazon SageMaker.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "control-plane")]
pub mod algorithms;
#[cfg(feature = "control-plane")]
pub mod api_model;
pub mod aws;
pub mod codec;
#[cfg(feature = "control-plane")]
pub mod endpoint;
pub mod error;
#[cfg(feature = "control-plane")]
pub mod estimator;
#[cfg(feature = "control-plane")]
pub mod images;
#[cfg(feature = "control-plane")]
pub mod job;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "control-plane")]
pub mod logs;
#[cfg(feature = "control-plane")]
pub mod model;
#[cfg(feature = "control-plane")]
pub mod poll;
pub mod predictor;
#[cfg(feature = "control-plane")]
mod s3;
#[cfg(feature = "control-plane")]
pub mod session;
#[cfg(feature = "control-plane")]
pub mod training;
#[cfg(feature = "control-plane")]
pub mod transform;
pub mod types;

pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "control-plane")]
pub use session::Session;
