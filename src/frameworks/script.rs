//! What all estimators that run a script share.

use std::collections::BTreeMap;

use super::distribution::{Distribution, Launch, Setting, Toolkit};
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, TrainingSettings};
use crate::images::ImageQuery;
use crate::source::SourceCode;
use crate::training::{Channels, HyperparameterValue};
use crate::types::{ImageUri, TrainingCompute};

#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) source: SourceCode,
    pub(super) image_uri: Option<String>,
    pub(super) framework_version: Option<String>,
    pub(super) py_version: Option<String>,
    pub(super) hyperparameters: BTreeMap<String, HyperparameterValue>,
    pub(super) settings: TrainingSettings,
}

impl Script {
    pub(super) fn new(source: SourceCode) -> Self {
        Self {
            source,
            image_uri: None,
            framework_version: None,
            py_version: None,
            hyperparameters: BTreeMap::new(),
            settings: TrainingSettings::default(),
        }
    }

    /// Each as JSON, which is what the toolkits read.
    pub(super) fn hyperparameters(&self) -> BTreeMap<String, String> {
        self.hyperparameters.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
    }

    pub(super) fn instance_type(&self) -> Option<&str> {
        self.settings.compute.as_ref().map(TrainingCompute::instance_type)
    }

    /// The image that was given, or the one that a search finds.
    pub(super) fn image(&self, query: ImageQuery, region: &str) -> Result<ImageUri> {
        if let Some(image) = &self.image_uri {
            return ImageUri::new(image.as_str());
        }
        let mut query = query;
        if let Some(version) = &self.framework_version {
            query = query.version(version);
        }
        if let Some(version) = &self.py_version {
            query = query.py_version(version);
        }
        if let Some(instance_type) = self.instance_type() {
            query = query.instance_type(instance_type);
        }
        query.region(region)
    }

    /// An image needs versions, unless it is named.
    pub(super) fn check(&self, needs_py_version: bool, problems: &mut Problems) {
        if self.image_uri.is_none() {
            let text = "is needed, unless image_uri names the image";
            problems.require(self.framework_version.is_some(), "framework_version", text);
            problems.require(self.py_version.is_some() || !needs_py_version, "py_version", text);
        }
    }

    /// What a distribution is checked against; the version is that of the framework that it runs.
    pub(super) fn setting<'a>(&'a self, framework: &'a str, version: Option<&'a str>) -> Setting<'a> {
        Setting {
            framework,
            version: version.filter(|_| self.image_uri.is_none()),
            py_version: self.py_version.as_deref(),
            compute: self.settings.compute.as_ref(),
            program: self.source.entry_point().to_str().unwrap_or_default(),
        }
    }

    /// The framework's version; nothing if an image was named instead.
    pub(super) fn version(&self) -> &str {
        self.framework_version.as_deref().unwrap_or_default()
    }

    /// The version of Python; nothing if an image was named instead.
    pub(super) fn python(&self) -> &str {
        self.py_version.as_deref().unwrap_or_default()
    }

    /// The version, if it is known and not before `least`.
    pub(super) fn is_at_least(&self, least: &str) -> bool {
        self.framework_version.as_deref().is_some_and(|version| super::versions::is_at_least(version, least))
    }
}

/// Notes another version of Python than the only one.
pub(super) fn check_python_3(script: &Script, problems: &mut Problems) {
    problems.require(script.python() == "py3", "py_version", "the images have py3");
}

/// Notes what frameworks without GPUs and clusters do not run on.
pub(super) fn check_one_processor(script: &Script, framework: &str, problems: &mut Problems) {
    let Some(compute) = &script.settings.compute else { return };
    let family = compute.instance_type().split('.').nth(1).unwrap_or_default();
    // In an image of one's own it may have, but for what the Python SDK refuses in any.
    let gpu = match script.image_uri {
        Some(_) => ["p2", "p3"].contains(&family),
        None => family.starts_with(['p', 'g']),
    };
    problems.require(!gpu, "compute.instance_type", &format!("{framework} has no use for GPUs"));
    let text = format!("{framework} does not train on several instances");
    problems.require(compute.instance_count() <= 1, "compute.instance_count", &text);
}

/// What the toolkit is told of how the script is started.
pub(super) fn launch_hyperparameters(
    script: &Script,
    toolkit: Toolkit,
    distribution: Option<&Distribution>,
    compiler: Option<TrainingCompiler>,
) -> BTreeMap<String, String> {
    let launch = Launch::on(toolkit, script.settings.compute.as_ref());
    let mut told = distribution.map(|it| it.hyperparameters(&launch)).unwrap_or_default();
    told.extend(compiler.map(TrainingCompiler::hyperparameters).unwrap_or_default());
    told
}

/// Notes where the training compiler is not.
pub(super) fn check_training_compiler(
    script: &Script,
    compiler: Option<TrainingCompiler>,
    distribution: Option<&Distribution>,
    problems: &mut Problems,
) {
    if compiler.is_none() {
        let xla = distribution.is_some_and(Distribution::is_pytorch_xla);
        problems.require(!xla, "distribution", "pytorchxla needs the training compiler");
        return;
    }
    let family = script.instance_type().and_then(|instance| instance.split('.').nth(1)).unwrap_or_default();
    let gpu = script.instance_type().is_none() || ["p3", "p3dn", "g4dn", "p4d", "g5"].contains(&family);
    let text = format!("needs p3, p3dn, g4dn, p4d or g5 instances, not {family}");
    problems.require(gpu, "training_compiler", &text);
    let groups = matches!(script.settings.compute, Some(TrainingCompute::Groups(_)));
    problems.require(!groups, "training_compiler", "goes not with instance groups");
    let smdistributed = distribution.is_some_and(Distribution::is_smdistributed);
    problems.require(!smdistributed, "training_compiler", "goes not with smdistributed");
}

/// The SageMaker Training Compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrainingCompiler {
    pub(super) debug: bool,
}

impl TrainingCompiler {
    /// What the toolkit is told of it.
    pub(super) fn hyperparameters(self) -> BTreeMap<String, String> {
        let debug = self.debug.to_string();
        let told =
            [("sagemaker_training_compiler_enabled", "true"), ("sagemaker_training_compiler_debug_mode", &debug)];
        told.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

/// Checks all of an estimator that is about to be built.
pub(super) fn built<E: Estimator>(estimator: E) -> Result<E> {
    let mut problems = Problems::default();
    estimator.check(&Channels::default(), &mut problems);
    if let Some(source) = estimator.source() {
        source.check(&mut problems);
    }
    // What else is missing is told with this; the search for an image would but repeat it.
    if problems.is_empty() || estimator.settings().compute.is_none() {
        estimator.settings().check_alone(&estimator, &mut problems);
    }
    problems.into_result()?;
    Ok(estimator)
}

/// The setters of a builder that holds a [`Script`].
macro_rules! script_setters {
    ($self:ident => $script:expr) => {
        $crate::estimator::training_setters!($self => $script.settings);
        $crate::source::source_setters!($self => $script.source);

        /// The framework's version, such as `2.0.1`. Needed, unless [`image_uri`](Self::image_uri) names the image.
        pub fn framework_version(mut $self, version: impl Into<String>) -> Self {
            $script.framework_version = Some(version.into());
            $self
        }

        /// The version of Python, such as `py310`. Needed where there are several, unless the image is named.
        pub fn py_version(mut $self, version: impl Into<String>) -> Self {
            $script.py_version = Some(version.into());
            $self
        }

        /// The image to run in. Default: the one that AWS publishes for the versions and the instance type.
        pub fn image_uri(mut $self, uri: impl Into<String>) -> Self {
            $script.image_uri = Some(uri.into());
            $self
        }

        /// A hyperparameter, which the script gets as `--name value`. On the wire it is JSON.
        pub fn hyperparameter(mut $self, name: impl Into<String>, value: impl Into<$crate::training::HyperparameterValue>) -> Self {
            $script.hyperparameters.insert(name.into(), value.into());
            $self
        }

        /// Several hyperparameters, beside and in place of those that were set before.
        pub fn hyperparameters<N: Into<String>, V: Into<$crate::training::HyperparameterValue>>(
            mut $self,
            values: impl IntoIterator<Item = (N, V)>,
        ) -> Self {
            $script.hyperparameters.extend(values.into_iter().map(|(name, value)| (name.into(), value.into())));
            $self
        }
    };
}
pub(super) use script_setters;

/// The setter of builders that hold a distribution.
macro_rules! distribution_setter {
    () => {
        /// How the training is spread over processes and instances. Default: the script runs once on each instance.
        pub fn distribution(mut self, distribution: $crate::frameworks::Distribution) -> Self {
            self.0.distribution = Some(distribution);
            self
        }
    };
}
pub(super) use distribution_setter;

/// The setter of builders whose frameworks have the SageMaker Training Compiler.
macro_rules! training_compiler_setter {
    () => {
        /// Compiles the model for the GPUs with the SageMaker Training Compiler, which has images of its own. Default:
        /// off.
        pub fn training_compiler(mut self) -> Self {
            self.0.compiler = Some($crate::frameworks::script::TrainingCompiler { debug: false });
            self
        }

        /// The same with detailed logs of the compiler in `/opt/ml/output/data/compiler/`, which take time. Default: off.
        pub fn training_compiler_debug(mut self) -> Self {
            self.0.compiler = Some($crate::frameworks::script::TrainingCompiler { debug: true });
            self
        }
    };
}
pub(super) use training_compiler_setter;
