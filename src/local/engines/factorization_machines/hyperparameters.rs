//! Hyperparameters of Factorization Machines.

use crate::local::engines::numeric::parameters::{Parameters, Spec, between, choice, float, int};

const MOST: i64 = i64::MAX;

const INFINITY: f64 = f64::INFINITY;

const STARTS: &[&str] = &["normal", "uniform", "constant"];

/// Every hyperparameter that the container takes, with its default.
pub(super) const SPECS: &[Spec] = &[
    int("feature_dim", 1, MOST).required(),
    int("num_factors", 1, MOST).required(),
    choice("predictor_type", &["binary_classifier", "regressor"]).required(),
    int("epochs", 1, MOST).or("1"),
    int("mini_batch_size", 1, MOST).or("1000"),
    float("clip_gradient", -INFINITY, INFINITY),
    float("eps", -INFINITY, INFINITY),
    float("rescale_grad", -INFINITY, INFINITY),
    float("bias_lr", 0.0, INFINITY).or("0.1"),
    float("linear_lr", 0.0, INFINITY).or("0.001"),
    float("factors_lr", 0.0, INFINITY).or("0.0001"),
    float("bias_wd", 0.0, INFINITY).or("0.01"),
    float("linear_wd", 0.0, INFINITY).or("0.001"),
    float("factors_wd", 0.0, INFINITY).or("0.00001"),
    choice("bias_init_method", STARTS).or("normal"),
    float("bias_init_scale", 0.0, INFINITY),
    float("bias_init_sigma", 0.0, INFINITY).or("0.01"),
    float("bias_init_value", -INFINITY, INFINITY),
    choice("linear_init_method", STARTS).or("normal"),
    float("linear_init_scale", 0.0, INFINITY),
    float("linear_init_sigma", 0.0, INFINITY).or("0.01"),
    float("linear_init_value", -INFINITY, INFINITY),
    choice("factors_init_method", STARTS).or("normal"),
    float("factors_init_scale", 0.0, INFINITY),
    float("factors_init_sigma", 0.0, INFINITY).or("0.001"),
    float("factors_init_value", -INFINITY, INFINITY),
    between("f_beta", 0.0, INFINITY).or("1.0"),
];

/// What is said of bias, linear terms and factors alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) rate: f64,
    pub(super) decay: f64,
    pub(super) start: Start,
}

/// How numbers are chosen at first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Normal(f64),
    /// Evenly from minus to plus a number.
    Uniform(f64),
    Constant(f64),
}

impl Group {
    /// The settings of a group; `name` is `bias`, `linear` or `factors`.
    pub(super) fn new(given: &Parameters, name: &str) -> Self {
        let number = |what: &str| given.float(&format!("{name}_{what}"));
        let start = match given.text(&format!("{name}_init_method")) {
            Some("uniform") => Start::Uniform(number("init_scale").unwrap_or(0.01)),
            Some("constant") => Start::Constant(number("init_value").unwrap_or(0.0)),
            _ => Start::Normal(number("init_sigma").unwrap_or(0.01)),
        };
        Self { rate: number("lr").unwrap_or(0.0), decay: number("wd").unwrap_or(0.0), start }
    }
}
