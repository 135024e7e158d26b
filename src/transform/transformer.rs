use super::{AssembleWith, BatchStrategy, StartTransform, TransformInput};
use crate::error::Problems;
use crate::model::Model;
use crate::types::{Compute, ContentType, Environment, ResourceName, S3Uri, Tags};
use crate::{Result, Session};

/// How a model is applied to files; starts any number of transform jobs.
///
/// ```no_run
/// # async fn run(model: sagemaker::model::Model) -> sagemaker::Result<()> {
/// use sagemaker::transform::{AssembleWith, TransformInput};
/// use sagemaker::types::{Compute, ContentType};
///
/// let transformer = model
///     .transformer(Compute::instances("ml.m5.large", 1))
///     .accept(ContentType::CSV)
///     .assemble_with(AssembleWith::Line)
///     .build()?;
/// let job = transformer.transform(TransformInput::csv("s3://my-bucket/test.csv")).await?;
/// let files = job.wait().await?.download_output("predictions").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Transformer {
    pub(super) session: Session,
    pub(super) model_name: String,
    pub(super) compute: Compute,
    pub(super) strategy: Option<BatchStrategy>,
    pub(super) assemble_with: Option<AssembleWith>,
    pub(super) accept: Option<ContentType>,
    pub(super) output_path: Option<String>,
    pub(super) max_payload_mb: Option<u32>,
    pub(super) max_concurrent_transforms: Option<u32>,
    pub(super) environment: Environment,
    pub(super) base_job_name: Option<String>,
    pub(super) tags: Tags,
}

impl Transformer {
    /// Starts a transform job: `.await` it for the handle of the accepted job.
    pub fn transform(&self, input: TransformInput) -> StartTransform<'_> {
        StartTransform::new(self, input)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.check("model_name", ResourceName::new(self.model_name.as_str()));
        problems.check("compute", self.compute.checked());
        if let Some(output) = &self.output_path {
            problems.check("output_path", output.parse::<S3Uri>());
        }
        let (payload, concurrent) = (self.max_payload_mb.unwrap_or(6), self.max_concurrent_transforms.unwrap_or(1));
        if payload > 100 {
            problems.push("max_payload_mb", format!("must be at most 100 MB, is {payload}"));
        } else if u64::from(payload) * u64::from(concurrent) > 100 {
            let text = format!(
                "{concurrent} requests of up to {payload} MB at once are more than the 100 MB that are allowed"
            );
            problems.push("max_concurrent_transforms", text);
        }
        if self.environment.len() > 16 {
            problems.push("environment", format!("has at most 16 variables, these are {}", self.environment.len()));
        }
        self.tags.validate(problems);
    }
}

/// Settings of a [`Transformer`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct TransformerBuilder(Transformer);

impl Model {
    /// Prepares batch transforms with the model.
    pub fn transformer(&self, compute: Compute) -> TransformerBuilder {
        TransformerBuilder::new(self, compute)
    }
}

impl TransformerBuilder {
    fn new(model: &Model, compute: Compute) -> Self {
        Self(Transformer {
            session: model.session().clone(),
            model_name: model.name().to_owned(),
            compute,
            strategy: None,
            assemble_with: None,
            accept: None,
            output_path: None,
            max_payload_mb: None,
            max_concurrent_transforms: None,
            environment: Environment::default(),
            base_job_name: None,
            tags: model.inherited_tags().clone(),
        })
    }

    /// How many records a request carries. Default: the service's, many.
    pub fn strategy(mut self, strategy: BatchStrategy) -> Self {
        self.0.strategy = Some(strategy);
        self
    }

    /// How answers are put together. Default: the service's, one behind the other.
    pub fn assemble_with(mut self, assemble_with: AssembleWith) -> Self {
        self.0.assemble_with = Some(assemble_with);
        self
    }

    /// The `Accept` header of the requests to the container. Default: none.
    pub fn accept(mut self, accept: impl Into<ContentType>) -> Self {
        self.0.accept = Some(accept.into());
        self
    }

    /// Where the results go, as `<input path>.out`. Default: `<default bucket>/<job>`.
    pub fn output_path(mut self, uri: impl Into<String>) -> Self {
        self.0.output_path = Some(uri.into());
        self
    }

    /// The largest request in MB, 0 to 100 (0 for no limit). Default: 6.
    pub fn max_payload_mb(mut self, mb: u32) -> Self {
        self.0.max_payload_mb = Some(mb);
        self
    }

    /// How many requests an instance's container gets at once. Default: what the container says, or 1.
    pub fn max_concurrent_transforms(mut self, count: u32) -> Self {
        self.0.max_concurrent_transforms = Some(count);
        self
    }

    /// An environment variable of the container; at most 16.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.environment.insert(name.into(), value.into());
        self
    }

    /// What generated job names begin with. Default: the model's image.
    pub fn base_job_name(mut self, base: impl Into<String>) -> Self {
        self.0.base_job_name = Some(base.into());
        self
    }

    /// Tags of the jobs. Default: for the model of a training job those of the model, else none.
    pub fn tags(mut self, tags: impl Into<Tags>) -> Self {
        self.0.tags = tags.into();
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    pub fn build(self) -> Result<Transformer> {
        let mut problems = Problems::default();
        self.0.check(&mut problems);
        problems.into_result()?;
        Ok(self.0)
    }
}
