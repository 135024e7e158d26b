//! A serverless variant: it starts when it is asked, and sleeps again after a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;

/// How long a start takes.
pub(in crate::local) const COLD_START: Duration = Duration::from_secs(2);
/// After how long without requests a variant sleeps.
const IDLE: Duration = Duration::from_secs(300);

/// The state of a serverless variant.
#[derive(Debug)]
pub(in crate::local) struct Serverless {
    config: Config,
    state: Mutex<State>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    max_concurrency: usize,
    #[serde(default)]
    provisioned_concurrency: usize,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    last_used: Option<SystemTime>,
}

/// A place among the requests that a variant answers at the same time.
#[derive(Debug)]
pub(in crate::local) struct Slot {
    of: Arc<Serverless>,
    /// Whether the variant has to start first.
    pub(in crate::local) cold: bool,
}

impl Serverless {
    /// A variant that sleeps. A document that the model has let through can be read.
    pub(super) fn new(config: &Value) -> Option<Arc<Self>> {
        let config = Config::deserialize(config).ok()?;
        Some(Arc::new(Self { config, state: Mutex::default() }))
    }

    /// Takes a place; `None` if all are taken.
    pub(in crate::local) fn enter(self: &Arc<Self>, now: SystemTime) -> Option<Slot> {
        let mut state = self.state();
        if state.running >= self.config.max_concurrency {
            return None;
        }
        let awake = |last: SystemTime| now.duration_since(last).unwrap_or_default() < IDLE;
        let provisioned = state.running < self.config.provisioned_concurrency;
        let cold = !provisioned && !state.last_used.is_some_and(awake);
        state.running += 1;
        state.last_used = Some(now);
        drop(state);
        Some(Slot { of: self.clone(), cold })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.of.state().running -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn starts_when_it_has_slept_and_answers_so_many_at_a_time() {
        let variant = Serverless::new(&json!({"MemorySizeInMB": 1024, "MaxConcurrency": 2})).unwrap();
        let now = SystemTime::UNIX_EPOCH;
        let first = variant.enter(now).unwrap();
        let second = variant.enter(now).unwrap();
        assert!(first.cold && !second.cold && variant.enter(now).is_none());
        drop((first, second));
        assert!(!variant.enter(now + Duration::from_secs(299)).unwrap().cold);
        assert!(variant.enter(now + Duration::from_secs(600)).unwrap().cold);
        let config = json!({"MemorySizeInMB": 1024, "MaxConcurrency": 2, "ProvisionedConcurrency": 1});
        assert!(!Serverless::new(&config).unwrap().enter(now).unwrap().cold);
    }
}
