//! Metrics that a training job's log lines carry.

use regex_lite::Regex;
use serde_json::{Value, json};

use super::aws_error::AwsError;
use super::services::logs::LogLine;

/// A metric and how to find its values.
#[derive(Clone)]
pub(super) struct Metric {
    name: String,
    regex: Regex,
    /// Text without which a line cannot match: most lines need no regex.
    hint: String,
}

/// The metrics that the built-in XGBoost images define, each for `train` and `validation`.
const XGBOOST: &[&str] = &[
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "error",
    "f1",
    "f1_binary",
    "f1_macro",
    "logloss",
    "mae",
    "map",
    "merror",
    "mlogloss",
    "mse",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "rmse",
    "rmsle",
];

/// How many definitions a training job has at most.
pub(super) const MAX_DEFINITIONS: usize = 40;

/// Whether an image is one of the built-in XGBoost images of AWS.
pub(super) fn is_builtin_xgboost(image: &str) -> bool {
    let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
    matches!(repository.split_once('/'), Some((host, "sagemaker-xgboost" | "xgboost")) if host.contains(".dkr.ecr."))
}

/// The definitions, name and regex, that the service adds to those of a request for a built-in image.
pub(super) fn builtin_definitions(image: &str) -> Vec<(String, String)> {
    if !is_builtin_xgboost(image) {
        return Vec::new();
    }
    let definition = |channel: &str, metric: &str| {
        let regex = format!(r".*\[[0-9]+\].*#011{channel}-{metric}:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*");
        (format!("{channel}:{metric}"), regex)
    };
    ["train", "validation"]
        .iter()
        .flat_map(|channel| XGBOOST.iter().map(|metric| definition(channel, metric)))
        .collect()
}

/// Compiles definitions of names and regexes.
pub(super) fn compile(definitions: &[(String, String)]) -> Result<Vec<Metric>, AwsError> {
    definitions
        .iter()
        .map(|(name, regex)| match Regex::new(regex) {
            Ok(compiled) => Ok(Metric { name: name.clone(), regex: compiled, hint: hint(regex) }),
            Err(error) => Err(AwsError::validation(format!(
                "The regex of the metric definition '{name}' is invalid or not supported by the local backend: {error}"
            ))),
        })
        .collect()
}

/// The longest plain text in one of the built-in regexes; of others nothing is known.
fn hint(regex: &str) -> String {
    let plain = regex.split_once("#011").and_then(|(_, tail)| tail.split_once('('));
    let plain = plain
        .map(|(text, _)| text)
        .filter(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:".contains(&b)));
    plain.unwrap_or_default().to_owned()
}

/// `FinalMetricDataList`: the last value of each metric that appears in the log.
pub(super) fn final_values(metrics: &[Metric], newest_first: impl Iterator<Item = LogLine>) -> Vec<Value> {
    let mut found = vec![None; metrics.len()];
    let mut missing = metrics.len();
    for line in newest_first {
        if missing == 0 {
            break;
        }
        for (metric, found) in metrics.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            if let Some(value) = metric.value(&line.message) {
                let at = line.timestamp as f64 / 1000.0;
                *found = Some(json!({"MetricName": metric.name, "Value": value, "Timestamp": at}));
                missing -= 1;
            }
        }
    }
    found.into_iter().flatten().take(MAX_DEFINITIONS).collect()
}

/// Every value of every metric, with its time in milliseconds since 1970.
pub(super) fn each_value(
    metrics: &[Metric],
    lines: impl Iterator<Item = LogLine>,
    mut found: impl FnMut(&str, f64, i64),
) {
    for line in lines {
        for metric in metrics {
            if let Some(value) = metric.value(&line.message) {
                found(&metric.name, value, line.timestamp);
            }
        }
    }
}

impl Metric {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The value in a line; a tab may also be written `#011`, as CloudWatch shows it.
    pub(super) fn value(&self, line: &str) -> Option<f64> {
        if !line.contains(&self.hint) {
            return None;
        }
        let find = |line: &str| self.regex.captures(line)?.get(1)?.as_str().trim().parse().ok();
        let value: Option<f64> =
            find(line).or_else(|| line.contains('\t').then(|| find(&line.replace('\t', "#011"))).flatten());
        value.filter(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines in order, a second apart; given from the newest to the oldest.
    fn lines(texts: &[&str]) -> impl Iterator<Item = LogLine> {
        let line = |(text, at): (&&str, i64)| LogLine { timestamp: at * 1000, message: (*text).to_owned() };
        let lines: Vec<LogLine> = texts.iter().zip(1..).map(line).collect();
        lines.into_iter().rev()
    }

    fn metrics(definitions: &[(&str, &str)]) -> Result<Vec<Metric>, AwsError> {
        let owned: Vec<_> = definitions.iter().map(|(name, regex)| ((*name).to_owned(), (*regex).to_owned())).collect();
        compile(&owned)
    }

    #[test]
    fn the_last_value_counts() {
        let metrics = metrics(&[("loss", r"loss=([0-9.]+)"), ("absent", r"no=(\d+)")]).unwrap();
        let found = final_values(&metrics, lines(&["loss=3.5", "loss=2.25 ", "done"]));
        assert_eq!(found, [json!({"MetricName": "loss", "Value": 2.25, "Timestamp": 2.0})]);
    }

    #[test]
    fn a_bad_regex_is_named() {
        let error = metrics(&[("good", "a"), ("bad", "(")]).err().unwrap();
        assert!(error.message.starts_with("The regex of the metric definition 'bad' is invalid"), "{}", error.message);
    }

    #[test]
    fn xgboost_metrics_are_found_with_tabs_and_with_their_escape() {
        let image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
        let definitions = builtin_definitions(image);
        assert_eq!(hint(&definitions[0].1), "train-accuracy:");
        let metrics = compile(&definitions).unwrap();
        for line in ["[9]\ttrain-rmse:0.5\tvalidation-rmse:1e-3", "[9]#011train-rmse:0.5#011validation-rmse:1e-3"] {
            let found = final_values(&metrics, lines(&["[0]\ttrain-rmse:9\tvalidation-rmse:9", line]));
            let values: Vec<_> = found.iter().map(|f| (f["MetricName"].clone(), f["Value"].clone())).collect();
            assert_eq!(values, [(json!("train:rmse"), json!(0.5)), (json!("validation:rmse"), json!(0.001))]);
        }
        assert!(!is_builtin_xgboost("my/sagemaker-xgboost:1"));
    }
}
