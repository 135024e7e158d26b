//! AutoML jobs, of both versions of the API.

use serde_json::{Value, json};

use super::row::plain;
use super::{Draft, ListRow, Move, Row, Status};
use crate::local::aws_error::AwsError;
use crate::local::time::timestamp;

pub(super) static ROWS: &[Row] = &[Row {
    status: Status {
        created: &[("InProgress", 600), ("Failed", 0)],
        moves: &[Move {
            operation: "StopAutoMLJob",
            from: &["InProgress"],
            steps: &[("Stopping", 10), ("Stopped", 0)],
        }],
        refuse: |_, status, _| {
            AwsError::validation(format!("The request was rejected because the AutoML job is in status {status}."))
        },
        reached: |job, status, now| {
            let secondary = if status == "InProgress" { "AnalyzingData" } else { status };
            job.set("AutoMLJobSecondaryStatus", secondary);
            if matches!(status, "Failed" | "Stopped") {
                job.set("EndTime", timestamp(now));
            }
            if status == "Failed" {
                job.set_failure(NOTHING_TRAINED);
            }
        },
        ..Status::of("AutoMLJobStatus")
    },
    prepare,
    missing: |_, arn| AwsError::resource_not_found(format!("Could not find AutoML job \"{arn}\".")),
    taken: |name, _| {
        AwsError::in_use(format!(
            "Resource Already Exists: Auto ML Job with name {name} already exists. Choose a different name."
        ))
    },
    list: ListRow { ..ListRow::by_name("ListAutoMLJobs", false) },
    ..plain!(AutoMLJob, "automl-job", ListRow::NONE)
}];

/// A completed job has a best candidate and its metrics, and there is none to tell of.
const NOTHING_TRAINED: &str = "ClientError: the local backend does not search for models: it keeps AutoML jobs, and ends \
     them without candidates. Train with CreateTrainingJob or CreateHyperParameterTuningJob, which really run.";

/// The second version describes jobs of the first: as tabular ones.
fn prepare(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    if let Some(Value::Array(channels)) = draft.request.get("InputDataConfig").cloned() {
        let target = channels.first().and_then(|channel| channel.get("TargetAttributeName")).cloned();
        draft.set("AutoMLJobInputDataConfig", channels);
        draft.set("AutoMLProblemTypeConfigName", "Tabular");
        draft.set("AutoMLProblemTypeConfig", json!({"TabularJobConfig": {"TargetAttributeName": target}}));
    } else if let Some(config) = draft.request.get("AutoMLProblemTypeConfig").and_then(Value::as_object) {
        let name = match config.keys().next().map(String::as_str) {
            Some("ImageClassificationJobConfig") => "ImageClassification",
            Some("TextClassificationJobConfig") => "TextClassification",
            Some("TimeSeriesForecastingJobConfig") => "TimeSeriesForecasting",
            Some("TextGenerationJobConfig") => "TextGeneration",
            _ => "Tabular",
        };
        draft.set("AutoMLProblemTypeConfigName", name);
    }
    Ok(())
}
