use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::local::engines::{Channel, InputMode};

mod pipe;
mod processing;
mod serving;
mod training;

/// A task that runs a shell script, with its log and its two signs to end.
struct Job {
    task: TrainingTask,
    engine: ProcessEngine,
    log: Arc<Mutex<Vec<String>>>,
    stopping: Arc<AtomicBool>,
    killed: Arc<AtomicBool>,
}

impl Job {
    fn new(script: &str) -> Self {
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (stopping, killed) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (sink, stop, kill) = (log.clone(), stopping.clone(), killed.clone());
        let task = TrainingTask {
            job_name: "job-1".to_owned(),
            job_arn: "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1".to_owned(),
            image: "my-image".to_owned(),
            instance_type: "ml.m5.large".to_owned(),
            log_of: Arc::new(move |host, line| sink.lock().unwrap().push(format!("{host}: {line}"))),
            stopping: Arc::new(move || stop.load(Ordering::SeqCst)),
            killed: Arc::new(move || kill.load(Ordering::SeqCst)),
            ..TrainingTask::default()
        };
        let engine = ProcessEngine::for_image("my-image").train_with(["/bin/sh", "-c", script]);
        Self { task, engine, log, stopping, killed }
    }

    fn train(&self) -> std::result::Result<TrainingOutput, EngineFailure> {
        Engine::train(&self.engine, &self.task)
    }

    fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Blocks until a line was logged.
    fn wait_for(&self, line: &str) {
        while !self.lines().iter().any(|said| said == line) {
            std::thread::yield_now();
        }
    }
}

fn contents(files: &[(String, Bytes)]) -> Vec<(&str, String)> {
    files.iter().map(|(path, content)| (path.as_str(), String::from_utf8_lossy(content).into_owned())).collect()
}

#[test]
fn engines_are_read_from_text() {
    let engine: ProcessEngine = "acct/my-image:1=python3 -u 'my app.py'".parse().unwrap();
    assert!(engine.runs("acct/my-image:1") && !engine.runs("acct/my-image:2"));
    assert_eq!(engine.serve, Some(CommandLine::new(["python3", "-u", "my app.py", "serve"])));
    for (bad, why) in [
        ("my-image", "there is no ="),
        ("=python3", "there is no image"),
        ("my-image=", "it names no program"),
        ("my-image='x", "a quote is not closed"),
    ] {
        let error = bad.parse::<ProcessEngine>().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// Whether this machine has Python; what needs it is skipped elsewhere.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(in crate::local) fn has_python() -> bool {
    let found = std::process::Command::new("python3").arg("--version").output();
    let found = found.is_ok_and(|found| found.status.success());
    if !found {
        eprintln!("skipped: there is no python3");
    }
    found
}
