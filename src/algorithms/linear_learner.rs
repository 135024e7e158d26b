//! The built-in Linear Learner: linear and logistic regression, trained with many settings side by side.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `validation` | no | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//!
//! Instances: one or more, with CPUs or GPUs. Default metrics: `train:objective_loss`,
//! `train:objective_loss:final`, `train:mse`, `train:absolute_loss`, `train:binary_classification_accuracy`,
//! `train:precision`, `train:recall`, `train:binary_f_beta`, `validation:objective_loss`,
//! `validation:objective_loss:final`, `validation:mse`, `validation:absolute_loss`,
//! `validation:binary_classification_accuracy`, `validation:precision`, `validation:recall`,
//! `validation:binary_f_beta`, `validation:multiclass_accuracy`, `validation:multiclass_top_k_accuracy`,
//! `validation:macro_precision`, `validation:macro_recall`, `validation:macro_f_beta`, `validation:dcg`,
//! `test:objective_loss`, `test:mse`, `test:absolute_loss`, `test:binary_classification_accuracy`,
//! `test:precision`, `test:recall`, `test:binary_f_beta`, `test:multiclass_accuracy`,
//! `test:multiclass_top_k_accuracy`, `test:macro_precision`, `test:macro_recall`, `test:macro_f_beta`, `test:dcg`,
//! `train:progress`, `train:throughput`.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::algorithms::linear_learner::{LinearLearner, LinearPrediction, PredictorType};
//! use sagemaker::codec::RecordIo;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::types::Compute;
//!
//! let session = sagemaker::Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let linear = LinearLearner::builder(PredictorType::Regressor)
//!     .epochs(20)
//!     .compute(Compute::instances("ml.c5.xlarge", 1))
//!     .build()?;
//! let rows: Vec<[f32; 1]> = (0..50_u8).map(|i| [f32::from(i)]).collect();
//! let labels: Vec<f32> = rows.iter().map(|[x]| 2.0 * x + 1.0).collect();
//! let records = linear.record_set(&session, &rows).labels(&labels).await?;
//! let done = linear.fit(&session, records).await?.wait().await?;
//!
//! let endpoint = linear.model(&session, &done).await?.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<LinearPrediction>());
//! let answers = predictor.predict(&[[0.0_f32], [40.0]]).await?;
//! assert_eq!(answers.len(), 2);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Integer, NameOr, OneOf};
use super::accepts::{ABOVE_ZERO, ANY_NUMBER, BELOW_ONE, BOOL, FRACTION, FROM_ZERO, POSITIVE};
use super::answers::TABLES;
use super::builtin::{AlgorithmChannel, Checker, MiniBatch, PROGRESS, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
use super::record_upload::record_sets;
use super::wire::ToWire;
use crate::Result;
use crate::codec::recordio::{FromRecord, Record};

static SPEC: Spec = Spec {
    image: "linear-learner",
    class: "LinearLearner",
    channels: &[
        AlgorithmChannel::required("train", TABLES),
        AlgorithmChannel::optional("validation", TABLES),
        AlgorithmChannel::optional("test", TABLES),
    ],
    mini_batch: MiniBatch::AtMost(1000),
    metrics: &[
        quality!("train:objective_loss", epoch r"train \S+_objective <loss>"),
        quality!("train:objective_loss:final", r"train \S+_objective <loss>"),
        quality!("train:mse", "train mse <loss>"),
        quality!("train:absolute_loss", "train absolute_loss <loss>"),
        quality!("train:binary_classification_accuracy", "train binary_classification_accuracy <score>"),
        quality!("train:precision", "train precision <score>"),
        quality!("train:recall", "train recall <score>"),
        quality!("train:binary_f_beta", r"train binary_f_\S+ <score>"),
        quality!("validation:objective_loss", epoch r"validation \S+_objective <loss>"),
        quality!("validation:objective_loss:final", r"validation \S+_objective <loss>"),
        quality!("validation:mse", "validation mse <loss>"),
        quality!("validation:absolute_loss", "validation absolute_loss <loss>"),
        quality!("validation:binary_classification_accuracy", "validation binary_classification_accuracy <score>"),
        quality!("validation:precision", "validation precision <score>"),
        quality!("validation:recall", "validation recall <score>"),
        quality!("validation:binary_f_beta", r"validation binary_f_\S+ <score>"),
        quality!("validation:multiclass_accuracy", "validation multiclass_accuracy <score>"),
        quality!("validation:multiclass_top_k_accuracy", r"validation multiclass_top_k_accuracy_\S+ <score>"),
        quality!("validation:macro_precision", "validation macro_precision <score>"),
        quality!("validation:macro_recall", "validation macro_recall <score>"),
        quality!("validation:macro_f_beta", r"validation macro_f_\S+ <score>"),
        quality!("validation:dcg", "validation dcg <score>"),
        quality!("test:objective_loss", r"test \S+_objective <loss>"),
        quality!("test:mse", "test mse <loss>"),
        quality!("test:absolute_loss", "test absolute_loss <loss>"),
        quality!("test:binary_classification_accuracy", "test binary_classification_accuracy <score>"),
        quality!("test:precision", "test precision <score>"),
        quality!("test:recall", "test recall <score>"),
        quality!("test:binary_f_beta", r"test binary_f_\S+ <score>"),
        quality!("test:multiclass_accuracy", "test multiclass_accuracy <score>"),
        quality!("test:multiclass_top_k_accuracy", r"test multiclass_top_k_accuracy_\S+ <score>"),
        quality!("test:macro_precision", "test macro_precision <score>"),
        quality!("test:macro_recall", "test macro_recall <score>"),
        quality!("test:macro_f_beta", r"test macro_f_\S+ <score>"),
        quality!("test:dcg", "test dcg <score>"),
        PROGRESS,
        THROUGHPUT,
    ],
    check,
    ..Spec::DEFAULT
};

choices! {
    /// What is learnt.
    PredictorType {
        /// one of two classes, 0 and 1
        BinaryClassifier = "binary_classifier",
        /// a number
        Regressor = "regressor",
        /// one of several classes; needs `num_classes`
        MulticlassClassifier = "multiclass_classifier",
    }
}

choices! {
    /// By which measure the best of the binary models is chosen.
    SelectionCriteria {
        Accuracy = "accuracy",
        F1 = "f1",
        /// with the weight `f_beta`
        FBeta = "f_beta",
        /// with `target_recall`
        PrecisionAtTargetRecall = "precision_at_target_recall",
        /// with `target_precision`
        RecallAtTargetPrecision = "recall_at_target_precision",
        CrossEntropyLoss = "cross_entropy_loss",
        /// the loss that is trained with
        LossFunction = "loss_function",
    }
}

choices! {
    /// The distribution of the first weights.
    InitMethod {
        Uniform = "uniform",
        Normal = "normal",
    }
}

choices! {
    /// How weights are changed.
    Optimizer {
        Sgd = "sgd",
        Adam = "adam",
        RmsProp = "rmsprop",
        /// chosen by the container
        Auto = "auto",
    }
}

choices! {
    /// What is made small.
    Loss {
        Logistic = "logistic",
        Squared = "squared_loss",
        Absolute = "absolute_loss",
        Hinge = "hinge_loss",
        EpsInsensitiveSquared = "eps_insensitive_squared_loss",
        EpsInsensitiveAbsolute = "eps_insensitive_absolute_loss",
        Quantile = "quantile_loss",
        Huber = "huber_loss",
        Softmax = "softmax_loss",
        /// by the kind of predictor
        Auto = "auto",
    }
}

/// The weight of positive rows against negative ones.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum PositiveExampleWeight {
    /// So many times as much: above 0.
    Times(f64),
    /// Both classes weigh the same in sum.
    Balanced,
    /// Chosen by the container among several.
    Auto,
}

impl ToWire for PositiveExampleWeight {
    fn to_wire(&self) -> String {
        match self {
            Self::Times(times) => times.to_wire(),
            Self::Balanced => "balanced".to_owned(),
            Self::Auto => "auto".to_owned(),
        }
    }
}

builtin! {
    /// An estimator of the built-in Linear Learner.
    ///
    /// Channels: `train`, and `validation` and `test` to be measured; RecordIO-protobuf, or CSV with the label first.
    /// Instances: CPUs or GPUs.
    LinearLearner, LinearLearnerBuilder, SPEC;

    /// Begins with what every training needs: what is learnt.
    needs {
        predictor_type(PredictorType) in OneOf(PredictorType::NAMES);
    }
    takes {
        /// By which measure the best of the binary models is chosen. Default [`SelectionCriteria::Accuracy`].
        binary_classifier_model_selection_criteria(criteria: SelectionCriteria) in OneOf(SelectionCriteria::NAMES);

        /// For [`SelectionCriteria::PrecisionAtTargetRecall`]: above 0, below 1. Default 0.8.
        target_recall(recall: f64) in FRACTION;

        /// For [`SelectionCriteria::RecallAtTargetPrecision`]: above 0, below 1. Default 0.8.
        target_precision(precision: f64) in FRACTION;

        /// The weight of positive rows in binary classification. Default 1.
        positive_example_weight_mult(weight: PositiveExampleWeight) in NameOr(&["auto", "balanced"], &ABOVE_ZERO);

        /// The most passes over the data: at least 1. Default 15.
        epochs(passes: u32) in POSITIVE;

        /// Whether there is a bias beside the weights. Default true.
        use_bias(bias: bool) in BOOL;

        /// How many models are trained side by side: at least 1. Default is by the container.
        num_models(models: u32) in POSITIVE;

        /// How many rows of `validation` calibrate the threshold: at least 1. Default 10000000.
        num_calibration_samples(rows: u32) in POSITIVE;

        /// The distribution of the first weights. Default [`InitMethod::Uniform`].
        init_method(method: InitMethod) in OneOf(InitMethod::NAMES);

        /// For [`InitMethod::Uniform`]: the weights are between minus and plus this; above 0. Default 0.07.
        init_scale(scale: f64) in ABOVE_ZERO;

        /// For [`InitMethod::Normal`]: the standard deviation; above 0. Default 0.01.
        init_sigma(sigma: f64) in ABOVE_ZERO;

        /// The first bias. Default 0.
        init_bias(bias: f64) in ANY_NUMBER;

        /// How weights are changed. Default [`Optimizer::Auto`].
        optimizer(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// What is made small. Default [`Loss::Auto`].
        loss(loss: Loss) in OneOf(Loss::NAMES);

        /// L2 regularization: from 0. Default is by the container.
        wd(weight: f64) in FROM_ZERO;

        /// L1 regularization: from 0. Default is by the container.
        l1(weight: f64) in FROM_ZERO;

        /// For [`Optimizer::Sgd`]: from 0, below 1. Default is by the container.
        momentum(momentum: f64) in BELOW_ONE;

        /// The step of the optimizer: above 0. Default is by the container.
        learning_rate(rate: f64) in ABOVE_ZERO;

        /// For [`Optimizer::Adam`], the decay of the first moment: from 0, below 1. Default is by the container.
        beta_1(decay: f64) in BELOW_ONE;

        /// For [`Optimizer::Adam`], the decay of the second moment: from 0, below 1. Default is by the container.
        beta_2(decay: f64) in BELOW_ONE;

        /// The bias learns at this many times `learning_rate`: above 0. Default is by the container.
        bias_lr_mult(times: f64) in ABOVE_ZERO;

        /// The bias is regularized with this many times `wd`: from 0. Default is by the container.
        bias_wd_mult(times: f64) in FROM_ZERO;

        /// Whether the learning rate falls. Default true.
        use_lr_scheduler(falls: bool) in BOOL;

        /// After how many batches the learning rate falls: at least 1. Default is by the container.
        lr_scheduler_step(batches: u32) in POSITIVE;

        /// To which share of itself the learning rate falls: above 0, below 1. Default is by the container.
        lr_scheduler_factor(share: f64) in FRACTION;

        /// Below what the learning rate does not fall: above 0. Default is by the container.
        lr_scheduler_minimum_lr(rate: f64) in ABOVE_ZERO;

        /// Whether features are scaled to a standard deviation of 1. Default true.
        normalize_data(normalize: bool) in BOOL;

        /// Whether labels are, in regression. Default is by the container.
        normalize_label(normalize: bool) in BOOL;

        /// Whether features are shifted to a mean of 0. Default is by the container.
        unbias_data(unbias: bool) in BOOL;

        /// Whether labels are, in regression. Default is by the container.
        unbias_label(unbias: bool) in BOOL;

        /// How many rows tell the scales and shifts: at least 1. Default 10000.
        num_point_for_scaler(rows: u32) in POSITIVE;

        /// For [`Loss::Hinge`]: from 0. Default 1.
        margin(margin: f64) in FROM_ZERO;

        /// For [`Loss::Quantile`]: above 0, below 1. Default 0.5.
        quantile(quantile: f64) in FRACTION;

        /// For the losses that are insensitive: errors below it do not count; above 0. Default 0.01.
        loss_insensitivity(error: f64) in ABOVE_ZERO;

        /// For [`Loss::Huber`]: from 0. Default 1.
        huber_delta(delta: f64) in FROM_ZERO;

        /// After how many passes without improvement training ends: at least 1. Default 3.
        early_stopping_patience(passes: u32) in POSITIVE;

        /// Which relative change counts as improvement: above 0. Default 0.001.
        early_stopping_tolerance(change: f64) in ABOVE_ZERO;

        /// For [`PredictorType::MulticlassClassifier`], which needs it: 3 to 1000000.
        num_classes(classes: u32) in Integer(1, 1_000_000);

        /// For [`PredictorType::MulticlassClassifier`], of how many best classes one must be right: 1 to 1000000.
        /// Default 3.
        accuracy_top_k(classes: u32) in Integer(1, 1_000_000);

        /// The weight of recall in the F score: above 0. Default 1.
        f_beta(beta: f64) in ABOVE_ZERO;

        /// For [`PredictorType::MulticlassClassifier`], whether all classes weigh the same in sum. Default false.
        balance_multiclass_weights(balance: bool) in BOOL;

        /// How many numbers a row has. Default: known from a [`RecordSet`](crate::training::RecordSet), else found out by
        /// the container.
        feature_dim(numbers: u32) in POSITIVE;

        /// Rows in a batch: at least 1. Default: 1000, or each instance's share of a record set if that is smaller.
        mini_batch_size(rows: u32) in POSITIVE;
    }
}
record_sets!(LinearLearner, LinearLearnerBuilder);

fn check(values: &mut Checker<'_>) {
    if values.get("predictor_type") == Some("multiclass_classifier") {
        match values.number("num_classes") {
            None => values.refuse("num_classes", "is needed with predictor_type multiclass_classifier"),
            Some(classes) if classes < 3.0 => {
                values.refuse(
                    "num_classes",
                    format!("must be at least 3 with predictor_type multiclass_classifier, is {classes}"),
                );
            }
            Some(_) => {}
        }
    }
    values.only_with(&["accuracy_top_k", "balance_multiclass_weights"], "predictor_type", &["multiclass_classifier"]);
}

/// An answer of a Linear Learner endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct LinearPrediction {
    /// The number that a regressor predicts; the probability of a binary classifier; of a multiclass one that of each class.
    #[serde(deserialize_with = "one_or_more")]
    pub score: Vec<f64>,
    /// The class, unless it is a regressor.
    pub predicted_label: Option<f64>,
}

impl FromRecord for LinearPrediction {
    fn from_record(record: &Record) -> Result<Self> {
        let predicted_label = record.label("predicted_label").map(|_| record.scalar("predicted_label")).transpose()?;
        Ok(Self { score: record.vector("score")?, predicted_label })
    }
}

/// In JSON a single score is no list.
fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Score {
        One(f64),
        More(Vec<f64>),
    }
    Ok(match Score::deserialize(deserializer)? {
        Score::One(score) => vec![score],
        Score::More(scores) => scores,
    })
}
