//! Monitoring schedules, and the four kinds of job definitions that they run.

use serde_json::Value;

use super::row::{at, plain};
use super::{Draft, Kind, ListRow, Move, Row, Status};
use crate::local::aws_error::AwsError;

/// A kind of job definition; all four have the same members but for their input.
macro_rules! definition {
    ($noun:ident, $path:literal, $list:literal, $input:literal) => {
        Row {
            aliases: &[
                ("MonitoringJobDefinitionName", "JobDefinitionName"),
                ("MonitoringJobDefinitionArn", "JobDefinitionArn"),
            ],
            prepare: |draft| prepare_definition(draft, $input),
            missing: |name, _| AwsError::resource_not_found(format!("Could not find job definition with name {name}.")),
            taken: |name, _| {
                AwsError::in_use(format!(
                    "Resource Already Exists: {} with name {name} already exists. Choose a different name.",
                    stringify!($noun)
                ))
            },
            ..Row::plain(
                Kind::$noun,
                stringify!($noun),
                "JobDefinitionName",
                "JobDefinitionArn",
                $path,
                ListRow::newest_first($list),
            )
        }
    };
}

pub(super) static ROWS: &[Row] = &[
    definition!(
        DataQualityJobDefinition,
        "data-quality-job-definition",
        "ListDataQualityJobDefinitions",
        "DataQualityJobInput"
    ),
    definition!(
        ModelQualityJobDefinition,
        "model-quality-job-definition",
        "ListModelQualityJobDefinitions",
        "ModelQualityJobInput"
    ),
    definition!(
        ModelBiasJobDefinition,
        "model-bias-job-definition",
        "ListModelBiasJobDefinitions",
        "ModelBiasJobInput"
    ),
    definition!(
        ModelExplainabilityJobDefinition,
        "model-explainability-job-definition",
        "ListModelExplainabilityJobDefinitions",
        "ModelExplainabilityJobInput"
    ),
    Row {
        status: Status {
            created: &[("Pending", 10), ("Scheduled", 0)],
            updated: &[("Pending", 10), ("Scheduled", 0)],
            moves: &[
                Move {
                    operation: "StartMonitoringSchedule",
                    from: &["Stopped"],
                    steps: &[("Pending", 10), ("Scheduled", 0)],
                },
                Move {
                    operation: "StopMonitoringSchedule",
                    from: &["Scheduled", "Pending", "Failed"],
                    steps: &[("Stopped", 0)],
                },
            ],
            refuse: |_, status, arn| {
                AwsError::validation(format!("The monitoring schedule {arn} is in status {status}."))
            },
            ..Status::of("MonitoringScheduleStatus")
        },
        aliases: &[
            ("MonitoringType", "MonitoringScheduleConfig.MonitoringType"),
            ("MonitoringJobDefinitionName", "MonitoringScheduleConfig.MonitoringJobDefinitionName"),
        ],
        prepare: prepare_schedule,
        list: ListRow {
            filters: &[
                ("MonitoringJobDefinitionName", "MonitoringScheduleConfig.MonitoringJobDefinitionName"),
                ("MonitoringTypeEquals", "MonitoringScheduleConfig.MonitoringType"),
            ],
            ..ListRow::newest_first("ListMonitoringSchedules")
        },
        missing: |name, _| {
            AwsError::resource_not_found(format!("Could not find monitoring schedule with name {name}."))
        },
        taken: |_, arn| AwsError::in_use(format!("Monitoring schedule already exists: {arn}")),
        ..plain!(MonitoringSchedule, "monitoring-schedule", ListRow::NONE)
    },
];

fn prepare_definition(draft: &mut Draft<'_>, input: &str) -> Result<(), AwsError> {
    let endpoint = draft.text(&format!("{input}.EndpointInput.EndpointName")).map(str::to_owned);
    let batch = at(draft.request, &format!("{input}.BatchTransformInput")).is_some();
    if endpoint.is_some() == batch {
        let message = format!("Exactly one of EndpointInput and BatchTransformInput must be in the {input}.");
        return Err(AwsError::validation(message));
    }
    if let Some(endpoint) = endpoint {
        draft.set("EndpointName", endpoint);
    }
    Ok(())
}

/// A schedule watches the endpoint of its definition, be it in the request or a resource of its own.
fn prepare_schedule(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    let inline = at(draft.request, "MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringInputs");
    let inline = inline.and_then(|inputs| inputs.get(0)?.get("EndpointInput")?.get("EndpointName")?.as_str());
    let named = draft.text("MonitoringScheduleConfig.MonitoringJobDefinitionName");
    let kind = match draft.text("MonitoringScheduleConfig.MonitoringType") {
        Some("ModelQuality") => Kind::ModelQualityJobDefinition,
        Some("ModelBias") => Kind::ModelBiasJobDefinition,
        Some("ModelExplainability") => Kind::ModelExplainabilityJobDefinition,
        _ => Kind::DataQualityJobDefinition,
    };
    let endpoint = match (inline, named) {
        (Some(endpoint), _) => Some(endpoint.to_owned()),
        (None, Some(name)) => {
            let definition = draft.state.get(kind.row(), draft.place, name)?;
            definition.member("EndpointName").and_then(Value::as_str).map(str::to_owned)
        }
        (None, None) => None,
    };
    if let Some(endpoint) = endpoint {
        draft.set("EndpointName", endpoint);
    }
    Ok(())
}
