//! MLflow tracking servers and apps, and partner apps.

use super::{ArnTail, Kind, ListRow, MadeId, Move, Row, Status};
use crate::local::aws_error::AwsError;

const SERVER: Status = Status {
    created: &[("Creating", 300), ("Created", 0)],
    updated: &[("Updating", 60), ("Updated", 0)],
    deleted: &[("Deleting", 60)],
    refuse: |asked, status, arn| {
        AwsError::new(400, "ConflictException", format!("Cannot {asked} {arn} in status {status}."))
    },
    ..Status::of("")
};

pub(super) static ROWS: &[Row] = &[
    Row {
        status: Status {
            member: "TrackingServerStatus",
            moves: &[
                Move {
                    operation: "StartMlflowTrackingServer",
                    from: &["Stopped", "StartFailed"],
                    steps: &[("Starting", 120), ("Started", 0)],
                },
                Move {
                    operation: "StopMlflowTrackingServer",
                    from: &["Created", "Started", "Updated", "StopFailed"],
                    steps: &[("Stopping", 60), ("Stopped", 0)],
                },
            ],
            reached: |server, status, _| {
                let active = if matches!(status, "Created" | "Started" | "Updated") { "Active" } else { "Inactive" };
                server.set("IsActive", active);
            },
            ..SERVER
        },
        prepare: |draft| {
            let id = draft.text("TrackingServerName").unwrap_or_default().to_lowercase();
            draft.set("TrackingServerUrl", format!("https://{id}.{}.experiments.sagemaker.aws", draft.place.region));
            draft.default("TrackingServerSize", "Small");
            draft.default("MlflowVersion", "3.0");
            draft.default("AutomaticModelRegistration", false);
            Ok(())
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find MLflow Tracking Server {arn}.")),
        taken: |_, arn| AwsError::new(400, "ConflictException", format!("Tracking server already exists: {arn}")),
        ..Row::plain(
            Kind::MlflowTrackingServer,
            "MlflowTrackingServer",
            "TrackingServerName",
            "TrackingServerArn",
            "mlflow-tracking-server",
            ListRow::newest_first("ListMlflowTrackingServers"),
        )
    },
    Row {
        arn_tail: ArnTail::Made,
        made: Some(MadeId { upper_case: true, ..MadeId::new("AppId", "app-", 12) }),
        case_sensitive: true,
        title: "Name",
        status: Status { member: "Status", ..SERVER },
        prepare: |draft| {
            draft.set("MlflowVersion", "3.0");
            Ok(())
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find MLflow App {arn}.")),
        ..Row::plain(Kind::MlflowApp, "MlflowApp", "Arn", "Arn", "mlflow-app", ListRow::newest_first("ListMlflowApps"))
    },
    Row {
        arn_tail: ArnTail::Made,
        made: Some(MadeId { upper_case: true, ..MadeId::new("AppId", "app-", 12) }),
        case_sensitive: true,
        title: "Name",
        status: Status {
            member: "Status",
            created: &[("Creating", 300), ("Available", 0)],
            updated: &[("Updating", 60), ("Available", 0)],
            ..SERVER
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find Partner App {arn}.")),
        ..Row::plain(
            Kind::PartnerApp,
            "PartnerApp",
            "Arn",
            "Arn",
            "partner-app",
            ListRow::newest_first("ListPartnerApps"),
        )
    },
];
