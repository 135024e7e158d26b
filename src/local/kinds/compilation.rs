//! Jobs that compile and optimise models.

use serde_json::{Value, json};

use super::row::plain;
use super::{Draft, ListRow, Move, Row, Status};
use crate::local::aws_error::AwsError;
use crate::local::time::timestamp;

const JOB: Status = Status {
    created: &[("STARTING", 10), ("INPROGRESS", 120), ("COMPLETED", 0)],
    deletable: &["COMPLETED", "FAILED", "STOPPED"],
    refuse: |asked, status, arn| {
        AwsError::validation(format!(
            "The request was rejected because the job {arn} is in status {status}, which does not allow {asked}."
        ))
    },
    ..Status::of("")
};

const RUNNING: &[&str] = &["STARTING", "INPROGRESS"];

pub(super) static ROWS: &[Row] = &[
    Row {
        status: Status {
            member: "CompilationJobStatus",
            moves: &[Move {
                operation: "StopCompilationJob",
                from: RUNNING,
                steps: &[("STOPPING", 10), ("STOPPED", 0)],
            }],
            reached: |job, status, now| match status {
                "INPROGRESS" => job.set("CompilationStartTime", timestamp(now)),
                "COMPLETED" | "STOPPED" => job.set("CompilationEndTime", timestamp(now)),
                _ => {}
            },
            ..JOB
        },
        aliases: &[
            ("CompilationTargetDevice", "OutputConfig.TargetDevice"),
            ("CompilationTargetPlatformOs", "OutputConfig.TargetPlatform.Os"),
            ("CompilationTargetPlatformArch", "OutputConfig.TargetPlatform.Arch"),
            ("CompilationTargetPlatformAccelerator", "OutputConfig.TargetPlatform.Accelerator"),
        ],
        prepare: prepare_compilation,
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find compilation job \"{arn}\".")),
        taken: |name, _| {
            AwsError::in_use(format!(
                "Resource Already Exists: Compilation job with name {name} already exists. Choose a different name."
            ))
        },
        ..plain!(CompilationJob, "compilation-job", ListRow::oldest_first("ListCompilationJobs"))
    },
    Row {
        status: Status {
            member: "OptimizationJobStatus",
            moves: &[Move {
                operation: "StopOptimizationJob",
                from: RUNNING,
                steps: &[("STOPPING", 10), ("STOPPED", 0)],
            }],
            reached: |job, status, now| match status {
                "INPROGRESS" => job.set("OptimizationStartTime", timestamp(now)),
                "COMPLETED" | "STOPPED" => job.set("OptimizationEndTime", timestamp(now)),
                _ => {}
            },
            ..JOB
        },
        prepare: |draft| {
            let configs = draft.request.get("OptimizationConfigs").and_then(Value::as_array);
            let kinds = configs.into_iter().flatten().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
            let kinds: Vec<&str> =
                kinds.map(|kind| kind.trim_start_matches("Model").trim_end_matches("Config")).collect();
            draft.members.insert("OptimizationTypes".to_owned(), json!(kinds));
            Ok(())
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find optimization job \"{arn}\".")),
        taken: |_, arn| AwsError::in_use(format!("Optimization job already exists: {arn}")),
        list: ListRow {
            filters: &[("OptimizationContains", "OptimizationTypes")],
            ..ListRow::oldest_first("ListOptimizationJobs")
        },
        ..plain!(OptimizationJob, "optimization-job", ListRow::NONE)
    },
];

fn prepare_compilation(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    match (draft.has("InputConfig"), draft.has("ModelPackageVersionArn")) {
        (true, true) => {
            let message = "InputConfig and ModelPackageVersionArn cannot be specified at the same time.";
            return Err(AwsError::validation(message));
        }
        (false, false) => {
            return Err(AwsError::validation("Either InputConfig or ModelPackageVersionArn must be specified."));
        }
        _ => {}
    }
    let output = draft.text("OutputConfig.S3OutputLocation").unwrap_or_default().trim_end_matches('/').to_owned();
    let device = draft.text("OutputConfig.TargetDevice").unwrap_or("model").to_owned();
    draft.set("ModelArtifacts", json!({"S3ModelArtifacts": format!("{output}/model-{device}.tar.gz")}));
    draft.set("FailureReason", "");
    Ok(())
}
