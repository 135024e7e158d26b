//! How much the backend forgives.

use std::sync::Arc;

use super::engines::{
    Engine, EngineFailure, Invocation, InvocationFailure, LoadedModel, ModelFiles, ProcessingTask, Reply,
    TrainingOutput, TrainingTask,
};

/// How much a [`LocalBackend`](super::LocalBackend) forgives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// Refuses what AWS refuses, and really trains. The default.
    ///
    /// Requests must be signed, with any key, as the AWS SDKs do by themselves. S3 answers unsigned requests where a
    /// bucket's policy or an access control list lets everybody in.
    #[default]
    Strict,
    /// For test suites that were written against a mock which only keeps records:
    ///
    /// - requests need no signature, and a malformed one is not refused;
    /// - any role may be assumed;
    /// - the patterns and lengths of the API model do not count (required members, types, enums and ranges of numbers do);
    /// - operations on tags take ARNs of other accounts, and names that are not in lower case there;
    /// - models may be without containers and tuning jobs without definitions (these complete without training jobs);
    ///   pipeline definitions and contents of model cards may be anything, and content and status change together;
    /// - a transform job may name a model that does not exist: it fails, and says why;
    /// - input data and model data may be missing, and output buckets are made when something is written to them;
    /// - a training job whose image no engine knows, or that has no data, completes with an empty model and a line in its
    ///   log that says so;
    /// - a processing job whose image no engine knows completes without outputs;
    /// - an endpoint whose image no engine knows, or whose model data is missing, comes up and answers each request with
    ///   the error that there is no engine.
    ///
    /// Everything else is as strict as ever: names in use, resources that do not exist.
    Lenient,
}

impl Profile {
    /// The engine that stands in where there is no other.
    pub(super) fn engine(self) -> Option<Arc<dyn Engine>> {
        match self {
            Self::Strict => None,
            Self::Lenient => Some(Arc::new(Nothing)),
        }
    }
}

/// Stands in for any image and does nothing.
pub(super) struct Nothing;

impl Engine for Nothing {
    fn runs(&self, _: &str) -> bool {
        true
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        job.log(format!("Nothing was trained: there is no data, or no engine for {} (lenient profile).", job.image));
        Ok(TrainingOutput::default())
    }

    fn process(&self, job: &ProcessingTask) -> Result<(), EngineFailure> {
        job.log(format!("Nothing was processed: there is no engine for {} (lenient profile).", job.image));
        Ok(())
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Ok(Arc::new(NoModel { image: model.image.clone() }))
    }
}

struct NoModel {
    image: String,
}

impl LoadedModel for NoModel {
    fn invoke(&self, _: &Invocation) -> Result<Reply, InvocationFailure> {
        let message = format!("There is no model, or no engine for {} (lenient profile).", self.image);
        Err(InvocationFailure { status: 500, message })
    }

    fn blocks(&self) -> bool {
        false
    }
}
