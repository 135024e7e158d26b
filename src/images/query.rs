use super::resolve;
use crate::Result;
use crate::types::ImageUri;

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageScope {
    /// Training jobs.
    Training,
    /// Endpoints and batch transform.
    Inference,
    /// Endpoints on Arm processors; taken by itself where the instance type has one.
    InferenceGraviton,
    /// Endpoints with an Elastic Inference accelerator, which AWS has ended.
    ElasticInference,
    /// Processing jobs.
    Processing,
    /// Monitoring schedules.
    Monitoring,
    /// Rules of the Debugger.
    Debugger,
    /// Reports of the profiler.
    DetailedProfiler,
}

impl ImageScope {
    #[cfg(test)]
    pub(super) const ALL: [Self; 8] = [
        Self::Training,
        Self::Inference,
        Self::InferenceGraviton,
        Self::ElasticInference,
        Self::Processing,
        Self::Monitoring,
        Self::Debugger,
        Self::DetailedProfiler,
    ];

    /// The word that the tables use, such as `training`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Inference => "inference",
            Self::InferenceGraviton => "inference_graviton",
            Self::ElasticInference => "eia",
            Self::Processing => "processing",
            Self::Monitoring => "monitoring",
            Self::Debugger => "debugger",
            Self::DetailedProfiler => "detailed-profiler",
        }
    }
}

/// The compiler of models for Inferentia and Trainium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InferenceTool {
    /// AWS Neuron, for the first generation.
    Neuron,
    /// AWS Neuron for `inf2` and `trn1`.
    Neuronx,
}

impl InferenceTool {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Neuron => "neuron",
            Self::Neuronx => "neuronx",
        }
    }
}

/// Begins the search of the image of a framework or an algorithm, named as in [`frameworks`](super::frameworks).
///
/// ```
/// use sagemaker::images::{ImageScope, image_uri};
///
/// let query = image_uri("huggingface")
///     .version("4.28.1")
///     .base_framework("pytorch2.0.0")
///     .py_version("py310")
///     .instance_type("ml.g5.2xlarge")
///     .scope(ImageScope::Training);
/// let tag = "2.0.0-transformers4.28.1-gpu-py310-cu118-ubuntu20.04";
/// assert_eq!(query.region("us-west-2")?.tag(), Some(tag));
/// assert!(query.region("moon-1").is_err());
/// # Ok::<(), sagemaker::Error>(())
/// ```
pub fn image_uri(framework: impl Into<String>) -> ImageQuery {
    ImageQuery {
        framework: framework.into(),
        version: None,
        py_version: None,
        instance_type: None,
        scope: None,
        base_framework: None,
        container_version: None,
        sdk_version: None,
        inference_tool: None,
        elastic_inference: false,
        training_compiler: false,
        smdistributed: false,
        serverless: false,
    }
}

/// The search of an image; [`region`](Self::region) ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a search finds nothing until it is given a region"]
pub struct ImageQuery {
    pub(super) framework: String,
    pub(super) version: Option<String>,
    pub(super) py_version: Option<String>,
    pub(super) instance_type: Option<String>,
    pub(super) scope: Option<ImageScope>,
    pub(super) base_framework: Option<String>,
    pub(super) container_version: Option<String>,
    pub(super) sdk_version: Option<String>,
    pub(super) inference_tool: Option<InferenceTool>,
    pub(super) elastic_inference: bool,
    pub(super) training_compiler: bool,
    pub(super) smdistributed: bool,
    pub(super) serverless: bool,
}

impl ImageQuery {
    /// The version, or an alias such as `2.0` for `2.0.1`. Default: the newest one of the tables, where they tell which
    /// that is.
    ///
    /// Where an accelerator has images of one version only (PyTorch on Trainium, scikit-learn on Graviton), the others get
    /// that one, as in the Python SDK.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The Python version, such as `py310`. Default: the only one. Ignored where there is no choice.
    pub fn py_version(mut self, version: impl Into<String>) -> Self {
        self.py_version = Some(version.into());
        self
    }

    /// The instance type, from which the processor follows. Default: none; needed where images differ by it.
    pub fn instance_type(mut self, instance_type: impl Into<String>) -> Self {
        self.instance_type = Some(instance_type.into());
        self
    }

    /// What the image is for. Default: the only scope. Ignored where there is just one.
    pub fn scope(mut self, scope: ImageScope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// What Hugging Face's libraries stand on, such as `pytorch2.0.0`. Needed for `huggingface`, ignored otherwise.
    pub fn base_framework(mut self, base: impl Into<String>) -> Self {
        self.base_framework = Some(base.into());
        self
    }

    /// The last part of the tag, such as `cu124`, where the tables have none. Default: none.
    pub fn container_version(mut self, version: impl Into<String>) -> Self {
        self.container_version = Some(version.into());
        self
    }

    /// The version of the Neuron SDK, such as `sdk2.26.0`. Default: the newest of the image.
    pub fn sdk_version(mut self, version: impl Into<String>) -> Self {
        self.sdk_version = Some(version.into());
        self
    }

    /// The compiler for Inferentia and Trainium. Default: Neuron if the instance type has such a chip.
    pub fn inference_tool(mut self, tool: InferenceTool) -> Self {
        self.inference_tool = Some(tool);
        self
    }

    /// An Elastic Inference accelerator is attached. Default: none.
    pub fn elastic_inference(mut self) -> Self {
        self.elastic_inference = true;
        self
    }

    /// The images of the SageMaker Training Compiler. Default: the plain ones.
    pub fn training_compiler(mut self) -> Self {
        self.training_compiler = true;
        self
    }

    /// The job runs a `smdistributed` library, for which some old versions have images of their own. Default: off.
    pub fn smdistributed(mut self) -> Self {
        self.smdistributed = true;
        self
    }

    /// For a serverless endpoint, which has processors only. Default: off.
    pub fn serverless(mut self) -> Self {
        self.serverless = true;
        self
    }

    /// Ends the search: the image in a region.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the first argument that does not fit as its field
    /// (`framework`, `version`, `instance_type`, ..): the message lists what is supported and the nearest name.
    pub fn region(&self, region: &str) -> Result<ImageUri> {
        let found = resolve::resolve(self)?;
        ImageUri::new(found.uri(self, region)?)
    }
}
