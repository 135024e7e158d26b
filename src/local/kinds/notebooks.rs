//! Notebook instances, their lifecycle configurations and code repositories.

use serde_json::{Value, json};

use super::row::plain;
use super::{Draft, Kind, ListRow, Move, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;

pub(super) static ROWS: &[Row] = &[
    Row {
        needs: &[(Kind::NotebookInstanceLifecycleConfig, "LifecycleConfigName")],
        aliases: &[
            ("NotebookInstanceLifecycleConfigName", "LifecycleConfigName"),
            ("SecurityGroups", "SecurityGroupIds"),
        ],
        status: Status {
            created: &[("Pending", 120), ("InService", 0)],
            updated: &[("Updating", 30), ("Stopped", 0)],
            deleted: &[("Deleting", 60)],
            moves: &[
                Move {
                    operation: "StartNotebookInstance",
                    from: &["Stopped", "Failed"],
                    steps: &[("Pending", 120), ("InService", 0)],
                },
                Move {
                    operation: "StopNotebookInstance",
                    from: &["InService"],
                    steps: &[("Stopping", 60), ("Stopped", 0)],
                },
            ],
            updatable: &["Stopped", "Failed"],
            deletable: &["Stopped", "Failed"],
            refuse,
            ..Status::of("NotebookInstanceStatus")
        },
        update: Update {
            left: &[
                "DisassociateLifecycleConfig",
                "DisassociateAcceleratorTypes",
                "DisassociateDefaultCodeRepository",
                "DisassociateAdditionalCodeRepositories",
            ],
            finish: disassociate,
            ..Update::PLAIN
        },
        prepare,
        list: ListRow {
            filters: &[
                ("NotebookInstanceLifecycleConfigNameContains", "LifecycleConfigName"),
                ("DefaultCodeRepositoryContains", "DefaultCodeRepository"),
                ("AdditionalCodeRepositoryEquals", "AdditionalCodeRepositories"),
            ],
            ..ListRow::by_name("ListNotebookInstances", true)
        },
        missing: |_, _| AwsError::validation("RecordNotFound"),
        taken: |_, arn| AwsError::validation(format!("Cannot create a duplicate Notebook Instance ({arn})")),
        ..plain!(NotebookInstance, "notebook-instance", ListRow::NONE)
    },
    Row {
        missing: |_, arn| {
            AwsError::validation(format!(
                "Unable to describe Notebook Instance Lifecycle Config '{arn}'. (Details: Notebook Instance Lifecycle \
                 Config does not exist.)"
            ))
        },
        taken: |_, arn| {
            AwsError::validation(format!(
                "Unable to create Notebook Instance Lifecycle Config {arn}. (Details: Notebook Instance Lifecycle \
                 Config already exists.)"
            ))
        },
        ..plain!(
            NotebookInstanceLifecycleConfig,
            "notebook-instance-lifecycle-config",
            ListRow::newest_first("ListNotebookInstanceLifecycleConfigs")
        )
    },
    Row {
        update: Update { merged: &["GitConfig"], ..Update::PLAIN },
        missing: |_, arn| AwsError::validation(format!("Cannot find CodeRepository: \"{arn}\"")),
        taken: |_, arn| AwsError::validation(format!("Cannot create already existing CodeRepository: \"{arn}\"")),
        ..plain!(CodeRepository, "code-repository", ListRow::by_name("ListCodeRepositories", true))
    },
];

fn refuse(asked: &str, status: &str, arn: &str) -> AwsError {
    let (from, to) = match asked {
        "StopNotebookInstance" => ("InService", "Stopping"),
        "StartNotebookInstance" => ("Stopped, Failed", "Pending"),
        "update" => ("Stopped, Failed", "Updating"),
        _ => ("Stopped, Failed", "Deleting"),
    };
    AwsError::validation(format!(
        "Status ({status}) not in ([{from}]). Unable to transition to ({to}) for Notebook Instance ({arn})"
    ))
}

fn prepare(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    let name = draft.text("NotebookInstanceName").unwrap_or_default().to_lowercase();
    draft.set("Url", format!("{name}.notebook.{}.sagemaker.aws", draft.place.region));
    if draft.text("DirectInternetAccess") == Some("Disabled") && !draft.has("SubnetId") {
        let message = "DirectInternetAccess can be set to Disabled only if a SubnetId is given.";
        return Err(AwsError::validation(message));
    }
    draft.default("DirectInternetAccess", "Enabled");
    draft.default("RootAccess", "Enabled");
    draft.default("VolumeSizeInGB", 5);
    draft.default("InstanceMetadataServiceConfiguration", json!({"MinimumInstanceMetadataServiceVersion": "1"}));
    Ok(())
}

/// Takes off what the request says is to go.
fn disassociate(notebook: &mut Resource, request: &Value) -> Result<(), AwsError> {
    for (flag, member) in [
        ("DisassociateLifecycleConfig", "LifecycleConfigName"),
        ("DisassociateAcceleratorTypes", "AcceleratorTypes"),
        ("DisassociateDefaultCodeRepository", "DefaultCodeRepository"),
        ("DisassociateAdditionalCodeRepositories", "AdditionalCodeRepositories"),
    ] {
        if request.get(flag) == Some(&Value::Bool(true)) {
            notebook.request.remove(member);
        }
    }
    Ok(())
}
