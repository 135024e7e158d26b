//! What all built-in algorithms but XGBoost share: values under their wire names, and a description to check them by.

use std::collections::BTreeMap;

use super::DefaultMetric;
use super::accepts::Accepts;
use crate::error::Problems;
use crate::estimator::{Attached, Estimator, PlanContext, TrainingPlan, TrainingSettings};
use crate::training::Channels;
use crate::types::{ContentType, ImageUri, InstanceGroup, InstanceType, TrainingCompute};
use crate::{Result, Session, images};

/// A channel that a built-in algorithm reads.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlgorithmChannel {
    /// The name that the container looks for.
    pub name: &'static str,
    /// Whether a job needs it.
    pub is_required: bool,
    /// What its objects may be; more than one where the container goes by the type that the channel declares.
    pub content_types: &'static [ContentType],
}

impl AlgorithmChannel {
    pub(super) const fn required(name: &'static str, content_types: &'static [ContentType]) -> Self {
        Self { name, is_required: true, content_types }
    }

    pub(super) const fn optional(name: &'static str, content_types: &'static [ContentType]) -> Self {
        Self { name, is_required: false, content_types }
    }
}

/// Refuses channels that declare a type which the container would refuse. What declares none passes.
pub(super) fn check_content_types(known: &[AlgorithmChannel], channels: &Channels, problems: &mut Problems) {
    for (name, input) in channels.iter() {
        let Some(channel) = known.iter().find(|channel| channel.name == name) else { continue };
        let Some(declared) = input.content_type() else { continue };
        if !channel.content_types.iter().any(|accepted| accepted.essence() == declared.essence()) {
            let accepted: Vec<&str> = channel.content_types.iter().map(ContentType::as_str).collect();
            let text =
                format!("the algorithm reads {} here, not {}", accepted.join(" or "), shortened(declared.as_str()));
            problems.push(format!("inputs.{name}"), text);
        }
    }
}

/// The instances that a built-in algorithm trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlgorithmInstances {
    /// The processors.
    pub processor: Processor,
    /// Whether it trains on one instance only.
    pub is_single: bool,
}

/// The processors that an algorithm trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Processor {
    /// CPUs alone; other types are refused.
    Cpu,
    /// GPUs alone; other types are refused.
    Gpu,
    /// CPUs; a GPU brings nothing.
    CpuPreferred,
    /// Either.
    Any,
}

/// The batch size that is sent where none was set.
#[derive(Debug, Clone, Copy)]
pub(super) enum MiniBatch {
    /// None: the container chooses.
    AsSet,
    /// This, or the share of each instance of the records if that is smaller.
    AtMost(u64),
    /// This.
    Default(u64),
    /// This, and no other.
    Always(u64),
    /// It must be set.
    Needed,
}

/// What is to be known of an algorithm.
#[derive(Debug)]
pub(super) struct Spec {
    /// The name in the tables of images.
    pub(super) image: &'static str,
    /// What folders of record sets are named after.
    pub(super) class: &'static str,
    /// Sent with each job.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    pub(super) channels: &'static [AlgorithmChannel],
    pub(super) instances: AlgorithmInstances,
    /// Whether the container must be told how many features there are.
    pub(super) needs_feature_dim: bool,
    pub(super) mini_batch: MiniBatch,
    /// Names and regular expressions.
    pub(super) metrics: &'static [(&'static str, &'static str)],
    /// What single ranges do not say.
    pub(super) check: fn(&mut Checker<'_>),
}

impl Spec {
    /// What most have.
    pub(super) const DEFAULT: Self = Self {
        image: "",
        class: "",
        fixed: &[],
        channels: &[],
        instances: AlgorithmInstances { processor: Processor::Any, is_single: false },
        needs_feature_dim: false,
        mini_batch: MiniBatch::AsSet,
        metrics: &[],
        check: |_| {},
    };

    pub(super) fn default_metrics(&self) -> Vec<DefaultMetric> {
        self.metrics.iter().map(|(name, regex)| DefaultMetric::new(*name, *regex)).collect()
    }
}

/// An estimator of a built-in algorithm.
#[derive(Debug, Clone)]
pub(super) struct Builtin {
    pub(super) spec: &'static Spec,
    ranges: &'static [(&'static str, Accepts)],
    values: BTreeMap<String, String>,
    version: String,
    /// Of a job that was not trained by the image that the version stands for.
    image: Option<ImageUri>,
    pub(super) data_location: Option<String>,
    pub(super) settings: TrainingSettings,
}

impl Builtin {
    pub(super) fn new(spec: &'static Spec, ranges: &'static [(&'static str, Accepts)]) -> Self {
        let fixed = spec.fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            spec,
            ranges,
            values: fixed.collect(),
            version: "1".to_owned(),
            image: None,
            data_location: None,
            settings: TrainingSettings::default(),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }

    pub(super) fn set_version(&mut self, version: String) {
        self.version = version;
        self.image = None;
    }

    /// What a job was trained with.
    pub(super) async fn attach(mut self, session: &Session, job_name: &str) -> Result<Self> {
        let job = Attached::of(session, job_name).await?;
        let image = ImageUri::new(job.image()?)?;
        // Accounts and registries differ, the repository's name does not.
        let published = images::builtin(self.spec.image, "us-east-1", &self.version)?;
        if image.repository() != published.repository() {
            let text = format!("was trained by {image}, which is no image of {}", self.spec.class);
            return Err(job.refusal(&format!("{text}: ContainerEstimator::attach takes it")));
        }
        if let Some(version) = image.tag() {
            self.set_version(version.to_owned());
        }
        let of_version = self.image_uri(session.region()).ok();
        self.image = Some(image).filter(|image| Some(image) != of_version.as_ref());
        self.values = job.hyperparameters();
        self.settings = job.settings;
        Ok(self)
    }

    /// Checks what can be checked before the channels are known.
    pub(super) fn build(self) -> Result<Self> {
        let mut problems = Problems::default();
        self.check_values(&self.values, &mut problems);
        self.settings.check_alone(&self, &mut problems);
        problems.into_result()?;
        Ok(self)
    }

    /// How many instances train; 1 where that is not known.
    pub(super) fn instance_count(&self) -> u32 {
        count(&self.instances())
    }

    /// The instances that were set, as far as they are understood.
    fn instances(&self) -> Vec<(InstanceType, u32)> {
        match &self.settings.compute {
            Some(TrainingCompute::Instances(compute)) => {
                let checked = compute.checked().into_iter();
                checked.map(|compute| (compute.instance_type, compute.count.unsigned_abs())).collect()
            }
            Some(TrainingCompute::Groups(groups)) => {
                let known = |group: &InstanceGroup| Some((InstanceType::new(&*group.instance_type).ok()?, group.count));
                groups.groups.iter().filter_map(known).collect()
            }
            None => Vec::new(),
        }
    }

    /// The values with those that follow from the data.
    fn fitted(&self, channels: &Channels) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        let Some(records) = channels.records("train") else { return values };
        values.entry("feature_dim".to_owned()).or_insert_with(|| records.feature_dim.to_string());
        let batch = match self.spec.mini_batch {
            MiniBatch::AtMost(most) => Some(most.min((records.num_records / u64::from(self.instance_count())).max(1))),
            MiniBatch::Default(size) | MiniBatch::Always(size) => Some(size),
            MiniBatch::AsSet | MiniBatch::Needed => None,
        };
        if let Some(batch) = batch {
            values.entry("mini_batch_size".to_owned()).or_insert_with(|| batch.to_string());
        }
        values
    }

    fn check_values(&self, values: &BTreeMap<String, String>, problems: &mut Problems) {
        let mut checker = Checker { values, instances: self.instances(), problems };
        for (name, value) in values {
            let Some((_, accepts)) = self.ranges.iter().find(|(known, _)| known == name) else { continue };
            if !accepts.takes(value) {
                checker.refuse(name, format!("must be {accepts}, is {}", shortened(value)));
            }
        }
        if let MiniBatch::Always(size) = self.spec.mini_batch
            && let Some(value) = values.get("mini_batch_size").filter(|value| **value != size.to_string())
        {
            checker.refuse("mini_batch_size", format!("is always {size} here, not {}", shortened(value)));
        }
        checker.instances(self.spec.instances);
        (self.spec.check)(&mut checker);
    }

    fn check_channels(&self, values: &BTreeMap<String, String>, channels: &Channels, problems: &mut Problems) {
        for channel in self.spec.channels.iter().filter(|channel| channel.is_required) {
            let field = format!("inputs.{}", channel.name);
            problems.require(channels.get(channel.name).is_some(), &field, "the algorithm needs this channel");
        }
        let known = |name: &str| {
            matches!(name, "code" | "model") || self.spec.channels.iter().any(|channel| channel.name == name)
        };
        for (name, _) in channels.iter().filter(|(name, _)| !known(name)) {
            let names: Vec<&str> = self.spec.channels.iter().map(|channel| channel.name).collect();
            problems.push(format!("inputs.{name}"), format!("the algorithm has the channels {}", names.join(", ")));
        }
        check_content_types(self.spec.channels, channels, problems);
        let mut need = |name: &str, message: &str| {
            problems.require(values.contains_key(name), &format!("hyperparameters.{name}"), message);
        };
        if self.spec.needs_feature_dim {
            need("feature_dim", "is needed: set it, or give the channel train as a RecordSet, which knows it");
        }
        if matches!(self.spec.mini_batch, MiniBatch::Needed) {
            need("mini_batch_size", "is needed");
        }
        if let (Some(records), Some(set)) = (channels.records("train"), self.values.get("feature_dim"))
            && *set != records.feature_dim.to_string()
        {
            let text = format!("is set to {}, the record set has {} features", shortened(set), records.feature_dim);
            problems.push("hyperparameters.feature_dim", text);
        }
    }
}

impl Estimator for Builtin {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        match &self.image {
            Some(image) => Ok(image.clone()),
            None => images::builtin(self.spec.image, region, &self.version),
        }
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        self.values.clone()
    }

    fn settings(&self) -> &TrainingSettings {
        &self.settings
    }

    fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
        Fitted { of: self, values: self.fitted(channels) }.plan(context, channels)
    }
}

/// The estimator with what it knows of the data of one job.
#[derive(Debug)]
struct Fitted<'a> {
    of: &'a Builtin,
    values: BTreeMap<String, String>,
}

impl Estimator for Fitted<'_> {
    fn image_uri(&self, region: &str) -> Result<ImageUri> {
        self.of.image_uri(region)
    }

    fn hyperparameters(&self) -> BTreeMap<String, String> {
        self.values.clone()
    }

    fn settings(&self) -> &TrainingSettings {
        &self.of.settings
    }

    fn check(&self, channels: &Channels, problems: &mut Problems) {
        self.of.check_values(&self.values, problems);
        self.of.check_channels(&self.values, channels, problems);
    }
}

/// What an algorithm's own check sees; each note gets a path of `hyperparameters.<name>`.
pub(super) struct Checker<'a> {
    values: &'a BTreeMap<String, String>,
    instances: Vec<(InstanceType, u32)>,
    problems: &'a mut Problems,
}

impl Checker<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(format!("hyperparameters.{name}"), message);
    }

    /// Refuses one hyperparameter without another.
    pub(super) fn needs(&mut self, name: &str, other: &str) {
        if self.get(name).is_some() && self.get(other).is_none() {
            self.refuse(name, format!("needs {other}, which is not set"));
        }
    }

    /// Refuses a hyperparameter unless another has one of these values.
    pub(super) fn only_with(&mut self, names: &[&str], other: &str, values: &[&str]) {
        if self.get(other).is_some_and(|value| values.contains(&value)) {
            return;
        }
        for name in names {
            if self.get(name).is_some() {
                self.refuse(name, format!("is for {other} {} only", values.join(" or ")));
            }
        }
    }

    pub(super) fn instance_count(&self) -> u32 {
        count(&self.instances)
    }

    pub(super) fn has_gpu(&self) -> bool {
        self.instances.iter().any(|(kind, _)| has_gpu(kind))
    }

    pub(super) fn refuse_instances(&mut self, message: impl Into<String>) {
        self.problems.push("compute", message);
    }

    fn instances(&mut self, accepted: AlgorithmInstances) {
        let (gpus, only) = match accepted.processor {
            Processor::Gpu => (true, "GPUs only, such as ml.g4dn.xlarge"),
            Processor::Cpu => (false, "CPUs only, such as ml.c5.xlarge"),
            Processor::CpuPreferred | Processor::Any => (true, ""),
        };
        let refused = self.instances.iter().find(|(kind, _)| !only.is_empty() && has_gpu(kind) != gpus);
        if let Some((kind, _)) = refused {
            let message = format!("the algorithm trains on {only}; {kind} is none");
            self.refuse_instances(message);
        }
        let count = self.instance_count();
        if accepted.is_single && count > 1 {
            self.refuse_instances(format!("the algorithm trains on one instance only, not on {count}"));
        }
    }
}

/// At least 1: where nothing was set, that is an error of its own.
fn count(instances: &[(InstanceType, u32)]) -> u32 {
    instances.iter().map(|(_, count)| count).sum::<u32>().max(1)
}

/// The families of types with GPUs are the p and the g families.
fn has_gpu(kind: &InstanceType) -> bool {
    kind.family().starts_with(['p', 'g'])
}

fn shortened(value: &str) -> String {
    const LONGEST: usize = 40;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// The estimator of an algorithm and its builder: required values in `needs`, one setter each in `takes`, with the name on
/// the wire (`as`, where it is another), what is accepted (`in`), and the text that is sent (`=>`, where it is not simply
/// the value).
macro_rules! builtin {
    (
        $(#[$doc:meta])*
        $name:ident, $builder:ident, $spec:expr;
        $(#[$new_doc:meta])*
        needs { $($need:ident($need_type:ty) in $need_accepts:expr;)* }
        takes {
            $(
                $(#[$setter_doc:meta])*
                $setter:ident($value:ident: $type:ty) $(as $wire:literal)? in $accepts:expr $(=> $text:expr)?;
            )*
        }
    ) => {
        const RANGES: &[(&str, $crate::algorithms::accepts::Accepts)] = &[
            $((stringify!($need), $need_accepts),)*
            $(($crate::algorithms::builtin::builtin!(@name $setter $($wire)?), $accepts),)*
        ];

        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub(super) $crate::algorithms::builtin::Builtin);

        impl $name {
            $(#[$new_doc])*
            pub fn builder($($need: $need_type),*) -> $builder {
                #[allow(unused_mut, reason = "not all need values")]
                let mut builtin = $crate::algorithms::builtin::Builtin::new(&$spec, RANGES);
                $(builtin.set(stringify!($need), $crate::algorithms::wire::ToWire::to_wire(&$need));)*
                $builder(builtin)
            }

            /// An estimator with the hyperparameters, tags and settings of a job of this algorithm, whoever started it.
            ///
            /// Nothing is lost that the service tells; see
            /// [`ContainerEstimator::attach`](crate::estimator::ContainerEstimator::attach) for the job's channels.
            ///
            /// # Errors
            /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such job,
            /// [`Unsupported`](crate::ErrorKind::Unsupported) if another image trained it.
            pub async fn attach(session: &$crate::Session, job_name: impl AsRef<str>) -> $crate::Result<Self> {
                let builtin = $crate::algorithms::builtin::Builtin::new(&$spec, RANGES);
                builtin.attach(session, job_name.as_ref()).await.map(Self)
            }

            /// A builder that begins with the settings of this one.
            pub fn edit(self) -> $builder {
                $builder(self.0)
            }

            /// The channels that the container reads.
            pub fn channels() -> &'static [$crate::algorithms::AlgorithmChannel] {
                $spec.channels
            }

            /// The instances that it trains on.
            pub fn instances() -> $crate::algorithms::AlgorithmInstances {
                $spec.instances
            }

            /// The metrics that the service reads from the logs by itself; a job need not define them, and cannot.
            pub fn default_metrics() -> Vec<$crate::algorithms::DefaultMetric> {
                $spec.default_metrics()
            }
        }

        impl $crate::estimator::Estimator for $name {
            fn image_uri(&self, region: &str) -> $crate::Result<$crate::types::ImageUri> {
                self.0.image_uri(region)
            }

            fn hyperparameters(&self) -> std::collections::BTreeMap<String, String> {
                self.0.hyperparameters()
            }

            fn settings(&self) -> &$crate::estimator::TrainingSettings {
                self.0.settings()
            }

            fn plan(
                &self,
                context: &$crate::estimator::PlanContext,
                channels: &$crate::training::Channels,
            ) -> $crate::Result<$crate::estimator::TrainingPlan> {
                self.0.plan(context, channels)
            }
        }

        #[doc = concat!("Settings of a [`", stringify!($name), "`] training.")]
        #[derive(Debug, Clone)]
        #[must_use = "a builder does nothing until it is built"]
        pub struct $builder(pub(super) $crate::algorithms::builtin::Builtin);

        impl $builder {
            $crate::estimator::training_setters!(self => self.0.settings);

            $(
                $(#[$setter_doc])*
                pub fn $setter(mut self, $value: $type) -> Self {
                    let text = $crate::algorithms::builtin::builtin!(@text $value $(, $text)?);
                    self.0.set($crate::algorithms::builtin::builtin!(@name $setter $($wire)?), text);
                    self
                }
            )*

            /// Any hyperparameter by its name on the wire, such as one that is newer than the crate. A name that the crate
            /// knows is checked as if it was set by its own method.
            pub fn hyperparameter(mut self, name: impl Into<String>, value: impl ToString) -> Self {
                self.0.set(&name.into(), value.to_string());
                self
            }

            /// The version of the algorithm's image. Default: `1`.
            pub fn version(mut self, version: impl Into<String>) -> Self {
                self.0.set_version(version.into());
                self
            }

            /// Checks everything.
            ///
            /// # Errors
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that lists every refused value, hyperparameters as
            /// `hyperparameters.<name>`.
            pub fn build(self) -> $crate::Result<$name> {
                self.0.build().map($name)
            }
        }
    };
    (@name $setter:ident) => { stringify!($setter) };
    (@name $setter:ident $wire:literal) => { $wire };
    (@text $value:ident) => { $crate::algorithms::wire::ToWire::to_wire(&$value) };
    (@text $value:ident, $text:expr) => { $text };
}
pub(super) use builtin;

/// A metric that algorithms log after training, or after an epoch.
macro_rules! quality {
    ($name:literal, $what:literal) => {
        ($name, concat!(r"#quality_metric: host=\S+, ", $what, r"=(\S+)"))
    };
    ($name:literal, epoch $what:literal) => {
        ($name, concat!(r"#quality_metric: host=\S+, epoch=\S+, ", $what, r"=(\S+)"))
    };
    ($name:literal, batch $what:literal) => {
        ($name, concat!(r"#quality_metric: host=\S+, epoch=\S+, batch=\S+ ", $what, r"=(\S+)"))
    };
}
pub(super) use quality;

pub(super) const PROGRESS: (&str, &str) = ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %");
pub(super) const THROUGHPUT: (&str, &str) =
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second");
