//! Experiments, their trials and the components of these.

use super::row::plain;
use super::{Kind, ListRow, Row, Update};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        kept_by: &[(Kind::Trial, "ExperimentName")],
        kept: |arn, _| AwsError::validation(format!("Experiment '{arn}' cannot be deleted: it has trials.")),
        aliases: &[("DisplayName", "ExperimentName")],
        missing: |_, arn| missing("Experiment", arn),
        taken: |name, _| taken("Experiment", name),
        ..plain!(Experiment, "experiment", ListRow::newest_first("ListExperiments"))
    },
    Row {
        needs: &[(Kind::Experiment, "ExperimentName")],
        aliases: &[("DisplayName", "TrialName")],
        missing: |_, arn| missing("Trial", arn),
        taken: |name, _| taken("Trial", name),
        ..plain!(Trial, "experiment-trial", ListRow::newest_first("ListTrials"))
    },
    Row {
        update: Update {
            merged: &["Parameters", "InputArtifacts", "OutputArtifacts"],
            removals: &[
                ("ParametersToRemove", "Parameters"),
                ("InputArtifactsToRemove", "InputArtifacts"),
                ("OutputArtifactsToRemove", "OutputArtifacts"),
            ],
            ..Update::PLAIN
        },
        aliases: &[("DisplayName", "TrialComponentName")],
        missing: |_, arn| missing("TrialComponent", arn),
        taken: |name, _| taken("Trial component", name),
        ..plain!(TrialComponent, "experiment-trial-component", ListRow::newest_first("ListTrialComponents"))
    },
];

fn missing(what: &str, arn: &str) -> AwsError {
    AwsError::resource_not_found(format!("{what} '{arn}' does not exist."))
}

fn taken(what: &str, name: &str) -> AwsError {
    AwsError::validation(format!(
        "{what} names must be unique within an AWS account and region. {what} with name ({name}) already exists."
    ))
}
