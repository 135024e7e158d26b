//! The built-in K-Means: groups of rows that are near each other.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//!
//! Instances: one or more, with CPUs; GPUs bring little. Default metrics: `test:msd`, `test:ssd`, `train:msd`,
//! `train:progress`, `train:throughput`.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::algorithms::kmeans::{ClosestCluster, KMeans};
//! use sagemaker::codec::RecordIo;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::types::Compute;
//!
//! let session = sagemaker::Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let kmeans = KMeans::builder(2).compute(Compute::instances("ml.c5.xlarge", 1)).build()?;
//! let rows = [[0.0_f32, 0.0], [0.0, 1.0], [10.0, 10.0], [10.0, 11.0]];
//! let records = kmeans.record_set(&session, &rows).await?;
//! let done = kmeans.fit(&session, records).await?.wait().await?;
//!
//! let endpoint = kmeans.model(&session, &done).await?.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<ClosestCluster>());
//! let answers = predictor.predict(&[[0.0_f32, 0.5], [10.0, 10.5]]).await?;
//! assert_ne!(answers[0].closest_cluster, answers[1].closest_cluster);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```

use super::accepts::Accepts::{Integer, List, OneOf};
use super::accepts::{MAX, POSITIVE, SHARE};
use super::answers::{TABLES, answer};
use super::builtin::{AlgorithmChannel, AlgorithmInstances, PROGRESS, Processor, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
use super::record_upload::record_sets;
use super::wire::names;

static SPEC: Spec = Spec {
    image: "kmeans",
    class: "KMeans",
    fixed: &[("force_dense", "True")],
    channels: &[AlgorithmChannel::required("train", TABLES), AlgorithmChannel::optional("test", TABLES)],
    instances: AlgorithmInstances { processor: Processor::CpuPreferred, is_single: false },
    needs_feature_dim: true,
    metrics: &[
        quality!("test:msd", "test msd <loss>"),
        quality!("test:ssd", "test ssd <loss>"),
        quality!("train:msd", "train msd <loss>"),
        PROGRESS,
        THROUGHPUT,
    ],
    ..Spec::DEFAULT
};

choices! {
    /// How the first centres are found.
    InitMethod {
        /// rows picked at random
        Random = "random",
        /// rows that are far from each other
        KMeansPlusPlus = "kmeans++",
    }
}

choices! {
    /// What the `test` channel is measured by.
    EvalMetric {
        /// the mean of the squared distances
        Msd = "msd",
        /// their sum
        Ssd = "ssd",
    }
}

builtin! {
    /// An estimator of the built-in K-Means.
    ///
    /// Channels: `train`, and `test` to be measured; RecordIO-protobuf or CSV. Instances: CPUs; of a GPU instance one GPU
    /// is used.
    KMeans, KMeansBuilder, SPEC;

    /// Begins with what every training needs: the number of clusters, at least 2.
    needs {
        k(u32) in Integer(2, MAX);
    }
    takes {
        /// How the first centres are found. Default [`InitMethod::Random`].
        init_method(method: InitMethod) in OneOf(InitMethod::NAMES);

        /// The most rounds of Lloyd's algorithm, which makes the clusters final: at least 1. Default 300.
        max_iterations(rounds: u32) as "local_lloyd_max_iter" in POSITIVE;

        /// The change between two rounds below which Lloyd's algorithm ends: 0 to 1. Default 0.0001.
        tol(change: f64) as "local_lloyd_tol" in SHARE;

        /// How often Lloyd's algorithm is run, the best result is kept: at least 1. Default is by the container.
        num_trials(trials: u32) as "local_lloyd_num_trials" in POSITIVE;

        /// How Lloyd's algorithm finds its first centres. Default [`InitMethod::KMeansPlusPlus`].
        local_init_method(method: InitMethod) as "local_lloyd_init_method" in OneOf(InitMethod::NAMES);

        /// After how many rows the weight of older ones has halved: from 0, which is never. Default 0.
        half_life_time_size(rows: u32) in Integer(0, MAX);

        /// Passes over the data: at least 1. Default 1.
        epochs(passes: u32) in POSITIVE;

        /// How many times `k` centres are kept until Lloyd's algorithm: at least 1. Default is by the container.
        center_factor(factor: u32) as "extra_center_factor" in POSITIVE;

        /// What the `test` channel is measured by. Default [`EvalMetric::Msd`].
        eval_metrics(metrics: impl IntoIterator<Item = EvalMetric>) in List(&OneOf(EvalMetric::NAMES)) => names(metrics);

        /// How many numbers a row has. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(numbers: u32) in POSITIVE;

        /// Rows in a batch: at least 1. Default 5000.
        mini_batch_size(rows: u32) in POSITIVE;
    }
}
record_sets!(KMeans, KMeansBuilder);

answer! {
    /// An answer of a K-Means endpoint.
    ClosestCluster {
        /// The number of the cluster, from 0.
        closest_cluster: number,
        /// How far its centre is.
        distance_to_cluster: number,
    }
}
