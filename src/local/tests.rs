//! Flows over the real AWS clients.

mod alarms;
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
mod lenient;
mod listing;
mod logs;
mod logs_settings;
mod metrics;
mod model_packages;
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
