//! The one request to CloudWatch metrics that this crate makes.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_types::error::ErrorMetadata;
use serde_json::{Value, json};

use super::signed::{Signed, own_endpoint};
use crate::Result;
use crate::types::Partition;

const OPERATION: &str = "GetMetricData";

/// CloudWatch metrics, as far as reading those of a job needs it.
#[derive(Debug, Clone)]
pub(crate) struct CloudWatch {
    config: SdkConfig,
    timeouts: TimeoutConfig,
}

/// Which values to read.
#[derive(Debug, Clone)]
pub(crate) struct MetricQuery<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) dimension: (&'a str, &'a str),
    /// At most 500.
    pub(crate) names: &'a [String],
    pub(crate) statistic: &'a str,
    pub(crate) period: Duration,
    pub(crate) from: SystemTime,
    pub(crate) to: SystemTime,
}

/// A time in seconds since 1970, and the value there.
pub(crate) type Point = (f64, f64);

impl CloudWatch {
    pub(super) fn new(config: &SdkConfig, timeouts: TimeoutConfig) -> Self {
        Self { config: config.clone(), timeouts }
    }

    /// The values of each name, oldest first.
    pub(crate) async fn read(&self, query: &MetricQuery<'_>) -> Result<Vec<Vec<Point>>> {
        let mut series = vec![Vec::new(); query.names.len()];
        let mut token = Value::Null;
        loop {
            let answer = self.page(query, &token).await?;
            for result in answer["MetricDataResults"].as_array().into_iter().flatten() {
                let index = result["Id"].as_str().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
                let Some(points) = index.and_then(|index| series.get_mut(index)) else { continue };
                let numbers = |name: &str| result[name].as_array().into_iter().flatten().filter_map(Value::as_f64);
                points.extend(numbers("Timestamps").zip(numbers("Values")));
            }
            token = answer["NextToken"].clone();
            if token.is_null() {
                return Ok(series);
            }
        }
    }

    async fn page(&self, query: &MetricQuery<'_>, token: &Value) -> Result<Value> {
        let (name, value) = query.dimension;
        let queries = query.names.iter().enumerate().map(|(index, metric)| {
            let metric = json!({
                "Namespace": query.namespace, "MetricName": metric, "Dimensions": [{"Name": name, "Value": value}],
            });
            let period = query.period.as_secs();
            json!({"Id": format!("m{index}"), "MetricStat": {"Metric": metric, "Period": period, "Stat": query.statistic}})
        });
        let mut body = json!({
            "MetricDataQueries": queries.collect::<Vec<_>>(),
            "StartTime": seconds(query.from),
            "EndTime": seconds(query.to),
            "ScanBy": "TimestampAscending",
        });
        if !token.is_null() {
            body["NextToken"] = token.clone();
        }
        let region = self.config.region().map_or("", |region| region.as_ref()).to_owned();
        let signed = Signed {
            config: &self.config,
            timeouts: &self.timeouts,
            service: "monitoring",
            operation: OPERATION,
            endpoint: own_endpoint(&self.config, "CloudWatch").unwrap_or_else(|| endpoint(&region)),
            region,
            headers: vec![
                ("content-type", "application/x-amz-json-1.0".to_owned()),
                ("x-amz-target", format!("GraniteServiceVersion20100801.{OPERATION}")),
            ],
            body: body.to_string(),
        };
        signed.send(answer).await
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn endpoint(region: &str) -> String {
    let suffix = Partition::of(region).dns_suffix;
    format!("https://monitoring.{region}.{suffix}")
}

fn answer(response: &HttpResponse) -> std::result::Result<Value, OrchestratorError<ErrorMetadata>> {
    let value = response.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    if response.status().is_success() {
        return value.ok_or_else(|| OrchestratorError::other("the answer is no JSON"));
    }
    let mut error = ErrorMetadata::builder();
    if let Some(code) = value.as_ref().and_then(|value| value["__type"].as_str()) {
        error = error.code(code.rsplit('#').next().unwrap_or(code));
    }
    let message = value.as_ref().and_then(|value| value["message"].as_str().or_else(|| value["Message"].as_str()));
    if let Some(message) = message {
        error = error.message(message);
    }
    Err(OrchestratorError::operation(error.build()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_hosts() {
        assert_eq!(endpoint("eu-west-1"), "https://monitoring.eu-west-1.amazonaws.com");
        assert_eq!(endpoint("cn-north-1"), "https://monitoring.cn-north-1.amazonaws.com.cn");
        assert_eq!(endpoint("eusc-de-east-1"), "https://monitoring.eusc-de-east-1.amazonaws.eu");
    }
}
