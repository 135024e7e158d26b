//! A blue-green or rolling update: the traffic goes over to the new variants in steps.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::Deployment;
use crate::local::jobs::Run;
use crate::local::state::Resource;
use crate::local::time::timestamp;

/// How the traffic goes over.
#[derive(Debug, PartialEq)]
struct Steps {
    /// The shares of the new variants before they get everything, each for a while.
    shares: Vec<f64>,
    /// Seconds that each share is kept.
    wait: u64,
    /// Seconds that the old variants stay after the last step.
    termination: u64,
}

impl Steps {
    /// From a `DeploymentConfig`, for so many instances.
    fn new(config: Option<&Value>, instances: u64) -> Self {
        let config = config.unwrap_or(&Value::Null);
        let (policy, rolling) = (&config["BlueGreenUpdatePolicy"], &config["RollingUpdatePolicy"]);
        if rolling.is_object() {
            let step = share(&rolling["MaximumBatchSize"], instances);
            let wait = rolling["WaitIntervalInSeconds"].as_u64().unwrap_or(0);
            return Self { shares: linear(step), wait, termination: 0 };
        }
        let routing = &policy["TrafficRoutingConfiguration"];
        let shares = match routing["Type"].as_str() {
            Some("CANARY") => vec![share(&routing["CanarySize"], instances)],
            Some("LINEAR") => linear(share(&routing["LinearStepSize"], instances)),
            _ => Vec::new(),
        };
        Self {
            shares,
            wait: routing["WaitIntervalInSeconds"].as_u64().unwrap_or(0),
            termination: policy["TerminationWaitInSeconds"].as_u64().unwrap_or(0),
        }
    }
}

/// A `CapacitySize` as a share of the whole.
fn share(size: &Value, instances: u64) -> f64 {
    let value = size["Value"].as_f64().unwrap_or(100.0);
    let whole = if size["Type"] == "INSTANCE_COUNT" { instances.max(1) as f64 } else { 100.0 };
    (value / whole).clamp(0.01, 1.0)
}

fn linear(step: f64) -> Vec<f64> {
    let count = (1.0 / step).ceil() as usize;
    (1..count).map(|number| step * number as f64).collect()
}

/// Shifts the traffic of an endpoint to its new variants; gives back what is to serve alone at the end.
pub(super) async fn shift(run: &mut Run, new: Deployment, config: Option<&Value>) -> Deployment {
    let old = run.update(|resource, _| resource.deployment.clone()).flatten();
    let instances = new.variants.iter().map(|variant| variant.instances).sum();
    let steps = Steps::new(config, instances);
    let Some(old) = old.filter(|_| !steps.shares.is_empty() || steps.termination > 0) else { return new };
    let endpoint = run.owner.name.clone();
    for share in steps.shares {
        let mixed = Arc::new(mix(&endpoint, &old, &new, share));
        run.update(|resource, now| {
            resource.deployment = Some(mixed);
            baking(resource, &timestamp(now));
        });
        run.pass(steps.wait).await;
    }
    let alone = Arc::new(new.with_variants(&endpoint, new.variants.clone()));
    run.update(|resource, now| {
        resource.deployment = Some(alone);
        baking(resource, &timestamp(now));
    });
    run.pass(steps.termination).await;
    new
}

fn baking(resource: &mut Resource, now: &Value) {
    let pending =
        resource.state.get_mut("PendingDeploymentSummary").and_then(|pending| pending.get_mut("ProductionVariants"));
    for variant in pending.and_then(Value::as_array_mut).into_iter().flatten() {
        variant["VariantStatus"] = json!([{"Status": "Baking", "StartTime": now}]);
    }
}

/// Both fleets, the new one with this share of the traffic.
fn mix(endpoint: &str, old: &Deployment, new: &Deployment, share: f64) -> Deployment {
    let of = |fleet: &Deployment, share: f64| {
        let total: f64 = fleet.variants.iter().map(|variant| variant.weight).sum();
        let mut variants = fleet.variants.clone();
        for variant in &mut variants {
            variant.weight = if total > 0.0 { variant.weight / total * share } else { 0.0 };
        }
        variants
    };
    let variants = of(old, 1.0 - share).into_iter().chain(of(new, share)).collect();
    old.with_variants(endpoint, variants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_the_policy() {
        let blue_green = |routing: Value| json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}});
        let canary = blue_green(
            json!({"Type": "CANARY", "WaitIntervalInSeconds": 300, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}),
        );
        assert_eq!(Steps::new(Some(&canary), 4), Steps { shares: vec![0.25], wait: 300, termination: 60 });
        let linear = blue_green(
            json!({"Type": "LINEAR", "WaitIntervalInSeconds": 60, "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}),
        );
        assert_eq!(Steps::new(Some(&linear), 1), Steps { shares: vec![0.25, 0.5, 0.75], wait: 60, termination: 60 });
        let rolling = json!({"RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 5}});
        assert_eq!(Steps::new(Some(&rolling), 1), Steps { shares: vec![0.5], wait: 5, termination: 0 });
        assert_eq!(Steps::new(None, 1), Steps { shares: vec![], wait: 0, termination: 0 });
    }
}
