use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput;
use aws_sdk_sagemaker::types::{AlgorithmSpecification, Channel, OutputDataConfig};

use super::plan::ROLE_OF_TRAINING;
use super::{Estimator, PlanContext, PlannedUpload, TrainingPlan};
use crate::aws::{RawChanges, ServiceCall};
use crate::error::Problems;
use crate::session::Found;
use crate::source::{CodeOf, Place, Staged, Tree};
use crate::training::{Channels, TrainingJob};
use crate::types::{GivenRole, ResourceName, S3Uri};
use crate::{ErrorKind, Result, Session};

/// A training job that is about to start; `.await` it.
///
/// If the service's answer is lost, the job is looked for by its name: it either gives the job that was started, or an
/// error. Dropping the future half-way may leave a job that was started; a name given with [`job_name`](Self::job_name)
/// finds it again with [`TrainingJob::attach`](crate::job::Job::attach).
#[must_use = "nothing is started until it is awaited"]
pub struct Fit<'a> {
    estimator: &'a dyn Estimator,
    session: &'a Session,
    channels: Channels,
    job_name: Option<String>,
    look_at_inputs: bool,
    changes: RawChanges<CreateTrainingJobInputBuilder>,
}

impl<'a> Fit<'a> {
    pub(super) fn new(estimator: &'a dyn Estimator, session: &'a Session, channels: Channels) -> Self {
        Self { estimator, session, channels, job_name: None, look_at_inputs: true, changes: RawChanges::default() }
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
        self.changes.push(change);
        self
    }

    fn plan(&mut self) -> Result<TrainingPlan> {
        let mut context = PlanContext::about_to_start(self.session);
        if let Some(name) = self.job_name.take() {
            context = context.job_name(name);
        }
        let plan = self.estimator.plan(&context, &self.channels)?;
        Ok(plan.map_raw(|request| std::mem::take(&mut self.changes).apply(request)))
    }

    async fn start(mut self) -> Result<TrainingJob> {
        let mut plan = self.plan()?;
        let code = match self.estimator.source() {
            Some(source) if source.in_s3().is_none() => {
                let source = source.clone();
                let looked = tokio::task::spawn_blocking(move || Tree::of(&source)).await;
                Some(looked.map_err(std::io::Error::other)??)
            }
            _ => None,
        };
        if self.look_at_inputs {
            refuse_empty(self.session, &self.channels).await?;
        }
        if plan.needs_role() {
            let role = match self.estimator.settings().role.as_deref() {
                Some(role) => self.session.full_role(&GivenRole::new(role)?).await?,
                None => self.session.role_for(ROLE_OF_TRAINING).await?,
            };
            plan = plan.with_role(role);
        }
        let output_is_default = plan.needs_output();
        if output_is_default {
            plan = plan.with_output(&self.session.default_uri("").await?);
        }
        let output: S3Uri = plan.output().parse()?;
        let (plan, staged) = located(self.estimator, plan, self.session.region(), Some(&output), output_is_default)?;
        if let (Some(code), Some(staged)) = (code, staged)
            && let Some(target) = &staged.upload
        {
            let of = CodeOf::Job(plan.job_name());
            Box::pin(code.upload(self.session, target, staged.kms_key.as_deref(), of)).await?;
        }
        let name = ResourceName::new(plan.job_name())?;
        tracing::debug!(job = %name, "create training job");
        let job = TrainingJob::new(self.session.clone(), name);
        let request = plan.request();
        let call = async { request.clone().send_with(self.session.aws().sagemaker()).await.of("CreateTrainingJob") };
        let find = || async {
            let description = job.describe().await?;
            let there = description.raw();
            Ok(Found::new(there.creation_time(), is_as_asked(there, request)))
        };
        self.session.create(format!("training job {}", job.name()), call, find).await?;
        Ok(job)
    }
}

/// A plan with what follows from where its output goes, as far as that is known: the code's place, and what the job is
/// told of both.
fn located<E: Estimator + ?Sized>(
    estimator: &E,
    plan: TrainingPlan,
    region: &str,
    output: Option<&S3Uri>,
    output_is_default: bool,
) -> Result<(TrainingPlan, Option<Staged>)> {
    let more = estimator.hyperparameters_of_job(plan.job_name(), output);
    let plan = plan.with_hyperparameters(more);
    let Some(source) = estimator.source() else { return Ok((plan, None)) };
    let request = plan.request();
    let isolated = request.get_enable_network_isolation() == &Some(true);
    let mut staged = source.staged(&Place {
        job_name: plan.job_name(),
        region,
        output,
        output_is_default,
        output_kms_key: request.get_output_data_config().as_ref().and_then(OutputDataConfig::kms_key_id),
        network_isolation: isolated,
    })?;
    let plan = match staged.uri.as_deref().filter(|_| isolated) {
        Some(uri) => plan.with_code_channel(uri),
        None => plan,
    };
    let plan = plan.with_hyperparameters(std::mem::take(&mut staged.hyperparameters));
    Ok((plan, Some(staged)))
}

/// A plan with its uploads, and with all that is known of where its output goes.
pub(super) fn completed_offline<E: Estimator + ?Sized>(
    estimator: &E,
    context: &PlanContext,
    plan: TrainingPlan,
) -> Result<TrainingPlan> {
    let code = estimator.source().filter(|source| source.in_s3().is_none()).map(Tree::of).transpose()?;
    let output_is_default = plan.needs_output();
    let output = match output_is_default {
        true => context.known_default_output().cloned(),
        false => Some(plan.output().parse()?),
    };
    let mut plan = plan;
    if let Some(output) = output.as_ref().filter(|_| output_is_default) {
        plan = plan.with_output(output);
    }
    let role_was_named = estimator.settings().role.is_some();
    if let Some(role) = context.known_default_role().filter(|_| plan.needs_role() && !role_was_named) {
        plan = plan.with_role(role.clone());
    }
    let (plan, staged) = located(estimator, plan, context.region(), output.as_ref(), output_is_default)?;
    Ok(match code {
        Some(code) => {
            let (target, kms_key) = staged.map_or((None, None), |staged| (staged.upload, staged.kms_key));
            plan.with_upload(PlannedUpload { what: "source code", target, bytes: code.size(), kms_key })
        }
        None => plan,
    })
}

/// Whether a job trains the same on the same: what another job of this name would hardly share.
fn is_as_asked(there: &DescribeTrainingJobOutput, request: &CreateTrainingJobInputBuilder) -> bool {
    let algorithm = |of: Option<&AlgorithmSpecification>| {
        of.map(|of| (of.training_image().map(str::to_owned), of.algorithm_name().map(str::to_owned)))
    };
    let channels = |of: &[Channel]| -> BTreeMap<String, String> {
        let uri = |channel: &Channel| Some(channel.data_source()?.s3_data_source()?.s3_uri()?.to_owned());
        let named = of.iter().map(|of| (of.channel_name().unwrap_or_default().to_owned(), uri(of).unwrap_or_default()));
        named.collect()
    };
    let asked_channels = request.get_input_data_config().as_deref().unwrap_or_default();
    let asked_hyperparameters = request.get_hyper_parameters().iter().flatten().collect::<BTreeMap<_, _>>();
    algorithm(there.algorithm_specification()) == algorithm(request.get_algorithm_specification().as_ref())
        && there.role_arn() == request.get_role_arn().as_deref()
        && there.hyper_parameters().into_iter().flatten().collect::<BTreeMap<_, _>>() == asked_hyperparameters
        && channels(there.input_data_config()) == channels(asked_channels)
}

/// A job without data fails minutes later and may cost money; a listing tells now. Who may not list is not kept back.
async fn refuse_empty(session: &Session, channels: &Channels) -> Result<()> {
    let mut problems = Problems::default();
    let prefixes = channels.iter().filter_map(|(name, input)| Some((name, input.as_s3()?)));
    for (name, input) in prefixes.filter(|(_, input)| input.is_prefix()) {
        let uri: S3Uri = input.uri().parse()?;
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
