//! Scenarios `session_*`.

use super::support::Scenario;

pub const SCENARIOS: &[(&str, Scenario)] = &[];
