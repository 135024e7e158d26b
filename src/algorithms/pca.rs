//! The built-in Principal Component Analysis: the directions that most of the data's variance is along.

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
