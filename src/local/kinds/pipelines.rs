//! Pipelines and their executions.

use super::row::plain;
use super::{ArnTail, Kind, ListRow, MadeId, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        status: Status::of("PipelineStatus"),
        aliases: &[("LastExecutionTime", "LastRunTime")],
        takes_along: &[Kind::PipelineExecution],
        list: ListRow { filters: &[("PipelineNamePrefix", "PipelineName")], ..ListRow::newest_first("ListPipelines") },
        missing: |_, arn| AwsError::resource_not_found(format!("Pipeline '{arn}' does not exist.")),
        taken: |name, _| {
            AwsError::validation(format!(
                "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already \
                 exists."
            ))
        },
        ..plain!(Pipeline, "pipeline", ListRow::NONE)
    },
    Row {
        arn_tail: ArnTail::Nested("execution"),
        parents: &["PipelineName"],
        made: Some(MadeId::new("PipelineExecutionId", "", 12)),
        title: "PipelineExecutionDisplayName",
        aliases: &[("StartTime", "CreationTime"), ("PipelineExecutionFailureReason", "FailureReason")],
        status: Status::of("PipelineExecutionStatus"),
        missing: |_, arn| AwsError::resource_not_found(format!("Pipeline execution with ARN {arn} does not exist.")),
        ..Row::plain(
            Kind::PipelineExecution,
            "PipelineExecution",
            "PipelineExecutionId",
            "PipelineExecutionArn",
            "pipeline",
            ListRow::newest_first("ListPipelineExecutions"),
        )
    },
];
