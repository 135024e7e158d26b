//! The local backend: one in-memory AWS that answers the real protocols beneath the real AWS clients.

pub mod engines;
#[cfg_attr(not(test), allow(dead_code))] // until the backend calls it
mod s3;
