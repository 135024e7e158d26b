//! The built-in Principal Component Analysis: the directions that most of the data's variance is along.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//!
//! Instances: one or more, with CPUs or GPUs. Default metrics: `train:progress`, `train:throughput`.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::algorithms::pca::{Pca, Projection};
//! use sagemaker::codec::RecordIo;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::types::Compute;
//!
//! let session = sagemaker::Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let pca = Pca::builder(1).compute(Compute::instances("ml.c5.xlarge", 1)).build()?;
//! let rows = [[0.0_f32, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]; // all along one line
//! let done = pca.fit(&session, pca.record_set(&session, &rows).await?).await?.wait().await?;
//!
//! let endpoint = pca.model(&session, &done).await?.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<Projection>());
//! assert_eq!(predictor.predict(&rows).await?[0].projection.len(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```

use super::accepts::Accepts::{Integer, OneOf};
use super::accepts::{BOOL, MAX, POSITIVE};
use super::answers::{TABLES, answer};
use super::builtin::{AlgorithmChannel, MiniBatch, PROGRESS, Spec, THROUGHPUT, builtin};
use super::names::choices;
use super::record_upload::record_sets;

static SPEC: Spec = Spec {
    image: "pca",
    class: "PCA",
    channels: &[AlgorithmChannel::required("train", TABLES), AlgorithmChannel::optional("test", TABLES)],
    needs_feature_dim: true,
    mini_batch: MiniBatch::AtMost(500),
    metrics: &[PROGRESS, THROUGHPUT],
    ..Spec::DEFAULT
};

choices! {
    /// How the components are computed.
    AlgorithmMode {
        /// exactly, for few features
        Regular = "regular",
        /// approximately, for many rows and features
        Randomized = "randomized",
    }
}

builtin! {
    /// An estimator of the built-in Principal Component Analysis.
    ///
    /// Channels: `train`, and `test`; RecordIO-protobuf or CSV. Instances: CPUs or GPUs.
    Pca, PcaBuilder, SPEC;

    /// Begins with what every training needs: the number of components, at least 1.
    needs {
        num_components(u32) in POSITIVE;
    }
    takes {
        /// How the components are computed. Default [`AlgorithmMode::Regular`].
        algorithm_mode(mode: AlgorithmMode) in OneOf(AlgorithmMode::NAMES);

        /// Whether the mean is taken off, in training and in answers. Default true.
        subtract_mean(subtract: bool) in BOOL;

        /// For [`AlgorithmMode::Randomized`]: how many components more are computed than are kept, for accuracy; -1 leaves
        /// it to the container, which takes 10 or as many as are kept, whichever is more. Default -1.
        extra_components(components: i64) in Integer(-1, MAX);

        /// How many numbers a row has. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(numbers: u32) in POSITIVE;

        /// Rows in a batch: at least 1. Default: 500, or each instance's share of a record set if that is smaller.
        mini_batch_size(rows: u32) in POSITIVE;
    }
}
record_sets!(Pca, PcaBuilder);

answer! {
    /// An answer of a PCA endpoint.
    Projection {
        /// The row in the directions of the components, the strongest last.
        projection: list,
    }
}
