use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::operation::describe_transform_job::DescribeTransformJobOutput;
use aws_sdk_sagemaker::primitives::DateTime;

use crate::job::{JobDescription, JobStatus, StatusChange, is_over};

/// What the service tells of a transform job.
#[derive(Debug, Clone)]
pub struct TransformJobDescription(DescribeTransformJobOutput);

impl TransformJobDescription {
    pub(super) fn new(output: DescribeTransformJobOutput) -> Self {
        Self(output)
    }

    /// All that the service told.
    pub fn raw(&self) -> &DescribeTransformJobOutput {
        &self.0
    }

    /// Where the results are.
    pub fn output_path(&self) -> Option<&str> {
        self.0.transform_output()?.s3_output_path()
    }
}

impl JobDescription for TransformJobDescription {
    fn status(&self) -> JobStatus {
        self.0.transform_job_status().map_or("", |status| status.as_str()).into()
    }

    fn secondary_status(&self) -> Option<&str> {
        None
    }

    fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason()
    }

    /// The service keeps no history of these jobs: what its times tell.
    fn status_changes(&self) -> Vec<StatusChange> {
        let mut changes = Vec::new();
        let mut push = |status: &str, message: &str, at: Option<SystemTime>| {
            if let Some(at) = at {
                changes.push(StatusChange { status: status.to_owned(), message: message.to_owned(), at });
            }
        };
        push("InProgress", "Starting the transform job", time(self.0.creation_time()));
        push("InProgress", "Transforming", time(self.0.transform_start_time()));
        if is_over(self) {
            push(self.status().as_str(), self.failure_reason().unwrap_or_default(), self.ended_at());
        }
        changes
    }

    fn instance_count(&self) -> usize {
        let count = self
            .0
            .transform_resources()
            .and_then(aws_sdk_sagemaker::types::TransformResources::instance_count)
            .unwrap_or(1);
        usize::try_from(count).unwrap_or(1).max(1)
    }

    /// The service tells only when it was created.
    fn modified_at(&self) -> Option<SystemTime> {
        time(self.0.creation_time())
    }

    fn ended_at(&self) -> Option<SystemTime> {
        time(self.0.transform_end_time())
    }

    /// The service knows none for these jobs.
    fn time_limit(&self) -> Option<Duration> {
        None
    }
}

fn time(at: Option<&DateTime>) -> Option<SystemTime> {
    at.and_then(|at| SystemTime::try_from(*at).ok())
}
