//! Inference routers: where they could send requests to. Nothing is sent: the runtime's operation is of another service.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::state::State;

pub(super) static OPERATIONS: &[Own] =
    &[("CreateInferenceRouter", create), ("DescribeInferenceRouter", |core, request| describe(core, request))];

/// `CreateInferenceRouter`: the same token again is the same router again.
fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::InferenceRouter.row();
    let token = request.get("ClientToken");
    if let (Some(token), Ok(known)) = (token, table::find(core, &core.state(), row, request))
        && known.request.get("ClientToken") == Some(token)
    {
        return Ok(json!({"InferenceRouterArn": known.arn}));
    }
    table::create(core, "CreateInferenceRouter", row, request)
}

fn describe(core: &Core, request: &Value) -> Answer {
    let row = Kind::InferenceRouter.row();
    let state = core.state();
    let mut answer = table::answer("DescribeInferenceRouter", row, table::find(core, &state, row, request)?);
    for target in answer["RoutingTargets"].as_array_mut().into_iter().flatten() {
        for destination in target["Destinations"].as_array_mut().into_iter().flatten() {
            let status = routing_status(core, &state, destination["ResourceArn"].as_str().unwrap_or_default());
            destination["RoutingStatus"] = json!(status);
        }
    }
    Ok(answer)
}

/// Whether a destination can be reached; of other accounts and regions nothing is known.
fn routing_status(core: &Core, state: &State, arn: &str) -> &'static str {
    if !arn.starts_with(&core.place.arn("")) {
        return "Unknown";
    }
    let in_service = state.by_arn(arn).is_some_and(|(row, resource)| {
        matches!(row.kind, Kind::Endpoint | Kind::InferenceComponent) && resource.status(row) == "InService"
    });
    if in_service { "Routable" } else { "Unroutable" }
}
