//! Inference components: models that come up on an endpoint without a model of its own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::{Deployment, Variant};
use super::{
    CREATING, DELETING, ROLLING_BACK, UPDATING, component_log_group, deployed_image, log_stream, reason, startup_limit,
    up_in_time,
};
use crate::local::backend::Core;
use crate::local::jobs::Run;
use crate::local::jobs::containers::{self, Surroundings};
use crate::local::state::Resource;

const STATUS: &str = "InferenceComponentStatus";

/// What a component is to be.
#[derive(Clone)]
pub(in crate::local) struct Plan {
    pub(in crate::local) variant: String,
    /// An `InferenceComponentSpecification`; `None` if it stays as it is.
    pub(in crate::local) specification: Option<Value>,
    pub(in crate::local) copies: u64,
}

/// A specification as Describe gives it.
pub(in crate::local) fn summary(specification: &Value, core: &Core) -> Value {
    let mut summary = specification.clone();
    if let Some(container) = summary["Container"].as_object_mut()
        && let Some(image) = container.remove("Image")
    {
        container.insert("DeployedImage".to_owned(), deployed_image(&image, core));
    }
    // Indexing made the member if it was not there.
    if let Some(members) = summary.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    summary
}

/// Brings up a component.
pub(in crate::local) async fn create(mut run: Run, plan: Plan) {
    run.pass(CREATING).await;
    change(run, plan).await;
}

/// Another model, other copies, or both.
pub(in crate::local) async fn update(mut run: Run, plan: Plan) {
    run.pass(UPDATING).await;
    change(run, plan).await;
}

async fn change(mut run: Run, plan: Plan) {
    let loaded = match plan.specification.clone() {
        Some(specification) => {
            let group = component_log_group(&run.owner.name);
            let stream = log_stream(&run.owner.name, &plan.variant);
            let limit = startup_limit(&specification["StartupParameters"]);
            let load = move |core: &Arc<Core>, surroundings: &Surroundings| {
                containers::load_component(core, &specification, surroundings)
            };
            up_in_time(&run, group, &stream, limit, load).await.map(|serving| Some(Arc::new(serving)))
        }
        None => Ok(None),
    };
    let core = run.owner.core.clone();
    let loaded = loaded.map_err(|failure| reason(&plan.variant, failure));
    if loaded.is_err() && run.update(|resource, _| resource.deployment.is_some()) == Some(true) {
        run.pass(ROLLING_BACK).await;
    }
    let name = run.owner.name.clone();
    run.finish(|resource, _| match loaded {
        Ok(serving) => {
            let old = resource.deployment.as_ref().and_then(|old| old.variants.first());
            let serving = serving.or_else(|| old.map(|old| old.serving.clone())).unwrap_or_default();
            let log_stream = log_stream(&name, &plan.variant);
            let variant = Variant {
                name: plan.variant,
                weight: 1.0,
                instances: plan.copies,
                serving,
                serverless: None,
                log_stream,
            };
            resource.deployment = Some(Arc::new(Deployment::new(&name, vec![variant])));
            if let Some(specification) = &plan.specification {
                // What Describe says is not enough to load it again.
                resource.request.insert("Specification".to_owned(), specification.clone());
                resource.set("Specification", summary(specification, &core));
            }
            let copies = plan.copies;
            resource.set("RuntimeConfig", json!({"DesiredCopyCount": copies, "CurrentCopyCount": copies}));
            resource.state.remove("FailureReason");
            resource.set(STATUS, "InService");
        }
        Err(reason) => fail(resource, &reason),
    });
}

/// A change failed: what was up before goes on answering.
pub(in crate::local::jobs) fn fail(resource: &mut Resource, reason: &str) {
    resource.set_failure(reason);
    if resource.deployment.is_none() {
        resource.set(STATUS, "Failed");
        return;
    }
    resource.set(STATUS, "InService");
    if let Some(config) = resource.state.get_mut("RuntimeConfig") {
        config["DesiredCopyCount"] = config["CurrentCopyCount"].clone();
    }
}

/// Loads a component again that was up before the backend was started again.
pub(in crate::local::jobs) async fn revive(run: Run) {
    let plan = run.update(|resource, _| {
        let variant = resource.state.get("VariantName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let copies = resource.state.get("RuntimeConfig").and_then(|config| config["DesiredCopyCount"].as_u64());
        Plan { variant, specification: resource.request.get("Specification").cloned(), copies: copies.unwrap_or(1) }
    });
    match plan {
        Some(plan) => change(run, plan).await,
        None => run.abandon(),
    }
}

/// Takes a component down.
pub(in crate::local) async fn delete(mut run: Run) {
    run.pass(DELETING).await;
    run.remove();
}
