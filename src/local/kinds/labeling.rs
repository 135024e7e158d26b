//! Labeling: jobs, who works on them, and what they see.

use serde_json::{Value, json};

use super::row::plain;
use super::{Kind, ListRow, Move, Row, Status};
use crate::local::aws_error::AwsError;

const DATES: &[(&str, &str)] = &[("CreateDate", "CreationTime"), ("LastUpdatedDate", "LastModifiedTime")];

pub(super) static ROWS: &[Row] = &[
    Row {
        status: Status {
            created: &[("Initializing", 30), ("InProgress", 300), ("Completed", 0)],
            moves: &[Move {
                operation: "StopLabelingJob",
                from: &["Initializing", "InProgress"],
                steps: &[("Stopping", 10), ("Stopped", 0)],
            }],
            refuse: |_, status, _| {
                AwsError::validation(format!(
                    "The request was rejected because the labeling job is in status {status}."
                ))
            },
            reached: |job, status, _| {
                let output = job.member("OutputConfig.S3OutputPath").and_then(Value::as_str).map(str::to_owned);
                if let (Some(output), "Completed") = (output, status) {
                    let uri = format!("{}/{}/manifests/output/output.manifest", output.trim_end_matches('/'), job.name);
                    job.set("LabelingJobOutput", json!({"OutputDatasetS3Uri": uri}));
                }
            },
            ..Status::of("LabelingJobStatus")
        },
        aliases: &[
            ("WorkteamArn", "HumanTaskConfig.WorkteamArn"),
            ("PreHumanTaskLambdaArn", "HumanTaskConfig.PreHumanTaskLambdaArn"),
            (
                "AnnotationConsolidationLambdaArn",
                "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn",
            ),
            ("NumberOfHumanWorkersPerDataObject", "HumanTaskConfig.NumberOfHumanWorkersPerDataObject"),
        ],
        prepare: |draft| {
            // Nobody labels: every object stays as it was.
            let counters = ["TotalLabeled", "HumanLabeled", "MachineLabeled", "FailedNonRetryableError", "Unlabeled"];
            draft.set("LabelCounters", counters.map(|name| (name.to_owned(), json!(0))).into_iter().collect::<Value>());
            let name = draft.text("LabelingJobName").unwrap_or_default().to_lowercase();
            let code: String = name.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
            draft.set("JobReferenceCode", code);
            let account = draft.place.account.clone();
            draft.set("WorkRequesterAccountId", account);
            Ok(())
        },
        list: ListRow {
            filters: &[
                ("WorkteamArn", "HumanTaskConfig.WorkteamArn"),
                ("JobReferenceCodeContains", "JobReferenceCode"),
            ],
            ..ListRow::oldest_first("ListLabelingJobs")
        },
        missing: |name, _| AwsError::resource_not_found(format!("Labeling job {name} does not exist.")),
        taken: |name, _| AwsError::in_use(format!("Labeling job name {name} is in use.")),
        ..plain!(LabelingJob, "labeling-job", ListRow::NONE)
    },
    Row {
        wrap: "Workteam",
        aliases: DATES,
        needs: &[(Kind::Workforce, "WorkforceName")],
        prepare: |draft| {
            if let Some(name) = draft.text("WorkforceName") {
                let arn = Kind::Workforce.row().arn(draft.place, name);
                draft.set("WorkforceArn", arn);
            }
            // What DeleteWorkteam answers.
            draft.set("Success", true);
            Ok(())
        },
        missing: |name, _| AwsError::validation(format!("The work team \"{name}\" was not found.")),
        taken: |_, arn| AwsError::in_use(format!("The work team already exists: {arn}")),
        ..plain!(Workteam, "workteam/private-crowd", ListRow::oldest_first("ListWorkteams"))
    },
    Row {
        wrap: "Workforce",
        aliases: DATES,
        kept_by: &[(Kind::Workteam, "WorkforceName")],
        status: Status {
            created: &[("Initializing", 30), ("Active", 0)],
            updated: &[("Updating", 10), ("Active", 0)],
            deleted: &[("Deleting", 10)],
            ..Status::of("Status")
        },
        prepare: |draft| match draft.has("CognitoConfig") && draft.has("OidcConfig") {
            true => Err(AwsError::validation("A workforce has either a CognitoConfig or an OidcConfig, not both.")),
            false => Ok(()),
        },
        missing: |name, _| AwsError::validation(format!("No workforce found with name {name}.")),
        taken: |_, arn| AwsError::in_use(format!("The workforce already exists: {arn}")),
        ..plain!(Workforce, "workforce/private-crowd", ListRow::oldest_first("ListWorkforces"))
    },
    Row {
        status: Status { created: &[("Active", 0)], deleted: &[("Deleting", 5)], ..Status::of("HumanTaskUiStatus") },
        missing: |name, _| AwsError::resource_not_found(format!("Human task UI {name} does not exist.")),
        taken: |name, _| AwsError::in_use(format!("Human task UI {name} already exists.")),
        ..plain!(HumanTaskUi, "human-task-ui", ListRow::oldest_first("ListHumanTaskUis"))
    },
    Row {
        status: Status {
            created: &[("Initializing", 30), ("Active", 0)],
            deleted: &[("Deleting", 10)],
            ..Status::of("FlowDefinitionStatus")
        },
        missing: |name, _| AwsError::resource_not_found(format!("Flow definition {name} does not exist.")),
        taken: |name, _| AwsError::in_use(format!("Flow definition {name} already exists.")),
        ..plain!(FlowDefinition, "flow-definition", ListRow::oldest_first("ListFlowDefinitions"))
    },
];
