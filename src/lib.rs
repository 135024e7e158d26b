//! The Rust SDK for Amazon SageMaker.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "control-plane")]
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod api_model;
#[cfg(feature = "control-plane")]
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod aws;
pub mod codec;
pub mod error;
#[cfg(feature = "local")]
pub mod local;
pub mod types;

pub use error::{Error, ErrorKind, Result};
