//! What Image Classification and Object Detection share: both train on MXNet's key-value store.

use super::builtin::Checker;
use super::names::choices;

choices! {
    /// How instances keep in step.
    KvStore {
        /// after each batch
        DistSync = "dist_sync",
        /// they do not wait for each other
        DistAsync = "dist_async",
    }
}

impl KvStore {
    /// What is accepted.
    pub(super) const ACCEPTED: &'static [&'static str] = Self::NAMES;
}

/// Several instances must be told how to keep in step.
pub(super) fn check_kv_store(values: &mut Checker<'_>) {
    if values.get("kv_store").is_none() && values.instance_count() > 1 {
        values.refuse("kv_store", "is needed for more than one instance");
    }
}
