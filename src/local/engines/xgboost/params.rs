//! From the container's hyperparameters to the parameters of `hessboost`, which does the boosting.

use hessboost::config::{BoosterKind, GrowPolicy, TrainingParams, TreeMethod};
use serde_json::{Value as Json, json};

use super::hyperparameters::{Hyperparameters, Value};
use super::version::Version;
use crate::local::engines::EngineFailure;

/// A learning rate with which trees add nothing to a prediction of 32 bits.
const NOTHING: f64 = 1e-30;

/// Read by this engine, not by the booster.
const OURS: [&str; 13] = [
    "num_round",
    "_kfold",
    "_num_cv_round",
    "csv_weights",
    "early_stopping_rounds",
    "eval_metric",
    "_tuning_objective_metric",
    "save_model_on_termination",
    "objective",
    "updater",
    "process_type",
    // The values that are not refused are what DART does anyway.
    "sample_type",
    "normalize_type",
];

/// These choose threads, devices and messages, or are of no effect on one CPU; they never change the model here.
const TUNING_ONLY: [&str; 7] = [
    "nthread",
    "verbosity",
    "predictor",
    "deterministic_histogram",
    "dsplit",
    "prob_buffer_row",
    "use_dask_gpu_training",
];

/// What the booster gets, and the names that it does not use, of which XGBoost warns.
#[derive(Debug)]
pub(super) struct Boosting {
    pub(super) params: TrainingParams,
    /// Of a linear booster: trees that add nothing, with its objective and metrics, as it computes no metrics itself.
    pub(super) observer: Option<TrainingParams>,
    pub(super) unused: Vec<&'static str>,
}

impl Boosting {
    /// Chooses how trees are grown where the job leaves it open, as XGBoost before 2.0 did: exactly, unless there are
    /// very many rows.
    ///
    /// # Errors
    /// XGBoost's sentence, if trees cannot be grown exactly with the other hyperparameters.
    pub(super) fn settle_tree_method(&mut self, version: Version, rows: usize) -> Result<(), EngineFailure> {
        const MANY_ROWS: usize = 4 << 20;
        let params = &mut self.params;
        if params.booster == BoosterKind::GbLinear {
            return Ok(());
        }
        if version.is_before_2() && params.tree_method == TreeMethod::Auto {
            params.tree_method = if rows < MANY_ROWS { TreeMethod::Exact } else { TreeMethod::Approx };
        }
        if params.tree_method != TreeMethod::Exact {
            return Ok(());
        }
        let advice = "choose tree_method hist or approx (releases before 2.0 choose exact if nothing is chosen)";
        if params.max_depth.is_none() {
            return Err(failed(format!("exact tree method doesn't support unlimited depth: {advice}")));
        }
        if params.colsample_bynode < 1.0 {
            let what = "column sample by node is not yet supported by the exact tree method";
            return Err(failed(format!("{what}: {advice}")));
        }
        // XGBoost passes over the policy here; `hessboost` would refuse it.
        params.grow_policy = GrowPolicy::DepthWise;
        Ok(())
    }
}

/// Translates hyperparameters; `metrics` are those that the booster computes itself.
pub(super) fn boosting(
    given: &Hyperparameters,
    metrics: &[String],
    version: Version,
) -> Result<Boosting, EngineFailure> {
    refuse_unsupported(given)?;
    let mut settings: Vec<(&str, Json)> = vec![("objective", json!(given.objective()))];
    let mut unused = Vec::new();
    for (name, value) in given.iter() {
        if OURS.contains(&name) || TUNING_ONLY.contains(&name) {
            continue;
        }
        if is_used(given, name) {
            settings.push((name, json(name, value)));
        } else {
            unused.push(name);
        }
    }
    if given.get("base_score").is_none()
        && let Some(score) = default_base_score(given.objective(), version)
    {
        settings.push(("base_score", json!(score)));
    }
    if !metrics.is_empty() {
        settings.push(("eval_metric", json!(metrics)));
    }
    if is_linear(given) {
        // What XGBoost takes for a linear booster where nothing is said.
        for (name, default) in [("eta", 0.5), ("lambda", 0.0)] {
            if given.get(name).is_none() {
                settings.push((name, json!(default)));
            }
        }
    } else if let Some(method) = method_of_updater(given)? {
        settings.retain(|(name, _)| *name != "tree_method");
        settings.push(("tree_method", json!(method)));
    }
    let observer = match is_linear(given) {
        true => {
            let of_linear = ["booster", "eta", "lambda", "alpha"];
            let rest = settings.iter().filter(|(name, _)| !of_linear.contains(name)).cloned();
            let still = [("eta", json!(NOTHING)), ("max_depth", json!(1)), ("tree_method", json!("hist"))];
            Some(TrainingParams::from_xgboost(rest.chain(still)).map_err(failed)?)
        }
        false => None,
    };
    let params = TrainingParams::from_xgboost(settings).map_err(failed)?;
    Ok(Boosting { params, observer, unused })
}

/// The intercept before XGBoost 2.0, which estimates it from the labels; 1.7 did so for one objective already.
fn default_base_score(objective: &str, version: Version) -> Option<f64> {
    let estimated = !version.is_before_2() || (objective == "reg:absoluteerror" && version >= Version::new(1, 7));
    (!estimated).then_some(0.5)
}

/// The container's words for whatever goes wrong inside of training.
pub(super) fn failed(error: impl std::fmt::Display) -> EngineFailure {
    EngineFailure::algorithm(format!("XGB train call failed with exception:\n {error}"))
}

/// Whether a linear function is trained instead of trees.
pub(super) fn is_linear(given: &Hyperparameters) -> bool {
    given.text("booster") == Some("gblinear")
}

/// Whether the objective and the booster read a hyperparameter; XGBoost ignores, with a warning, what nothing reads.
fn is_used(given: &Hyperparameters, name: &str) -> bool {
    const REWEIGHTED: [&str; 5] =
        ["binary:logistic", "binary:logitraw", "reg:logistic", "reg:squarederror", "reg:squaredlogerror"];
    const OF_LINEAR: [&str; 14] = [
        "booster",
        "eta",
        "lambda",
        "alpha",
        "seed",
        "num_class",
        "base_score",
        "eval_metric",
        "scale_pos_weight",
        "tweedie_variance_power",
        "max_delta_step",
        "aft_loss_distribution",
        "aft_loss_distribution_scale",
        "objective",
    ];
    let objective = given.objective();
    if is_linear(given) && !OF_LINEAR.contains(&name) {
        return false;
    }
    match name {
        // It bounds the leaves of trees, and the steps of one objective.
        "max_delta_step" if is_linear(given) => objective == "count:poisson",
        "scale_pos_weight" => REWEIGHTED.contains(&objective),
        "tweedie_variance_power" => objective == "reg:tweedie",
        "aft_loss_distribution" | "aft_loss_distribution_scale" => objective == "survival:aft",
        "rate_drop" | "one_drop" | "skip_drop" => given.text("booster") == Some("dart"),
        // Only process_type update reads it, which is refused.
        "refresh_leaf" => false,
        // Gone from XGBoost before 1.7, though the container still takes them.
        "sketch_eps" | "lambda_bias" => false,
        _ => true,
    }
}

fn json(name: &str, value: &Value) -> Json {
    match value {
        // `from_xgboost` takes a switch where XGBoost takes 0 and 1, and seeds without a sign.
        Value::Int(value) if name == "one_drop" => json!(*value == 1),
        Value::Int(value) if name == "seed" => json!(value.cast_unsigned()),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::List(values) => json!(values),
        Value::Signs(values) => json!(values),
        Value::Groups(groups) => json!(groups),
    }
}

fn refuse_unsupported(given: &Hyperparameters) -> Result<(), EngineFailure> {
    let refuse = |what: &str| {
        Err(EngineFailure::algorithm(format!(
            "the local XGBoost engine does not support {what}; the container on AWS does"
        )))
    };
    if given.text("tree_method") == Some("gpu_hist") {
        return refuse("tree_method gpu_hist, because it has no GPU (hist trains the same kind of model)");
    }
    if given.text("use_dask_gpu_training") == Some("true") {
        return refuse("use_dask_gpu_training, because it has no GPU");
    }
    if given.text("process_type") == Some("update") {
        return refuse("process_type update, which refreshes a model from a checkpoint");
    }
    if given.text("booster") == Some("dart") {
        if given.text("sample_type") == Some("weighted") {
            return refuse("sample_type weighted (uniform is)");
        }
        if given.text("normalize_type") == Some("forest") {
            return refuse("normalize_type forest (tree is)");
        }
    }
    Ok(())
}

/// Choosing a tree updater is the old way to choose a tree method.
fn method_of_updater(given: &Hyperparameters) -> Result<Option<&'static str>, EngineFailure> {
    let Some(Value::List(updaters)) = given.get("updater") else { return Ok(None) };
    let names: Vec<&str> = updaters.iter().map(String::as_str).filter(|name| *name != "prune").collect();
    match names.as_slice() {
        ["grow_colmaker"] => Ok(Some("exact")),
        ["grow_histmaker"] => Ok(Some("approx")),
        _ => Err(EngineFailure::algorithm(format!(
            "the local XGBoost engine does not support updater {}; it supports grow_colmaker, grow_histmaker, and \
             prune beside one of these",
            updaters.join(",")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_rows_are_grown_approximately_before_2_0() {
        let chosen = |asked: TreeMethod, version: Version, rows: usize| {
            let mut params = TrainingParams::default();
            params.tree_method = asked;
            let mut boosting = Boosting { params, observer: None, unused: Vec::new() };
            boosting.settle_tree_method(version, rows).unwrap();
            boosting.params.tree_method
        };
        let (old, new) = (Version::new(1, 7), Version::new(3, 0));
        assert_eq!(chosen(TreeMethod::Auto, old, 4_194_303), TreeMethod::Exact);
        assert_eq!(chosen(TreeMethod::Auto, old, 4_194_304), TreeMethod::Approx);
        assert_eq!(chosen(TreeMethod::Hist, old, 10), TreeMethod::Hist);
        assert_eq!(chosen(TreeMethod::Auto, new, 10), TreeMethod::Auto);
    }
}
