use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;

use super::{Estimator, PlanContext, TrainingPlan};
use crate::aws::ServiceCall;
use crate::error::Problems;
use crate::training::{Channels, S3DataType, TrainingJob};
use crate::types::{ResourceName, S3Uri};
use crate::{ErrorKind, Result, Session};

type Change = Box<dyn FnOnce(CreateTrainingJobInputBuilder) -> CreateTrainingJobInputBuilder + Send>;

/// A training job that is about to start; `.await` it.
#[must_use = "nothing is started until it is awaited"]
pub struct Fit<'a> {
    estimator: &'a dyn Estimator,
    session: &'a Session,
    channels: Channels,
    job_name: Option<String>,
    look_at_inputs: bool,
    change: Option<Change>,
}

impl<'a> Fit<'a> {
    pub(super) fn new(estimator: &'a dyn Estimator, session: &'a Session, channels: Channels) -> Self {
        Self { estimator, session, channels, job_name: None, look_at_inputs: true, change: None }
    }

    /// The job's name. Default: the base name with the time.
    pub fn job_name(mut self, name: impl Into<String>) -> Self {
        self.job_name = Some(name.into());
        self
    }

    /// Does not look whether the channels have any object, which takes one listing each.
    pub fn skip_input_check(mut self) -> Self {
        self.look_at_inputs = false;
        self
    }

    /// Changes the request before it is sent: the door to what this crate has no setter for.
    pub fn map_raw(
        mut self,
        change: impl FnOnce(CreateTrainingJobInputBuilder) -> CreateTrainingJobInputBuilder + Send + 'static,
    ) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    fn plan(&mut self) -> Result<TrainingPlan> {
        let mut context = PlanContext::new(self.session.region(), self.session.name_time());
        if let Some(name) = self.job_name.take() {
            context = context.job_name(name);
        }
        let plan = self.estimator.plan(&context, &self.channels)?;
        Ok(match self.change.take() {
            Some(change) => plan.map_raw(change),
            None => plan,
        })
    }

    async fn start(mut self) -> Result<TrainingJob> {
        let mut plan = self.plan()?;
        if self.look_at_inputs {
            refuse_empty(self.session, &self.channels).await?;
        }
        if plan.needs_role() {
            plan = plan.with_role(self.session.execution_role().await?);
        }
        if plan.needs_output() {
            plan = plan.with_output(&self.session.default_uri("").await?);
        }
        let name = ResourceName::new(plan.job_name())?;
        tracing::debug!(job = %name, "create training job");
        plan.request().clone().send_with(self.session.aws().sagemaker()).await.of("CreateTrainingJob")?;
        Ok(TrainingJob::new(self.session.clone(), name))
    }
}

/// A job without data fails minutes later and may cost money; a listing tells now. Who may not list is not kept back.
async fn refuse_empty(session: &Session, channels: &Channels) -> Result<()> {
    let mut problems = Problems::default();
    for (name, input) in channels.iter().filter(|(_, input)| input.data_type == S3DataType::S3Prefix) {
        let uri: S3Uri = input.uri.parse()?;
        let listing = session.aws().s3().list_objects_v2().bucket(uri.bucket()).prefix(uri.key()).max_keys(1);
        let text = match listing.send().await.of("ListObjectsV2") {
            Ok(page) if page.contents().is_empty() => format!("there is no object at {uri}"),
            Err(error) if error.kind() == ErrorKind::NotFound => format!("there is no bucket {}", uri.bucket()),
            _ => continue,
        };
        problems.push(format!("inputs.{name}"), text);
    }
    problems.into_result()
}

impl<'a> IntoFuture for Fit<'a> {
    type Output = Result<TrainingJob>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl fmt::Debug for Fit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fit").field("estimator", &self.estimator).finish_non_exhaustive()
    }
}
