//! What the container refuses, of single values and of values together, and what it ignores without a word.

use super::Hyperparameters;
use crate::algorithms::accepts::{Accepts, Bound, MAX};
use crate::error::Problems;

use Accepts::{Integer, Number, OneOf};
use Bound::{Beyond, To};

const SHARE: Accepts = Number(Beyond(0.0), To(1.0));
const PROBABILITY: Accepts = Number(To(0.0), To(1.0));
const FROM_ZERO: Accepts = Number(To(0.0), Bound::None);
const BIT: Accepts = OneOf(&["0", "1"]);
const TRUE_OR_FALSE: Accepts = OneOf(&["true", "false"]);

/// Those that are one of an open set of names, or lists, are not here.
const RANGES: &[(&str, Accepts)] = &[
    ("_kfold", Integer(2, MAX)),
    ("_num_cv_round", Integer(1, MAX)),
    ("aft_loss_distribution_scale", FROM_ZERO),
    ("alpha", FROM_ZERO),
    ("base_score", FROM_ZERO),
    ("colsample_bylevel", SHARE),
    ("colsample_bynode", SHARE),
    ("colsample_bytree", SHARE),
    ("csv_weights", BIT),
    ("deterministic_histogram", TRUE_OR_FALSE),
    ("early_stopping_rounds", Integer(1, MAX)),
    ("eta", PROBABILITY),
    ("gamma", FROM_ZERO),
    ("lambda", FROM_ZERO),
    ("lambda_bias", PROBABILITY),
    // The container lets 0 and 1 pass, XGBoost does not.
    ("max_bin", Integer(2, MAX)),
    ("max_delta_step", FROM_ZERO),
    ("max_depth", Integer(0, MAX)),
    ("max_leaves", Integer(0, MAX)),
    ("min_child_weight", FROM_ZERO),
    ("nthread", Integer(1, MAX)),
    ("num_class", Integer(2, MAX)),
    ("num_parallel_tree", Integer(1, MAX)),
    ("num_round", Integer(1, MAX)),
    ("one_drop", BIT),
    ("prob_buffer_row", Integer(2, MAX)),
    ("rate_drop", PROBABILITY),
    ("refresh_leaf", BIT),
    ("save_model_on_termination", TRUE_OR_FALSE),
    ("scale_pos_weight", Number(Beyond(0.0), Bound::None)),
    ("seed", Integer(-MAX, MAX - 1)),
    ("single_precision_histogram", TRUE_OR_FALSE),
    ("sketch_eps", Number(Beyond(0.0), Beyond(1.0))),
    ("skip_drop", PROBABILITY),
    ("subsample", SHARE),
    ("tweedie_variance_power", Number(Beyond(1.0), Beyond(2.0))),
    ("use_dask_gpu_training", TRUE_OR_FALSE),
    ("verbosity", Integer(0, 3)),
];

/// (this hyperparameter, where it is one of these values or has any, needs that one, to be one of these).
type Needs = (&'static str, Option<&'static [&'static str]>, &'static str, &'static [&'static str]);

const NEEDS: &[Needs] = &[
    ("aft_loss_distribution", None, "objective", &["survival:aft"]),
    ("aft_loss_distribution_scale", None, "objective", &["survival:aft"]),
    ("grow_policy", Some(&["lossguide"]), "tree_method", &["hist", "approx", "gpu_hist"]),
    ("interaction_constraints", None, "tree_method", &["exact", "hist", "approx"]),
    ("lambda_bias", None, "booster", &["gblinear"]),
    ("max_depth", Some(&["0"]), "grow_policy", &["lossguide"]),
    ("monotone_constraints", None, "tree_method", &["exact", "hist"]),
    ("normalize_type", None, "booster", &["dart"]),
    ("one_drop", None, "booster", &["dart"]),
    ("rate_drop", None, "booster", &["dart"]),
    ("sample_type", None, "booster", &["dart"]),
    ("sampling_method", Some(&["gradient_based"]), "tree_method", &["gpu_hist"]),
    ("skip_drop", None, "booster", &["dart"]),
    ("tweedie_variance_power", None, "objective", &["reg:tweedie"]),
    ("use_dask_gpu_training", Some(&["true"]), "tree_method", &["gpu_hist", "hist"]),
];

/// Each gets a path of `hyperparameters.<name>`.
struct Checker<'a> {
    set: &'a Hyperparameters,
    problems: &'a mut Problems,
}

pub(super) fn check(set: &Hyperparameters, problems: &mut Problems) {
    let mut checker = Checker { set, problems };
    checker.required();
    checker.ranges();
    checker.needs();
    checker.max_leaves();
    checker.early_stopping();
    checker.base_score();
    checker.eval_metric();
    checker.monotone_constraints();
    checker.interaction_constraints();
    checker.updater();
}

impl Checker<'_> {
    fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(format!("hyperparameters.{name}"), message);
    }

    /// Both are given where the hyperparameters are made by type.
    fn required(&mut self) {
        if self.set.get("num_round").is_none() {
            self.refuse("num_round", "is needed");
        }
        if let Some(objective @ ("multi:softmax" | "multi:softprob")) = self.set.get("objective")
            && self.set.get("num_class").is_none()
        {
            self.refuse("num_class", format!("is needed with objective {objective}"));
        }
    }

    fn ranges(&mut self) {
        for (name, value) in self.set.iter() {
            let Some((_, accepts)) = RANGES.iter().find(|(known, _)| *known == name) else { continue };
            if !accepts.takes(value) {
                self.refuse(name, format!("must be {accepts}, is {}", shortened(value)));
            }
        }
    }

    fn needs(&mut self) {
        for (name, when, needed, accepted) in NEEDS {
            let Some(value) = self.set.get(name) else { continue };
            let applies = when.is_none_or(|values| values.contains(&value));
            let met = self.set.get(needed).is_some_and(|other| accepted.contains(&other));
            if applies && !met {
                let value = when.map(|_| format!("{} ", shortened(value))).unwrap_or_default();
                let now = match self.set.get(needed) {
                    Some(other) => format!("is {}", shortened(other)),
                    None => "is not set".to_owned(),
                };
                self.refuse(name, format!("{value}needs {needed} {}, which {now}", accepted.join(" or ")));
            }
        }
    }

    fn max_leaves(&mut self) {
        let limited = self.set.get("max_leaves").is_some_and(|leaves| leaves != "0");
        if limited && self.set.get("grow_policy") != Some("lossguide") {
            self.refuse("max_leaves", "needs grow_policy lossguide");
        }
    }

    /// The container watches the last metric that it was told, and without one trains all rounds in silence.
    fn early_stopping(&mut self) {
        if self.set.get("early_stopping_rounds").is_some() && self.set.get("eval_metric").is_none() {
            self.refuse("early_stopping_rounds", "has no effect without eval_metric: set the metric to watch");
        }
    }

    fn base_score(&mut self) {
        let logistic = ["reg:logistic", "binary:logistic", "binary:logitraw"];
        let (Some(score), Some(objective)) = (self.set.get("base_score"), self.set.get("objective")) else { return };
        let at_the_end = score.parse().is_ok_and(|score: f64| score == 0.0 || score >= 1.0);
        if at_the_end && logistic.contains(&objective) {
            self.refuse("base_score", format!("must be above 0 and below 1 with {objective}, is {score}"));
        }
    }

    fn eval_metric(&mut self) {
        let Some(metrics) = self.set.get("eval_metric") else { return };
        let objective = self.set.get("objective").unwrap_or_default();
        for metric in metrics.split(',') {
            if metric.is_empty() {
                self.refuse("eval_metric", "must be one or more metrics");
            } else if let Some((name, threshold)) = metric.split_once('@') {
                if !["error", "ndcg", "map"].contains(&name) {
                    self.refuse("eval_metric", format!("{metric}: only error, ndcg and map take a threshold"));
                } else if !threshold.parse().is_ok_and(f64::is_finite) {
                    self.refuse("eval_metric", format!("{metric}: the threshold must be a number"));
                }
            } else if metric == "auc" && !objective.starts_with("binary:") && !objective.starts_with("rank:") {
                self.refuse("eval_metric", format!("auc needs a binary or ranking objective, not {objective}"));
            } else if metric == "aft-nloglik" && objective != "survival:aft" {
                self.refuse("eval_metric", format!("aft-nloglik needs objective survival:aft, not {objective}"));
            }
        }
    }

    fn monotone_constraints(&mut self) {
        let Some(text) = self.set.get("monotone_constraints") else { return };
        let signs = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map(|inner| {
            let inner = inner.strip_suffix(',').unwrap_or(inner);
            inner.split(',').all(|sign| ["-1", "0", "1"].contains(&sign.trim()))
        });
        // Python reads (1) as a number.
        if signs != Some(true) || !text.contains(',') {
            self.refuse("monotone_constraints", "must be one or more of -1, 0 and 1, written as (0, 1) or (1,)");
        }
    }

    fn interaction_constraints(&mut self) {
        let Some(text) = self.set.get("interaction_constraints") else { return };
        match serde_json::from_str::<Vec<Vec<u32>>>(text) {
            Ok(groups) if groups.iter().flatten().any(|feature| *feature == 0) => self
                .refuse("interaction_constraints", "must be feature indexes from 1 on: the container refuses index 0"),
            Ok(groups) if !groups.is_empty() && groups.iter().all(|group| !group.is_empty()) => {}
            _ => self.refuse("interaction_constraints", "must be groups of features such as [[1, 2], [3, 4, 5]]"),
        }
    }

    fn updater(&mut self) {
        const LINEAR: [&str; 2] = ["shotgun", "coord_descent"];
        const GROW: [&str; 3] = ["grow_colmaker", "distcol", "grow_histmaker"];
        const CHANGE: [&str; 2] = ["refresh", "prune"];
        const TREE: [&str; 7] =
            ["grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune"];

        let linear = self.set.get("booster") == Some("gblinear");
        let update = self.set.get("process_type") == Some("update");
        let Some(text) = self.set.get("updater") else {
            if update && !linear {
                self.refuse("process_type", "update needs updater refresh, prune or both");
            }
            return;
        };
        let updaters: Vec<&str> = text.split(',').collect();
        let only = |accepted: &[&str]| {
            // What the crate does not know may be newer than the crate.
            let other = |name: &&str| (LINEAR.contains(name) || TREE.contains(name)) && !accepted.contains(name);
            updaters.iter().find(|name| name.is_empty() || other(name)).copied()
        };
        if linear {
            if updaters.len() != 1 || only(&LINEAR).is_some() {
                self.refuse("updater", format!("must be one of shotgun and coord_descent with gblinear, is {text:?}"));
            }
            return;
        }
        if update {
            if let Some(name) = only(&CHANGE) {
                self.refuse("updater", format!("must be refresh or prune with process_type update, not {name:?}"));
            }
        } else if let Some(name) = only(&TREE) {
            let accepted = TREE.join(", ");
            self.refuse("updater", format!("must be among {accepted} unless booster is gblinear, not {name:?}"));
        } else if updaters.iter().filter(|name| GROW.contains(name)).count() > 1 {
            self.refuse("updater", format!("at most one of {} can grow trees, not {text}", GROW.join(", ")));
        }
        // The constraints need a tree method by name, whatever the updaters are.
        let constrained =
            ["monotone_constraints", "interaction_constraints"].iter().any(|name| self.set.get(name).is_some());
        if self.set.get("tree_method").is_some() && !constrained {
            self.refuse("tree_method", "has no effect beside updater: set one of the two");
        }
    }
}

/// Enough of a value to recognise it.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}
