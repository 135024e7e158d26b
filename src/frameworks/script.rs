//! What all estimators that run a script share.

use std::collections::BTreeMap;

use super::distribution::Setting;
use crate::Result;
use crate::error::Problems;
use crate::estimator::{Estimator, PlanContext, TrainingPlan, TrainingSettings, planned};
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
            instance_type: self.instance_type(),
            program: self.source.entry_point().to_str().unwrap_or_default(),
        }
    }

    /// The version, if it is known and not before `least`.
    pub(super) fn is_at_least(&self, least: &str) -> bool {
        self.framework_version.as_deref().is_some_and(|version| super::versions::is_at_least(version, least))
    }
}

/// Notes what frameworks without GPUs and clusters do not run on.
pub(super) fn check_one_processor(script: &Script, framework: &str, problems: &mut Problems) {
    let Some(compute) = &script.settings.compute else { return };
    let family = compute.instance_type().split('.').nth(1).unwrap_or_default();
    let gpu = family.starts_with(['p', 'g']);
    problems.require(!gpu, "compute.instance_type", &format!("{framework} has no use for GPUs"));
    let text = format!("{framework} does not train on several instances");
    problems.require(compute.instance_count() <= 1, "compute.instance_count", &text);
}

/// What the toolkit is told of the training compiler.
pub(super) fn compiler_hyperparameters() -> BTreeMap<String, String> {
    let told = [("sagemaker_training_compiler_enabled", "true"), ("sagemaker_training_compiler_debug_mode", "false")];
    told.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
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

/// A plan whose metrics go to SageMaker's time series, as the Python SDK has it for some frameworks.
pub(super) fn planned_with_metrics<E: Estimator>(
    estimator: &E,
    metrics: bool,
    context: &PlanContext,
    channels: &Channels,
) -> Result<TrainingPlan> {
    let plan = planned(estimator, context, channels)?;
    if !metrics {
        return Ok(plan);
    }
    Ok(plan.map_raw(|request| {
        let mut algorithm = request.get_algorithm_specification().clone();
        if let Some(algorithm) = &mut algorithm {
            algorithm.enable_sage_maker_metrics_time_series.get_or_insert(true);
        }
        request.set_algorithm_specification(algorithm)
    }))
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
            self.0.training_compiler = true;
            self
        }
    };
}
pub(super) use training_compiler_setter;
