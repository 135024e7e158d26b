//! The IAM actions that a plan's calls need.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobInputBuilder;
use aws_sdk_sagemaker::types::{DataSource, S3DataSource};

use super::PlannedUpload;
use crate::types::{Partition, S3Uri};

/// An action that the caller must be allowed, and on what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Permission {
    /// The action, such as `iam:PassRole`.
    pub action: &'static str,
    /// The ARN of the resource, with `*` for what is not known.
    pub resource: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)
    }
}

/// What uploads, checks, starts and follows a job; in the order in which it is needed, each once.
pub(super) fn of(
    request: &CreateTrainingJobInputBuilder,
    uploads: &[PlannedUpload],
    region: &str,
    named_role: Option<&str>,
) -> Vec<Permission> {
    let partition = Partition::of(region).name;
    let mut needed = Vec::new();
    let mut add = |action: &'static str, resource: String| needed.push(Permission { action, resource });

    let channels = request.get_input_data_config().iter().flatten();
    let inputs = channels.filter_map(|channel| channel.data_source().and_then(DataSource::s3_data_source));
    let buckets: BTreeSet<String> = inputs
        .filter_map(S3DataSource::s3_uri)
        .filter_map(|uri| Some(uri.parse::<S3Uri>().ok()?.bucket().to_owned()))
        .collect();
    for bucket in buckets {
        add("s3:ListBucket", format!("arn:{partition}:s3:::{bucket}"));
    }
    for upload in uploads {
        let object = upload.target.as_ref().map_or("*/*".to_owned(), |uri| format!("{}/{}", uri.bucket(), uri.key()));
        let object = format!("arn:{partition}:s3:::{object}");
        add("s3:GetObject", object.clone());
        add("s3:PutObject", object.clone());
        // Large code goes up in parts, which are removed again if that fails.
        add("s3:AbortMultipartUpload", object);
        if let Some(key) = &upload.kms_key {
            add("kms:GenerateDataKey", key.clone());
            // To put the parts together.
            add("kms:Decrypt", key.clone());
        }
    }
    match (request.get_role_arn(), named_role) {
        (_, Some(name)) => add("iam:GetRole", format!("arn:{partition}:iam::*:role/*{name}")),
        // The caller's own role is looked up for its path.
        (None, None) => add("iam:GetRole", format!("arn:{partition}:iam::*:role/*")),
        (Some(_), None) => {}
    }
    let role = match (request.get_role_arn(), named_role) {
        (Some(arn), _) => arn.clone(),
        (None, Some(name)) => format!("arn:{partition}:iam::*:role/*{name}"),
        (None, None) => format!("arn:{partition}:iam::*:role/*"),
    };
    add("iam:PassRole", role);
    if let Some(key) = request.get_resource_config().as_ref().and_then(|resources| resources.volume_kms_key_id()) {
        add("kms:CreateGrant", key.to_owned());
        add("kms:DescribeKey", key.to_owned());
    }
    let name = request.get_training_job_name().as_deref().unwrap_or("*");
    let job = format!("arn:{partition}:sagemaker:{region}:*:training-job/{name}");
    add("sagemaker:CreateTrainingJob", job.clone());
    if request.get_tags().as_ref().is_some_and(|tags| !tags.is_empty()) {
        add("sagemaker:AddTags", job.clone());
    }
    add("sagemaker:DescribeTrainingJob", job);
    // Waits for several jobs ask for all that have changed.
    add("sagemaker:ListTrainingJobs", "*".to_owned());
    let streams = format!("arn:{partition}:logs:{region}:*:log-group:/aws/sagemaker/TrainingJobs:*");
    add("logs:DescribeLogStreams", streams.clone());
    add("logs:GetLogEvents", streams);
    needed
}
