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

/// The metrics of Linear Learner for `validation` and `test`: their name, and what the log says.
const LINEAR_LEARNER: &[(&str, &str)] = &[
    ("absolute_loss", "absolute_loss <loss>"),
    ("binary_classification_accuracy", "binary_classification_accuracy <score>"),
    ("binary_f_beta", r"binary_f_\S+ <score>"),
    ("dcg", "dcg <score>"),
    ("macro_f_beta", r"macro_f_\S+ <score>"),
    ("macro_precision", "macro_precision <score>"),
    ("macro_recall", "macro_recall <score>"),
    ("mse", "mse <loss>"),
    ("multiclass_accuracy", "multiclass_accuracy <score>"),
    ("multiclass_top_k_accuracy", r"multiclass_top_k_accuracy_\S+ <score>"),
    ("precision", "precision <score>"),
    ("recall", "recall <score>"),
];

/// Those of them for `train`.
const LINEAR_LEARNER_TRAIN: &[&str] =
    &["absolute_loss", "binary_classification_accuracy", "binary_f_beta", "mse", "precision", "recall"];

/// The metrics of Factorization Machines.
const FACTORIZATION_MACHINES: &[(&str, &str)] = &[
    ("absolute_loss", "absolute_loss <loss>"),
    ("binary_classification_accuracy", "binary_classification_accuracy <score>"),
    ("binary_classification_cross_entropy", "binary_classification_cross_entropy <loss>"),
    ("binary_f_beta", r"binary_f_\S+ <score>"),
    ("mse", "mse <loss>"),
    ("rmse", "rmse <loss>"),
];

/// The repository of one of the built-in images of AWS.
fn builtin_repository(image: &str) -> Option<&str> {
    let (host, path) = image.split_once('/')?;
    host.contains(".dkr.ecr.").then(|| path.split(['@', ':']).next().unwrap_or_default())
}

/// The definitions, name and regex, that the service adds to those of a request for a built-in image.
pub(super) fn builtin_definitions(image: &str) -> Vec<(String, String)> {
    let Some(repository) = builtin_repository(image) else { return Vec::new() };
    let numeric = |more: Vec<(String, String)>| {
        let mut all = vec![
            ("train:progress".to_owned(), r"#progress_metric: host=\S+, completed (\S+) %".to_owned()),
            (
                "train:throughput".to_owned(),
                r"#throughput_metric: host=\S+, train throughput=(\S+) records/second".to_owned(),
            ),
        ];
        all.extend(more);
        all
    };
    match repository {
        "sagemaker-xgboost" | "xgboost" => xgboost_definitions(),
        "linear-learner" => numeric(linear_learner_definitions()),
        "kmeans" => numeric(
            [
                several("train", &[("msd", "msd <loss>")]),
                several("test", &[("msd", "msd <loss>"), ("ssd", "ssd <loss>")]),
            ]
            .concat(),
        ),
        "pca" => numeric(Vec::new()),
        "knn" => numeric(several("test", &[("accuracy", "accuracy <score>"), ("mse", "mse <loss>")])),
        "randomcutforest" => numeric(several(
            "test",
            &[
                ("accuracy", "accuracy <score>"),
                ("f1", "f1 <score>"),
                ("precision", "precision <score>"),
                ("recall", "recall <score>"),
            ],
        )),
        "factorization-machines" => {
            let of_batch = FACTORIZATION_MACHINES.iter().map(|(name, text)| {
                (
                    format!("train:{name}"),
                    format!(r"#quality_metric: host=\S+, epoch=\S+, batch=\S+ train {text}=(\S+)"),
                )
            });
            let of_epoch = FACTORIZATION_MACHINES.iter().map(|(name, text)| {
                (format!("train:{name}:epoch"), format!(r"#quality_metric: host=\S+, epoch=\S+, train {text}=(\S+)"))
            });
            numeric(of_batch.chain(of_epoch).chain(several("test", FACTORIZATION_MACHINES)).collect())
        }
        _ => Vec::new(),
    }
}

fn xgboost_definitions() -> Vec<(String, String)> {
    let definition = |channel: &str, metric: &str| {
        let regex = format!(r".*\[[0-9]+\].*#011{channel}-{metric}:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*");
        (format!("{channel}:{metric}"), regex)
    };
    ["train", "validation"]
        .iter()
        .flat_map(|channel| XGBOOST.iter().map(|metric| definition(channel, metric)))
        .collect()
}

/// Definitions of metrics that are logged once for a data set.
fn several(set: &str, metrics: &[(&str, &str)]) -> Vec<(String, String)> {
    let one = |(name, text): &(&str, &str)| {
        (format!("{set}:{name}"), format!(r"#quality_metric: host=\S+, {set} {text}=(\S+)"))
    };
    metrics.iter().map(one).collect()
}

fn linear_learner_definitions() -> Vec<(String, String)> {
    let of_train: Vec<(&str, &str)> =
        LINEAR_LEARNER.iter().filter(|(name, _)| LINEAR_LEARNER_TRAIN.contains(name)).copied().collect();
    let mut all = several("train", &of_train);
    for set in ["train", "validation"] {
        let in_epoch = format!(r"#quality_metric: host=\S+, epoch=\S+, {set} \S+_objective <loss>=(\S+)");
        let at_end = format!(r"#quality_metric: host=\S+, {set} \S+_objective <loss>=(\S+)");
        all.push((format!("{set}:objective_loss"), in_epoch));
        all.push((format!("{set}:objective_loss:final"), at_end));
    }
    all.extend(several("test", &[("objective_loss", r"\S+_objective <loss>")]));
    all.extend(several("validation", LINEAR_LEARNER));
    all.extend(several("test", LINEAR_LEARNER));
    all
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
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:#=, <>/%".contains(&b));
    if let Some((_, tail)) = regex.split_once("#011") {
        let plain = tail.split_once('(').map(|(text, _)| text).filter(|text| is_plain(text));
        return plain.unwrap_or_default().to_owned();
    }
    // Plain text with nothing but words between: every piece must be in the line.
    let pieces: Vec<&str> = regex.split(r"\S+").flat_map(|piece| piece.split(['(', ')'])).collect();
    match pieces.iter().all(|piece| is_plain(piece)) {
        true => pieces.into_iter().max_by_key(|piece| piece.len()).unwrap_or_default().to_owned(),
        false => String::new(),
    }
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
        assert_eq!(builtin_definitions("my/sagemaker-xgboost:1"), []);
    }

    #[test]
    fn metrics_of_the_numeric_algorithms_are_found_in_the_lines_of_the_containers() {
        let of = |repository: &str, texts: &[&str]| -> Vec<(String, f64)> {
            let image = format!("174872318107.dkr.ecr.us-west-2.amazonaws.com/{repository}:1");
            let definitions = builtin_definitions(&image);
            assert!(definitions.len() <= MAX_DEFINITIONS, "{repository}");
            let found = final_values(&compile(&definitions).unwrap(), lines(texts));
            let pair = |one: &Value| (one["MetricName"].as_str().unwrap().to_owned(), one["Value"].as_f64().unwrap());
            found.iter().map(pair).collect()
        };
        let linear = [
            "[11/24/2020 18:53:56 INFO 140513] #quality_metric: host=algo-1, epoch=0, train mse_objective <loss>=0.96",
            "[11/24/2020 18:53:56 INFO 140513] #progress_metric: host=algo-1, completed 100.0 % of epochs",
            "[11/24/2020 18:53:57 INFO 140513] #quality_metric: host=algo-1, validation mse <loss>=13.72",
            "[11/24/2020 18:53:57 INFO 140513] #quality_metric: host=algo-1, test binary_f_1.000 <score>=0.5",
        ];
        let named = |name: &str, value: f64| (name.to_owned(), value);
        assert_eq!(
            of("linear-learner", &linear),
            [
                named("train:progress", 100.0),
                named("train:objective_loss", 0.96),
                named("validation:mse", 13.72),
                named("test:binary_f_beta", 0.5)
            ]
        );
        assert_eq!(of("kmeans", &["#quality_metric: host=algo-1, test msd <loss>=0.25"]), [named("test:msd", 0.25)]);
        let machines = [
            "#quality_metric: host=algo-1, epoch=0, batch=0 train rmse <loss>=3.5",
            "#quality_metric: host=algo-1, epoch=0, train rmse <loss>=2.5",
            "#quality_metric: host=algo-1, test rmse <loss>=1.5",
        ];
        let expected = [named("train:rmse", 3.5), named("train:rmse:epoch", 2.5), named("test:rmse", 1.5)];
        assert_eq!(of("factorization-machines", &machines), expected);
        assert_eq!(hint(r"#quality_metric: host=\S+, test msd <loss>=(\S+)"), "#quality_metric: host=");
        assert_eq!(hint(r"loss=(\d+)"), "");
    }
}
