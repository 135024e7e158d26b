//! What runs behind the answers: training, transform and hosting, each a task on the clock.

pub(super) mod calls;
mod containers;
pub(super) mod hosting;
mod multi_model;
pub(super) mod pipeline;
pub(super) mod processing;
pub(super) mod revive;
mod run;
pub(super) mod states;
pub(super) mod training;
pub(super) mod transform;
pub(super) mod tuning;

pub(super) use containers::{RESOLVED_CONTAINERS, Serving};
pub(super) use hosting::{Deployment, Variant};
pub(super) use run::{Event, Run, Runtime, StopSignal};

use std::time::Duration;

/// What a container gets between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(120);

/// Why a job failed for which there were no instances.
const NO_CAPACITY: &str = "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.";
