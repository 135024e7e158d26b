//! Dashboards: they are kept and listed.

use serde_json::{Value, json};

use super::{invalid_value, page, tags, text, texts};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const FAMILY: &str = "cloudwatch dashboard";
const PAGE: usize = 1000;

/// Dashboards have no region.
fn arn(core: &Core, name: &str) -> String {
    format!("arn:{}:cloudwatch::{}:dashboard/{name}", core.place.partition(), core.place.account)
}

/// Whether there is a dashboard of this ARN.
pub(super) fn exists(core: &Core, wanted: &str) -> bool {
    core.documents.read(FAMILY, |all| all.keys().any(|name| arn(core, name) == wanted))
}

fn missing(name: &str) -> AwsError {
    AwsError::new(404, "ResourceNotFound", format!("Dashboard {name} does not exist"))
}

pub(super) fn put(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let (name, body) = (text(request, "DashboardName"), text(request, "DashboardBody"));
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !plain || name.is_empty() {
        return Err(invalid_value(
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) \
             and underscore (_).\n",
        ));
    }
    if !matches!(serde_json::from_str(body), Ok(Value::Object(_))) {
        let message = "The field DashboardBody must be a valid JSON object";
        let problem = json!([{"DataPath": "/", "Message": message}]);
        return Err(AwsError::new(400, "InvalidParameterInput", message).with("dashboardValidationMessages", problem));
    }
    core.documents.change(core, FAMILY, |all| {
        all.put(name, json!({"body": body, "modified": all.now()}));
    });
    tags::set(core, &arn(core, name), &request["Tags"])?;
    Ok(json!({"DashboardValidationMessages": []}))
}

pub(super) fn get(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let name = text(request, "DashboardName");
    let dashboard = core.documents.get(FAMILY, name).ok_or_else(|| missing(name))?;
    Ok(json!({"DashboardArn": arn(core, name), "DashboardBody": dashboard["body"], "DashboardName": name}))
}

pub(super) fn list(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let prefix = text(request, "DashboardNamePrefix");
    core.documents.read(FAMILY, |all| {
        let entry = |(name, dashboard): (&String, &Value)| {
            let modified = dashboard["modified"].as_i64().unwrap_or_default() as f64 / 1000.0;
            let entry = json!({
                "DashboardName": name,
                "DashboardArn": arn(core, name),
                "LastModified": modified,
                "Size": text(dashboard, "body").len(),
            });
            (name.clone(), entry)
        };
        let found = all.iter().filter(|(name, _)| name.starts_with(prefix)).map(entry).collect();
        page(found, "DashboardEntries", PAGE, &request["NextToken"])
    })
}

/// `DeleteDashboards`: all of them, or none if one is not there.
pub(super) fn delete(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let names = texts(request, "DashboardNames");
    if names.is_empty() {
        return Err(invalid_value("The value for field DashboardNames must not be empty."));
    }
    core.documents.change(core, FAMILY, |all| {
        if let Some(unknown) = names.iter().find(|name| all.get(name).is_none()) {
            return Err(missing(unknown));
        }
        names.iter().for_each(|name| drop(all.remove(name)));
        Ok(())
    })?;
    names.iter().for_each(|name| tags::forget(core, &arn(core, name)));
    Ok(json!({}))
}
