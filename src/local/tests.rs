//! Flows over the real AWS clients.

mod components;
mod endpoints;
mod hosting;
mod identity;
mod invocations;
mod kinds;
mod listing;
mod logs;
mod metrics;
mod processing;
mod support;
mod tags;
mod training;
mod transform;
mod tuning;
mod wire;
