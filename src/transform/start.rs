use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use aws_sdk_sagemaker::operation::create_transform_job::builders::CreateTransformJobInputBuilder;
use aws_sdk_sagemaker::types as sdk;

use super::{BatchStrategy, SplitType, TransformInput, TransformJob, Transformer};
use crate::aws::{RawChanges, ServiceCall};
use crate::error::Problems;
use crate::model::Model;
use crate::session::Found;
use crate::types::{ImageUri, ResourceName, S3Uri};
use crate::{Result, Session};

/// A transform job that is about to start; `.await` it.
///
/// # Errors
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value, before anything is sent.
#[must_use = "nothing is started until it is awaited"]
pub struct StartTransform<'a> {
    transformer: &'a Transformer,
    session: &'a Session,
    input: TransformInput,
    job_name: Option<String>,
    changes: RawChanges<CreateTransformJobInputBuilder>,
}

impl<'a> StartTransform<'a> {
    pub(super) fn new(transformer: &'a Transformer, input: TransformInput) -> Self {
        Self { transformer, session: &transformer.session, input, job_name: None, changes: RawChanges::default() }
    }

    /// The job's name. Default: the base name with the time.
    pub fn job_name(mut self, name: impl Into<String>) -> Self {
        self.job_name = Some(name.into());
        self
    }

    /// Changes the request before it is sent: the door to what this crate has no setter for.
    pub fn map_raw(
        mut self,
        change: impl FnOnce(CreateTransformJobInputBuilder) -> CreateTransformJobInputBuilder + Send + 'static,
    ) -> Self {
        self.changes.push(change);
        self
    }

    async fn start(self) -> Result<TransformJob> {
        let (transformer, input) = (self.transformer, &self.input);
        let mut problems = Problems::default();
        transformer.check(&mut problems);
        let uri = problems.check("input", input.uri.parse::<S3Uri>());
        let given_name = self.job_name.as_ref().map(|name| problems.check("job_name", ResourceName::new(name)));
        let uncut = matches!(input.split_type, None | Some(SplitType::None));
        if transformer.strategy == Some(BatchStrategy::MultiRecord) && uncut {
            problems.push("strategy", "many records a request need a split type, such as .split_type(SplitType::Line)");
        }
        problems.into_result()?;
        let Some(uri) = uri else { unreachable!("a missing part is a problem above") };
        let compute = transformer.compute.checked()?;

        let name = match given_name.flatten() {
            Some(name) => name,
            None => self.session.name_from_base(&base_name(transformer).await?),
        };
        let output = match &transformer.output_path {
            Some(output) => output.parse()?,
            None => self.session.default_uri(name.as_str()).await?,
        };

        let s3 = sdk::TransformS3DataSource::builder().s3_data_type(sdk::S3DataType::S3Prefix).s3_uri(uri.to_string());
        let data = sdk::TransformDataSource::builder().s3_data_source(s3.build()).build();
        let input = sdk::TransformInput::builder()
            .data_source(data)
            .set_content_type(input.content_type.as_ref().map(ToString::to_string))
            .set_split_type(input.split_type.map(SplitType::to_request))
            .set_compression_type(input.gzip.then_some(sdk::CompressionType::Gzip))
            .build();
        let output = sdk::TransformOutput::builder()
            .s3_output_path(output.to_string())
            .set_accept(transformer.accept.as_ref().map(ToString::to_string))
            .set_assemble_with(transformer.assemble_with.map(super::AssembleWith::to_request))
            .build();
        let resources = sdk::TransformResources::builder()
            .instance_type(sdk::TransformInstanceType::from(compute.instance_type.as_str()))
            .instance_count(compute.count)
            .build();
        let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let tag = |(key, value)| sdk::Tag::builder().key(key).value(value).build();
        let tags: Vec<_> = transformer.tags.iter().map(tag).collect();
        let environment = transformer.environment.clone().into_iter().collect();
        let request = CreateTransformJobInputBuilder::default()
            .transform_job_name(name.as_str())
            .model_name(&transformer.model_name)
            .transform_input(input)
            .transform_output(output)
            .transform_resources(resources)
            .set_batch_strategy(transformer.strategy.map(BatchStrategy::to_request))
            .set_max_payload_in_mb(transformer.max_payload_mb.map(number))
            .set_max_concurrent_transforms(transformer.max_concurrent_transforms.map(number))
            .set_environment((!transformer.environment.is_empty()).then_some(environment))
            .set_tags((!tags.is_empty()).then_some(tags));
        tracing::debug!(job = %name, model = transformer.model_name, "create transform job");
        let asked = self.changes.apply(self.session.defaults().transform(request));
        let job = TransformJob::new(self.session.clone(), name);
        let find = || async {
            let description = job.describe().await?;
            let there = description.raw();
            let source =
                |of: Option<&sdk::TransformInput>| Some(of?.data_source()?.s3_data_source()?.s3_uri()?.to_owned());
            let target = |of: Option<&sdk::TransformOutput>| Some(of?.s3_output_path()?.to_owned());
            let as_asked = there.model_name() == asked.get_model_name().as_deref()
                && source(there.transform_input()) == source(asked.get_transform_input().as_ref())
                && target(there.transform_output()) == target(asked.get_transform_output().as_ref());
            Ok(Found::new(there.creation_time(), as_asked))
        };
        let call = async { asked.clone().send_with(self.session.aws().sagemaker()).await.of("CreateTransformJob") };
        self.session.create(format!("transform job {}", job.name()), call, find).await?;
        Ok(job)
    }
}

/// As the Python SDK: the repository of the model's image, else the model's name.
async fn base_name(transformer: &Transformer) -> Result<String> {
    if let Some(base) = &transformer.base_job_name {
        return Ok(base.clone());
    }
    let model = Model::attach(&transformer.session, &transformer.model_name).await?;
    let image = model.describe().await?.image().map(ImageUri::new).transpose()?;
    Ok(image.map_or_else(|| transformer.model_name.clone(), |image| image.repository().to_owned()))
}

impl<'a> IntoFuture for StartTransform<'a> {
    type Output = Result<TransformJob>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl fmt::Debug for StartTransform<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartTransform")
            .field("transformer", self.transformer)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}
