//! Hyperparameters of K-Means.

use crate::local::engines::numeric::parameters::{Spec, choice, flag, float, int, list};

const MOST: i64 = i64::MAX;

/// Every hyperparameter that the container takes, with its default.
pub(super) const SPECS: &[Spec] = &[
    int("feature_dim", 1, MOST).required(),
    int("k", 1, MOST).required(),
    int("epochs", 1, MOST).or("1"),
    list("eval_metrics", &["msd", "ssd"]).or(r#"["msd"]"#),
    int("extra_center_factor", 1, MOST).or_auto(),
    int("half_life_time_size", 0, MOST).or("0"),
    choice("init_method", &["random", "kmeans++"]).or("random"),
    choice("local_lloyd_init_method", &["random", "kmeans++"]).or("kmeans++"),
    int("local_lloyd_max_iter", 1, MOST).or("300"),
    int("local_lloyd_num_trials", 1, MOST).or_auto(),
    float("local_lloyd_tol", 0.0, 1.0).or("0.0001"),
    int("mini_batch_size", 1, MOST).or("5000"),
    flag("force_dense").or("true"),
];
