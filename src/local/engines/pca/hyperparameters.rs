//! Hyperparameters of PCA.

use crate::local::engines::numeric::parameters::{Spec, choice, flag, int};

const MOST: i64 = i64::MAX;

/// Every hyperparameter that the container takes, with its default.
pub(super) const SPECS: &[Spec] = &[
    int("feature_dim", 1, MOST).required(),
    int("mini_batch_size", 1, MOST).required(),
    int("num_components", 1, MOST).required(),
    choice("algorithm_mode", &["regular", "randomized"]).or("regular"),
    int("extra_components", -1, MOST).or("-1"),
    flag("subtract_mean").or("true"),
    int("epochs", 1, MOST).or("1"),
    flag("force_dense").or("true"),
];
