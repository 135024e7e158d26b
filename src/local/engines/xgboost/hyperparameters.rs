//! Hyperparameters of the XGBoost container: which there are, how their text is read, what is refused.
//!
//! Names, ranges, dependencies and the wording of refusals are those of the container's validation
//! (`hyperparameter_validation.py` of sagemaker-xgboost-container, the same for 1.7-1 and 3.0-5). They are a little
//! narrower than XGBoost's own: interaction constraints, for example, cannot name feature 0.

use std::collections::BTreeMap;
use std::fmt;

use super::python;
use crate::local::engines::EngineFailure;

mod rules;
mod table;

/// Metrics that grow as the model improves, as the container lists them; all others shrink.
pub(super) const MAXIMIZED: [&str; 16] = [
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
];

const MINIMIZED: [&str; 17] = [
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
];

/// One validated value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<String>),
    Signs(Vec<i64>),
    Groups(Vec<Vec<i64>>),
}

impl fmt::Display for Value {
    /// As Python prints the value, because the container's messages do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&python::float(*value)),
            Self::Text(value) => f.write_str(value),
            Self::List(values) => f.write_str(&python::text_list(values)),
            Self::Signs(values) => {
                let items: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "({})", items.join(", "))
            }
            Self::Groups(groups) => write!(f, "{groups:?}"),
        }
    }
}

/// The validated hyperparameters of one job.
#[derive(Debug, Clone)]
pub(super) struct Hyperparameters {
    values: BTreeMap<&'static str, Value>,
}

impl Hyperparameters {
    /// Reads and checks what a request carries: all values are text.
    pub(super) fn parse(wire: &BTreeMap<String, String>) -> Result<Self, EngineFailure> {
        let mut given: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, text) in wire {
            given.insert(table::canonical(name), text);
        }
        if !given.contains_key("num_round") {
            return Err(EngineFailure::algorithm("Missing required hyperparameter: num_round"));
        }
        let mut values = BTreeMap::new();
        for (name, text) in given {
            let spec = table::find(name)
                .ok_or_else(|| EngineFailure::algorithm(format!("Extraneous hyperparameter found: {name}")))?;
            values.insert(spec.name, spec.read(text)?);
        }
        for (name, value) in &values {
            if let Some(spec) = table::find(name) {
                spec.check(value)?;
            }
        }
        let parsed = Self { values };
        rules::check(&parsed)?;
        Ok(parsed)
    }

    /// The number of boosting rounds, at least 1.
    pub(super) fn num_round(&self) -> usize {
        self.int("num_round").and_then(|rounds| usize::try_from(rounds).ok()).unwrap_or(1)
    }

    /// The number of rounds without improvement after which training ends, at least 1.
    pub(super) fn early_stopping_rounds(&self) -> Option<usize> {
        self.int("early_stopping_rounds").and_then(|rounds| usize::try_from(rounds).ok())
    }

    /// Into how many parts the rows are divided for a cross validation, and how often; `None` if there is none.
    pub(super) fn folds(&self) -> Option<(usize, usize)> {
        let count = |name: &str| self.int(name).and_then(|count| usize::try_from(count).ok());
        Some((count("_kfold")?, count("_num_cv_round").unwrap_or(1)))
    }

    /// What every choice at random starts from.
    pub(super) fn seed(&self) -> u64 {
        self.int("seed").unwrap_or(0).cast_unsigned()
    }

    /// Whether the second CSV column holds the weights of the rows.
    pub(super) fn csv_weights(&self) -> bool {
        self.int("csv_weights") == Some(1)
    }

    /// The objective under XGBoost's present name.
    pub(super) fn objective(&self) -> &str {
        match self.text("objective") {
            None | Some("reg:linear") => "reg:squarederror",
            Some(name) => name,
        }
    }

    /// The number of classes of a `multi:*` objective.
    pub(super) fn num_class(&self) -> Option<i64> {
        self.int("num_class")
    }

    /// The metrics that `eval_metric` lists, in its order.
    pub(super) fn eval_metrics(&self) -> &[String] {
        match self.values.get("eval_metric") {
            Some(Value::List(names)) => names,
            _ => &[],
        }
    }

    /// The metrics of `_tuning_objective_metric`, which a tuning job sets: `validation:rmse` names `rmse`.
    pub(super) fn tuning_metrics(&self) -> Vec<String> {
        match self.text("_tuning_objective_metric").and_then(|name| name.split(':').nth(1)) {
            Some(names) => names.split(',').map(str::to_owned).collect(),
            None => Vec::new(),
        }
    }

    /// Whether a stopped job keeps the model so far; it does not unless it says so.
    pub(super) fn save_model_on_termination(&self) -> bool {
        self.text("save_model_on_termination") == Some("true")
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Value::Text(value)) => Some(value),
            _ => None,
        }
    }

    fn int(&self, name: &str) -> Option<i64> {
        match self.values.get(name) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
