//! Flows over the real AWS clients.

mod endpoints;
mod identity;
mod listing;
mod logs;
#[cfg(feature = "local-server")]
mod persistence;
mod support;
mod tags;
mod training;
mod transform;
mod wire;
