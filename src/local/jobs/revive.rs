//! What becomes of resources when the backend is started again on its data directory.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::{Run, hosting, run};
use crate::local::backend::Core;
use crate::local::kinds::{Kind, Row};
use crate::local::state::Resource;

const REASON: &str = "InternalServerError: the local backend was restarted while this was in progress.";

/// Brings a resource to a state that nobody has to work on; false if it is gone. Jobs that were in progress have failed;
/// an endpoint stays as it is and is [brought up](endpoints) when the first request comes.
pub(in crate::local) fn resource(row: &Row, resource: &mut Resource, now: SystemTime) -> bool {
    let status = resource.status(row).to_owned();
    match status.as_str() {
        "Deleting" => return false,
        deleting if row.status.deleted.iter().any(|(step, _)| *step == deleting) => return false,
        "InProgress" | "Stopping" | "Executing" => {
            run::fail(row.kind, resource, now, REASON);
        }
        _ => {}
    }
    if row.kind == Kind::InferenceComponent && status != "Failed" {
        resource.set("InferenceComponentStatus", "InService");
        return true;
    }
    if row.kind == Kind::Endpoint && status != "Failed" {
        resource.set("EndpointStatus", "InService");
        resource.state.remove("PendingDeploymentSummary");
        return true;
    }
    let ways = [row.status.created, row.status.updated].into_iter().chain(row.status.moves.iter().map(|way| way.steps));
    for way in ways {
        let at = way.iter().position(|(step, _)| *step == status);
        if let (Some(at), Some((last, _))) = (at, way.last())
            && at + 1 < way.len()
        {
            resource.set(row.status.member, *last);
            (row.status.reached)(resource, last, now);
            return true;
        }
    }
    true
}

/// Loads the models of the endpoints and inference components that are in service but have none loaded.
pub(in crate::local) async fn endpoints(core: &Arc<Core>) {
    let (mut cold, mut components) = (Vec::new(), Vec::new());
    for endpoint in core.state().all(Kind::Endpoint) {
        if endpoint.deployment.is_none() && endpoint.status(Kind::Endpoint.row()) == "InService" {
            let config = endpoint.request.get("EndpointConfigName").and_then(Value::as_str).unwrap_or_default();
            cold.push((Run::new(core, Kind::Endpoint, endpoint), config.to_owned()));
        }
    }
    for component in core.state().all(Kind::InferenceComponent) {
        let up = component.status(Kind::InferenceComponent.row()) == "InService";
        if component.deployment.is_none() && up {
            components.push(Run::new(core, Kind::InferenceComponent, component));
        }
    }
    for (run, config) in cold {
        hosting::revive(run, &config).await;
    }
    for run in components {
        hosting::component::revive(run).await;
    }
}
