//! `ListMetrics`.

use aws_smithy_types::base64;
use serde_json::{Value, json};

use super::store::{MetricId, Series};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::epoch;

const PAGE: usize = 500;
/// What `RecentlyActive` asks for.
const RECENT: i64 = 3 * 3600;

type Key = (String, String, Vec<(String, String)>);

/// Metrics in the order of their names; the token is the last one given.
pub(super) fn list(core: &Core, request: &Value) -> Result<Value, AwsError> {
    let after = request["NextToken"].as_str().map(|token| {
        let key = base64::decode(token).ok().and_then(|bytes| serde_json::from_slice::<Key>(&bytes).ok());
        key.ok_or_else(|| super::invalid_value("Request parameter NextToken is invalid"))
    });
    let after = after.transpose()?;
    let now = epoch(core.clock.now());
    let passes = |id: &MetricId, series: &Series| {
        let is = |member: &str, value: &str| request[member].as_str().is_none_or(|wanted| wanted == value);
        let recent =
            request["RecentlyActive"].is_null() || series.newest().is_some_and(|newest| newest >= now - RECENT);
        let mut filters = request["Dimensions"].as_array().into_iter().flatten();
        is("Namespace", &id.namespace)
            && is("MetricName", &id.name)
            && recent
            && filters.all(|filter| {
                id.dimensions.iter().any(|(name, value)| {
                    filter["Name"] == name.as_str() && filter["Value"].as_str().is_none_or(|wanted| wanted == value)
                })
            })
    };
    let key = |id: &MetricId| (id.namespace.clone(), id.name.clone(), id.dimensions.clone());
    core.metrics.read(|metrics| {
        let found = metrics.iter().filter(|(id, series)| passes(id, series));
        let rest = found.filter(|(id, _)| after.as_ref().is_none_or(|after| key(id) > *after));
        let mut page: Vec<&MetricId> = rest.map(|(id, _)| id).take(PAGE + 1).collect();
        let more = page.len() > PAGE;
        page.truncate(PAGE);
        let metric = |id: &&MetricId| {
            let dimension = |(name, value): &(String, String)| json!({"Name": name, "Value": value});
            let dimensions: Vec<Value> = id.dimensions.iter().map(dimension).collect();
            json!({"Namespace": id.namespace, "MetricName": id.name, "Dimensions": dimensions})
        };
        let mut answer = json!({"Metrics": page.iter().map(metric).collect::<Vec<_>>()});
        if let (true, Some(last)) = (more, page.last()) {
            answer["NextToken"] = json!(base64::encode(json!(key(last)).to_string()));
        }
        Ok(answer)
    })
}
