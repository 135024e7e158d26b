use std::time::SystemTime;

use super::series::ReadMetricSeries;
use super::{Metric, TrainingJobDescription};
use crate::aws::ServiceCall;
use crate::job::{Changed, Completed, Job, JobKind, sealed};
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// The kind of [`TrainingJob`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Training;

/// A handle to a training job.
///
/// ```
/// # #[cfg(feature = "local")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// use sagemaker::{ErrorKind, Session, training::TrainingJob};
///
/// let session = Session::local();
/// let error = TrainingJob::attach(&session, "never-started").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "local"))]
/// # fn main() {}
/// ```
pub type TrainingJob = Job<Training>;

impl sealed::Sealed for Training {}

impl JobKind for Training {
    const NOUN: &'static str = "training job";
    const LOG_GROUP: &'static str = "/aws/sagemaker/TrainingJobs";
    type Description = TrainingJobDescription;

    async fn describe(session: &Session, name: &str) -> Result<TrainingJobDescription> {
        let asked = session.aws().sagemaker().describe_training_job().training_job_name(name).send().await;
        asked.of("DescribeTrainingJob").map(TrainingJobDescription::new).map_err(|error| named(error, name))
    }

    async fn stop(session: &Session, name: &str) -> Result<()> {
        let asked = session.aws().sagemaker().stop_training_job().training_job_name(name).send().await;
        asked.of("StopTrainingJob").map(drop).map_err(|error| named(error, name))
    }

    async fn changed(session: &Session, after: SystemTime, token: Option<String>) -> Result<Option<Changed>> {
        let page = session.aws().sagemaker().list_training_jobs().last_modified_time_after(after.into());
        let page = page.max_results(100).set_next_token(token).send().await.of("ListTrainingJobs")?;
        let jobs = page.training_job_summaries().iter().filter_map(|job| {
            let at = job.last_modified_time().and_then(|at| SystemTime::try_from(*at).ok());
            Some((job.training_job_name()?.to_owned(), job.training_job_status()?.as_str().to_owned(), at))
        });
        Ok(Some(Changed { jobs: jobs.collect(), next: page.next_token.clone() }))
    }
}

/// The service says only "Requested resource not found".
fn named(error: Error, name: &str) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    error.reworded(format!("there is no training job {name} in this account and region"))
}

impl Job<Training> {
    /// The last value of each metric that the job has reported so far.
    pub async fn metrics(&self) -> Result<Vec<Metric>> {
        Ok(self.describe().await?.metrics())
    }

    /// The course of each metric over time, as CloudWatch keeps it: `.await` it, or narrow it down before.
    pub fn metric_series(&self) -> ReadMetricSeries {
        ReadMetricSeries::new(self.clone())
    }
}

impl Completed<Training> {
    /// Where the trained model is: `<output path>/<job>/output/model.tar.gz`, or for
    /// [uncompressed output](crate::estimator::TrainingSettings::uncompressed_output) the prefix of its files.
    pub fn model_artifacts(&self) -> Result<S3Uri> {
        match self.description().model_artifacts() {
            Some(uri) => uri.parse(),
            None => Err(Error::new(ErrorKind::NotFound, format!("the training job {} left no model", self.name()))),
        }
    }

    /// The final value of each metric.
    pub fn metrics(&self) -> Vec<Metric> {
        self.description().metrics()
    }
}
