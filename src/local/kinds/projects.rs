//! Projects.

use super::row::plain;
use super::{ListRow, MadeId, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[Row {
    made: Some(MadeId::new("ProjectId", "p-", 12)),
    status: Status {
        created: &[("Pending", 5), ("CreateInProgress", 60), ("CreateCompleted", 0)],
        updated: &[("UpdateInProgress", 30), ("UpdateCompleted", 0)],
        deleted: &[("DeleteInProgress", 30)],
        ..Status::of("ProjectStatus")
    },
    missing: |name, _| AwsError::validation(format!("Project {name} does not exist.")),
    taken: |name, _| AwsError::validation(format!("Project with name {name} already exists.")),
    ..plain!(Project, "project", ListRow::oldest_first("ListProjects"))
}];
