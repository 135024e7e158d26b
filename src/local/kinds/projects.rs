//! Projects, and whether Service Catalog may make them.

use super::row::plain;
use super::{Kind, ListRow, MadeId, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    PROJECT,
    // No resource of the API: the record of what an account has enabled.
    Row::plain(
        Kind::ServicecatalogPortfolio,
        "ServicecatalogPortfolio",
        "PortfolioName",
        "PortfolioArn",
        "servicecatalog-portfolio",
        ListRow::NONE,
    ),
];

const PROJECT: Row = Row {
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
};
