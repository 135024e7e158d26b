//! The Rust SDK for Amazon SageMaker.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "control-plane")]
pub mod algorithms;
pub mod codec;
pub mod error;
#[cfg(feature = "control-plane")]
pub mod images;
#[cfg(feature = "local")]
pub mod local;
pub mod types;

pub use error::{Error, ErrorKind, Result};
