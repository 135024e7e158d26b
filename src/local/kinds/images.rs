//! Images for Studio, and their versions.

use serde_json::Value;

use super::row::plain;
use super::{Kind, ListRow, Row, Status, Update};
use crate::local::aws_error::AwsError;

pub(super) static ROWS: &[Row] = &[
    Row {
        takes_along: &[Kind::ImageVersion],
        status: Status {
            created: &[("CREATING", 10), ("CREATED", 0)],
            updated: &[("UPDATING", 10), ("CREATED", 0)],
            deleted: &[("DELETING", 10)],
            ..Status::of("ImageStatus")
        },
        update: Update {
            left: &["DeleteProperties"],
            finish: |image, request| {
                let deleted = request.get("DeleteProperties").and_then(Value::as_array);
                image.request.retain(|member, _| !deleted.is_some_and(|names| names.iter().any(|name| name == member)));
                Ok(())
            },
            ..Update::PLAIN
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Image {arn} does not exist.")),
        taken: |_, arn| AwsError::in_use(format!("Image already exists: {arn}")),
        ..plain!(Image, "image", ListRow::newest_first("ListImages"))
    },
    Row {
        parents: &["ImageName"],
        status: Status {
            created: &[("CREATING", 10), ("CREATED", 0)],
            deleted: &[("DELETING", 10)],
            ..Status::of("ImageVersionStatus")
        },
        missing: |name, _| AwsError::resource_not_found(format!("Image version {name} does not exist.")),
        ..Row::plain(
            Kind::ImageVersion,
            "ImageVersion",
            "ImageVersion",
            "ImageVersionArn",
            "image-version",
            ListRow::newest_first("ListImageVersions"),
        )
    },
];
