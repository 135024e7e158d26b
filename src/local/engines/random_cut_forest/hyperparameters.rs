//! Hyperparameters of Random Cut Forest.

use crate::local::engines::numeric::parameters::{Spec, flag, int, list};

/// Every hyperparameter that the container takes, with its default.
pub(super) const SPECS: &[Spec] = &[
    int("feature_dim", 1, 10_000).required(),
    list("eval_metrics", &["accuracy", "precision_recall_fscore"]).or(r#"["accuracy", "precision_recall_fscore"]"#),
    int("num_samples_per_tree", 1, 2048).or("256"),
    int("num_trees", 50, 1000).or("100"),
    int("mini_batch_size", 1, i64::MAX).or("1000"),
    int("epochs", 1, i64::MAX).or("1"),
    flag("force_dense").or("true"),
];
