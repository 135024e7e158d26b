//! What one hyperparameter demands of another.

use super::{EngineFailure, Hyperparameters, Value};

const TREE_GROWERS: [&str; 3] = ["grow_colmaker", "distcol", "grow_histmaker"];

pub(super) fn check(given: &Hyperparameters) -> Result<(), EngineFailure> {
    updater(given)?;
    num_class(given)?;
    metrics(given)?;
    constraints(given)
}

fn refuse(message: impl Into<String>) -> Result<(), EngineFailure> {
    Err(EngineFailure::algorithm(message))
}

fn updater(given: &Hyperparameters) -> Result<(), EngineFailure> {
    let Some(Value::List(updaters)) = given.get("updater") else { return Ok(()) };
    if given.text("booster") == Some("gblinear") {
        return match updaters.as_slice() {
            [only] if only == "shotgun" || only == "coord_descent" => Ok(()),
            _ => refuse("Linear updater should be one of these options: 'shotgun', 'coord_descent'."),
        };
    }
    if given.text("process_type") == Some("update") {
        return match updaters.iter().all(|updater| updater == "refresh" || updater == "prune") {
            true => Ok(()),
            false => refuse("process_type 'update' can only be used with updater 'refresh' and 'prune'"),
        };
    }
    if updaters.iter().any(|updater| updater == "shotgun" || updater == "coord_descent") {
        return refuse(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', \
             'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'.",
        );
    }
    if updaters.iter().filter(|updater| TREE_GROWERS.contains(&updater.as_str())).count() > 1 {
        return refuse(
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', 'distcol', \
             'grow_histmaker', 'grow_skmaker'",
        );
    }
    Ok(())
}

/// The container says the second sentence only where it cannot matter; XGBoost then fails on the shape instead.
fn num_class(given: &Hyperparameters) -> Result<(), EngineFailure> {
    let multi = given.objective().starts_with("multi:");
    match (multi, given.num_class()) {
        (true, None) => refuse("Require input for parameter 'num_class' for multi-classification"),
        (false, Some(_)) => {
            refuse("Do not need to setup parameter 'num_class' for learning task other than multi-classification.")
        }
        _ => Ok(()),
    }
}

fn metrics(given: &Hyperparameters) -> Result<(), EngineFailure> {
    let metrics = given.eval_metrics();
    if metrics.is_empty() {
        return Ok(());
    }
    if given.get("objective").is_none() {
        // The container looks the objective up without a default and dies of Python's KeyError.
        return refuse("KeyError: 'objective': hyperparameter eval_metric needs hyperparameter objective");
    }
    let objective = given.objective();
    let names = |metric: &str| metrics.iter().any(|name| name == metric);
    if names("auc") && !["binary:", "rank:"].iter().any(|family| objective.starts_with(family)) {
        return refuse("Metric 'auc' can only be applied for classification and ranking problems.");
    }
    if names("aft-nloglik") && objective != "survival:aft" {
        return refuse("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.");
    }
    Ok(())
}

fn constraints(given: &Hyperparameters) -> Result<(), EngineFailure> {
    let method = given.text("tree_method").unwrap_or_default();
    if given.get("monotone_constraints").is_some() && !["exact", "hist"].contains(&method) {
        return refuse(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'.",
        );
    }
    if given.get("interaction_constraints").is_some() && !["exact", "hist", "approx"].contains(&method) {
        return refuse(
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' \
             or 'approx'.",
        );
    }
    Ok(())
}
