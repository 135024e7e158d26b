//! URLs that let a browser in. Nothing answers there: they have the form of the real ones.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;

pub(super) static OPERATIONS: &[Own] = &[
    ("CreatePresignedNotebookInstanceUrl", |core, request| notebook(core, request)),
    ("CreatePresignedDomainUrl", |core, request| domain(core, request)),
    ("CreatePresignedMlflowTrackingServerUrl", |core, request| tracking_server(core, request)),
    ("CreatePresignedMlflowAppUrl", |core, request| {
        let base = app(core, Kind::MlflowApp, request)?;
        Ok(url(core, &format!("https://{base}.experiments.sagemaker.aws/auth")))
    }),
    ("CreatePartnerAppPresignedUrl", |core, request| {
        let base = app(core, Kind::PartnerApp, request)?;
        let url = url(core, &format!("https://{base}.sagemaker.aws/auth"));
        Ok(json!({"Url": url["AuthorizedUrl"]}))
    }),
];

fn notebook(core: &Core, request: &Value) -> Answer {
    let row = Kind::NotebookInstance.row();
    let state = core.state();
    let notebook = table::find(core, &state, row, request)?;
    match notebook.status(row) {
        "InService" => Ok(url(core, &format!("https://{}", notebook_host(notebook.member("Url"))))),
        status => Err(AwsError::validation(format!(
            "Status ({status}) not in ([InService]). Unable to create a presigned URL for Notebook Instance ({})",
            notebook.arn
        ))),
    }
}

fn notebook_host(url: Option<&Value>) -> &str {
    url.and_then(Value::as_str).unwrap_or_default()
}

fn domain(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let domain = table::find(core, &state, Kind::Domain.row(), request)?;
    table::find(core, &state, Kind::UserProfile.row(), request)?;
    if request.get("SpaceName").is_some() {
        table::find(core, &state, Kind::Space.row(), request)?;
    }
    let host = domain.member("Url").and_then(Value::as_str).unwrap_or_default();
    Ok(url(core, &format!("{host}/auth")))
}

fn tracking_server(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let server = table::find(core, &state, Kind::MlflowTrackingServer.row(), request)?;
    let host = server.member("TrackingServerUrl").and_then(Value::as_str).unwrap_or_default();
    Ok(url(core, &format!("{host}/auth")))
}

/// The identifier of an app, and the region.
fn app(core: &Core, kind: Kind, request: &Value) -> Result<String, AwsError> {
    let state = core.state();
    let app = table::find(core, &state, kind.row(), request)?;
    let id = app.arn.rsplit('/').next().unwrap_or_default().to_lowercase();
    Ok(format!("{id}.{}", core.place.region))
}

fn url(core: &Core, base: &str) -> Value {
    let separator = if base.ends_with("/auth") { "?token" } else { "?authToken" };
    json!({"AuthorizedUrl": format!("{base}{separator}={}", core.request_id())})
}
