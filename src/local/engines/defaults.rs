//! Tasks, models and answers made from little, as tests and closures do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::{ModelFiles, ProcessingTask, Reply, STARTUP_LIMIT, TrainingOutput, TrainingTask};

impl Default for TrainingTask {
    fn default() -> Self {
        Self {
            job_name: String::new(),
            job_arn: String::new(),
            image: String::new(),
            hyperparameters: BTreeMap::new(),
            channels: Vec::new(),
            checkpoints: Vec::new(),
            keeps_checkpoints: false,
            checkpoint_path: "/opt/ml/checkpoints".to_owned(),
            save_checkpoint: Arc::new(|_, _| {}),
            environment: BTreeMap::new(),
            instance_count: 1,
            instance_type: String::new(),
            entrypoint: Vec::new(),
            arguments: Vec::new(),
            log: Arc::new(|_| {}),
            log_of: Arc::new(|_, _| {}),
            stopping: Arc::new(|| false),
            killed: Arc::new(|| false),
            s3: Arc::new(|_, _| None),
            now: Arc::new(|| SystemTime::UNIX_EPOCH),
        }
    }
}

impl Default for ProcessingTask {
    fn default() -> Self {
        Self {
            job_name: String::new(),
            job_arn: String::new(),
            image: String::new(),
            entrypoint: Vec::new(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            instance_count: 1,
            instance_type: String::new(),
            root: PathBuf::new(),
            log: Arc::new(|_| {}),
            log_of: Arc::new(|_, _| {}),
            stopping: Arc::new(|| false),
            killed: Arc::new(|| false),
        }
    }
}

impl Default for ModelFiles {
    fn default() -> Self {
        Self {
            image: String::new(),
            files: Vec::new(),
            environment: BTreeMap::new(),
            region: String::new(),
            log: Arc::new(|_| {}),
            stopping: Arc::new(|| false),
            startup_limit: STARTUP_LIMIT,
            s3: Arc::new(|_, _| None),
        }
    }
}

impl TrainingOutput {
    /// Adds a file to the model.
    ///
    /// ```
    /// use sagemaker::local::engines::TrainingOutput;
    ///
    /// let output = TrainingOutput::default().model_file("weights.txt", "0.5").data_file("report.txt", "fine");
    /// assert_eq!(output.model[0].0, "weights.txt");
    /// ```
    #[must_use]
    pub fn model_file(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.model.push((path.into(), content.into()));
        self
    }

    /// Adds a file to the output data.
    #[must_use]
    pub fn data_file(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.data.push((path.into(), content.into()));
        self
    }
}

impl Reply {
    /// An answer with a content type and a body.
    pub fn new(content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { content_type: content_type.into(), body: body.into() }
    }
}
