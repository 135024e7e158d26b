//! The service's own rules; facts of `smdebug_rulesconfig`, which the SageMaker Python SDK 2.257.7 uses.

use super::TensorCollection;

/// A rule of SageMaker Debugger that watches tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuiltinRule {
    /// Tensors of zeros only.
    AllZero,
    /// Input images that were not normalised.
    CheckInputImages,
    /// Classes of very different sizes.
    ClassImbalance,
    /// A confusion matrix that is not diagonal enough.
    Confusion,
    /// A report of an XGBoost training.
    CreateXgboostReport,
    /// ReLU units that give zero only.
    DeadRelu,
    /// Tensors with infinite or undefined values.
    ExplodingTensor,
    /// XGBoost features that outweigh the others.
    FeatureImportanceOverweight,
    /// A loss that does not fall.
    LossNotDecreasing,
    /// Sequences of padding mostly.
    NlpSequenceRatio,
    /// A validation loss that rises above the training loss.
    Overfit,
    /// Training that no longer improves.
    Overtraining,
    /// Weights that were initialised badly.
    PoorWeightInitialization,
    /// Activation units that are saturated.
    SaturatedActivation,
    /// Tensors that differ from those of another run.
    SimilarAcrossRuns,
    /// Training that makes no progress.
    StalledTraining,
    /// Tensors whose variance is too high or too low.
    TensorVariance,
    /// XGBoost trees that are deeper than they need be.
    TreeDepth,
    /// Tensors that no longer change.
    UnchangedTensor,
    /// Gradients that become too small.
    VanishingGradient,
    /// Updates that are too large or too small beside the weights.
    WeightUpdateRatio,
}

impl BuiltinRule {
    /// The service's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllZero => "AllZero",
            Self::CheckInputImages => "CheckInputImages",
            Self::ClassImbalance => "ClassImbalance",
            Self::Confusion => "Confusion",
            Self::CreateXgboostReport => "CreateXgboostReport",
            Self::DeadRelu => "DeadRelu",
            Self::ExplodingTensor => "ExplodingTensor",
            Self::FeatureImportanceOverweight => "FeatureImportanceOverweight",
            Self::LossNotDecreasing => "LossNotDecreasing",
            Self::NlpSequenceRatio => "NLPSequenceRatio",
            Self::Overfit => "Overfit",
            Self::Overtraining => "Overtraining",
            Self::PoorWeightInitialization => "PoorWeightInitialization",
            Self::SaturatedActivation => "SaturatedActivation",
            Self::SimilarAcrossRuns => "SimilarAcrossRuns",
            Self::StalledTraining => "StalledTrainingRule",
            Self::TensorVariance => "TensorVariance",
            Self::TreeDepth => "TreeDepth",
            Self::UnchangedTensor => "UnchangedTensor",
            Self::VanishingGradient => "VanishingGradient",
            Self::WeightUpdateRatio => "WeightUpdateRatio",
        }
    }

    /// The tensors that it needs.
    pub(super) fn collections(self) -> Vec<TensorCollection> {
        let every = |steps: &str, name: &str| TensorCollection::new(name).parameter("save_interval", steps);
        match self {
            Self::CheckInputImages => {
                vec![every("500", "input_image").parameter("include_regex", ".*hybridsequential0_input_0")]
            }
            Self::CreateXgboostReport => vec![
                every("5", "metrics"),
                every("5", "feature_importance"),
                TensorCollection::new("hyperparameters").parameter("save_steps", "0"),
                every("5", "predictions"),
                every("5", "labels"),
            ],
            Self::DeadRelu => vec![every("500", "relu_output").parameter("include_regex", ".*relu_output")],
            Self::FeatureImportanceOverweight => vec![every("500", "feature_importance")],
            Self::LossNotDecreasing => vec![every("500", "losses")],
            Self::NlpSequenceRatio => {
                vec![every("500", "input_sequence").parameter("include_regex", ".*embedding0_input_0")]
            }
            Self::PoorWeightInitialization => {
                vec![every("500", "relu_input").parameter("include_regex", ".*relu_input")]
            }
            Self::VanishingGradient => vec![every("500", "gradients")],
            Self::WeightUpdateRatio => vec![every("500", "weights")],
            _ => Vec::new(),
        }
    }
}

/// A rule of SageMaker Debugger that watches what the profiler measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuiltinProfilerRule {
    /// Batches too small for the GPU.
    BatchSize,
    /// GPUs that wait for the CPU.
    CpuBottleneck,
    /// GPU memory that grows.
    GpuMemoryIncrease,
    /// GPUs that wait for data.
    IoBottleneck,
    /// GPUs that are loaded unevenly.
    LoadBalancing,
    /// GPUs that are used little or unsteadily.
    LowGpuUtilization,
    /// Too much time before the first step.
    MaxInitializationTime,
    /// A summary of the system's use.
    OverallSystemUsage,
    /// A report of all profiler rules.
    ProfilerReport,
    /// Steps that take much longer than others.
    StepOutlier,
}

impl BuiltinProfilerRule {
    /// The service's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchSize => "BatchSize",
            Self::CpuBottleneck => "CPUBottleneck",
            Self::GpuMemoryIncrease => "GPUMemoryIncrease",
            Self::IoBottleneck => "IOBottleneck",
            Self::LoadBalancing => "LoadBalancing",
            Self::LowGpuUtilization => "LowGPUUtilization",
            Self::MaxInitializationTime => "MaxInitializationTime",
            Self::OverallSystemUsage => "OverallSystemUsage",
            Self::ProfilerReport => "ProfilerReport",
            Self::StepOutlier => "StepOutlier",
        }
    }

    /// Its usual thresholds.
    pub(super) fn parameters(self) -> impl Iterator<Item = (String, String)> {
        let parameters: &[(&str, &str)] = match self {
            Self::BatchSize => &[
                ("cpu_threshold_p95", "70"),
                ("gpu_threshold_p95", "70"),
                ("gpu_memory_threshold_p95", "70"),
                ("patience", "1000"),
                ("window", "500"),
                ("scan_interval_us", "60000000"),
            ],
            Self::CpuBottleneck => &[
                ("threshold", "50"),
                ("gpu_threshold", "10"),
                ("cpu_threshold", "90"),
                ("patience", "1000"),
                ("scan_interval_us", "60000000"),
            ],
            Self::GpuMemoryIncrease => {
                &[("increase", "5"), ("patience", "1000"), ("window", "10"), ("scan_interval_us", "60000000")]
            }
            Self::IoBottleneck => &[
                ("threshold", "50"),
                ("gpu_threshold", "10"),
                ("io_threshold", "50"),
                ("patience", "1000"),
                ("scan_interval_us", "60000000"),
            ],
            Self::LoadBalancing => &[("threshold", "0.5"), ("patience", "1000"), ("scan_interval_us", "60000000")],
            Self::LowGpuUtilization => &[
                ("threshold_p95", "70"),
                ("threshold_p5", "10"),
                ("window", "500"),
                ("patience", "1000"),
                ("scan_interval_us", "60000000"),
            ],
            Self::MaxInitializationTime => &[("threshold", "20"), ("scan_interval_us", "60000000")],
            Self::OverallSystemUsage => &[("scan_interval_us", "60000000")],
            Self::ProfilerReport => &[],
            Self::StepOutlier => {
                &[("stddev", "3"), ("mode", "None"), ("n_outliers", "10"), ("scan_interval_us", "60000000")]
            }
        };
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    }
}
