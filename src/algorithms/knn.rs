//! The built-in k-nearest-neighbours: the label of the rows that are nearest.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//!
//! Instances: one or more, with CPUs or GPUs. Default metrics: `test:accuracy`, `test:mse`, `train:progress`,
//! `train:throughput`.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::algorithms::knn::{Knn, Neighbors, PredictorType};
//! use sagemaker::codec::RecordIo;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::types::Compute;
//!
//! let session = sagemaker::Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let knn = Knn::builder(1, 4, PredictorType::Classifier).compute(Compute::instances("ml.c5.xlarge", 1)).build()?;
//! let (rows, labels) = ([[0.0_f32, 0.0], [0.0, 1.0], [10.0, 10.0], [10.0, 11.0]], [0.0_f32, 0.0, 1.0, 1.0]);
//! let records = knn.record_set(&session, &rows).labels(&labels).await?;
//! let done = knn.fit(&session, records).await?.wait().await?;
//!
//! let endpoint = knn.model(&session, &done).await?.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<Neighbors>());
//! assert_eq!(predictor.predict(&[[9.0_f32, 9.0]]).await?[0].predicted_label, 1.0);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```

use super::accepts::Accepts::{NameOr, OneOf};
use super::accepts::POSITIVE;
use super::answers::{TABLES, answer};
use super::builtin::{AlgorithmChannel, Checker, PROGRESS, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
use super::record_upload::record_sets;
use super::wire::ToWire;

static SPEC: Spec = Spec {
    image: "knn",
    class: "KNN",
    channels: &[AlgorithmChannel::required("train", TABLES), AlgorithmChannel::optional("test", TABLES)],
    needs_feature_dim: true,
    metrics: &[
        quality!("test:accuracy", "test accuracy <score>"),
        quality!("test:mse", "test mse <loss>"),
        PROGRESS,
        THROUGHPUT,
    ],
    check,
    ..Spec::DEFAULT
};

choices! {
    /// What is predicted.
    PredictorType {
        /// the class that most neighbours have
        Classifier = "classifier",
        /// the mean of the neighbours
        Regressor = "regressor",
    }
}

choices! {
    /// How rows are made shorter.
    DimensionReduction {
        /// random projection by signs
        Sign = "sign",
        /// fast Johnson-Lindenstrauss transform
        Fjlt = "fjlt",
    }
}

choices! {
    /// How neighbours are found.
    IndexType {
        /// exactly
        Flat = "faiss.Flat",
        /// in cells near the row
        IvfFlat = "faiss.IVFFlat",
        /// the same with rows in short codes
        IvfPq = "faiss.IVFPQ",
    }
}

choices! {
    /// What is near.
    IndexMetric {
        Cosine = "COSINE",
        InnerProduct = "INNER_PRODUCT",
        /// Euclidean distance
        L2 = "L2",
    }
}

/// The number of cells of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cells {
    /// The square root of the number of rows.
    Auto,
    /// So many: at least 1.
    Count(u32),
}

impl ToWire for Cells {
    fn to_wire(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Count(count) => count.to_wire(),
        }
    }
}

builtin! {
    /// An estimator of the built-in k-nearest-neighbours.
    ///
    /// Channels: `train`, and `test` to be measured; RecordIO-protobuf, or CSV with the label first. Instances: CPUs or
    /// GPUs.
    Knn, KnnBuilder, SPEC;

    /// Begins with what every training needs: the number of neighbours, how many rows are sampled to be neighbours, and
    /// what is predicted.
    needs {
        k(u32) in POSITIVE;
        sample_size(u32) in POSITIVE;
        predictor_type(PredictorType) in OneOf(PredictorType::NAMES);
    }
    takes {
        /// How rows are made shorter; needs `dimension_reduction_target`. Default: they are not.
        dimension_reduction_type(reduction: DimensionReduction) in OneOf(DimensionReduction::NAMES);

        /// How long the shorter rows are: at least 1, less than the rows are.
        dimension_reduction_target(numbers: u32) in POSITIVE;

        /// How neighbours are found. Default [`IndexType::Flat`].
        index_type(index: IndexType) in OneOf(IndexType::NAMES);

        /// What is near. Default [`IndexMetric::L2`].
        index_metric(metric: IndexMetric) in OneOf(IndexMetric::NAMES);

        /// The number of cells of [`IndexType::IvfFlat`] and [`IndexType::IvfPq`]. Default [`Cells::Auto`].
        faiss_index_ivf_nlists(cells: Cells) in NameOr(&["auto"], &POSITIVE);

        /// For [`IndexType::IvfPq`]: the number of codes of a row, of whose length it is a divisor; at least 1.
        faiss_index_pq_m(codes: u32) in POSITIVE;

        /// How many numbers a row has. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(numbers: u32) in POSITIVE;

        /// Rows in a batch: at least 1. Default 5000.
        mini_batch_size(rows: u32) in POSITIVE;
    }
}
record_sets!(Knn, KnnBuilder);

fn check(values: &mut Checker<'_>) {
    values.needs("dimension_reduction_type", "dimension_reduction_target");
    values.needs("dimension_reduction_target", "dimension_reduction_type");
    let (target, length) = (values.number("dimension_reduction_target"), values.number("feature_dim"));
    if let (Some(target), Some(length)) = (target, length)
        && target >= length
    {
        values
            .refuse("dimension_reduction_target", format!("must be below feature_dim, which is {length}, is {target}"));
    }
}

answer! {
    /// An answer of a k-nearest-neighbours endpoint.
    Neighbors {
        /// The class, or the number.
        predicted_label: number,
        /// The distances of the neighbours, the nearest first; only if one asks for `verbose=true`.
        distances: maybe_list,
        /// Their labels.
        labels: maybe_list,
    }
}
