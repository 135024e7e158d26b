//! Hubs and their contents.

use super::row::plain;
use super::{Kind, ListRow, Row, Status};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        case_sensitive: true,
        kept_by: &[(Kind::HubContent, "HubName")],
        status: Status {
            created: &[("Creating", 10), ("InService", 0)],
            updated: &[("Updating", 10), ("InService", 0)],
            deleted: &[("Deleting", 10)],
            ..Status::of("HubStatus")
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Hub {arn} does not exist.")),
        taken: |_, arn| AwsError::in_use(format!("Hub already exists: {arn}")),
        ..plain!(Hub, "hub", ListRow::newest_first("ListHubs"))
    },
    Row {
        case_sensitive: true,
        parents: &["HubName", "HubContentType", "HubContentName"],
        title: "HubContentName",
        needs: &[(Kind::Hub, "HubName")],
        status: Status {
            created: &[("Importing", 10), ("Available", 0)],
            deleted: &[("Deleting", 5)],
            ..Status::of("HubContentStatus")
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Hub content {arn} does not exist.")),
        taken: |_, arn| AwsError::in_use(format!("Hub content already exists: {arn}")),
        ..Row::plain(
            Kind::HubContent,
            "HubContent",
            "HubContentVersion",
            "HubContentArn",
            "hub-content",
            ListRow::newest_first("ListHubContents"),
        )
    },
];
