//! How a training is spread over processes and instances.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::versions;
use crate::error::Problems;
use crate::training::HyperparameterValue;
use crate::types::TrainingCompute;

/// Processes under MPI.
///
/// ```
/// use sagemaker::frameworks::{Distribution, Mpi};
///
/// let horovod = Distribution::mpi(Mpi::new().processes_per_host(4).custom_mpi_options("--NCCL_DEBUG INFO"));
/// # let _ = horovod;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "setters take and give back the value"]
pub struct Mpi {
    processes_per_host: Option<u32>,
    custom_mpi_options: String,
}

impl Mpi {
    /// MPI with the toolkit's own choices.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many processes each instance runs. Default: one.
    pub fn processes_per_host(mut self, processes: u32) -> Self {
        self.processes_per_host = Some(processes);
        self
    }

    /// Options of `mpirun`. Default: none.
    pub fn custom_mpi_options(mut self, options: impl Into<String>) -> Self {
        self.custom_mpi_options = options.into();
        self
    }
}

/// How a training is spread over processes and instances. Which of them a framework has, its builder checks.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "setters take and give back the value"]
pub struct Distribution {
    torchrun: bool,
    mpi: Option<Mpi>,
    parameter_server: bool,
    multi_worker_mirrored: bool,
    /// Options of `mpirun`.
    data_parallel: Option<String>,
    is_pytorch_ddp: bool,
    /// In the order in which they were given.
    model_parallel: Option<Vec<(String, Value)>>,
    pytorch_xla: bool,
    instance_group: Option<String>,
}

/// Strategies by the words of the Python SDK.
const TORCHRUN: &str = "torch_distributed";
const MPI: &str = "mpi";
const PARAMETER_SERVER: &str = "parameter_server";
const MULTI_WORKER_MIRRORED: &str = "multi_worker_mirrored_strategy";
const PYTORCH_DDP: &str = "pytorchddp";
const SMDISTRIBUTED: &str = "smdistributed";
const PYTORCH_XLA: &str = "pytorchxla";

/// Tells the toolkit in which groups of a cluster it starts the script.
const INSTANCE_GROUPS: &str = "sagemaker_distribution_instance_groups";

const TORCHRUN_ON_GPU: &[&str] = &[
    "1.13.1", "2.0.0", "2.0.1", "2.1.0", "2.1.2", "2.2.0", "2.3.0", "2.3.1", "2.4.1", "2.5.1", "2.6.0", "2.7.1",
    "2.8.0",
];
const TORCHRUN_ON_TRAINIUM: &[&str] = &["1.11.0", "1.12.0", "1.12.1", "1.13.1", "2.0.0"];
const DATA_PARALLEL_TENSORFLOW: &[&str] = &[
    "2.3.1", "2.3.2", "2.4.1", "2.4.3", "2.5.0", "2.5.1", "2.6.0", "2.6.2", "2.6.3", "2.7.1", "2.8.0", "2.9.1",
    "2.9.2", "2.10.1", "2.11.0",
];
const DATA_PARALLEL_PYTORCH: &[&str] = &[
    "1.6.0", "1.7.1", "1.8.0", "1.8.1", "1.9.0", "1.9.1", "1.10.0", "1.10.2", "1.11.0", "1.12.0", "1.12.1", "1.13.1",
    "2.0.0", "2.0.1", "2.1.0", "2.1.2", "2.2.0",
];

/// Whose toolkit starts the script: they are told some distributions differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toolkit {
    PyTorch,
    HuggingFace,
    Other,
}

/// What the toolkit is told besides: where the script runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launch<'a> {
    pub(super) toolkit: Toolkit,
    /// Nothing for a cluster of groups.
    pub(super) instance_type: Option<&'a str>,
    /// The group of a cluster that has no other.
    pub(super) only_group: Option<&'a str>,
}

impl<'a> Launch<'a> {
    pub(super) fn on(toolkit: Toolkit, compute: Option<&'a TrainingCompute>) -> Self {
        let (instance_type, only_group) = match compute {
            Some(TrainingCompute::Groups(cluster)) => match &cluster.groups[..] {
                [group] => (None, Some(group.name.as_str())),
                _ => (None, None),
            },
            Some(compute) => (Some(compute.instance_type()), None),
            None => (None, None),
        };
        Self { toolkit, instance_type, only_group }
    }
}

/// What a distribution is checked against.
pub(super) struct Setting<'a> {
    /// `pytorch`, `tensorflow` or `mxnet`.
    pub(super) framework: &'a str,
    /// Nothing if an image was named: then versions are the caller's affair.
    pub(super) version: Option<&'a str>,
    pub(super) py_version: Option<&'a str>,
    pub(super) compute: Option<&'a TrainingCompute>,
    pub(super) program: &'a str,
}

impl Setting<'_> {
    /// The type of the instances that the distribution runs on.
    fn instance_type(&self, group: Option<&str>) -> Option<&str> {
        match self.compute? {
            TrainingCompute::Groups(cluster) if group.is_some() => {
                let named = cluster.groups.iter().find(|of| Some(of.name.as_str()) == group);
                named.map(|group| group.instance_type.as_str())
            }
            compute => Some(compute.instance_type()),
        }
    }
}

impl Distribution {
    /// PyTorch's own launcher, on GPU and Trainium instances.
    pub fn torchrun() -> Self {
        Self { torchrun: true, ..Self::default() }
    }

    /// PyTorch's `DistributedDataParallel` under MPI, with options of `mpirun` or `""`.
    pub fn pytorch_ddp(custom_mpi_options: impl Into<String>) -> Self {
        Self { is_pytorch_ddp: true, ..Self::smdistributed_data_parallel(custom_mpi_options) }
    }

    /// MPI, for Horovod.
    pub fn mpi(mpi: Mpi) -> Self {
        Self { mpi: Some(mpi), ..Self::default() }
    }

    /// A parameter server on each instance.
    pub fn parameter_server() -> Self {
        Self { parameter_server: true, ..Self::default() }
    }

    /// TensorFlow's `MultiWorkerMirroredStrategy`, from version 2.9 on.
    pub fn multi_worker_mirrored() -> Self {
        Self { multi_worker_mirrored: true, ..Self::default() }
    }

    /// SageMaker's library for data in parallel, with options of `mpirun` or `""`.
    pub fn smdistributed_data_parallel(custom_mpi_options: impl Into<String>) -> Self {
        Self { data_parallel: Some(custom_mpi_options.into()), ..Self::default() }
    }

    /// SageMaker's library for models in parallel, with its parameters, such as `partitions` and `microbatches`. It runs
    /// under MPI ([`with_mpi`](Self::with_mpi)), or from version 2 on under torchrun
    /// ([`with_torchrun`](Self::with_torchrun)).
    pub fn smdistributed_model_parallel(parameters: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self { model_parallel: Some(parameters.into_iter().collect()), ..Self::default() }
    }

    /// PyTorch/XLA on several instances, with the
    /// [training compiler](super::PyTorchBuilder::training_compiler).
    pub fn pytorch_xla() -> Self {
        Self { pytorch_xla: true, ..Self::default() }
    }

    /// The group of a heterogeneous cluster that it runs in; the others are left to the script. Needed where there are
    /// several groups.
    pub fn instance_group(mut self, name: impl Into<String>) -> Self {
        self.instance_group = Some(name.into());
        self
    }

    /// Adds MPI.
    pub fn with_mpi(mut self, mpi: Mpi) -> Self {
        self.mpi = Some(mpi);
        self
    }

    /// Adds PyTorch's launcher.
    pub fn with_torchrun(mut self) -> Self {
        self.torchrun = true;
        self
    }

    /// What a job's hyperparameters tell of it, as far as this crate tells it, too.
    pub(super) fn of_hyperparameters(told: &BTreeMap<String, String>) -> Option<Self> {
        let value = |name: &str| told.get(name).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let on = |name: &str| value(name) == Some(json!(true));
        let text = |name: &str| value(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let mpi = on("sagemaker_mpi_enabled").then(|| Mpi {
            processes_per_host: value("sagemaker_mpi_num_of_processes_per_host")
                .and_then(|count| count.as_u64())
                .and_then(|count| u32::try_from(count).ok()),
            custom_mpi_options: text("sagemaker_mpi_custom_mpi_options"),
        });
        let found = Self {
            torchrun: on("sagemaker_torch_distributed_enabled"),
            mpi,
            parameter_server: on("sagemaker_parameter_server_enabled"),
            multi_worker_mirrored: on("sagemaker_multi_worker_mirrored_strategy_enabled"),
            data_parallel: on("sagemaker_distributed_dataparallel_enabled")
                .then(|| text("sagemaker_distributed_dataparallel_custom_mpi_options"))
                .or_else(|| on("sagemaker_pytorch_ddp_enabled").then(String::new)),
            // PyTorch's toolkit is told of it as of the library for data in parallel.
            is_pytorch_ddp: on("sagemaker_pytorch_ddp_enabled"),
            model_parallel: value("mp_parameters")
                .and_then(|parameters| Some(parameters.as_object()?.clone().into_iter().collect())),
            pytorch_xla: on("sagemaker_pytorch_xla_multi_worker_enabled"),
            instance_group: value(INSTANCE_GROUPS).and_then(|groups| Some(groups.get(0)?.as_str()?.to_owned())),
        };
        (found != Self::default()).then_some(found)
    }

    /// Of a job on several groups: torchrun's toolkit is not told which one, so that it is the one that the image is for.
    pub(super) fn in_a_group_of(mut self, compute: Option<&TrainingCompute>) -> Self {
        if let (Some(compute @ TrainingCompute::Groups(cluster)), None) = (compute, &self.instance_group)
            && cluster.groups.len() > 1
        {
            let group = cluster.groups.iter().find(|group| group.instance_type == compute.instance_type());
            self.instance_group = group.map(|group| group.name.clone());
        }
        self
    }

    pub(super) fn is_mpi(&self) -> bool {
        self.mpi.is_some()
    }

    pub(super) fn is_pytorch_xla(&self) -> bool {
        self.pytorch_xla
    }

    pub(super) fn is_smdistributed(&self) -> bool {
        self.data_parallel.is_some() || self.model_parallel.is_some()
    }

    pub(super) fn is_model_parallel_under_torchrun(&self) -> bool {
        self.torchrun && self.model_parallel.is_some()
    }

    fn strategies(&self) -> Vec<&'static str> {
        let smdistributed = if self.is_pytorch_ddp { PYTORCH_DDP } else { SMDISTRIBUTED };
        let all = [
            (self.torchrun, TORCHRUN),
            (self.is_mpi(), MPI),
            (self.parameter_server, PARAMETER_SERVER),
            (self.multi_worker_mirrored, MULTI_WORKER_MIRRORED),
            (self.is_smdistributed(), smdistributed),
            (self.pytorch_xla, PYTORCH_XLA),
        ];
        all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, name)| name).collect()
    }

    /// What the toolkit is told, each value as JSON.
    pub(super) fn hyperparameters(&self, launch: &Launch<'_>) -> BTreeMap<String, String> {
        let mut all: BTreeMap<&str, HyperparameterValue> = BTreeMap::new();
        let of_hugging_face = launch.toolkit == Toolkit::HuggingFace;
        let alone = match () {
            () if of_hugging_face && self.is_pytorch_ddp => Some("sagemaker_pytorch_ddp_enabled"),
            () if self.torchrun => Some("sagemaker_torch_distributed_enabled"),
            () => None,
        };
        if let Some(name) = alone {
            all.insert(name, true.into());
            all.extend(launch.instance_type.map(|instance_type| ("sagemaker_instance_type", instance_type.into())));
            if of_hugging_face || !self.is_smdistributed() {
                return encoded(all);
            }
        }
        let group = self.instance_group.as_deref().or(launch.only_group);
        if let Some(group) = group.filter(|_| self.runs_in_a_group()) {
            all.insert(INSTANCE_GROUPS, vec![group].into());
        }
        if self.pytorch_xla {
            all.insert("sagemaker_pytorch_xla_multi_worker_enabled", true.into());
        }
        if self.parameter_server {
            all.insert("sagemaker_parameter_server_enabled", true.into());
        }
        if let Some(mpi) = &self.mpi {
            all.insert("sagemaker_mpi_enabled", true.into());
            if let Some(processes) = mpi.processes_per_host {
                all.insert("sagemaker_mpi_num_of_processes_per_host", processes.into());
            }
            all.insert("sagemaker_mpi_custom_mpi_options", mpi.custom_mpi_options.as_str().into());
        }
        if self.is_smdistributed() {
            if let Some(parameters) = &self.model_parallel {
                all.insert("mp_parameters", HyperparameterValue::map(parameters.clone()));
            }
            all.insert("sagemaker_distributed_dataparallel_enabled", self.data_parallel.is_some().into());
            all.insert("sagemaker_instance_type", launch.instance_type.into());
            if let Some(options) = &self.data_parallel {
                all.insert("sagemaker_distributed_dataparallel_custom_mpi_options", options.as_str().into());
            }
        }
        if self.multi_worker_mirrored {
            all.insert("sagemaker_multi_worker_mirrored_strategy_enabled", true.into());
        }
        encoded(all)
    }

    /// What MXNet's toolkit is told: MPI's options only where processes are counted.
    pub(super) fn mxnet_hyperparameters(&self, launch: &Launch<'_>) -> BTreeMap<String, String> {
        let mut all = self.hyperparameters(&Launch { only_group: None, ..*launch });
        if self.mpi.as_ref().is_some_and(|mpi| mpi.processes_per_host.is_none()) {
            all.remove("sagemaker_mpi_custom_mpi_options");
        }
        all
    }

    /// Whether the toolkit can be told of a group.
    fn runs_in_a_group(&self) -> bool {
        self.is_mpi() || self.data_parallel.is_some()
    }

    /// Notes what is wrong with the group.
    fn check_group(&self, setting: &Setting<'_>, problems: &mut Problems) {
        let field = "distribution.instance_group";
        let Some(TrainingCompute::Groups(cluster)) = setting.compute else {
            problems.require(self.instance_group.is_none(), field, "is for a cluster of instance groups");
            return;
        };
        let names = || cluster.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", ");
        match &self.instance_group {
            None if cluster.groups.len() > 1 => {
                problems.push(field, format!("is needed: the cluster has the groups {}", names()));
            }
            Some(group) if cluster.groups.iter().all(|of| of.name != *group) => {
                problems.push(field, format!("{group:?} is no group of the cluster; it has {}", names()));
            }
            _ => {}
        }
        let told = self.torchrun || self.is_pytorch_ddp || self.runs_in_a_group();
        problems.require(told, field, "only MPI, torchrun and data in parallel run in a group");
    }

    /// Notes what does not go together.
    pub(super) fn check(&self, setting: &Setting<'_>, problems: &mut Problems) {
        let strategies = self.strategies();
        let available: &[&str] = match setting.framework {
            "pytorch" => &[TORCHRUN, MPI, PARAMETER_SERVER, PYTORCH_DDP, SMDISTRIBUTED, PYTORCH_XLA],
            "tensorflow" => &[MPI, PARAMETER_SERVER, MULTI_WORKER_MIRRORED, SMDISTRIBUTED],
            _ => &[MPI, PARAMETER_SERVER],
        };
        for strategy in strategies.iter().filter(|strategy| !available.contains(strategy)) {
            let text = format!("{} has no {strategy}; it has {}", setting.framework, available.join(", "));
            problems.push("distribution", text);
        }
        self.check_group(setting, problems);
        let instance_type = setting.instance_type(self.instance_group.as_deref());
        let family = instance_type.and_then(|instance| instance.split('.').nth(1)).unwrap_or_default();
        if family.starts_with("trn") && strategies != [TORCHRUN] {
            let text = format!("on Trainium there is {TORCHRUN} alone, not {}", strategies.join(" and "));
            problems.push("distribution", text);
        }
        if self.mpi.as_ref().is_some_and(|mpi| mpi.processes_per_host == Some(0)) {
            problems.push("distribution.processes_per_host", "must be at least 1");
        }
        if self.torchrun {
            check_torchrun(setting, family, problems);
        }
        self.check_smdistributed(setting, problems);
        if self.multi_worker_mirrored {
            let old = setting.version.is_some_and(|version| !versions::is_at_least(version, "2.9"));
            problems.require(!old, "distribution", "multi_worker_mirrored_strategy needs TensorFlow 2.9 or later");
            let alone = !self.is_smdistributed() && !self.parameter_server;
            let text = "multi_worker_mirrored_strategy goes with neither smdistributed nor a parameter server";
            problems.require(alone, "distribution", text);
        }
    }

    fn check_smdistributed(&self, setting: &Setting<'_>, problems: &mut Problems) {
        let both = self.data_parallel.is_some() && self.model_parallel.is_some();
        problems.require(!both, "distribution", "data and models in parallel do not go together");
        let instance_type = setting.instance_type(self.instance_group.as_deref());
        let p5 = instance_type.is_some_and(|instance| instance.contains("p5.48xlarge"));
        if self.is_smdistributed() && p5 && !self.torchrun {
            problems
                .push("distribution", "smdistributed runs on p5 instances under torchrun only: add .with_torchrun()");
        }
        if let (Some(_), Some(version)) = (&self.data_parallel, setting.version) {
            let list = if setting.framework == "tensorflow" { DATA_PARALLEL_TENSORFLOW } else { DATA_PARALLEL_PYTORCH };
            if !versions::has(list, version) {
                let text = format!(
                    "smdistributed data parallel has no {} {version}; it has {}",
                    setting.framework,
                    list.join(", ")
                );
                problems.push("distribution", text);
            }
            require_python_3(setting, problems);
        }
        if let Some(parameters) = &self.model_parallel {
            check_model_parallel(parameters, problems);
        }
    }
}

fn encoded(all: BTreeMap<&str, HyperparameterValue>) -> BTreeMap<String, String> {
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect()
}

fn require_python_3(setting: &Setting<'_>, problems: &mut Problems) {
    let python_3 = setting.py_version.is_none_or(|version| version.contains("py3"));
    problems.require(python_3, "distribution", "needs Python 3");
}

fn check_torchrun(setting: &Setting<'_>, family: &str, problems: &mut Problems) {
    let is_python = setting.program.ends_with(".py");
    problems.require(is_python, "entry_point", "torchrun runs Python programs (*.py) only");
    let (Some(version), false) = (setting.version, family.is_empty()) else { return };
    require_python_3(setting, problems);
    let list = match family {
        _ if family.starts_with(['p', 'g']) => TORCHRUN_ON_GPU,
        _ if family.starts_with("trn") => TORCHRUN_ON_TRAINIUM,
        _ => {
            problems.push("distribution", format!("torchrun needs GPU or Trainium instances, {family} has neither"));
            return;
        }
    };
    if !versions::has(list, version) {
        let text = format!("torchrun has no PyTorch {version} on {family} instances; it has {}", list.join(", "));
        problems.push("distribution", text);
    }
}

/// The rules of the library's parameters.
fn check_model_parallel(parameters: &[(String, Value)], problems: &mut Problems) {
    let field = |name: &str| format!("distribution.parameters.{name}");
    let given = |name: &str| parameters.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
    let choices: [(&str, &[&str]); 3] = [
        ("pipeline", &["simple", "interleaved", "_only_forward"]),
        ("placement_strategy", &["spread", "cluster"]),
        ("optimize", &["speed", "memory"]),
    ];
    for (name, known) in choices {
        if given(name).is_some_and(|value| value.as_str().is_none_or(|value| !known.contains(&value))) {
            problems.push(field(name), format!("must be one of {}", known.join(", ")));
        }
    }
    for name in ["microbatches", "partitions", "active_microbatches"] {
        let fits = given(name).is_none_or(|value| value.as_u64().is_some_and(|count| count > 0));
        problems.require(fits, &field(name), "must be a whole number from 1 on");
    }
    for name in ["auto_partition", "contiguous", "load_partition", "horovod", "ddp", "deterministic_server"] {
        problems.require(given(name).is_none_or(Value::is_boolean), &field(name), "must be true or false");
    }
    let file = given("partition_file").is_none_or(Value::is_string);
    problems.require(file, &field("partition_file"), "must be a text");
    let is = |name: &str, value: bool| given(name).and_then(Value::as_bool) == Some(value);
    if is("auto_partition", false) {
        problems.require(
            given("default_partition").is_some(),
            &field("default_partition"),
            "is needed without auto_partition",
        );
    }
    if let Some(default) = given("default_partition") {
        let below = given("partitions").and_then(Value::as_i64) > default.as_i64();
        problems.require(below, &field("default_partition"), "must be less than partitions");
    }
    let weight = given("memory_weight").is_none_or(|value| value.as_f64().is_some_and(|w| (0.0..=1.0).contains(&w)));
    problems.require(weight, &field("memory_weight"), "must be between 0 and 1");
    for name in ["ddp_port", "ddp_dist_backend"] {
        problems.require(given(name).is_none() || given("ddp").is_some(), &field(name), "needs ddp to be set as well");
    }
    let port = given("ddp_port").is_none_or(|value| value.as_u64().is_some());
    problems.require(port, &field("ddp_port"), "must be the number of a port");
    problems.require(!(is("ddp", true) && is("horovod", true)), &field("ddp"), "goes not with horovod");
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::types::{Compute, InstanceGroup, InstanceGroups};

    /// Framework, version, instances.
    struct Case(&'static str, &'static str, TrainingCompute);

    impl Case {
        fn setting(&self) -> Setting<'_> {
            Setting {
                framework: self.0,
                version: Some(self.1),
                py_version: Some("py310"),
                compute: Some(&self.2),
                program: "train.py",
            }
        }
    }

    fn setting(framework: &'static str, version: &'static str, instance_type: &str) -> Case {
        Case(framework, version, Compute::instances(instance_type, 2).into())
    }

    fn on(toolkit: Toolkit) -> Launch<'static> {
        Launch { toolkit, instance_type: Some("ml.p4d.24xlarge"), only_group: None }
    }

    fn refusals(distribution: &Distribution, case: &Case) -> usize {
        refusals_in(distribution, &case.setting())
    }

    fn refusals_in(distribution: &Distribution, setting: &Setting<'_>) -> usize {
        let mut problems = Problems::default();
        distribution.check(setting, &mut problems);
        problems.into_result().err().map_or(0, |error| error.invalid_values().len())
    }

    #[test]
    fn what_the_toolkits_are_told() {
        let told = |distribution: Distribution| {
            let all = distribution.hyperparameters(&on(Toolkit::PyTorch));
            all.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(
            told(Distribution::torchrun()),
            ["sagemaker_instance_type=\"ml.p4d.24xlarge\"", "sagemaker_torch_distributed_enabled=true"]
        );
        assert_eq!(
            told(Distribution::pytorch_ddp("")),
            [
                "sagemaker_distributed_dataparallel_custom_mpi_options=\"\"",
                "sagemaker_distributed_dataparallel_enabled=true",
                "sagemaker_instance_type=\"ml.p4d.24xlarge\"",
            ]
        );
        let parameters = [("partitions".to_owned(), json!(2)), ("ddp".to_owned(), json!(true))];
        let parallel =
            Distribution::smdistributed_model_parallel(parameters).with_mpi(Mpi::new().processes_per_host(8));
        assert_eq!(
            told(parallel),
            [
                "mp_parameters={\"partitions\": 2, \"ddp\": true}",
                "sagemaker_distributed_dataparallel_enabled=false",
                "sagemaker_instance_type=\"ml.p4d.24xlarge\"",
                "sagemaker_mpi_custom_mpi_options=\"\"",
                "sagemaker_mpi_enabled=true",
                "sagemaker_mpi_num_of_processes_per_host=8",
            ]
        );
        assert_eq!(told(Distribution::parameter_server()), ["sagemaker_parameter_server_enabled=true"]);
        assert_eq!(Distribution::mpi(Mpi::new()).mxnet_hyperparameters(&on(Toolkit::Other)).len(), 1);
    }

    #[test]
    fn what_was_told_is_read_back() {
        let parameters = [("partitions".to_owned(), json!(2))];
        for distribution in [
            Distribution::pytorch_xla(),
            Distribution::mpi(Mpi::new()).instance_group("compute"),
            Distribution::torchrun(),
            Distribution::mpi(Mpi::new()),
            Distribution::mpi(Mpi::new().processes_per_host(4).custom_mpi_options("-x \"A\"")),
            Distribution::parameter_server(),
            Distribution::multi_worker_mirrored(),
            Distribution::smdistributed_data_parallel("--verbose"),
            Distribution::smdistributed_data_parallel("").with_torchrun(),
            Distribution::smdistributed_model_parallel(parameters.clone()).with_mpi(Mpi::new()),
            Distribution::smdistributed_model_parallel(parameters).with_torchrun(),
        ] {
            let told = distribution.hyperparameters(&on(Toolkit::PyTorch));
            assert_eq!(Distribution::of_hyperparameters(&told), Some(distribution));
        }
        let told = Distribution::pytorch_ddp("").hyperparameters(&on(Toolkit::HuggingFace));
        assert_eq!(Distribution::of_hyperparameters(&told), Some(Distribution::pytorch_ddp("")));
        let other = BTreeMap::from([("epochs".to_owned(), "true".to_owned())]);
        assert_eq!(Distribution::of_hyperparameters(&other), None);
    }

    #[test]
    fn what_goes_where() {
        let torch = setting("pytorch", "2.0.1", "ml.p4d.24xlarge");
        assert_eq!(refusals(&Distribution::torchrun(), &torch), 0);
        assert_eq!(refusals(&Distribution::torchrun(), &setting("pytorch", "2.0", "ml.g5.xlarge")), 0);
        assert_eq!(refusals(&Distribution::torchrun(), &setting("pytorch", "2.0.0", "ml.trn1.2xlarge")), 0);
        assert_eq!(refusals(&Distribution::torchrun(), &setting("pytorch", "1.5.0", "ml.g5.xlarge")), 1);
        assert_eq!(refusals(&Distribution::torchrun(), &setting("pytorch", "2.0.1", "ml.m5.xlarge")), 1);
        assert_eq!(refusals_in(&Distribution::torchrun(), &Setting { program: "run.sh", ..torch.setting() }), 1);
        assert_eq!(refusals(&Distribution::parameter_server(), &setting("pytorch", "2.0.0", "ml.trn1.2xlarge")), 1);
        assert_eq!(refusals(&Distribution::torchrun(), &setting("tensorflow", "2.9.2", "ml.p3.8xlarge")), 2);
        let mirrored = Distribution::multi_worker_mirrored();
        assert_eq!(refusals(&mirrored, &setting("tensorflow", "2.11", "ml.m5.xlarge")), 0);
        assert_eq!(refusals(&mirrored, &setting("tensorflow", "2.8", "ml.m5.xlarge")), 1);
        let data = Distribution::smdistributed_data_parallel("");
        assert_eq!(refusals(&data, &setting("tensorflow", "2.11", "ml.p4d.24xlarge")), 0);
        assert_eq!(refusals(&data, &setting("tensorflow", "2.12", "ml.p4d.24xlarge")), 1);
        assert_eq!(refusals(&data, &setting("mxnet", "1.9.0", "ml.p4d.24xlarge")), 1);
        assert_eq!(refusals(&data, &setting("pytorch", "2.0.1", "ml.p5.48xlarge")), 1);
        let group = |name: &str, instance_type: &str| InstanceGroup::new(name, instance_type, 1);
        let groups = || InstanceGroups::new([group("data", "ml.c5.xlarge"), group("compute", "ml.p3.16xlarge")]);
        let cluster = Case("pytorch", "2.0.1", groups().into());
        let mpi = || Distribution::mpi(Mpi::new());
        assert_eq!(refusals(&mpi().instance_group("compute"), &cluster), 0);
        assert_eq!(refusals(&Distribution::torchrun().instance_group("data"), &cluster), 1, "it has no GPU");
        assert_eq!(refusals(&mpi(), &cluster), 1);
        assert_eq!(refusals(&mpi().instance_group("other"), &cluster), 1);
        assert_eq!(refusals(&mpi().instance_group("compute"), &torch), 1);
        assert_eq!(refusals(&Distribution::parameter_server().instance_group("data"), &cluster), 1);
        let bad = [("microbatches", json!(0)), ("ddp_port", json!(1)), ("pipeline", json!("x"))];
        let bad = Distribution::smdistributed_model_parallel(bad.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(refusals(&bad, &setting("pytorch", "1.13.1", "ml.p4d.24xlarge")), 3);
    }
}
