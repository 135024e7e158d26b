//! The containers of a model: their data is downloaded and unpacked, and an engine loads it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Run;
use super::calls::Failure;
use super::multi_model::MultiModel;
use crate::local::archive;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::engines::{Engine, ExecutionParameters, LoadedModel, ModelFiles, STARTUP_LIMIT};
use crate::local::kinds::Kind;
use crate::local::profile::Nothing;
use crate::local::state::Resource;

/// What a variant or an inference component serves.
#[derive(Default)]
pub(in crate::local) struct Serving {
    /// In the order of the pipeline; none where inference components are hosted instead of a model.
    pub(in crate::local) containers: Vec<Container>,
    /// Each request goes to the one container that it names.
    pub(in crate::local) direct: bool,
}

/// A container that is up.
pub(in crate::local) struct Container {
    /// `primary`, its host name, or the place in a pipeline such as `container_2`.
    pub(in crate::local) name: String,
    pub(in crate::local) hosted: Hosted,
}

impl Container {
    /// What the container says of how it wants to be asked in a transform job. May block.
    pub(super) fn execution_parameters(&self) -> Option<ExecutionParameters> {
        match &self.hosted {
            Hosted::Single(model) => model.execution_parameters(),
            Hosted::Multi(_) => None,
        }
    }
}

/// What a container has loaded.
pub(in crate::local) enum Hosted {
    Single(Arc<dyn LoadedModel>),
    Multi(Box<MultiModel>),
}

/// What a container that comes up is connected to.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) log: Arc<dyn Fn(&str) + Send + Sync>,
    /// True once nobody waits for the container any more.
    pub(super) stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The same for a model that is loaded after that, when a request asks for it.
    pub(super) gone: Arc<dyn Fn() -> bool + Send + Sync>,
    pub(super) startup_limit: Duration,
}

impl Surroundings {
    /// For the containers of an endpoint or job, whose lines go to a log stream.
    pub(super) fn new(run: &Run, group: &str, stream: &str) -> Self {
        let (closed, stop) = (run.owner.closed(), run.stop.clone());
        Self {
            log: run.owner.lasting_log(group.to_owned(), stream.to_owned()),
            stopping: Arc::new(move || stop.asked() || closed()),
            gone: Arc::new(run.owner.gone()),
            startup_limit: STARTUP_LIMIT,
        }
    }

    /// A model without its files.
    fn model(&self, core: &Arc<Core>, image: String, environment: BTreeMap<String, String>) -> ModelFiles {
        ModelFiles {
            image,
            files: Vec::new(),
            environment,
            region: core.place.region.clone(),
            log: self.log.clone(),
            stopping: self.stopping.clone(),
            startup_limit: self.startup_limit,
            s3: core.read_object(),
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
    mode: Option<String>,
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
) -> Result<Serving, LoadFailure> {
    let (mut definitions, direct) = {
        let state = core.state();
        let model = state.get(Kind::Model.row(), &core.place, model);
        let model = model.map_err(|error| LoadFailure::NoModel(error.message))?;
        let direct = model.request.get("InferenceExecutionConfig").is_some_and(|config| config["Mode"] == "Direct");
        (definitions(model), direct)
    };
    if definitions.is_empty() {
        // Only a lenient backend has such models: they are served as any whose image no engine knows.
        definitions.push(json!({}));
    }
    Ok(Serving { containers: load_all(core, &definitions, environment, surroundings)?, direct })
}

/// Loads what the `Specification` of an inference component names: a model, or a container of its own. May block.
pub(super) fn load_component(
    core: &Arc<Core>,
    specification: &Value,
    surroundings: &Surroundings,
) -> Result<Serving, LoadFailure> {
    let container = &specification["Container"];
    let environment = BTreeMap::deserialize(&container["Environment"]).unwrap_or_default();
    if let Some(model) = specification["ModelName"].as_str() {
        return load(core, model, &environment, surroundings);
    }
    let definition = json!({
        "Image": container["Image"],
        "ModelDataUrl": container["ArtifactUrl"],
        "Environment": environment,
    });
    Ok(Serving { containers: load_all(core, &[definition], &BTreeMap::new(), surroundings)?, direct: false })
}

fn load_all(
    core: &Arc<Core>,
    definitions: &[Value],
    environment: &BTreeMap<String, String>,
    surroundings: &Surroundings,
) -> Result<Vec<Container>, LoadFailure> {
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
            Ok(Container { name, hosted: load_one(core, definition, number, environment, surroundings)? })
        })
        .collect()
}

/// Where a model keeps its containers if model packages were named for them.
pub(in crate::local) const RESOLVED_CONTAINERS: &str = "ResolvedContainers";

/// The containers of a model.
pub(super) fn definitions(model: &Resource) -> Vec<Value> {
    let list = |containers: Option<&Value>| containers.and_then(Value::as_array).cloned();
    if let Some(resolved) = list(model.state.get(RESOLVED_CONTAINERS)) {
        return resolved;
    }
    match model.request.get("PrimaryContainer") {
        Some(primary) => vec![primary.clone()],
        None => list(model.request.get("Containers")).unwrap_or_default(),
    }
}

fn load_one(
    core: &Arc<Core>,
    definition: Definition,
    number: usize,
    more: &BTreeMap<String, String>,
    surroundings: &Surroundings,
) -> Result<Hosted, LoadFailure> {
    let image = definition.image.clone().unwrap_or_default();
    let mut environment = definition.environment.clone();
    environment.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
    let mut model = surroundings.model(core, image, environment);
    if definition.mode.as_deref() == Some("MultiModel") {
        let source = definition.model_data_source.and_then(|source| source.s3_data_source).map(|source| source.s3_uri);
        let url = definition.model_data_url.or(source).unwrap_or_default();
        let prefix = data::s3_uri(&url).map_err(|error| LoadFailure::Data(error.message))?;
        core.serving_engine(&model).ok_or_else(|| LoadFailure::NoEngine(no_engine(&model.image)))?;
        // The task that brings the container up is over before the first model is asked for.
        model.stopping = surroundings.gone.clone();
        return Ok(Hosted::Multi(Box::new(MultiModel::new(model, prefix))));
    }
    let missing = match files(core, &definition, number) {
        Ok(files) => {
            model.files = files;
            false
        }
        Err(LoadFailure::Data(_)) if core.is_lenient() => true,
        Err(failure) => return Err(failure),
    };
    let engine = core.serving_engine(&model).ok_or_else(|| LoadFailure::NoEngine(no_engine(&model.image)))?;
    let engine = if missing { Arc::new(Nothing) as Arc<dyn Engine> } else { engine };
    let loaded = engine.load(&model);
    loaded.map(Hosted::Single).map_err(|failure| LoadFailure::Engine(failure.message().to_owned()))
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

impl Serving {
    /// Whether a request must name its model.
    pub(in crate::local) fn is_multi_model(&self) -> bool {
        self.containers.iter().any(|container| matches!(container.hosted, Hosted::Multi(_)))
    }

    /// Whether an answer may take long.
    pub(in crate::local) fn blocks(&self) -> bool {
        self.containers.iter().any(|container| match &container.hosted {
            Hosted::Single(model) => model.blocks(),
            Hosted::Multi(_) => true,
        })
    }
}

impl Hosted {
    /// The model that answers, loaded if need be. May block.
    pub(super) fn model(&self, core: &Arc<Core>, target: Option<&str>) -> Result<Arc<dyn LoadedModel>, Failure> {
        match self {
            Self::Single(model) => Ok(model.clone()),
            Self::Multi(models) => models.get(core, target.unwrap_or_default()),
        }
    }
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
