//! Jobs and requests for tests of the engines.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fastrand::Rng;

use super::random;
use crate::codec::recordio::RecordWriter;
use crate::local::engines::{
    Channel, Engine, EngineFailure, Invocation, InvocationFailure, LoadedModel, ModelFiles, TrainingOutput,
    TrainingTask,
};

/// A job with its log.
pub(in crate::local::engines) struct Job {
    pub(in crate::local::engines) task: TrainingTask,
    log: Arc<Mutex<Vec<String>>>,
}

impl Job {
    pub(in crate::local::engines) fn new(hyperparameters: &[(&str, &str)]) -> Self {
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = Arc::clone(&log);
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let task = TrainingTask {
            hyperparameters: hyperparameters.iter().map(pair).collect(),
            log: Arc::new(move |line: &str| sink.lock().unwrap().push(line.to_owned())),
            ..TrainingTask::default()
        };
        Self { task, log }
    }

    pub(in crate::local::engines) fn set(mut self, name: &str, value: &str) -> Self {
        self.task.hyperparameters.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(in crate::local::engines) fn csv(self, name: &str, label_size: u8, text: &str) -> Self {
        self.channel(name, &format!("text/csv;label_size={label_size}"), Bytes::from(text.to_owned()))
    }

    pub(in crate::local::engines) fn records(self, name: &str, rows: &[Vec<f32>], labels: &[f32]) -> Self {
        self.channel(name, "application/x-recordio-protobuf", records(rows, labels))
    }

    pub(in crate::local::engines) fn channel(mut self, name: &str, content_type: &str, content: Bytes) -> Self {
        let files = vec![("data".to_owned(), content)];
        let content_type = Some(content_type.to_owned());
        self.task.channels.push(Channel { name: name.to_owned(), content_type, files, ..Channel::default() });
        self
    }

    pub(in crate::local::engines) fn train(&self, engine: &dyn Engine) -> TrainingOutput {
        match engine.train(&self.task) {
            Ok(output) => output,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// What the job's `FailureReason` would be.
    pub(in crate::local::engines) fn refusal(&self, engine: &dyn Engine) -> String {
        match engine.train(&self.task) {
            Err(failure @ EngineFailure::Client { exit_code: Some(2), .. }) => failure.to_string(),
            Err(other) => panic!("no refusal: {other}"),
            Ok(_) => panic!("expected a refusal"),
        }
    }

    pub(in crate::local::engines) fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The last value of `#quality_metric: host=algo-1, SET NAME <..>=VALUE`.
    pub(in crate::local::engines) fn metric(&self, what: &str) -> f64 {
        let start = format!("#quality_metric: host=algo-1, {what} <");
        let value = |line: &String| line.split_once(&start)?.1.split_once('=')?.1.parse().ok();
        self.lines().iter().rev().find_map(value).unwrap_or_else(|| panic!("no {what}"))
    }
}

/// Rows as a body; without labels if there are none.
pub(in crate::local::engines) fn records(rows: &[Vec<f32>], labels: &[f32]) -> Bytes {
    let mut writer = RecordWriter::new();
    match labels {
        [] => writer.rows(rows).unwrap(),
        labels => writer.labelled_rows(rows, labels).unwrap(),
    }
    writer.finish()
}

/// Rows as CSV, with the label first if there are labels.
pub(in crate::local::engines) fn csv(rows: &[Vec<f32>], labels: &[f32]) -> String {
    let line = |(at, row): (usize, &Vec<f32>)| {
        let fields: Vec<String> = labels.get(at).into_iter().chain(row).map(ToString::to_string).collect();
        fields.join(",") + "\n"
    };
    rows.iter().enumerate().map(line).collect()
}

/// Rows of the standard normal distribution.
pub(in crate::local::engines) fn normal_rows(seed: u64, rows: usize, columns: usize) -> Vec<Vec<f32>> {
    let mut random = Rng::with_seed(seed);
    (0..rows).map(|_| (0..columns).map(|_| random::normal(&mut random) as f32).collect()).collect()
}

/// A model that was trained, loaded for serving.
pub(in crate::local::engines) fn load(engine: &dyn Engine, output: TrainingOutput) -> Arc<dyn LoadedModel> {
    match engine.load(&ModelFiles { files: output.model, ..ModelFiles::default() }) {
        Ok(model) => model,
        Err(failure) => panic!("{failure}"),
    }
}

pub(in crate::local::engines) fn ask(
    model: &dyn LoadedModel,
    content_type: &str,
    accept: &str,
    body: impl Into<Bytes>,
) -> Result<(String, Bytes), InvocationFailure> {
    let request = Invocation { content_type: content_type.to_owned(), accept: accept.to_owned(), body: body.into() };
    model.invoke(&request).map(|reply| (reply.content_type, reply.body))
}

/// The JSON that is answered to CSV.
pub(in crate::local::engines) fn json(model: &dyn LoadedModel, csv: impl Into<Bytes>) -> serde_json::Value {
    let (content_type, body) = ask(model, "text/csv", "application/json", csv).unwrap();
    assert_eq!(content_type, "application/json");
    serde_json::from_slice(&body).unwrap()
}
