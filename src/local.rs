//! The local backend: one in-memory AWS that answers the real protocols beneath the real AWS clients.

pub mod engines;
#[allow(dead_code)]
mod s3;
