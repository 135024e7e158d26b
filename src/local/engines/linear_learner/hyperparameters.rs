//! Hyperparameters of Linear Learner.

use super::loss::Loss;
use crate::local::engines::EngineFailure;
use crate::local::engines::numeric::optimizer::{Method, TINY};
use crate::local::engines::numeric::parameters::{Parameters, Spec, between, choice, flag, float, int, share};
use crate::local::engines::numeric::refused;

const MOST: i64 = i64::MAX;

const INFINITY: f64 = f64::INFINITY;

const PREDICTORS: &[&str] = &["regressor", "binary_classifier", "multiclass_classifier"];

const CRITERIA: &[&str] = &[
    "accuracy",
    "f1",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
    "cross_entropy_loss",
    "loss_function",
];

const LOSSES: &[&str] = &[
    "auto",
    "logistic",
    "hinge_loss",
    "squared_loss",
    "absolute_loss",
    "eps_insensitive_squared_loss",
    "eps_insensitive_absolute_loss",
    "quantile_loss",
    "huber_loss",
    "softmax_loss",
];

/// Every hyperparameter that the container takes, with its default.
pub(super) const SPECS: &[Spec] = &[
    choice("predictor_type", PREDICTORS).required(),
    int("feature_dim", 1, MOST).or_auto(),
    int("num_classes", 3, 1_000_000),
    int("accuracy_top_k", 1, MOST).or("3"),
    flag("balance_multiclass_weights").or("false"),
    share("beta_1").or_auto(),
    share("beta_2").or_auto(),
    between("bias_lr_mult", 0.0, INFINITY).or_auto(),
    float("bias_wd_mult", 0.0, INFINITY).or_auto(),
    choice("binary_classifier_model_selection_criteria", CRITERIA).or("accuracy"),
    int("early_stopping_patience", 1, MOST).or("3"),
    between("early_stopping_tolerance", 0.0, INFINITY).or("0.001"),
    int("epochs", 1, MOST).or("15"),
    between("f_beta", 0.0, INFINITY).or("1.0"),
    float("huber_delta", 0.0, INFINITY).or("1.0"),
    float("init_bias", -INFINITY, INFINITY).or("0.0"),
    choice("init_method", &["uniform", "normal"]).or("uniform"),
    between("init_scale", 0.0, INFINITY).or("0.07"),
    between("init_sigma", 0.0, INFINITY).or("0.01"),
    float("l1", 0.0, INFINITY).or_auto(),
    between("learning_rate", 0.0, INFINITY).or_auto(),
    choice("loss", LOSSES).or("auto"),
    between("loss_insensitivity", 0.0, INFINITY).or("0.01"),
    between("lr_scheduler_factor", 0.0, 1.0).or_auto(),
    between("lr_scheduler_minimum_lr", 0.0, INFINITY).or_auto(),
    int("lr_scheduler_step", 1, MOST).or_auto(),
    float("margin", 0.0, INFINITY).or("1.0"),
    int("mini_batch_size", 1, MOST).or("1000"),
    share("momentum").or_auto(),
    flag("normalize_data").or_auto(),
    flag("normalize_label").or_auto(),
    int("num_calibration_samples", 1, MOST).or("10000000"),
    int("num_models", 1, 1000).or_auto(),
    int("num_point_for_scaler", 1, MOST).or("10000"),
    choice("optimizer", &["auto", "adam", "sgd", "rmsprop"]).or("auto"),
    Spec::positive_or("positive_example_weight_mult", &["auto", "balanced"]).or("1.0"),
    between("quantile", 0.0, 1.0).or("0.5"),
    between("target_precision", 0.0, 1.0).or("0.8"),
    between("target_recall", 0.0, 1.0).or("0.8"),
    flag("unbias_data").or_auto(),
    flag("unbias_label").or_auto(),
    flag("use_bias").or("true"),
    flag("use_lr_scheduler").or("true"),
    float("wd", 0.0, INFINITY).or_auto(),
    flag("force_dense"),
];

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    Regressor,
    Binary,
    Multiclass,
}

impl Predictor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Regressor => "regressor",
            Self::Binary => "binary_classifier",
            Self::Multiclass => "multiclass_classifier",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        [Self::Regressor, Self::Binary, Self::Multiclass].into_iter().find(|one| one.name() == name)
    }
}

/// How positive examples of a binary classifier are weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PositiveWeight {
    Times(f64),
    Balanced,
    /// Balanced, if the selection criterion aims at a recall or precision.
    Auto,
}

/// The settings of a job.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) predictor: Predictor,
    pub(super) classes: usize,
    pub(super) loss: Loss,
    pub(super) feature_dim: Option<usize>,
    pub(super) batch: usize,
    pub(super) epochs: usize,
    pub(super) patience: usize,
    pub(super) tolerance: f64,
    pub(super) models: usize,
    pub(super) method: Method,
    pub(super) positive_weight: PositiveWeight,
    pub(super) given: Parameters,
}

impl Settings {
    pub(super) fn new(given: Parameters) -> Result<Self, EngineFailure> {
        let predictor = given.text("predictor_type").and_then(Predictor::of).unwrap_or(Predictor::Regressor);
        let classes = match (predictor, given.count("num_classes")) {
            (Predictor::Multiclass, None) => {
                return Err(refused(
                    "No value(s) were specified for 'num_classes' which are required hyperparameter(s) when \
                     'predictor_type' is 'multiclass_classifier' (caused by ValidationError)",
                ));
            }
            (Predictor::Multiclass, Some(classes)) => classes,
            _ => 1,
        };
        let loss = Loss::new(predictor, &given)?;
        let positive_weight = match given.text("positive_example_weight_mult") {
            None => PositiveWeight::Auto,
            Some("balanced") => PositiveWeight::Balanced,
            Some(number) => PositiveWeight::Times(number.parse().unwrap_or(1.0)),
        };
        let count = |name: &str, default: usize| given.count(name).unwrap_or(default);
        Ok(Self {
            predictor,
            classes,
            loss,
            feature_dim: given.count("feature_dim"),
            batch: count("mini_batch_size", 1000),
            epochs: count("epochs", 15),
            patience: count("early_stopping_patience", 3),
            tolerance: given.float("early_stopping_tolerance").unwrap_or(0.001),
            models: count("num_models", 32),
            method: method(&given),
            positive_weight,
            given,
        })
    }
}

fn method(given: &Parameters) -> Method {
    let number = |name: &str, default: f64| given.float(name).unwrap_or(default);
    match given.text("optimizer") {
        Some("sgd") => Method::Sgd { momentum: number("momentum", 0.9) },
        Some("rmsprop") => Method::RmsProp { decay: number("beta_2", 0.9) },
        _ => Method::Adam { beta_1: number("beta_1", 0.9), beta_2: number("beta_2", 0.999), tiny: TINY },
    }
}
