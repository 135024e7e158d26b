//! When a fault happens.

use super::Fault;

/// A [`Fault`] and the requests that it befalls: all, unless it is narrowed down.
///
/// ```
/// use sagemaker::local::{Fault, LocalBackend};
///
/// // The third upload below s3://data/in/ is answered, but nobody hears of it.
/// let rule = Fault::lose_answer().service("s3").on("PutObject").resource("data/in/*").nth(3);
/// LocalBackend::new().faults().add(rule);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a rule does nothing until it is added to a backend's faults"]
pub struct FaultRule {
    pub(super) fault: Fault,
    pub(super) service: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) skip: u64,
    pub(super) times: u64,
    pub(super) probability: f64,
    pub(super) seed: u64,
}

impl FaultRule {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            fault,
            service: None,
            operation: None,
            resource: None,
            skip: 0,
            times: u64::MAX,
            probability: 1.0,
            seed: 0,
        }
    }

    /// Only requests of an operation, such as `CreateTrainingJob`, `PutObject` or `InvokeEndpoint`.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only requests of a service: `sagemaker`, `sagemaker-runtime`, `s3`, `logs`, `cloudwatch`, `sts` or
    /// `iam`.
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Only requests that name a resource like this one; `*` stands for any text. Of S3 it is `bucket/key`.
    pub fn resource(mut self, pattern: impl Into<String>) -> Self {
        self.resource = Some(pattern.into());
        self
    }

    /// Lets the first requests that match pass.
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// At most so many times.
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Only the n-th request that matches, counted from 1: short for `skip(n - 1).times(1)`.
    pub fn nth(self, number: u64) -> Self {
        self.skip(number.saturating_sub(1)).times(1)
    }

    /// Only some of the requests that match, chosen at random; from 0 (none) to 1 (all, the default).
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = if probability.is_nan() { 0.0 } else { probability.clamp(0.0, 1.0) };
        self
    }

    /// What the choice at random starts from. The default is 0: each run chooses the same.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}
