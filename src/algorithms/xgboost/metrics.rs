/// A metric that the service reads from the logs of a built-in algorithm by itself; a job need not define it, and cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultMetric {
    /// `<channel>:<metric>`, such as `validation:rmse`: what a tuning job names as its objective.
    pub name: String,
    /// What finds the value in a line of the log.
    pub regex: String,
}

impl DefaultMetric {
    pub(in crate::algorithms) fn new(name: impl Into<String>, regex: impl Into<String>) -> Self {
        Self { name: name.into(), regex: regex.into() }
    }
}

const METRICS: [&str; 33] = [
    "accuracy",
    "aft-nloglik",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "cox-nloglik",
    "error",
    "f1",
    "f1_binary",
    "f1_macro",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "map",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "ndcg",
    "poisson-nloglik",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
];

/// The metrics that the built-in container defines, of the channels `train` and `validation`. A job reports those of them
/// that its `eval_metric` asks for.
pub fn default_metrics() -> Vec<DefaultMetric> {
    let metric = |channel: &str, metric: &str| DefaultMetric {
        name: format!("{channel}:{metric}"),
        regex: format!(r".*\[[0-9]+\].*#011{channel}-{metric}:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"),
    };
    ["train", "validation"].iter().flat_map(|channel| METRICS.iter().map(|name| metric(channel, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_in_the_container_s_lines() {
        let lines = "[12]#011train-rmse:1.19876#011train-mae:0.5#011validation-rmse:2.31553#011validation-mae:1e-05";
        let found: Vec<(String, f64)> = default_metrics()
            .into_iter()
            .filter_map(|metric| {
                let captures = regex_lite::Regex::new(&metric.regex).unwrap().captures(lines)?;
                Some((metric.name, captures[1].parse().unwrap()))
            })
            .collect();
        let expected =
            [("train:mae", 0.5), ("train:rmse", 1.19876), ("validation:mae", 1e-5), ("validation:rmse", 2.31553)];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<String> = default_metrics().into_iter().map(|metric| metric.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 2 * METRICS.len());
        assert!(names.iter().any(|name| name == "validation:auc"));
    }
}
