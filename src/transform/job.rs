use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::TransformJobDescription;
use crate::aws::ServiceCall;
use crate::job::{Changed, Completed, Job, JobKind, sealed};
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// The kind of [`TransformJob`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Transform;

/// A handle to a batch transform job.
pub type TransformJob = Job<Transform>;

impl sealed::Sealed for Transform {}

impl JobKind for Transform {
    const NOUN: &'static str = "transform job";
    const LOG_GROUP: &'static str = "/aws/sagemaker/TransformJobs";
    type Description = TransformJobDescription;

    async fn describe(session: &Session, name: &str) -> Result<TransformJobDescription> {
        let asked = session.aws().sagemaker().describe_transform_job().transform_job_name(name).send().await;
        asked.of("DescribeTransformJob").map(TransformJobDescription::new)
    }

    async fn stop(session: &Session, name: &str) -> Result<()> {
        let asked = session.aws().sagemaker().stop_transform_job().transform_job_name(name).send().await;
        asked.of("StopTransformJob").map(drop)
    }

    async fn changed(session: &Session, after: SystemTime, token: Option<String>) -> Result<Option<Changed>> {
        let page = session.aws().sagemaker().list_transform_jobs().last_modified_time_after(after.into());
        let page = page.max_results(100).set_next_token(token).send().await.of("ListTransformJobs")?;
        let jobs = page.transform_job_summaries().iter().filter_map(|job| {
            let at = job.last_modified_time().and_then(|at| SystemTime::try_from(*at).ok());
            Some((job.transform_job_name()?.to_owned(), job.transform_job_status()?.as_str().to_owned(), at))
        });
        Ok(Some(Changed { jobs: jobs.collect(), next: page.next_token.clone() }))
    }
}

impl Completed<Transform> {
    /// Where the results are: one `<input path>.out` for each input file.
    pub fn output_path(&self) -> Result<S3Uri> {
        match self.description().output_path() {
            Some(uri) => uri.parse(),
            None => Err(Error::new(ErrorKind::Service, format!("the transform job {} tells no output", self.name()))),
        }
    }

    /// Downloads the results into a folder, and gives the files.
    pub async fn download_output(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        // The slash at the end keeps `out` from taking `out-2` along.
        let output = self.output_path()?;
        let key = output.key().trim_end_matches('/');
        let output = S3Uri::new(output.bucket(), if key.is_empty() { String::new() } else { format!("{key}/") })?;
        self.job().session().download(&output, folder).await
    }
}
