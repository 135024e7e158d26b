//! Log lines in the form of the containers.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::parameters::{self, Parameters, Spec};
use crate::local::engines::{EngineFailure, TrainingTask};
use crate::local::time;

/// What a thread is called in the lines of the containers.
const THREAD: u64 = 140_000_000_000_000;

/// Whether a metric is better when it is lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local::engines) enum Sense {
    Loss,
    Score,
}

/// The log of one training job.
pub(in crate::local::engines) struct Log<'a> {
    task: &'a TrainingTask,
    /// The name in `#metrics` lines.
    algorithm: &'static str,
    begun: SystemTime,
}

/// Logs what a container says first, and reads the hyperparameters.
pub(in crate::local::engines) fn begin<'a>(
    task: &'a TrainingTask,
    algorithm: &'static str,
    specs: &[Spec],
) -> Result<(Log<'a>, Parameters), EngineFailure> {
    let log = Log { task, algorithm, begun: (task.now)() };
    task.log("Docker entrypoint called with argument(s): train");
    task.log("Running default environment configuration script");
    log.info(format!(
        "Reading default configuration from /opt/amazon/lib/python3.8/site-packages/algorithm/resources/default-input.json: {}",
        parameters::defaults(specs)
    ));
    let provided = task.hyperparameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    log.info(format!(
        "Merging with provided configuration from /opt/ml/input/config/hyperparameters.json: {}",
        parameters::python_dictionary(provided)
    ));
    let given = Parameters::parse(&task.hyperparameters, specs)?;
    log.info(format!("Final configuration: {}", given.shown()));
    log.info("Using default worker.");
    if task.instance_count > 1 {
        let count = task.instance_count;
        log.warning(format!("{count} instances were asked for; the local engine trains on one."));
    }
    Ok((log, given))
}

impl Log<'_> {
    pub(in crate::local::engines) fn info(&self, text: impl AsRef<str>) {
        self.line("INFO", text.as_ref());
    }

    pub(in crate::local::engines) fn warning(&self, text: impl AsRef<str>) {
        self.line("WARNING", text.as_ref());
    }

    fn line(&self, level: &str, text: &str) {
        let at = time::log_time((self.task.now)());
        self.task.log(format!("[{at} {level} {THREAD}] {text}"));
    }

    /// The value of a metric at the end of an epoch.
    pub(in crate::local::engines) fn epoch(&self, epoch: usize, set: &str, metric: &str, sense: Sense, value: f64) {
        self.info(format!("#quality_metric: host=algo-1, epoch={epoch}, {set} {metric} {}={value}", tag(sense)));
        let (mut dimensions, mut metrics) = (Map::new(), Map::new());
        dimensions.insert("epoch".to_owned(), json!(epoch));
        metrics.insert(format!("{set}_{metric}"), one(value));
        self.metrics(dimensions, metrics);
    }

    /// The value of a metric on a mini-batch of an epoch.
    pub(in crate::local::engines) fn batch(
        &self,
        at: (usize, usize),
        set: &str,
        metric: &str,
        sense: Sense,
        value: f64,
    ) {
        let (epoch, batch) = at;
        self.info(format!(
            "#quality_metric: host=algo-1, epoch={epoch}, batch={batch} {set} {metric} {}={value}",
            tag(sense)
        ));
    }

    /// The value of a metric after training.
    pub(in crate::local::engines) fn quality(&self, set: &str, metric: &str, sense: Sense, value: f64) {
        self.info(format!("#quality_metric: host=algo-1, {set} {metric} {}={value}", tag(sense)));
    }

    /// The value of a metric after training, announced as the containers announce scores.
    pub(in crate::local::engines) fn score(&self, set: &str, metric: &str, sense: Sense, value: f64) {
        self.info(format!("#{set}_score (algo-1) : ('{metric}', {value})"));
        self.quality(set, metric, sense, value);
    }

    pub(in crate::local::engines) fn progress(&self, done: usize, of: usize) {
        let percent = 100.0 * done as f64 / of.max(1) as f64;
        self.info(format!("#progress_metric: host=algo-1, completed {percent} % of epochs"));
    }

    /// How many records a second were read since `since`.
    pub(in crate::local::engines) fn throughput(&self, records: usize, since: SystemTime) {
        let took = self.now().duration_since(since).unwrap_or_default().max(Duration::from_millis(1));
        let rate = records as f64 / took.as_secs_f64();
        self.info(format!("#throughput_metric: host=algo-1, train throughput={rate} records/second"));
    }

    /// How many records were read in all.
    pub(in crate::local::engines) fn records(&self, seen: usize, batches: usize, epoch: Option<usize>) {
        let mut dimensions = Map::new();
        let meta = if epoch.is_some() { "training_data_iter" } else { "init_train_data_iter" };
        dimensions.insert("Meta".to_owned(), json!(meta));
        if let Some(epoch) = epoch {
            dimensions.insert("epoch".to_owned(), json!(epoch));
        }
        let mut metrics = Map::new();
        metrics.insert("Total Records Seen".to_owned(), one(seen as f64));
        metrics.insert("Total Batches Seen".to_owned(), one(batches as f64));
        self.metrics(dimensions, metrics);
    }

    /// The last line.
    pub(in crate::local::engines) fn end(&self) {
        let took = self.now().duration_since(self.begun).unwrap_or_default().as_secs_f64() * 1000.0;
        let mut metrics = Map::new();
        metrics.insert("totaltime".to_owned(), one(took));
        self.metrics(Map::new(), metrics);
    }

    pub(in crate::local::engines) fn now(&self) -> SystemTime {
        (self.task.now)()
    }

    fn metrics(&self, more: Map<String, Value>, metrics: Map<String, Value>) {
        let seconds = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut dimensions = Map::new();
        dimensions.insert("Algorithm".to_owned(), json!(self.algorithm));
        dimensions.insert("Host".to_owned(), json!("algo-1"));
        dimensions.insert("Operation".to_owned(), json!("training"));
        dimensions.extend(more);
        let (start, end) = (seconds(self.begun), seconds(self.now()));
        let line = json!({"StartTime": start, "EndTime": end, "Dimensions": dimensions, "Metrics": metrics});
        self.task.log(format!("#metrics {line}"));
    }
}

fn one(value: f64) -> Value {
    json!({"sum": value, "count": 1, "min": value, "max": value})
}

fn tag(sense: Sense) -> &'static str {
    match sense {
        Sense::Loss => "<loss>",
        Sense::Score => "<score>",
    }
}
