//! Lineage: artifacts, actions, contexts and what connects them.

use super::row::plain;
use super::{ArnTail, Kind, ListRow, MadeId, Row, Status, Update};
use crate::local::aws_error::AwsError;

const PROPERTIES: Update =
    Update { merged: &["Properties"], removals: &[("PropertiesToRemove", "Properties")], ..Update::PLAIN };

const SOURCE: &[(&str, &str)] = &[("SourceUri", "Source.SourceUri")];

pub(super) static ROWS: &[Row] = &[
    Row {
        arn_tail: ArnTail::Made,
        made: Some(MadeId::new("ArtifactId", "", 32)),
        title: "ArtifactName",
        update: PROPERTIES,
        list: ListRow { filters: SOURCE, ..ListRow::newest_first("ListArtifacts") },
        missing: |_, arn| missing("Artifact", arn),
        ..Row::plain(Kind::Artifact, "Artifact", "ArtifactArn", "ArtifactArn", "artifact", ListRow::NONE)
    },
    Row {
        update: PROPERTIES,
        status: Status::of("Status"),
        list: ListRow { filters: SOURCE, ..ListRow::newest_first("ListActions") },
        missing: |_, arn| missing("Action", arn),
        taken: |name, _| taken("Action", name),
        ..plain!(Action, "action", ListRow::NONE)
    },
    Row {
        update: PROPERTIES,
        list: ListRow { filters: SOURCE, ..ListRow::newest_first("ListContexts") },
        missing: |_, arn| missing("Context", arn),
        taken: |name, _| taken("Context", name),
        ..plain!(Context, "context", ListRow::NONE)
    },
    // Known by the two that it connects.
    Row {
        parents: &["SourceArn"],
        case_sensitive: true,
        ..Row::plain(
            Kind::Association,
            "Association",
            "DestinationArn",
            "AssociationArn",
            "association",
            ListRow::newest_first("ListAssociations"),
        )
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
