//! The containers of a model: their data is downloaded and unpacked, and an engine loads it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::Value;

use super::Run;
use super::run::panic_message;
use crate::local::archive;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::engines::{Engine, Invocation, InvocationFailure, LoadedModel, ModelFiles, Reply};
use crate::local::kinds::Kind;
use crate::local::profile::Nothing;

/// A container that is up.
pub(in crate::local) struct Container {
    /// `primary`, or the place in a pipeline such as `container_2`.
    pub(in crate::local) name: String,
    pub(in crate::local) model: Arc<dyn LoadedModel>,
}

/// What a container that comes up is connected to.
pub(super) struct Surroundings {
    pub(super) log: Arc<dyn Fn(&str) + Send + Sync>,
    /// True once nobody waits for the container any more.
    pub(super) stopping: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Surroundings {
    /// For the containers of an endpoint or job, whose lines go to a log stream.
    pub(super) fn new(run: &Run, group: &str, stream: &str) -> Self {
        let (closed, stop) = (run.owner.closed(), run.stop.clone());
        Self {
            log: run.owner.lasting_log(group.to_owned(), stream.to_owned()),
            stopping: Arc::new(move || stop.asked() || closed()),
        }
    }
}

/// Why a container did not come up.
#[derive(Debug)]
pub(super) enum LoadFailure {
    /// The model was deleted after it was named.
    NoModel(String),
    /// The data could not be found or unpacked; the text is complete.
    Data(String),
    /// No engine knows the image.
    NoEngine(String),
    /// The engine refused the model.
    Engine(String),
}

/// A `ContainerDefinition` as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    image: Option<String>,
    container_hostname: Option<String>,
    model_data_url: Option<String>,
    model_data_source: Option<ModelDataSource>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelDataSource {
    s3_data_source: Option<S3ModelDataSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3ModelDataSource {
    s3_uri: String,
    s3_data_type: String,
    compression_type: Option<String>,
}

/// Loads the containers of a model in the order of the pipeline; `environment` is added to each. May block.
pub(super) fn load(
    core: &Arc<Core>,
    model: &str,
    environment: &BTreeMap<String, String>,
    surroundings: &Surroundings,
) -> Result<Vec<Container>, LoadFailure> {
    let definitions = {
        let state = core.state();
        let document = state.get(Kind::Model.row(), &core.place, model);
        let document = document.map_err(|error| LoadFailure::NoModel(error.message))?;
        definitions(&document.request)
    };
    let single = definitions.len() == 1;
    definitions
        .iter()
        .zip(1..)
        .map(|(definition, number)| {
            let definition = Definition::deserialize(definition).map_err(|e| LoadFailure::Data(e.to_string()))?;
            let name = match &definition.container_hostname {
                _ if single => "primary".to_owned(),
                Some(host) => host.clone(),
                None => format!("container_{number}"),
            };
            let model = load_one(core, definition, number, environment, surroundings)?;
            Ok(Container { name, model })
        })
        .collect()
}

/// The containers in a `CreateModel` document.
fn definitions(model: &serde_json::Map<String, Value>) -> Vec<Value> {
    match model.get("PrimaryContainer") {
        Some(primary) => vec![primary.clone()],
        None => model.get("Containers").and_then(Value::as_array).cloned().unwrap_or_default(),
    }
}

fn load_one(
    core: &Arc<Core>,
    definition: Definition,
    number: usize,
    more: &BTreeMap<String, String>,
    surroundings: &Surroundings,
) -> Result<Arc<dyn LoadedModel>, LoadFailure> {
    let image = definition.image.clone().unwrap_or_default();
    let (files, missing) = match files(core, &definition, number) {
        Ok(files) => (files, false),
        Err(LoadFailure::Data(_)) if core.is_lenient() => (Vec::new(), true),
        Err(failure) => return Err(failure),
    };
    let mut environment = definition.environment;
    environment.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
    let model = ModelFiles {
        image,
        files,
        environment,
        region: core.place.region.clone(),
        log: surroundings.log.clone(),
        stopping: surroundings.stopping.clone(),
        s3: core.read_object(),
    };
    let engine = core.serving_engine(&model).ok_or_else(|| LoadFailure::NoEngine(no_engine(&model.image)))?;
    let engine = if missing { Arc::new(Nothing) as Arc<dyn Engine> } else { engine };
    engine.load(&model).map_err(|failure| LoadFailure::Engine(failure.message().to_owned()))
}

fn files(core: &Core, definition: &Definition, number: usize) -> Result<Vec<(String, bytes::Bytes)>, LoadFailure> {
    let source = definition.model_data_source.as_ref().and_then(|source| source.s3_data_source.as_ref());
    let (uri, packed, prefix) = match (source, &definition.model_data_url) {
        (Some(source), _) => (
            source.s3_uri.as_str(),
            source.compression_type.as_deref() == Some("Gzip"),
            source.s3_data_type == "S3Prefix",
        ),
        (None, Some(url)) => (url.as_str(), true, false),
        (None, None) => return Ok(Vec::new()),
    };
    let missing = || {
        LoadFailure::Data(format!(
            "Failed to download model data for container \"container_{number}\" from URL: \"{uri}\". Please ensure \
             that there is an object located at the URL and that the role passed to CreateModel has permissions to \
             download the object."
        ))
    };
    let place = data::s3_uri(uri).map_err(|_| missing())?;
    if prefix {
        let inputs = data::resolve(core, "S3Prefix", uri, "").map_err(|_| missing())?;
        let read = inputs.into_iter().map(|input| Some((input.path.clone(), input.read(core)?)));
        return read.collect::<Option<_>>().ok_or_else(missing);
    }
    let object = core.s3.get(place.bucket(), place.key()).ok_or_else(missing)?;
    if !packed {
        return Ok(vec![(place.file_name().to_owned(), object)]);
    }
    archive::unpack(&object).map_err(|why| {
        LoadFailure::Data(format!(
            "Failed to extract model data archive from URL \"{uri}\" for container \"container_{number}\": {why}. \
             Please ensure that the object located at the URL is a valid tar.gz archive."
        ))
    })
}

/// Sends a request through the containers of a model; of a failure also the name of the container. `at` tells which one
/// is being asked.
pub(in crate::local) fn invoke(
    containers: &[Container],
    request: Invocation,
    at: &AtomicUsize,
) -> Result<Reply, (String, InvocationFailure)> {
    let Invocation { content_type, accept, body } = request;
    let mut reply = Reply { content_type, body };
    for (number, container) in containers.iter().enumerate() {
        at.store(number, Ordering::Relaxed);
        // What the caller accepts is for the last container to say.
        let accept = if number + 1 == containers.len() { accept.clone() } else { "*/*".to_owned() };
        let request = Invocation { content_type: reply.content_type, accept, body: reply.body };
        let answered = catch_unwind(AssertUnwindSafe(|| container.model.invoke(&request)));
        let answered = answered
            .unwrap_or_else(|panic| Err(InvocationFailure { status: 500, message: panic_message(panic.as_ref()) }));
        reply = answered.map_err(|failure| (container.name.clone(), failure))?;
    }
    Ok(reply)
}

/// What a job or endpoint says whose image no engine knows.
pub(super) fn no_engine(image: &str) -> String {
    format!(
        "the local backend has no engine for the image \"{image}\". Register one with \
         LocalBackend::builder().engine(..), such as an FnEngine of closures or a ProcessEngine that runs a command, or \
         enable the feature `algorithms`, which has engines for the built-in algorithms XGBoost, Linear Learner, K-Means, \
         PCA, k-NN, Random Cut Forest and Factorization Machines, and for no others."
    )
}
