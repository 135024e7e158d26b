//! Jobs and sessions that customise foundation models. The models are AWS's: nothing is trained here.

use serde_json::{Value, json};

use super::row::plain;
use super::{Kind, ListRow, Move, Row, Status};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;
use crate::local::time::timestamp;

pub(super) static ROWS: &[Row] = &[
    Row {
        wrap: "TrainingSessionDetail",
        needs: &[(Kind::ModelPackageGroup, "ModelPackageGroupArn")],
        status: Status {
            created: &[("Created", 30), ("Running", 0)],
            deleted: &[("Deleting", 10)],
            moves: &[Move {
                operation: "StopTrainingSession",
                from: &["Created", "Blocked", "Running", "Scheduled"],
                steps: &[("Stopping", 10), ("Stopped", 0)],
            }],
            deletable: &["Failed", "Stopped", "Expired", "DeletionFailed"],
            refuse: |_, status, arn| {
                AwsError::validation(format!(
                    "The request was rejected because the training session {arn} is in status {status}."
                ))
            },
            reached: |session, status, now| {
                if status == "Stopped" {
                    session.set("EndTime", timestamp(now));
                }
            },
            ..Status::of("TrainingSessionStatus")
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find training session \"{arn}\".")),
        taken: |_, arn| AwsError::in_use(format!("Training session already exists: {arn}")),
        ..plain!(TrainingSession, "training-session", ListRow::newest_first("ListTrainingSessions"))
    },
    Row {
        case_sensitive: true,
        parents: &["JobCategory"],
        aliases: &[("JobSecondaryStatus", "SecondaryStatus")],
        status: Status {
            created: &[("InProgress", 30), ("Failed", 0)],
            moves: &[Move { operation: "StopJob", from: &["InProgress"], steps: &[("Stopping", 10), ("Stopped", 0)] }],
            deletable: &["Completed", "Failed", "Stopped"],
            refuse: |asked, status, arn| {
                let message = format!("The request was rejected because the job {arn} is in status {status}.");
                if asked == "delete" { AwsError::in_use(message) } else { AwsError::validation(message) }
            },
            reached: job_reached,
            ..Status::of("JobStatus")
        },
        prepare: |draft| {
            let document = draft.text("JobConfigDocument").unwrap_or_default();
            match serde_json::from_str::<Value>(document) {
                Ok(Value::Object(_)) => Ok(()),
                _ => Err(AwsError::validation("JobConfigDocument is not a valid JSON object.")),
            }
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find job \"{arn}\".")),
        taken: |_, arn| AwsError::in_use(format!("Job already exists: {arn}")),
        ..plain!(Job, "job", ListRow::newest_first("ListJobs"))
    },
];

const NOTHING_RUNS: &str = "ClientError: the local backend has no foundation models to customise. It keeps jobs of model \
     customisation, and runs none of them.";
const TRANSITIONS: &str = "SecondaryStatusTransitions";

fn job_reached(job: &mut Resource, status: &str, now: std::time::SystemTime) {
    let secondary = if status == "InProgress" { "Starting" } else { status };
    let time = timestamp(now);
    job.set("SecondaryStatus", secondary);
    let all = job.state.entry(TRANSITIONS).or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        if let Some(last) = all.last_mut() {
            last["EndTime"] = time.clone();
        }
        all.push(json!({"Status": secondary, "StartTime": time}));
    }
    match status {
        "Failed" => {
            job.set("EndTime", time);
            job.set_failure(NOTHING_RUNS);
        }
        "Stopped" => job.set("EndTime", time),
        _ => {}
    }
}
