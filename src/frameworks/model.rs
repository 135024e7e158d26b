use std::collections::BTreeMap;

use super::attach::JobCode;
use super::huggingface::BaseFramework;
use super::script::Script;
use super::versions;
use crate::error::Problems;
use crate::estimator::{hosted_as_trained, model_data};
use crate::images::{self, ImageQuery, ImageScope};
use crate::job::Completed;
use crate::model::{CreateModel, Model, ModelData, Placing, SetOnModel, Unplaced};
use crate::source::{CodeOf, SourceCode, Tree, repack};
use crate::training::Training;
use crate::types::{Environment, ImageUri, ResourceName, S3Uri, Tags};
use crate::{Error, Result, Session};

/// Where code is found in a container whose artifacts have it.
const IN_MODEL: &str = "/opt/ml/model/code";

/// A model that an image of a framework serves, with inference code of yours or without.
///
/// ```
/// # #[cfg(feature = "local")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("sagemaker-doc-model-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # std::fs::write(folder.join("inference.py"), "def model_fn(d):\n    return d\n")?;
/// use sagemaker::frameworks::FrameworkModel;
///
/// let session = sagemaker::Session::local();
/// session.ensure_bucket().await?;
/// let artifacts = session.default_uri("model.tar.gz").await?; // what a training job left there
/// # session.upload_bytes("..", &artifacts, &sagemaker::types::ContentType::OCTET_STREAM).await?;
/// let model = FrameworkModel::sklearn("1.2-1")
///     .source(folder.join("inference.py"))
///     .model_data(artifacts.to_string())
///     .name("forest")
///     .create(&session, "ml.m5.large")
///     .await?
///     .tags([("team", "forestry")])
///     .await?;
/// assert_eq!(model.name(), "forest");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "local"))]
/// # fn main() {}
/// ```
///
/// How code reaches the container differs, as it does in the Python SDK: scikit-learn, XGBoost and Chainer get an archive
/// of their own beside the artifacts; PyTorch from 1.2 on, MXNet from 1.4 on, Hugging Face and TensorFlow get new artifacts
/// that hold the code too, as does a container without a network.
#[derive(Debug, Clone)]
#[must_use = "a model is created by `create`"]
pub struct FrameworkModel {
    kind: Kind,
    framework_version: String,
    py_version: Option<String>,
    image_uri: Option<String>,
    source: Option<SourceCode>,
    container_log_level: Option<u8>,
    model_data: Option<String>,
    model_is_packed: bool,
    base_name: Option<String>,
    name: Option<String>,
    trained: Option<Completed<Training>>,
    /// Of the estimator that trained it.
    tags: Tags,
    environment: Environment,
    model_server_workers: Option<u32>,
    model_kms_key: Option<String>,
    network_isolation: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    PyTorch,
    TensorFlow,
    SKLearn,
    XGBoost,
    HuggingFace(BaseFramework),
    MXNet,
    Chainer,
}

impl FrameworkModel {
    fn new(kind: Kind, framework_version: impl Into<String>, py_version: Option<String>) -> Self {
        Self {
            kind,
            framework_version: framework_version.into(),
            py_version,
            image_uri: None,
            source: None,
            container_log_level: None,
            model_data: None,
            model_is_packed: true,
            base_name: None,
            name: None,
            trained: None,
            tags: Tags::default(),
            environment: Environment::default(),
            model_server_workers: None,
            model_kms_key: None,
            network_isolation: false,
        }
    }

    /// A model of PyTorch: its version and that of Python, such as `2.0.1` and `py310`.
    pub fn pytorch(framework_version: impl Into<String>, py_version: impl Into<String>) -> Self {
        Self::new(Kind::PyTorch, framework_version, Some(py_version.into()))
    }

    /// A model of TensorFlow, which TensorFlow Serving serves.
    pub fn tensorflow(framework_version: impl Into<String>) -> Self {
        Self::new(Kind::TensorFlow, framework_version, None)
    }

    /// A model of scikit-learn.
    pub fn sklearn(framework_version: impl Into<String>) -> Self {
        Self::new(Kind::SKLearn, framework_version, Some("py3".to_owned()))
    }

    /// A model of XGBoost.
    pub fn xgboost(framework_version: impl Into<String>) -> Self {
        Self::new(Kind::XGBoost, framework_version, None)
    }

    /// A model of Hugging Face's Transformers: their version, what they stand on, and the version of Python.
    pub fn huggingface(
        transformers_version: impl Into<String>,
        base: BaseFramework,
        py_version: impl Into<String>,
    ) -> Self {
        Self::new(Kind::HuggingFace(base), transformers_version, Some(py_version.into()))
    }

    /// A model of MXNet: its version and that of Python.
    pub fn mxnet(framework_version: impl Into<String>, py_version: impl Into<String>) -> Self {
        Self::new(Kind::MXNet, framework_version, Some(py_version.into()))
    }

    /// A model of Chainer: its version and that of Python.
    pub fn chainer(framework_version: impl Into<String>, py_version: impl Into<String>) -> Self {
        Self::new(Kind::Chainer, framework_version, Some(py_version.into()))
    }

    /// What a job has trained with a script.
    pub(super) fn of_training(mut self, script: &Script, trained: &Completed<Training>) -> Result<Self> {
        let description = trained.description();
        self = self.with_data(model_data(trained)?);
        self.tags = script.settings.tags.clone();
        self.image_uri.clone_from(&script.image_uri);
        let of_image = || description.training_image().and_then(|image| ImageUri::new(image).ok());
        let base = script.settings.base_job_name.clone();
        self.base_name = base.or_else(|| of_image().map(|image| image.repository().to_owned()));
        let takes_script = !matches!(self.kind, Kind::TensorFlow | Kind::HuggingFace(_));
        let code = JobCode::of(description).filter(|_| takes_script);
        if let Some((program, archive)) = code.and_then(|code| Some((code.program, code.archive?))) {
            let source = SourceCode::script(program).source_dir(archive);
            let source = match script.source.code_location_uri() {
                Some(uri) => source.code_location(uri),
                None => source,
            };
            self.source = Some(source);
        }
        self.container_log_level = Some(script.source.log_level());
        self.model_kms_key.clone_from(&script.settings.output_kms_key);
        self.network_isolation = description.raw().enable_network_isolation() == Some(true);
        self.trained = Some(trained.clone());
        Ok(self)
    }

    /// The inference code. Default: the image's own.
    pub fn source(mut self, source: impl Into<SourceCode>) -> Self {
        self.source = Some(source.into());
        self
    }

    fn with_data(self, data: ModelData) -> Self {
        match data {
            ModelData::Archive(uri) => self.model_data(uri),
            ModelData::Files(uri) => self.uncompressed_model_data(uri),
        }
    }

    /// An instance type to find the image by: the one that was given, or any where all have the same image.
    fn needed_instance_type(&self, session: &Session, given: Option<String>) -> Result<String> {
        const ANY: &str = "ml.m5.large";
        if let Some(given) = given {
            return Ok(given);
        }
        let region = session.region();
        // What is wrong with the versions is told first.
        let image = self.serving_image(region, ANY)?;
        if self.image_uri.is_some() || self.image_query().region(region).is_ok_and(|of_any| of_any == image) {
            return Ok(ANY.to_owned());
        }
        let text = "is needed, as the images that serve differ by it: .instance_type(\"ml.m5.large\")";
        Err(Error::invalid("instance_type", text))
    }

    /// The artifacts: the `s3://` URI of a `model.tar.gz`. Default: none.
    pub fn model_data(mut self, uri: impl Into<String>) -> Self {
        self.model_data = Some(uri.into());
        self.model_is_packed = true;
        self
    }

    /// The artifacts as files that are not packed: the `s3://` URI that they are below. Code cannot be put into such.
    /// Default: none.
    pub fn uncompressed_model_data(mut self, uri: impl Into<String>) -> Self {
        self.model_data = Some(uri.into());
        self.model_is_packed = false;
        self
    }

    /// The image. Default: the one that AWS publishes for the versions and the instance type.
    pub fn image_uri(mut self, uri: impl Into<String>) -> Self {
        self.image_uri = Some(uri.into());
        self
    }

    /// The model's name. Default: the image's repository with the time.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// An environment variable of the container.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// What the container logs, in Python's numbers: 10 is DEBUG, 30 WARNING. Default: that of the source, else 20, INFO;
    /// TensorFlow Serving's own.
    pub fn container_log_level(mut self, level: u8) -> Self {
        self.container_log_level = Some(level);
        self
    }

    /// How many processes serve. Default: one for each CPU. TensorFlow Serving has none.
    pub fn model_server_workers(mut self, workers: u32) -> Self {
        self.model_server_workers = Some(workers);
        self
    }

    /// The KMS key for what is uploaded. Default: AWS's own for S3.
    pub fn model_kms_key(mut self, key: impl Into<String>) -> Self {
        self.model_kms_key = Some(key.into());
        self
    }

    /// Cuts the container off from every network. Default: off.
    pub fn network_isolation(mut self) -> Self {
        self.network_isolation = true;
        self
    }

    /// The image that serves on an instance type in a region.
    ///
    /// # Errors
    /// As for [`ImageQuery::region`].
    pub fn serving_image(&self, region: &str, instance_type: &str) -> Result<ImageUri> {
        if let Some(image) = &self.image_uri {
            return ImageUri::new(image.as_str());
        }
        self.image_query().instance_type(instance_type).region(region)
    }

    fn image_query(&self) -> ImageQuery {
        let query = |name: &str| images::image_uri(name).scope(ImageScope::Inference);
        let version = self.framework_version.as_str();
        let query = match &self.kind {
            Kind::PyTorch => query("pytorch"),
            // These two were trained with, but are not served by, images of the same version.
            Kind::TensorFlow => match version {
                "2.12.0" => return query("tensorflow").version("2.12.1"),
                "2.16.2" => return query("tensorflow").version("2.16.1"),
                _ => query("tensorflow"),
            },
            // Those of training serve, too, and there are more of them.
            Kind::SKLearn => images::image_uri("sklearn"),
            Kind::XGBoost => images::image_uri("xgboost"),
            Kind::HuggingFace(base) => query("huggingface").base_framework(base.full_name()),
            Kind::MXNet => query("mxnet"),
            Kind::Chainer => query("chainer"),
        };
        let query = query.version(version);
        match &self.py_version {
            Some(py_version) => query.py_version(py_version),
            None => query,
        }
    }

    /// Whether the code goes into the artifacts.
    fn repacks(&self) -> bool {
        match &self.kind {
            Kind::PyTorch => versions::is_at_least(&self.framework_version, "1.2"),
            Kind::MXNet => versions::is_at_least(&self.framework_version, "1.4"),
            Kind::HuggingFace(_) | Kind::TensorFlow => true,
            Kind::SKLearn | Kind::XGBoost => self.network_isolation,
            Kind::Chainer => false,
        }
    }

    /// Packs and uploads the code where there is any, and gives the model that is to be created: `.await` it, or set what
    /// else it needs before.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value, before anything is sent;
    /// [`NotFound`](crate::ErrorKind::NotFound) if the artifacts are to be packed anew but are not there.
    pub async fn create(&self, session: &Session, instance_type: &str) -> Result<CreateModel> {
        let mut problems = Problems::default();
        let image = problems.check("", self.serving_image(session.region(), instance_type));
        let data = self.model_data.as_ref().and_then(|uri| problems.check("model_data", uri.parse::<S3Uri>()));
        if let Some(name) = &self.name {
            problems.check("name", ResourceName::new(name.as_str()));
        }
        if let Some(source) = &self.source {
            source.check(&mut problems);
            let text = "is needed: code goes into the artifacts of this framework";
            problems.require(self.model_data.is_some() || !self.repacks(), "model_data", text);
            let text = "is not packed: this framework's code goes into a model.tar.gz";
            problems.require(self.model_is_packed || !self.repacks(), "model_data", text);
        }
        problems.into_result()?;

        let base = image.as_ref().map_or("model", ImageUri::repository);
        let name = self.name.clone();
        // A model of a job has its own name from the beginning, as in the Python SDK.
        let name = name.or_else(|| Some(session.name_from_base(self.base_name.as_deref()?).to_string()));
        let generated = || session.name_from_base(base).to_string();
        let mut model = Model::create(session, image.as_ref().map(ImageUri::to_string).unwrap_or_default());
        let mut placed = None;
        let mut artifacts = data.clone();
        if let Some(source) = &self.source {
            let below = match source.code_location_uri() {
                Some(uri) => uri.parse()?,
                None => session.default_uri("").await?,
            };
            let own_name = name.clone().unwrap_or_else(generated);
            let below = below.join(&own_name);
            let of = CodeOf::Model(&own_name);
            match data.filter(|_| self.repacks()) {
                Some(data) => {
                    let target = below.join("model.tar.gz");
                    Box::pin(repack(session, source, &data, &target, self.model_kms_key.as_deref(), of)).await?;
                    artifacts = Some(target);
                    placed = Some((source.script_name(), IN_MODEL.to_owned()));
                }
                None => {
                    let uri = Box::pin(self.upload_beside(session, source, &below, of)).await?;
                    placed = Some((source.program(), uri));
                }
            }
        }
        for (name, value) in self.variables(session.region(), placed) {
            model = model.environment(name, value);
        }
        if let Some(artifacts) = artifacts {
            model = match self.model_is_packed {
                true => model.model_data(artifacts.to_string()),
                false => model.uncompressed_model_data(artifacts.to_string()),
            };
        }
        if let Some(name) = name {
            model = model.name(name);
        }
        if let Some(trained) = &self.trained {
            model = hosted_as_trained(model, trained).tags_of_estimator(&self.tags);
        }
        Ok(if self.network_isolation { model.network_isolation() } else { model })
    }

    /// An archive of the code alone; gives its URI.
    async fn upload_beside(
        &self,
        session: &Session,
        source: &SourceCode,
        below: &S3Uri,
        of: CodeOf<'_>,
    ) -> Result<String> {
        if let Some(uri) = source.in_s3() {
            return Ok(uri.to_owned());
        }
        let looked = source.clone();
        let tree = tokio::task::spawn_blocking(move || Tree::of(&looked)).await.map_err(std::io::Error::other)??;
        let target = below.join("sourcedir.tar.gz");
        tree.upload(session, &target, self.model_kms_key.as_deref(), of).await?;
        Ok(target.to_string())
    }

    /// What the container is told; the caller's own variables give way, as in the Python SDK.
    fn variables(&self, region: &str, placed: Option<(String, String)>) -> BTreeMap<String, String> {
        let mut all = (*self.environment).clone();
        let mut set = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
        if self.kind == Kind::TensorFlow {
            let level = self.container_log_level.and_then(|level| match level {
                10 => Some("debug"),
                20 => Some("info"),
                30 => Some("warn"),
                40 => Some("error"),
                50 => Some("crit"),
                _ => None,
            });
            if let Some(level) = level {
                set("SAGEMAKER_TFS_NGINX_LOGLEVEL", level.to_owned());
            }
            return all;
        }
        let own = |name: &str| self.environment.get(name).cloned().unwrap_or_default();
        let (program, directory) =
            placed.unwrap_or_else(|| (own("SAGEMAKER_PROGRAM"), own("SAGEMAKER_SUBMIT_DIRECTORY")));
        let of_source = self.source.as_ref().map(SourceCode::log_level);
        let level = self.container_log_level.or(of_source).unwrap_or(crate::source::INFO);
        set("SAGEMAKER_PROGRAM", program);
        set("SAGEMAKER_SUBMIT_DIRECTORY", directory);
        set("SAGEMAKER_CONTAINER_LOG_LEVEL", level.to_string());
        set("SAGEMAKER_REGION", region.to_owned());
        if let Some(workers) = self.model_server_workers {
            set("SAGEMAKER_MODEL_SERVER_WORKERS", workers.to_string());
        }
        all
    }
}

impl Unplaced for FrameworkModel {
    fn placed<'a>(mut self: Box<Self>, session: &'a Session, set: SetOnModel) -> Placing<'a> {
        self.name = set.name.or(self.name);
        self.base_name = set.base_name.or(self.base_name);
        self.environment.extend(set.environment);
        self.network_isolation |= set.network_isolation;
        let model = match set.data {
            Some(data) => self.with_data(data),
            None => *self,
        };
        Box::pin(async move {
            let instance_type = model.needed_instance_type(session, set.instance_type)?;
            model.create(session, &instance_type).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_ways_of_packing() {
        let tag = |model: FrameworkModel| model.serving_image("us-west-2", "ml.m5.large").unwrap().to_string();
        let ends = |model: FrameworkModel, end: &str| assert!(tag(model.clone()).ends_with(end), "{}", tag(model));
        ends(FrameworkModel::tensorflow("2.12.0"), "tensorflow-inference:2.12.1-cpu");
        ends(FrameworkModel::sklearn("1.2-1"), "sagemaker-scikit-learn:1.2-1-cpu-py3");
        ends(FrameworkModel::xgboost("1.7-1"), "sagemaker-xgboost:1.7-1");
        ends(FrameworkModel::pytorch("2.0.1", "py310"), "pytorch-inference:2.0.1-cpu-py310");
        let face = FrameworkModel::huggingface("4.26.0", BaseFramework::pytorch("1.13.1"), "py39");
        ends(face.clone(), "huggingface-pytorch-inference:1.13.1-transformers4.26.0-cpu-py39-ubuntu20.04");
        assert!(face.repacks() && FrameworkModel::mxnet("1.9.0", "py38").repacks());
        assert!(!FrameworkModel::pytorch("1.1.0", "py3").repacks() && !FrameworkModel::sklearn("1.2-1").repacks());
        assert!(FrameworkModel::sklearn("1.2-1").network_isolation().repacks());
    }

    #[test]
    fn what_containers_are_told() {
        let told = FrameworkModel::xgboost("1.7-1").model_server_workers(2).variables("eu-west-1", None);
        assert_eq!((told["SAGEMAKER_PROGRAM"].as_str(), told["SAGEMAKER_MODEL_SERVER_WORKERS"].as_str()), ("", "2"));
        let told = FrameworkModel::tensorflow("2.11").container_log_level(40).variables("eu-west-1", None);
        assert_eq!(told, BTreeMap::from([("SAGEMAKER_TFS_NGINX_LOGLEVEL".to_owned(), "error".to_owned())]));
    }
}
