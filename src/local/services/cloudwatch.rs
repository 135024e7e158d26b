//! CloudWatch metrics.

mod store;

pub(in crate::local) use store::MetricStore;
