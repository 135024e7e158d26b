//! Training, tuning, processing and batch transform jobs.

use super::row::plain;
use super::{ListRow, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        case_sensitive: true,
        flags: &["EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"],
        status: Status::of("TrainingJobStatus"),
        missing: |_, _| AwsError::validation("Requested resource not found."),
        taken: |_, arn| {
            AwsError::in_use(format!(
                "Training job names must be unique within an AWS account and region, and a training job with this \
                 name already exists ({arn})"
            ))
        },
        ..plain!(TrainingJob, "training-job", ListRow::oldest_first("ListTrainingJobs"))
    },
    Row {
        case_sensitive: true,
        status: Status::of("TransformJobStatus"),
        missing: |name, _| AwsError::validation(format!("Could not find requested job with name: {name}")),
        taken: |_, arn| {
            AwsError::in_use(format!(
                "Job name must be unique within an AWS account and region, and a job with this name already exists \
                 ({arn})"
            ))
        },
        ..plain!(TransformJob, "transform-job", ListRow::newest_first("ListTransformJobs"))
    },
    Row {
        case_sensitive: true,
        status: Status::of("ProcessingJobStatus"),
        missing: |name, _| AwsError::validation(format!("Could not find requested job with name: {name}")),
        taken: |_, arn| {
            AwsError::in_use(format!(
                "Job name must be unique within an AWS account and region, and a job with this name already exists \
                 ({arn})"
            ))
        },
        ..plain!(ProcessingJob, "processing-job", ListRow::oldest_first("ListProcessingJobs"))
    },
    Row {
        case_sensitive: true,
        status: Status::of("HyperParameterTuningJobStatus"),
        missing: |name, _| {
            AwsError::resource_not_found(format!(
                "Amazon SageMaker can't find a tuning job called {name}. Type another name."
            ))
        },
        taken: |name, _| {
            AwsError::in_use(format!(
                "A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
            ))
        },
        ..plain!(
            HyperParameterTuningJob,
            "hyper-parameter-tuning-job",
            ListRow::by_name("ListHyperParameterTuningJobs", true)
        )
    },
];
