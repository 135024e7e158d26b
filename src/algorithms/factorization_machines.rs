//! The built-in Factorization Machines: regression and classification of sparse data with interactions of features.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf` |
//! | `test` | no | `application/x-recordio-protobuf` |
//!
//! Instances: one or more, with CPUs; GPUs bring little. Default metrics: `train:rmse`, `train:rmse:epoch`,
//! `train:binary_classification_accuracy`, `train:binary_classification_accuracy:epoch`,
//! `train:binary_classification_cross_entropy`, `train:binary_classification_cross_entropy:epoch`,
//! `train:binary_f_beta`, `train:binary_f_beta:epoch`, `test:rmse`, `test:binary_classification_accuracy`,
//! `test:binary_classification_cross_entropy`, `test:binary_f_beta`, `train:progress`, `train:throughput`.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::algorithms::factorization_machines::{FactorizationMachines, FactorizedPrediction, PredictorType};
//! use sagemaker::codec::RecordIo;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::types::Compute;
//!
//! let session = sagemaker::Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let machines = FactorizationMachines::builder(2, PredictorType::Regressor)
//!     .epochs(5)
//!     .mini_batch_size(2)
//!     .compute(Compute::instances("ml.c5.xlarge", 1))
//!     .build()?;
//! let (rows, labels) = ([[1.0_f32, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]], [1.0_f32, 2.0, 3.0, 0.0]);
//! let records = machines.record_set(&session, &rows).labels(&labels).await?;
//! let done = machines.fit(&session, records).await?.wait().await?;
//!
//! let endpoint = machines.model(&session, &done).await?.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<FactorizedPrediction>());
//! assert_eq!(predictor.predict(&rows).await?.len(), 4);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```

use super::accepts::Accepts::OneOf;
use super::accepts::{ANY_NUMBER, FROM_ZERO, POSITIVE};
use super::answers::{RECORDS, answer};
use super::builtin::{AlgorithmChannel, AlgorithmInstances, PROGRESS, Processor, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
use super::record_upload::record_sets;

static SPEC: Spec = Spec {
    image: "factorization-machines",
    class: "FactorizationMachines",
    channels: &[AlgorithmChannel::required("train", RECORDS), AlgorithmChannel::optional("test", RECORDS)],
    instances: AlgorithmInstances { processor: Processor::CpuPreferred, is_single: false },
    needs_feature_dim: true,
    metrics: &[
        quality!("train:rmse", batch "train rmse <loss>"),
        quality!("train:rmse:epoch", epoch "train rmse <loss>"),
        quality!("train:binary_classification_accuracy", batch "train binary_classification_accuracy <score>"),
        quality!("train:binary_classification_accuracy:epoch", epoch "train binary_classification_accuracy <score>"),
        quality!("train:binary_classification_cross_entropy", batch "train binary_classification_cross_entropy <loss>"),
        quality!("train:binary_classification_cross_entropy:epoch", epoch "train binary_classification_cross_entropy <loss>"),
        quality!("train:binary_f_beta", batch r"train binary_f_\S+ <score>"),
        quality!("train:binary_f_beta:epoch", epoch r"train binary_f_\S+ <score>"),
        quality!("test:rmse", "test rmse <loss>"),
        quality!("test:binary_classification_accuracy", "test binary_classification_accuracy <score>"),
        quality!("test:binary_classification_cross_entropy", "test binary_classification_cross_entropy <loss>"),
        quality!("test:binary_f_beta", r"test binary_f_\S+ <score>"),
        PROGRESS,
        THROUGHPUT,
    ],
    ..Spec::DEFAULT
};

choices! {
    /// What is learnt.
    PredictorType {
        /// one of two classes, 0 and 1
        BinaryClassifier = "binary_classifier",
        /// a number
        Regressor = "regressor",
    }
}

choices! {
    /// What the first parameters are.
    InitMethod {
        /// normally distributed, with a `.._init_sigma`
        Normal = "normal",
        /// between minus and plus a `.._init_scale`
        Uniform = "uniform",
        /// all alike, a `.._init_value`
        Constant = "constant",
    }
}

builtin! {
    /// An estimator of the built-in Factorization Machines.
    ///
    /// Channels: `train`, and `test` to be measured; RecordIO-protobuf with `f32` numbers, best sparse. Instances: CPUs;
    /// GPUs for dense data.
    FactorizationMachines, FactorizationMachinesBuilder, SPEC;

    /// Begins with what every training needs: the length of the factors (at least 1; 2 to 1000 is usual), and what is
    /// learnt.
    needs {
        num_factors(u32) in POSITIVE;
        predictor_type(PredictorType) in OneOf(PredictorType::NAMES);
    }
    takes {
        /// Passes over the data: at least 1. Default 1.
        epochs(passes: u32) in POSITIVE;

        /// The largest size of a gradient. Default: none.
        clip_gradient(size: f64) in ANY_NUMBER;

        /// What keeps divisions from those by 0. Default: none.
        eps(eps: f64) in ANY_NUMBER;

        /// What gradients are multiplied with. Default: one over the size of a batch.
        rescale_grad(factor: f64) in ANY_NUMBER;

        /// The learning rate of the bias: from 0. Default 0.1.
        bias_lr(rate: f64) in FROM_ZERO;

        /// The learning rate of the linear terms: from 0. Default 0.001.
        linear_lr(rate: f64) in FROM_ZERO;

        /// The learning rate of the factors: from 0. Default 0.0001.
        factors_lr(rate: f64) in FROM_ZERO;

        /// L2 regularization of the bias: from 0. Default 0.01.
        bias_wd(weight: f64) in FROM_ZERO;

        /// L2 regularization of the linear terms: from 0. Default 0.001.
        linear_wd(weight: f64) in FROM_ZERO;

        /// L2 regularization of the factors: from 0. Default 0.00001.
        factors_wd(weight: f64) in FROM_ZERO;

        /// What the first bias is. Default [`InitMethod::Normal`].
        bias_init_method(method: InitMethod) in OneOf(InitMethod::NAMES);

        /// For [`InitMethod::Uniform`]: from 0.
        bias_init_scale(scale: f64) in FROM_ZERO;

        /// For [`InitMethod::Normal`]: from 0. Default 0.01.
        bias_init_sigma(sigma: f64) in FROM_ZERO;

        /// For [`InitMethod::Constant`].
        bias_init_value(value: f64) in ANY_NUMBER;

        /// What the first linear terms are. Default [`InitMethod::Normal`].
        linear_init_method(method: InitMethod) in OneOf(InitMethod::NAMES);

        /// For [`InitMethod::Uniform`]: from 0.
        linear_init_scale(scale: f64) in FROM_ZERO;

        /// For [`InitMethod::Normal`]: from 0. Default 0.01.
        linear_init_sigma(sigma: f64) in FROM_ZERO;

        /// For [`InitMethod::Constant`].
        linear_init_value(value: f64) in ANY_NUMBER;

        /// What the first factors are. Default [`InitMethod::Normal`].
        factors_init_method(method: InitMethod) in OneOf(InitMethod::NAMES);

        /// For [`InitMethod::Uniform`]: from 0.
        factors_init_scale(scale: f64) in FROM_ZERO;

        /// For [`InitMethod::Normal`]: from 0. Default 0.001.
        factors_init_sigma(sigma: f64) in FROM_ZERO;

        /// For [`InitMethod::Constant`].
        factors_init_value(value: f64) in ANY_NUMBER;

        /// How many numbers a row has. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(numbers: u32) in POSITIVE;

        /// Rows in a batch: at least 1. Default 1000.
        mini_batch_size(rows: u32) in POSITIVE;
    }
}
record_sets!(FactorizationMachines, FactorizationMachinesBuilder);

answer! {
    /// An answer of a Factorization Machines endpoint.
    FactorizedPrediction {
        /// The number that a regressor predicts, or the probability of class 1.
        score: number,
        /// The class, unless it is a regressor.
        predicted_label: maybe,
    }
}
