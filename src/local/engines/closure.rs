//! An engine made of closures.

use std::fmt;
use std::sync::Arc;

use super::image::ImagePattern;
use super::{
    Engine, EngineFailure, Invocation, InvocationFailure, LoadedModel, ModelFiles, ProcessingTask, Reply,
    TrainingOutput, TrainingTask,
};

type Train = dyn Fn(&TrainingTask) -> Result<TrainingOutput, EngineFailure> + Send + Sync;
type Process = dyn Fn(&ProcessingTask) -> Result<(), EngineFailure> + Send + Sync;
type Load = dyn Fn(&ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> + Send + Sync;

/// Trains, processes and serves an image with closures: what a test wants.
///
/// ```
/// use sagemaker::local::LocalBackend;
/// use sagemaker::local::engines::{EngineFailure, FnEngine, Invocation, InvocationFailure, Reply, TrainingOutput};
///
/// let engine = FnEngine::for_image("my-image")
///     .train_with(|job| {
///         let rate = job.hyperparameters.get("rate").ok_or_else(|| EngineFailure::client("rate is missing"))?;
///         job.log(format!("learning at {rate}"));
///         Ok(TrainingOutput::default().model_file("rate.txt", rate.clone()))
///     })
///     .load_with(|model| {
///         let rate = model.file("rate.txt").cloned().ok_or_else(|| EngineFailure::algorithm("no rate.txt"))?;
///         Ok(move |request: &Invocation| match request.content_type.as_str() {
///             "text/csv" => Ok(Reply::new("text/csv", rate.clone())),
///             other => Err(InvocationFailure::new(415, format!("cannot read {other}"))),
///         })
///     });
/// let backend = LocalBackend::builder().engine(engine).build();
/// # drop(backend);
/// ```
#[derive(Clone)]
pub struct FnEngine {
    image: ImagePattern,
    train: Option<Arc<Train>>,
    process: Option<Arc<Process>>,
    load: Option<Arc<Load>>,
}

impl FnEngine {
    /// An engine that can neither train nor serve yet.
    ///
    /// The image is a whole URI, the name of a repository with or without its tag, or a pattern with `*`:
    /// `my-image` stands for `123456789012.dkr.ecr.eu-west-1.amazonaws.com/my-image:3`.
    pub fn for_image(image: impl Into<String>) -> Self {
        Self { image: ImagePattern::new(image), train: None, process: None, load: None }
    }

    /// What trains. May block; a panic fails the job as an `AlgorithmError`.
    #[must_use]
    pub fn train_with<F>(mut self, train: F) -> Self
    where
        F: Fn(&TrainingTask) -> Result<TrainingOutput, EngineFailure> + Send + Sync + 'static,
    {
        self.train = Some(Arc::new(train));
        self
    }

    /// What runs processing jobs. May block; a panic fails the job as an `AlgorithmError`.
    ///
    /// ```
    /// use sagemaker::local::engines::{EngineFailure, FnEngine};
    ///
    /// let engine = FnEngine::for_image("my-image").process_with(|job| {
    ///     let failed = |error: std::io::Error| EngineFailure::algorithm(error.to_string());
    ///     let text = std::fs::read_to_string(job.path("/opt/ml/processing/input/a.txt")).map_err(failed)?;
    ///     std::fs::write(job.path("/opt/ml/processing/output/a.txt"), text.to_uppercase()).map_err(failed)
    /// });
    /// # drop(engine);
    /// ```
    #[must_use]
    pub fn process_with<F>(mut self, process: F) -> Self
    where
        F: Fn(&ProcessingTask) -> Result<(), EngineFailure> + Send + Sync + 'static,
    {
        self.process = Some(Arc::new(process));
        self
    }

    /// What answers requests, for models that are the same whatever their files. May block.
    #[must_use]
    pub fn serve_with<F>(self, serve: F) -> Self
    where
        F: Fn(&Invocation) -> Result<Reply, InvocationFailure> + Send + Sync + 'static,
    {
        let serve = Arc::new(serve);
        self.load_with(move |_| {
            let serve = serve.clone();
            Ok(move |request: &Invocation| serve(request))
        })
    }

    /// What loads a model; it gives back what answers requests. May block.
    #[must_use]
    pub fn load_with<F, M>(mut self, load: F) -> Self
    where
        F: Fn(&ModelFiles) -> Result<M, EngineFailure> + Send + Sync + 'static,
        M: Fn(&Invocation) -> Result<Reply, InvocationFailure> + Send + Sync + 'static,
    {
        self.load = Some(Arc::new(move |model| Ok(Arc::new(FnModel(load(model)?)) as Arc<dyn LoadedModel>)));
        self
    }

    fn lacks(&self, what: &str) -> EngineFailure {
        let image = self.image.as_str();
        EngineFailure::client(format!("the engine for the image \"{image}\" has no closure that {what}"))
    }
}

impl Engine for FnEngine {
    fn runs(&self, image: &str) -> bool {
        self.image.matches(image)
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        let train = self.train.as_ref().ok_or_else(|| self.lacks("trains (FnEngine::train_with)"))?;
        train(job)
    }

    fn process(&self, job: &ProcessingTask) -> Result<(), EngineFailure> {
        let process = self.process.as_ref().ok_or_else(|| self.lacks("processes (FnEngine::process_with)"))?;
        process(job)
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        let load = self.load.as_ref().ok_or_else(|| self.lacks("serves (FnEngine::serve_with)"))?;
        load(model)
    }
}

impl fmt::Debug for FnEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, train, process, load } = self;
        let mut shown = f.debug_struct("FnEngine");
        shown.field("image", &image.as_str()).field("trains", &train.is_some());
        shown.field("processes", &process.is_some()).field("serves", &load.is_some());
        shown.finish()
    }
}

struct FnModel<F>(F);

impl<F> LoadedModel for FnModel<F>
where
    F: Fn(&Invocation) -> Result<Reply, InvocationFailure> + Send + Sync + 'static,
{
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure> {
        (self.0)(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_closure_says_so() {
        let engine = FnEngine::for_image("i").serve_with(|_| Ok(Reply::new("text/plain", "hello")));
        let refused = engine.train(&TrainingTask::default()).unwrap_err().to_string();
        assert_eq!(
            refused,
            "ClientError: the engine for the image \"i\" has no closure that trains (FnEngine::train_with)"
        );
        let model = engine.load(&ModelFiles::default()).unwrap();
        let request = Invocation { content_type: String::new(), accept: String::new(), body: bytes::Bytes::new() };
        assert_eq!(&*model.invoke(&request).unwrap().body, b"hello");
    }
}
