//! Model cards, and the jobs that export them.

use serde_json::json;

use super::row::plain;
use super::{ArnTail, Kind, ListRow, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        takes_along: &[Kind::ModelCardExportJob],
        missing: |_, arn| AwsError::resource_not_found(format!("Model card {arn} does not exist.")),
        taken: |_, arn| {
            AwsError::new(400, "ConflictException", format!("A model card with this name already exists: {arn}"))
        },
        ..plain!(ModelCard, "model-card", ListRow::oldest_first("ListModelCards"))
    },
    Row {
        arn_tail: ArnTail::Nested("export-job"),
        parents: &["ModelCardName"],
        needs: &[(Kind::ModelCard, "ModelCardName")],
        status: Status {
            created: &[("InProgress", 30), ("Completed", 0)],
            reached: |job, status, _| {
                let output = job.member("OutputConfig.S3OutputPath").and_then(|path| path.as_str());
                if let (Some(output), "Completed") = (output, status) {
                    let key = format!("{}/{}.pdf", output.trim_end_matches('/'), job.name);
                    job.set("ExportArtifacts", json!({"S3ExportArtifacts": key}));
                }
            },
            ..Status::of("Status")
        },
        aliases: &[("CreatedAt", "CreationTime"), ("LastModifiedAt", "LastModifiedTime")],
        list: ListRow {
            filters: &[("ModelCardExportJobNameContains", "ModelCardExportJobName")],
            ..ListRow::newest_first("ListModelCardExportJobs")
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Model card export job {arn} does not exist.")),
        taken: |_, arn| {
            AwsError::new(400, "ConflictException", format!("An export job with this name already exists: {arn}"))
        },
        ..plain!(ModelCardExportJob, "model-card", ListRow::NONE)
    },
];
