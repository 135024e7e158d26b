//! The built-in Random Cut Forest: how unlike the others a row is.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//!
//! Instances: one or more, with CPUs; GPUs bring little. Default metrics: `test:f1`, `train:progress`,
//! `train:throughput`.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::algorithms::random_cut_forest::{AnomalyScore, RandomCutForest};
//! use sagemaker::codec::RecordIo;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::types::Compute;
//!
//! let session = sagemaker::Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let forest = RandomCutForest::builder().num_trees(50).compute(Compute::instances("ml.m5.xlarge", 1)).build()?;
//! let rows: Vec<[f32; 1]> = (0..200_u8).map(|i| [f32::from(i % 10)]).collect();
//! let done = forest.fit(&session, forest.record_set(&session, &rows).await?).await?.wait().await?;
//!
//! let endpoint = forest.model(&session, &done).await?.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<AnomalyScore>());
//! let scores = predictor.predict(&[[5.0_f32], [1000.0]]).await?;
//! assert!(scores[1].score > scores[0].score);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```

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
