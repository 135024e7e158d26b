//! Flows over the real AWS clients.

#[cfg(feature = "algorithms")]
mod algorithms;
mod components;
mod endpoints;
#[cfg(feature = "algorithms")]
mod engines;
mod file_systems;
mod hosting;
mod identity;
mod invocations;
mod kinds;
mod listing;
mod logs;
mod metrics;
#[cfg(feature = "local-server")]
mod persistence;
#[cfg(unix)]
mod processes;
mod processing;
#[cfg(unix)]
mod script_mode;
mod support;
mod tags;
mod training;
mod training_options;
mod transform;
mod tuning;
mod wire;
