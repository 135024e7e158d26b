//! Flows over the real AWS clients.

mod alarms;
#[cfg(feature = "algorithms")]
mod algorithms;
mod components;
mod endpoints;
mod hosting;
mod identity;
mod invocations;
mod kinds;
mod listing;
mod logs;
mod logs_settings;
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
