//! The table of hyperparameters: how each is read and which values it takes.

use std::fmt;

use super::{EngineFailure, MAXIMIZED, MINIMIZED, Value};
use crate::local::engines::xgboost::python;

/// One hyperparameter.
pub(super) struct Spec {
    pub(super) name: &'static str,
    kind: Kind,
}

enum Kind {
    Int(Interval),
    Float(Interval),
    Choice(&'static [&'static str]),
    List(&'static [&'static str]),
    Metrics,
    TuningMetric,
    Signs,
    Groups,
}

#[derive(Clone, Copy)]
enum Bound {
    None,
    Open(f64),
    Closed(f64),
}

#[derive(Clone, Copy)]
struct Interval {
    min: Bound,
    max: Bound,
}

impl Interval {
    const fn at_least(min: f64) -> Self {
        Self { min: Bound::Closed(min), max: Bound::None }
    }

    const fn above(min: f64) -> Self {
        Self { min: Bound::Open(min), max: Bound::None }
    }

    const fn closed(min: f64, max: f64) -> Self {
        Self { min: Bound::Closed(min), max: Bound::Closed(max) }
    }

    const fn open(min: f64, max: f64) -> Self {
        Self { min: Bound::Open(min), max: Bound::Open(max) }
    }

    const fn above_to(min: f64, max: f64) -> Self {
        Self { min: Bound::Open(min), max: Bound::Closed(max) }
    }

    /// Infinity and NaN are in no interval: the container lets them through to XGBoost, which fails less clearly.
    fn contains(self, value: f64) -> bool {
        let above = match self.min {
            Bound::None => true,
            Bound::Open(min) => value > min,
            Bound::Closed(min) => value >= min,
        };
        let below = match self.max {
            Bound::None => true,
            Bound::Open(max) => value < max,
            Bound::Closed(max) => value <= max,
        };
        value.is_finite() && above && below
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.min {
            Bound::None => f.write_str("(-inf, ")?,
            Bound::Open(min) => write!(f, "({min}, ")?,
            Bound::Closed(min) => write!(f, "[{min}, ")?,
        }
        match self.max {
            Bound::None => f.write_str("+inf)"),
            Bound::Open(max) => write!(f, "{max})"),
            Bound::Closed(max) => write!(f, "{max}]"),
        }
    }
}

const BOOLEAN: &[&str] = &["true", "false"];

const OBJECTIVES: &[&str] = &[
    "aft_loss_distribution",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
];

const UPDATERS: &[&str] = &[
    "grow_colmaker",
    "distcol",
    "grow_histmaker",
    "grow_skmaker",
    "sync",
    "refresh",
    "prune",
    "shotgun",
    "coord_descent",
];

const fn int(name: &'static str, range: Interval) -> Spec {
    Spec { name, kind: Kind::Int(range) }
}

const fn float(name: &'static str, range: Interval) -> Spec {
    Spec { name, kind: Kind::Float(range) }
}

const fn choice(name: &'static str, values: &'static [&'static str]) -> Spec {
    Spec { name, kind: Kind::Choice(values) }
}

const fn other(name: &'static str, kind: Kind) -> Spec {
    Spec { name, kind }
}

/// Every hyperparameter that the container takes.
pub(super) const SPECS: &[Spec] = &[
    int("num_round", Interval::at_least(1.0)),
    int("csv_weights", Interval::closed(0.0, 1.0)),
    int("early_stopping_rounds", Interval::at_least(1.0)),
    choice("booster", &["gbtree", "gblinear", "dart"]),
    int("verbosity", Interval::closed(0.0, 3.0)),
    int("nthread", Interval::at_least(1.0)),
    float("eta", Interval::closed(0.0, 1.0)),
    float("gamma", Interval::at_least(0.0)),
    int("max_depth", Interval::at_least(0.0)),
    float("min_child_weight", Interval::at_least(0.0)),
    float("max_delta_step", Interval::at_least(0.0)),
    float("subsample", Interval::above_to(0.0, 1.0)),
    float("colsample_bytree", Interval::above_to(0.0, 1.0)),
    float("colsample_bylevel", Interval::above_to(0.0, 1.0)),
    float("colsample_bynode", Interval::above_to(0.0, 1.0)),
    float("lambda", Interval::at_least(0.0)),
    float("alpha", Interval::at_least(0.0)),
    choice("tree_method", &["auto", "exact", "approx", "hist", "gpu_hist"]),
    float("sketch_eps", Interval::open(0.0, 1.0)),
    float("scale_pos_weight", Interval::above(0.0)),
    other("updater", Kind::List(UPDATERS)),
    choice("dsplit", &["row", "col"]),
    int("refresh_leaf", Interval::closed(0.0, 1.0)),
    choice("process_type", &["default", "update"]),
    choice("grow_policy", &["depthwise", "lossguide"]),
    int("max_leaves", Interval::at_least(0.0)),
    int("max_bin", Interval::at_least(0.0)),
    choice("predictor", &["auto", "cpu_predictor", "gpu_predictor"]),
    other("monotone_constraints", Kind::Signs),
    other("interaction_constraints", Kind::Groups),
    choice("sample_type", &["uniform", "weighted"]),
    choice("normalize_type", &["tree", "forest"]),
    float("rate_drop", Interval::closed(0.0, 1.0)),
    int("one_drop", Interval::closed(0.0, 1.0)),
    float("skip_drop", Interval::closed(0.0, 1.0)),
    float("lambda_bias", Interval::closed(0.0, 1.0)),
    float("tweedie_variance_power", Interval::open(1.0, 2.0)),
    choice("objective", OBJECTIVES),
    int("num_class", Interval::at_least(2.0)),
    float("base_score", Interval::at_least(0.0)),
    int("_kfold", Interval::at_least(2.0)),
    int("_num_cv_round", Interval::at_least(1.0)),
    other("_tuning_objective_metric", Kind::TuningMetric),
    other("eval_metric", Kind::Metrics),
    int("seed", Interval::open(-2_147_483_648.0, 2_147_483_647.0)),
    int("num_parallel_tree", Interval::at_least(1.0)),
    choice("save_model_on_termination", BOOLEAN),
    choice("aft_loss_distribution", &["normal", "logistic", "extreme"]),
    float("aft_loss_distribution_scale", Interval::at_least(0.0)),
    choice("deterministic_histogram", BOOLEAN),
    choice("sampling_method", &["uniform", "gradient_based"]),
    int("prob_buffer_row", Interval::above(1.0)),
    choice("use_dask_gpu_training", BOOLEAN),
];

/// The hyperparameter of a name.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == name)
}

/// The name that an alias stands for; any other name as it is.
pub(super) fn canonical(name: &str) -> &str {
    match name {
        "learning_rate" => "eta",
        "min_split_loss" => "gamma",
        "reg_lambda" => "lambda",
        "reg_alpha" => "alpha",
        other => other,
    }
}

impl Spec {
    /// The value that a text stands for.
    pub(super) fn read(&self, text: &str) -> Result<Value, EngineFailure> {
        let trimmed = text.trim();
        let value = match &self.kind {
            Kind::Int(_) => trimmed.parse().ok().map(Value::Int),
            Kind::Float(_) => trimmed.parse().ok().map(Value::Float),
            Kind::Choice(_) | Kind::TuningMetric => Some(Value::Text(text.to_owned())),
            Kind::List(_) | Kind::Metrics => Some(Value::List(text.split(',').map(str::to_owned).collect())),
            Kind::Signs => signs(trimmed).map(Value::Signs),
            Kind::Groups => serde_json::from_str(&trimmed.replace('(', "[").replace(')', "]")).ok().map(Value::Groups),
        };
        value.ok_or_else(|| {
            let message = format!("Hyperparameter {}: could not parse value (caused by ValueError)", self.name);
            EngineFailure::algorithm(message)
        })
    }

    /// Whether the value is one that the hyperparameter takes.
    pub(super) fn check(&self, value: &Value) -> Result<(), EngineFailure> {
        let name = self.name;
        let refuse =
            |range: String| Err(EngineFailure::algorithm(format!("Hyperparameter {name}: {value} is not in {range}")));
        let refuse_part = |range: String| {
            Err(EngineFailure::algorithm(format!("Hyperparameter {name}: value {value} not in range {range}")))
        };
        match (&self.kind, value) {
            #[expect(clippy::cast_precision_loss, reason = "only compared with bounds that are small integers")]
            (Kind::Int(range), Value::Int(value)) if !range.contains(*value as f64) => refuse(range.to_string()),
            (Kind::Float(range), Value::Float(value)) if !range.contains(*value) => refuse(range.to_string()),
            (Kind::Choice(choices), Value::Text(value)) if !choices.contains(&value.as_str()) => {
                refuse(python::text_list(choices))
            }
            (Kind::TuningMetric, Value::Text(value)) if !is_tuning_metric(value) => {
                let names: Vec<String> =
                    MAXIMIZED.iter().chain(&MINIMIZED).map(|metric| format!("validation:{metric}")).collect();
                refuse(python::text_list(&names))
            }
            (Kind::List(choices), Value::List(values))
                if values.iter().any(|value| !choices.contains(&value.as_str())) =>
            {
                refuse_part(python::text_list(choices))
            }
            (Kind::Metrics, Value::List(metrics)) => {
                for metric in metrics {
                    if !is_metric(metric)? {
                        let known: Vec<&str> = MAXIMIZED.iter().chain(&MINIMIZED).copied().collect();
                        return refuse_part(python::text_list(&known));
                    }
                }
                Ok(())
            }
            (Kind::Signs, Value::Signs(values)) if values.iter().any(|sign| !(-1..=1).contains(sign)) => {
                refuse_part("[-1, 0, 1]".to_owned())
            }
            (Kind::Groups, Value::Groups(groups)) if groups.iter().flatten().any(|feature| *feature < 1) => {
                refuse_part(Interval::at_least(1.0).to_string())
            }
            _ => Ok(()),
        }
    }
}

/// `(1,-1,0)`, `[1,-1,0]` or `1,-1,0`.
fn signs(text: &str) -> Option<Vec<i64>> {
    let inner = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .or_else(|| text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')))
        .unwrap_or(text);
    let inner = inner.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    inner.split(',').map(|sign| sign.trim().parse().ok()).collect()
}

fn is_tuning_metric(name: &str) -> bool {
    name.strip_prefix("validation:").is_some_and(|metric| MAXIMIZED.contains(&metric) || MINIMIZED.contains(&metric))
}

fn is_metric(metric: &str) -> Result<bool, EngineFailure> {
    if metric.contains("<function") {
        let message = format!("User defined evaluation metric {metric} is not supported yet.");
        return Err(EngineFailure::algorithm(message));
    }
    let Some((name, threshold)) = metric.split_once('@') else {
        return Ok(MAXIMIZED.contains(&metric) || MINIMIZED.contains(&metric));
    };
    let name = name.trim();
    if !["error", "ndcg", "map"].contains(&name) {
        return Err(EngineFailure::algorithm(format!(
            "Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should be one of \
             these options: 'error', 'ndcg', 'map'."
        )));
    }
    if threshold.trim().parse::<f64>().is_err() {
        return Err(EngineFailure::algorithm(format!("Threshold value 't' in '{name}@t' expects float input.")));
    }
    Ok(true)
}
