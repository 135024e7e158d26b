//! Endpoints: their models come up, are swapped and go.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Run;
use super::containers::{self, LoadFailure, Serving, Surroundings};
use super::run::Owner;
use crate::local::backend::Core;
use crate::local::engines::STARTUP_LIMIT;
use crate::local::kinds::Kind;
use crate::local::state::Resource;
use crate::local::time::timestamp;

mod asynchronous;
mod capture;
pub(in crate::local) mod component;
mod deployment;
mod serverless;
mod traffic;

pub(in crate::local) use asynchronous::{AsyncQueue, Waiting};
pub(in crate::local) use capture::Exchange;
pub(in crate::local) use deployment::{Deployment, Variant};
pub(in crate::local) use serverless::{COLD_START, Slot};

const CREATING: u64 = 30;
const UPDATING: u64 = 30;
const ROLLING_BACK: u64 = 10;
const DELETING: u64 = 5;
const NO_CAPACITY: &str = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. \
     Please retry using a different ML instance type or after some time.";

/// What an endpoint is to be: its configuration as it was when it was asked for, as it may be deleted later.
#[derive(Clone)]
pub(in crate::local) struct Plan {
    pub(in crate::local) config: String,
    pub(in crate::local) variants: Vec<Value>,
    pub(in crate::local) shadows: Vec<Value>,
    capture: Option<Value>,
    asynchronous: Option<Value>,
}

impl Plan {
    /// From the document of a configuration.
    pub(in crate::local) fn new(config: &str, document: &Map<String, Value>) -> Self {
        let list = |member: &str| document.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        Self {
            config: config.to_owned(),
            variants: list("ProductionVariants"),
            shadows: list("ShadowProductionVariants"),
            capture: document.get("DataCaptureConfig").cloned(),
            asynchronous: document.get("AsyncInferenceConfig").cloned(),
        }
    }

    /// What Describe says of it while it comes up.
    pub(in crate::local) fn pending(&self, core: &Core) -> Value {
        let mut pending = json!({
            "EndpointConfigName": self.config,
            "ProductionVariants": summaries(&self.variants, "Creating", core),
            "StartTime": timestamp(core.clock.now()),
        });
        if !self.shadows.is_empty() {
            pending["ShadowProductionVariants"] = summaries(&self.shadows, "Creating", core).into();
        }
        pending
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The name of an instance, the same for the same text.
pub(super) fn instance_id(of: &str) -> String {
    format!("i-0{:016x}", hash(of))
}

/// The log group of an endpoint's containers.
pub(in crate::local) fn log_group(endpoint: &str) -> String {
    format!("/aws/sagemaker/Endpoints/{endpoint}")
}

/// The log group of an inference component's containers.
pub(in crate::local) fn component_log_group(component: &str) -> String {
    format!("/aws/sagemaker/InferenceComponents/{component}")
}

/// The summaries of variants, as Describe gives them.
fn summaries(config_variants: &[Value], status: &str, core: &Core) -> Vec<Value> {
    config_variants.iter().map(|variant| summary(variant, status, core)).collect()
}

fn summary(variant: &Value, status: &str, core: &Core) -> Value {
    let weight = variant.get("InitialVariantWeight").and_then(Value::as_f64).unwrap_or(1.0);
    let mut summary = json!({
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "DeployedImages": images(variant, core),
    });
    if let Some(count) = variant.get("InitialInstanceCount") {
        summary["CurrentInstanceCount"] = count.clone();
        summary["DesiredInstanceCount"] = count.clone();
    }
    if let Some(serverless) = variant.get("ServerlessConfig") {
        summary["CurrentServerlessConfig"] = serverless.clone();
        summary["DesiredServerlessConfig"] = serverless.clone();
        summary["CurrentInstanceCount"] = json!(0);
    }
    if status != "InService" {
        summary["VariantStatus"] = json!([{"Status": status, "StartTime": timestamp(core.clock.now())}]);
    }
    summary
}

fn images(variant: &Value, core: &Core) -> Value {
    let state = core.state();
    let name = variant["ModelName"].as_str().unwrap_or_default();
    let model = state.get(Kind::Model.row(), &core.place, name);
    let Ok(model) = model else { return json!([]) };
    containers::definitions(model).iter().map(|container| deployed_image(&container["Image"], core)).collect()
}

fn deployed_image(image: &Value, core: &Core) -> Value {
    json!({"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": timestamp(core.clock.now())})
}

/// Brings up a new endpoint.
pub(in crate::local) async fn create(mut run: Run, plan: Plan) {
    run.pass(CREATING).await;
    let loaded = deploy(&run, &plan).await;
    let core = run.owner.core.clone();
    let described = Described::new(&plan, &core);
    run.finish(|resource, _| match loaded {
        Ok(deployment) => described.in_service(resource, deployment),
        Err(reason) => fail(resource, &reason),
    });
}

/// Loads the models of an endpoint that was up before the backend was started again.
pub(super) async fn revive(run: Run, config: &str) {
    let core = run.owner.core.clone();
    let plan = {
        let state = core.state();
        let config = state.get(Kind::EndpointConfig.row(), &core.place, config);
        config.map(|config| Plan::new(&config.name, &config.request)).map_err(|error| error.message)
    };
    let loaded = match &plan {
        Ok(plan) => deploy(&run, plan).await.map(|deployment| (deployment, Described::new(plan, &core))),
        Err(why) => Err(why.clone()),
    };
    let endpoint = run.owner.name.clone();
    run.finish(|resource, _| match loaded {
        Ok((deployment, described)) => match resource.state.get("ProductionVariants").and_then(Value::as_array) {
            Some(summaries) => resource.deployment = Some(Arc::new(deployment.reweighed(&endpoint, summaries))),
            None => described.in_service(resource, deployment),
        },
        Err(reason) => fail(resource, &reason),
    });
}

/// Swaps the variants of an endpoint for those of another configuration, all at once or in the steps that `rollout`, a
/// `DeploymentConfig`, asks for; if they do not come up, the old ones stay.
pub(in crate::local) async fn update(mut run: Run, plan: Plan, rollout: Option<Value>) {
    run.pass(UPDATING).await;
    let loaded = deploy(&run, &plan).await;
    let core = run.owner.core.clone();
    let described = Described::new(&plan, &core);
    match loaded {
        Ok(deployment) => {
            let deployment = traffic::shift(&mut run, deployment, rollout.as_ref()).await;
            run.finish(|resource, _| {
                resource.request.insert("EndpointConfigName".to_owned(), json!(plan.config));
                resource.state.remove("FailureReason");
                described.in_service(resource, deployment);
            });
        }
        Err(reason) => {
            run.update(|resource, _| resource.set("EndpointStatus", "RollingBack"));
            run.pass(ROLLING_BACK).await;
            run.finish(|resource, _| fail(resource, &reason));
        }
    }
}

/// New weights and instance counts of variants that are up.
pub(in crate::local) struct Desired {
    pub(in crate::local) variant: String,
    pub(in crate::local) weight: Option<f64>,
    pub(in crate::local) instances: Option<u64>,
}

/// Changes weights and instance counts.
pub(in crate::local) async fn reweigh(mut run: Run, desired: Vec<Desired>) {
    run.pass(UPDATING).await;
    let endpoint = run.owner.name.clone();
    run.finish(|resource, _| {
        if let Some(old) = resource.deployment.clone() {
            let mut variants = old.variants.clone();
            for variant in &mut variants {
                let Some(change) = desired.iter().find(|change| change.variant == variant.name) else { continue };
                variant.weight = change.weight.unwrap_or(variant.weight);
                variant.instances = change.instances.unwrap_or(variant.instances);
            }
            resource.deployment = Some(Arc::new(old.with_variants(&endpoint, variants)));
        }
        resource.set("EndpointStatus", "InService");
        set_desired(resource, &desired, &["Current", "Desired"]);
    });
}

/// Notes the values that are wanted, or that are reached, in the variants' summaries.
pub(in crate::local) fn set_desired(resource: &mut Resource, desired: &[Desired], prefixes: &[&str]) {
    let summaries = resource.state.get_mut("ProductionVariants").and_then(Value::as_array_mut);
    for summary in summaries.into_iter().flatten() {
        let Some(change) = desired.iter().find(|change| summary["VariantName"] == change.variant.as_str()) else {
            continue;
        };
        for prefix in prefixes {
            if let Some(weight) = change.weight {
                summary[format!("{prefix}Weight")] = json!(weight);
            }
            if let Some(instances) = change.instances {
                summary[format!("{prefix}InstanceCount")] = json!(instances);
            }
        }
    }
}

/// What Describe says of an endpoint that is up.
struct Described {
    production: Vec<Value>,
    shadows: Vec<Value>,
    capture: Option<Value>,
    asynchronous: Option<Value>,
}

impl Described {
    fn new(plan: &Plan, core: &Core) -> Self {
        Self {
            production: summaries(&plan.variants, "InService", core),
            shadows: summaries(&plan.shadows, "InService", core),
            capture: plan.capture.as_ref().map(capture_summary),
            asynchronous: plan.asynchronous.clone(),
        }
    }

    fn in_service(self, resource: &mut Resource, deployment: Deployment) {
        resource.state.remove("PendingDeploymentSummary");
        resource.deployment = Some(Arc::new(deployment));
        resource.set("EndpointStatus", "InService");
        resource.set("ProductionVariants", self.production);
        let mut optional = |member: &str, value: Option<Value>| match value {
            Some(value) => resource.set(member, value),
            None => drop(resource.state.remove(member)),
        };
        optional("ShadowProductionVariants", (!self.shadows.is_empty()).then(|| self.shadows.into()));
        optional("DataCaptureConfig", self.capture);
        optional("AsyncInferenceConfig", self.asynchronous);
    }
}

fn capture_summary(config: &Value) -> Value {
    let enabled = config["EnableCapture"].as_bool().unwrap_or(true);
    json!({
        "EnableCapture": enabled,
        "CaptureStatus": if enabled { "Started" } else { "Stopped" },
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config["KmsKeyId"].as_str().unwrap_or_default(),
    })
}

/// A change failed: what was up before goes on answering.
pub(super) fn fail(resource: &mut Resource, reason: &str) {
    resource.state.remove("PendingDeploymentSummary");
    resource.set_failure(reason);
    resource.set("EndpointStatus", if resource.deployment.is_some() { "InService" } else { "Failed" });
    let summaries = resource.state.get_mut("ProductionVariants").and_then(Value::as_array_mut);
    for summary in summaries.into_iter().flatten() {
        for what in ["Weight", "InstanceCount"] {
            if let Some(current) = summary.get(format!("Current{what}")).cloned() {
                summary[format!("Desired{what}")] = current;
            }
        }
    }
}

/// Takes an endpoint down.
pub(in crate::local) async fn delete(mut run: Run) {
    run.pass(DELETING).await;
    run.remove();
}

/// Loads the models of all variants; the text says why one did not come up.
async fn deploy(run: &Run, plan: &Plan) -> Result<Deployment, String> {
    if run.faults.capacity {
        return Err(NO_CAPACITY.to_owned());
    }
    let endpoint = &run.owner.name;
    let variants = bring_up(run, &plan.variants).await?;
    let shadows = bring_up(run, &plan.shadows).await?;
    let mut deployment = Deployment::new(endpoint, variants);
    deployment.shadows = shadows;
    deployment.capture = plan.capture.as_ref().and_then(capture::Capture::new);
    let instances = deployment.variants.iter().map(|variant| variant.instances).sum();
    let queue = plan.asynchronous.as_ref().and_then(|config| AsyncQueue::new(config, instances));
    deployment.queue = queue.map(Arc::new);
    Ok(deployment)
}

async fn bring_up(run: &Run, variants: &[Value]) -> Result<Vec<Variant>, String> {
    let mut up = Vec::with_capacity(variants.len());
    for variant in variants {
        let name = variant["VariantName"].as_str().unwrap_or_default().to_owned();
        let log_stream = log_stream(&run.owner.name, &name);
        let serving = match variant["ModelName"].as_str().map(str::to_owned) {
            Some(model) => {
                let load = move |core: &Arc<Core>, surroundings: &Surroundings| {
                    containers::load(core, &model, &BTreeMap::new(), surroundings)
                };
                up_in_time(run, log_group(&run.owner.name), &log_stream, startup_limit(variant), load).await
            }
            None => Ok(Serving::default()),
        };
        up.push(Variant {
            weight: variant["InitialVariantWeight"].as_f64().unwrap_or(1.0),
            instances: variant["InitialInstanceCount"].as_u64().unwrap_or(1),
            serving: Arc::new(serving.map_err(|failure| reason(&name, failure))?),
            serverless: variant.get("ServerlessConfig").and_then(serverless::Serverless::new),
            log_stream,
            name,
        });
    }
    Ok(up)
}

/// How long the containers of a variant, or of what has `StartupParameters`, may take to answer their first ping.
fn startup_limit(asked: &Value) -> Duration {
    asked["ContainerStartupHealthCheckTimeoutInSeconds"].as_u64().map_or(STARTUP_LIMIT, Duration::from_secs)
}

/// Loads what is to answer, unless that takes longer than a container may take to answer its first ping.
async fn up_in_time(
    run: &Run,
    group: String,
    stream: &str,
    limit: Duration,
    load: impl FnOnce(&Arc<Core>, &Surroundings) -> Result<Serving, LoadFailure> + Send + 'static,
) -> Result<Serving, LoadFailure> {
    let (owner, stream) = (run.owner.clone(), stream.to_owned());
    let surroundings = Surroundings { startup_limit: limit, ..Surroundings::new(run, &group, &stream) };
    let work = run.work(move || {
        let loaded = load(&owner.core, &surroundings);
        log_load(&owner, &group, &stream, &loaded);
        loaded
    });
    tokio::select! {
        biased;
        loaded = work => loaded.unwrap_or_else(|panic| Err(LoadFailure::Engine(panic))),
        () = run.owner.core.clock.sleep(limit) => {
            run.owner.close_logs();
            Err(LoadFailure::Engine(format!("it did not come up within {} seconds", limit.as_secs())))
        }
    }
}

fn log_stream(endpoint: &str, variant: &str) -> String {
    format!("{variant}/{}", instance_id(&format!("{endpoint}/{variant}")))
}

fn log_load(owner: &Owner, group: &str, stream: &str, loaded: &Result<Serving, LoadFailure>) {
    match loaded {
        Ok(_) => owner.log(group, stream, "Model loaded, listening on port 8080"),
        Err(LoadFailure::Engine(why)) => owner.log(group, stream, why),
        Err(_) => {} // the container never started
    }
}

fn reason(variant: &str, failure: LoadFailure) -> String {
    match failure {
        LoadFailure::NoModel(why) | LoadFailure::Data(why) => why,
        LoadFailure::NoEngine(why) => format!("ClientError: {why}"),
        LoadFailure::Engine(why) => format!(
            "The primary container for production variant {variant} did not pass the ping health check. Please check \
             CloudWatch logs for this endpoint. ({why})"
        ),
    }
}
