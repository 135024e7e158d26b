use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::local::engines::{Channel, Invocation, InvocationFailure};

mod learning;
mod releases;
mod serving;
mod training;

const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";

/// An image from after XGBoost's defaults and the container's metrics changed.
const NEWER: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5";

/// A job with its log.
struct Job {
    task: TrainingTask,
    log: Arc<Mutex<Vec<String>>>,
}

impl Job {
    fn new(hyperparameters: &[(&str, &str)], channels: &[(&str, &str)]) -> Self {
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let sink = Arc::clone(&log);
        let channels = channels.iter().map(|(name, csv)| channel(name, Some("text/csv"), &[("data.csv", csv)]));
        let task = TrainingTask {
            job_name: "job".to_owned(),
            image: IMAGE.to_owned(),
            hyperparameters: texts(hyperparameters),
            channels: channels.collect(),
            log: Arc::new(move |line: &str| sink.lock().unwrap().push(line.to_owned())),
            ..TrainingTask::default()
        };
        Self { task, log }
    }

    fn train(&self) -> Result<TrainingOutput, EngineFailure> {
        XGBoostEngine::new().train(&self.task)
    }

    fn refusal(&self) -> String {
        match self.train() {
            Err(EngineFailure::Algorithm { message, .. }) => message,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("expected a refusal"),
        }
    }

    fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The values of a metric, round after round.
    fn values(&self, metric: &str) -> Vec<f64> {
        let field = format!("\t{metric}:");
        let value = |line: &String| line.split_once(&field)?.1.split('\t').next()?.parse().ok();
        self.lines().iter().filter_map(value).collect()
    }
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn channel(name: &str, content_type: Option<&str>, files: &[(&str, &str)]) -> Channel {
    Channel {
        name: name.to_owned(),
        content_type: content_type.map(str::to_owned),
        files: files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from((*text).to_owned()))).collect(),
        ..Channel::default()
    }
}

fn serve(files: &[(&str, &[u8])], image: &str, environment: &[(&str, &str)]) -> Result<Arc<dyn LoadedModel>, String> {
    let files = files.iter().map(|(path, content)| ((*path).to_owned(), Bytes::copy_from_slice(content))).collect();
    let model = ModelFiles { image: image.to_owned(), files, environment: texts(environment), ..ModelFiles::default() };
    XGBoostEngine::new().load(&model).map_err(|failure| failure.to_string())
}

fn ask(
    model: &Arc<dyn LoadedModel>,
    content_type: &str,
    accept: &str,
    body: impl Into<Vec<u8>>,
) -> Result<String, InvocationFailure> {
    let request =
        Invocation { content_type: content_type.to_owned(), accept: accept.to_owned(), body: Bytes::from(body.into()) };
    model.invoke(&request).map(|reply| String::from_utf8(reply.body.to_vec()).unwrap())
}

/// Rows of `label,a,b,c` from a fixed sequence of numbers in 0..1.
fn rows(count: usize, seed: u64, label: impl Fn(f64, f64, f64) -> f64) -> String {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24)
    };
    let mut out = String::new();
    for _ in 0..count {
        let (a, b, c) = (next(), next(), next());
        out.push_str(&format!("{},{a:.6},{b:.6},{c:.6}\n", label(a, b, c)));
    }
    out
}

#[test]
fn runs_the_images_of_the_container_only() {
    let engine = XGBoostEngine::new();
    for image in
        [IMAGE, "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", "sagemaker-xgboost", "r/xgboost@sha256:0"]
    {
        assert!(engine.runs(image), "{image}");
    }
    for image in ["", "sagemaker-xgboost-extra:1", "xgboost/other:1", "my-xgboost"] {
        assert!(!engine.runs(image), "{image}");
    }
}
