//! Endpoints: their models come up, are swapped and go.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::Run;
use super::containers::{self, Container, LoadFailure, Surroundings};
use super::run::Owner;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::state::Resource;
use crate::local::time::timestamp;

const CREATING: u64 = 30;
const UPDATING: u64 = 30;
const DELETING: u64 = 5;
const NO_CAPACITY: &str = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. \
     Please retry using a different ML instance type or after some time.";
/// How long a container may take until it answers its first ping.
const PING_LIMIT: Duration = Duration::from_secs(240);

/// What answers behind an endpoint.
pub(in crate::local) struct Deployment {
    pub(in crate::local) variants: Vec<Variant>,
    /// Seeded by the endpoint's name: the same calls choose the same variants in each run.
    random: Mutex<fastrand::Rng>,
}

/// A production variant with its containers.
#[derive(Clone)]
pub(in crate::local) struct Variant {
    pub(in crate::local) name: String,
    pub(in crate::local) weight: f64,
    pub(in crate::local) containers: Arc<Vec<Container>>,
    /// Where its containers log.
    pub(in crate::local) log_stream: String,
}

impl Deployment {
    fn new(endpoint: &str, variants: Vec<Variant>) -> Self {
        Self { variants, random: Mutex::new(fastrand::Rng::with_seed(hash(endpoint))) }
    }

    /// The same with the weights of summaries, as Describe gives them.
    fn reweighed(mut self, summaries: &[Value]) -> Self {
        for variant in &mut self.variants {
            let summary = summaries.iter().find(|summary| summary["VariantName"] == variant.name.as_str());
            if let Some(weight) = summary.and_then(|summary| summary["CurrentWeight"].as_f64()) {
                variant.weight = weight;
            }
        }
        self
    }

    /// A variant by weight.
    pub(in crate::local) fn choose(&self) -> Option<&Variant> {
        if let [only] = self.variants.as_slice() {
            return Some(only);
        }
        let total: f64 = self.variants.iter().map(|variant| variant.weight).sum();
        let mut point = self.random.lock().unwrap_or_else(PoisonError::into_inner).f64() * total;
        let by_weight = self.variants.iter().filter(|variant| variant.weight > 0.0).find(|variant| {
            point -= variant.weight;
            point < 0.0
        });
        by_weight.or(self.variants.first())
    }
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variants.iter().map(|variant| &variant.name)).finish()
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

/// The summaries of variants that come up, as Describe gives them.
pub(in crate::local) fn summaries(config_variants: &[Value], status: &str, core: &Core) -> Vec<Value> {
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
    let primary = model.request.get("PrimaryContainer").into_iter();
    let chain = model.request.get("Containers").and_then(Value::as_array).into_iter().flatten();
    let now = timestamp(core.clock.now());
    let image = |container: &Value| json!({"SpecifiedImage": container["Image"], "ResolutionTime": now});
    primary.chain(chain).map(image).collect()
}

/// Brings up a new endpoint.
pub(in crate::local) async fn create(mut run: Run, variants: Vec<Value>) {
    run.pass(CREATING).await;
    let loaded = deploy(&run, &variants).await;
    let summaries = summaries(&variants, "InService", &run.owner.core);
    run.finish(|resource, _| match loaded {
        Ok(deployment) => {
            in_service(resource, deployment, summaries);
        }
        Err(reason) => fail(resource, &reason),
    });
}

/// Loads the models of an endpoint that was up before the backend was started again.
pub(super) async fn revive(run: Run, config: &str) {
    let core = run.owner.core.clone();
    let variants = {
        let state = core.state();
        let config = state.get(Kind::EndpointConfig.row(), &core.place, config);
        config.map(|config| config.request.get("ProductionVariants").and_then(Value::as_array).cloned())
    };
    let variants = variants.map(Option::unwrap_or_default).map_err(|error| error.message);
    let loaded = match &variants {
        Ok(variants) => deploy(&run, variants).await,
        Err(why) => Err(why.clone()),
    };
    run.finish(|resource, _| match loaded {
        Ok(deployment) if resource.state.contains_key("ProductionVariants") => {
            let weights = resource.state.get("ProductionVariants").and_then(Value::as_array).cloned();
            resource.deployment = Some(Arc::new(deployment.reweighed(&weights.unwrap_or_default())));
        }
        Ok(deployment) => {
            let summaries = summaries(&variants.unwrap_or_default(), "InService", &core);
            in_service(resource, deployment, summaries);
        }
        Err(reason) => fail(resource, &reason),
    });
}

/// Swaps the variants of an endpoint for those of another configuration; if they do not come up, the old ones stay.
pub(in crate::local) async fn update(mut run: Run, config: String, variants: Vec<Value>) {
    run.pass(UPDATING).await;
    let loaded = deploy(&run, &variants).await;
    let summaries = summaries(&variants, "InService", &run.owner.core);
    run.finish(|resource, _| match loaded {
        Ok(deployment) => {
            resource.request.insert("EndpointConfigName".to_owned(), json!(config));
            resource.state.remove("FailureReason");
            in_service(resource, deployment, summaries);
        }
        Err(reason) => fail(resource, &reason),
    });
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
        let mut variants = resource.deployment.as_ref().map(|old| old.variants.clone()).unwrap_or_default();
        for change in &desired {
            if let (Some(weight), Some(variant)) =
                (change.weight, variants.iter_mut().find(|variant| variant.name == change.variant))
            {
                variant.weight = weight;
            }
        }
        resource.deployment = Some(Arc::new(Deployment::new(&endpoint, variants)));
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

fn in_service(resource: &mut Resource, deployment: Deployment, summaries: Vec<Value>) {
    resource.state.remove("PendingDeploymentSummary");
    resource.deployment = Some(Arc::new(deployment));
    resource.set("EndpointStatus", "InService");
    resource.set("ProductionVariants", summaries);
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
async fn deploy(run: &Run, variants: &[Value]) -> Result<Deployment, String> {
    if run.faults.capacity {
        return Err(NO_CAPACITY.to_owned());
    }
    let mut up = Vec::with_capacity(variants.len());
    for variant in variants {
        let name = variant["VariantName"].as_str().unwrap_or_default().to_owned();
        let model = variant["ModelName"].as_str().unwrap_or_default().to_owned();
        let (owner, stream) = (run.owner.clone(), log_stream(&run.owner.name, &name));
        let surroundings = Surroundings::new(run, &log_group(&owner.name), &stream);
        let work = run.work(move || {
            let loaded = containers::load(&owner.core, &model, &BTreeMap::new(), &surroundings);
            log_load(&owner, &stream, &loaded);
            loaded
        });
        let loaded = tokio::select! {
            biased;
            loaded = work => loaded.unwrap_or_else(|panic| Err(LoadFailure::Engine(panic))),
            () = run.owner.core.clock.sleep(PING_LIMIT) => {
                run.owner.close_logs();
                Err(LoadFailure::Engine(format!("it did not come up within {} seconds", PING_LIMIT.as_secs())))
            }
        };
        let containers = loaded.map_err(|failure| reason(&name, failure))?;
        up.push(Variant {
            weight: variant.get("InitialVariantWeight").and_then(Value::as_f64).unwrap_or(1.0),
            containers: Arc::new(containers),
            log_stream: log_stream(&run.owner.name, &name),
            name,
        });
    }
    Ok(Deployment::new(&run.owner.name, up))
}

fn log_stream(endpoint: &str, variant: &str) -> String {
    format!("{variant}/{}", instance_id(&format!("{endpoint}/{variant}")))
}

fn log_load(owner: &Owner, stream: &str, loaded: &Result<Vec<Container>, LoadFailure>) {
    let group = log_group(&owner.name);
    match loaded {
        Ok(_) => owner.log(&group, stream, "Model loaded, listening on port 8080"),
        Err(LoadFailure::Engine(why)) => owner.log(&group, stream, why),
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
