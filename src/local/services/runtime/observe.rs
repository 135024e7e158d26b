//! The metrics of an invocation, as endpoints publish them.

use std::time::SystemTime;

use super::aim::Aim;
use crate::local::backend::Core;

const NAMESPACE: &str = "AWS/SageMaker";

/// How an invocation went.
pub(super) struct Outcome {
    /// When the request came.
    pub(super) began: SystemTime,
    /// When the containers were asked.
    pub(super) asked: SystemTime,
    /// The containers' status.
    pub(super) status: u16,
}

impl Outcome {
    /// Publishes the metrics; to be called when the answer is there.
    pub(super) fn record(&self, core: &Core, aim: &Aim) {
        let now = core.clock.now();
        let micros =
            |from: SystemTime, to: SystemTime| to.duration_since(from).map_or(0.0, |passed| passed.as_micros() as f64);
        let count = |yes: bool| if yes { 1.0 } else { 0.0 };
        let failed = !(400..500).contains(&self.status) && self.status != 200;
        let metrics = [
            ("Invocations", "None", 1.0),
            ("Invocation4XXErrors", "None", count((400..500).contains(&self.status))),
            ("Invocation5XXErrors", "None", count(failed)),
            ("InvocationModelErrors", "None", count(self.status != 200)),
            ("ModelLatency", "Microseconds", micros(self.asked, now)),
            ("OverheadLatency", "Microseconds", micros(self.began, self.asked)),
            ("InvocationsPerInstance", "None", 1.0 / aim.variant.instances.max(1) as f64),
        ];
        let endpoint = [("EndpointName", aim.endpoint.as_str()), ("VariantName", aim.variant.name.as_str())];
        for (name, unit, value) in metrics {
            core.metrics.add(NAMESPACE, name, &endpoint, unit, now, value);
        }
        let Some(component) = &aim.component else { return };
        let component = [("InferenceComponentName", component.as_str())];
        for (name, unit, value) in metrics {
            let name = if name == "InvocationsPerInstance" { "InvocationsPerCopy" } else { name };
            core.metrics.add(NAMESPACE, name, &component, unit, now, value);
        }
    }
}
