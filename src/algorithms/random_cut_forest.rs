//! The built-in Random Cut Forest: how unlike the others a row is.

use super::accepts::Accepts::{Integer, List, OneOf};
use super::answers::{TABLES, answer};
use super::builtin::{
    AlgorithmChannel, AlgorithmInstances, MiniBatch, PROGRESS, Processor, Spec, THROUGHPUT, builtin, quality,
};
use super::names::choices;
use super::record_upload::record_sets;
use super::wire::names;

static SPEC: Spec = Spec {
    image: "randomcutforest",
    class: "RandomCutForest",
    channels: &[AlgorithmChannel::required("train", TABLES), AlgorithmChannel::optional("test", TABLES)],
    instances: AlgorithmInstances { processor: Processor::CpuPreferred, is_single: false },
    needs_feature_dim: true,
    mini_batch: MiniBatch::Always(1000),
    metrics: &[quality!("test:f1", "test f1 <score>"), PROGRESS, THROUGHPUT],
    ..Spec::DEFAULT
};

choices! {
    /// What the `test` channel, which has labels, is measured by.
    EvalMetric {
        Accuracy = "accuracy",
        PrecisionRecallFscore = "precision_recall_fscore",
    }
}

builtin! {
    /// An estimator of the built-in Random Cut Forest.
    ///
    /// Channels: `train`, which is not labelled, and `test`, which is, to be measured; RecordIO-protobuf or CSV.
    /// Instances: CPUs; GPUs are not used.
    RandomCutForest, RandomCutForestBuilder, SPEC;

    /// Begins; nothing is needed.
    needs {}
    takes {
        /// How many rows each tree has: 1 to 2048. The inverse should be near the share of anomalies. Default 256.
        num_samples_per_tree(rows: u32) in Integer(1, 2048);

        /// The number of trees: 50 to 1000. Default 100.
        num_trees(trees: u32) in Integer(50, 1000);

        /// What the `test` channel is measured by. Default: both.
        eval_metrics(metrics: impl IntoIterator<Item = EvalMetric>) in List(&OneOf(EvalMetric::NAMES)) => names(metrics);

        /// How many numbers a row has: 1 to 10000. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(numbers: u32) in Integer(1, 10_000);
    }
}
record_sets!(RandomCutForest, RandomCutForestBuilder);

answer! {
    /// An answer of a Random Cut Forest endpoint.
    AnomalyScore {
        /// How unlike the others the row is; three standard deviations above the mean is a usual limit.
        score: number,
    }
}
