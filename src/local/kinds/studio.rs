//! Studio: domains, who works in them, their spaces, apps and configurations.

use serde_json::Value;

use super::row::plain;
use super::{ArnTail, Draft, Kind, ListRow, MadeId, Row, Status, Update};
use crate::local::aws_error::AwsError;

const IN_SERVICE: Status = Status {
    created: &[("Pending", 60), ("InService", 0)],
    updated: &[("Updating", 10), ("InService", 0)],
    deleted: &[("Deleting", 30)],
    updatable: &["InService", "Update_Failed"],
    deletable: &["InService", "Failed", "Update_Failed", "Delete_Failed"],
    refuse: |asked, status, arn| AwsError::in_use(format!("Cannot {asked} {arn}: it is in status {status}.")),
    ..Status::of("Status")
};

pub(super) static ROWS: &[Row] = &[
    Row {
        arn_tail: ArnTail::Key,
        made: Some(MadeId::new("DomainId", "d-", 12)),
        title: "DomainName",
        status: IN_SERVICE,
        kept_by: &[(Kind::App, "DomainId"), (Kind::Space, "DomainId"), (Kind::UserProfile, "DomainId")],
        kept: |arn, what| {
            AwsError::in_use(format!("Unable to delete the Domain {arn}, because it has {what}. Delete these first."))
        },
        update: Update {
            renamed: &[("DomainSettingsForUpdate", "DomainSettings")],
            merged: &["DefaultUserSettings", "DomainSettings", "DefaultSpaceSettings"],
            ..Update::PLAIN
        },
        prepare: prepare_domain,
        missing: |id, _| AwsError::resource_not_found(format!("Could not find domain {id}.")),
        ..Row::plain(Kind::Domain, "Domain", "DomainId", "DomainArn", "domain", ListRow::oldest_first("ListDomains"))
    },
    Row {
        parents: &["DomainId"],
        needs: &[(Kind::Domain, "DomainId")],
        status: IN_SERVICE,
        kept_by: &[(Kind::App, "UserProfileName")],
        update: Update { merged: &["UserSettings"], ..Update::PLAIN },
        prepare: |draft| {
            draft.set("HomeEfsFileSystemUid", "200001");
            Ok(())
        },
        missing: |name, _| AwsError::resource_not_found(format!("Could not find user profile {name}.")),
        taken: |_, arn| AwsError::in_use(format!("User profile already exists: {arn}")),
        ..plain!(UserProfile, "user-profile", ListRow::oldest_first("ListUserProfiles"))
    },
    Row {
        parents: &["DomainId"],
        needs: &[(Kind::Domain, "DomainId"), (Kind::UserProfile, "OwnershipSettings.OwnerUserProfileName")],
        status: IN_SERVICE,
        kept_by: &[(Kind::App, "SpaceName")],
        aliases: &[
            ("SpaceSettingsSummary", "SpaceSettings"),
            ("OwnershipSettingsSummary", "OwnershipSettings"),
            ("SpaceSharingSettingsSummary", "SpaceSharingSettings"),
        ],
        update: Update { merged: &["SpaceSettings"], ..Update::PLAIN },
        prepare: |draft| {
            let url = studio_url(draft, draft.text("DomainId").unwrap_or_default());
            draft.set("Url", url);
            draft.set("HomeEfsFileSystemUid", "200002");
            Ok(())
        },
        missing: |_, _| AwsError::validation("RecordNotFound"),
        taken: |_, arn| AwsError::in_use(format!("Space already exists: {arn}")),
        ..plain!(Space, "space", ListRow::oldest_first("ListSpaces"))
    },
    Row {
        parents: &["DomainId", "UserProfileName", "SpaceName", "AppType"],
        needs: &[(Kind::Domain, "DomainId"), (Kind::UserProfile, "UserProfileName"), (Kind::Space, "SpaceName")],
        status: Status { updated: &[], updatable: &[], deletable: &["InService", "Failed", "Pending"], ..IN_SERVICE },
        prepare: |draft| match draft.has("UserProfileName") != draft.has("SpaceName") {
            true => Ok(()),
            false => Err(AwsError::validation("Exactly one of UserProfileName and SpaceName must be provided.")),
        },
        missing: |_, _| AwsError::validation("RecordNotFound"),
        taken: |_, arn| AwsError::in_use(format!("App already exists: {arn}")),
        ..plain!(App, "app", ListRow::oldest_first("ListApps"))
    },
    Row {
        list: ListRow {
            filters: &[("AppTypeEquals", "StudioLifecycleConfigAppType")],
            ..ListRow::newest_first("ListStudioLifecycleConfigs")
        },
        missing: |name, _| AwsError::resource_not_found(format!("Could not find StudioLifecycleConfig {name}.")),
        taken: |_, arn| AwsError::in_use(format!("StudioLifecycleConfig already exists: {arn}")),
        ..plain!(StudioLifecycleConfig, "studio-lifecycle-config", ListRow::NONE)
    },
    Row {
        missing: |name, _| AwsError::resource_not_found(format!("AppImageConfig with name {name} does not exist.")),
        taken: |_, arn| AwsError::in_use(format!("AppImageConfig already exists: {arn}")),
        ..plain!(AppImageConfig, "app-image-config", ListRow::newest_first("ListAppImageConfigs"))
    },
];

fn prepare_domain(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    let id = draft.members.get("DomainId").and_then(Value::as_str).unwrap_or_default().to_owned();
    draft.set("Url", studio_url(draft, &id));
    draft.set("HomeEfsFileSystemId", format!("fs-{}", id.trim_start_matches("d-")));
    draft.default("AppNetworkAccessType", "PublicInternetOnly");
    Ok(())
}

fn studio_url(draft: &Draft<'_>, domain: &str) -> String {
    format!("https://{domain}.studio.{}.sagemaker.aws", draft.place.region)
}
