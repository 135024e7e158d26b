//! What a metric alarm must say.

use serde_json::Value;

use super::super::statistic::Statistic;
use super::{invalid_value, text, validation};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;

const COMPARISONS: [&str; 7] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];
const TREATMENTS: [&str; 4] = ["breaching", "notBreaching", "ignore", "missing"];

pub(super) fn check(core: &Core, request: &Value) -> Result<(), AwsError> {
    let missing = |member: &str| validation(format!("The parameter {member} must be specified"));
    if let Some(treatment) = request["TreatMissingData"].as_str()
        && !TREATMENTS.contains(&treatment)
    {
        return Err(validation(format!(
            "The value {treatment} is not supported for TreatMissingData parameter. Supported values are [breaching, \
             notBreaching, ignore, missing]."
        )));
    }
    if let Some(name) = request["ExtendedStatistic"].as_str()
        && Statistic::extended(name).is_none()
    {
        return Err(invalid_value(format!("The value {name} for parameter ExtendedStatistic is not supported.")));
    }
    if let Some(option) = request["EvaluateLowSampleCountPercentile"].as_str()
        && !["evaluate", "ignore"].contains(&option)
    {
        return Err(validation(format!(
            "Option {option} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
             evaluate and ignore."
        )));
    }
    if let Some(period) = request["Period"].as_i64()
        && !(period > 0 && (period % 60 == 0 || [10, 20, 30].contains(&period)))
    {
        return Err(validation("Period must be 10, 20, 30 or a multiple of 60"));
    }
    let comparison = request["ComparisonOperator"].as_str().ok_or_else(|| missing("ComparisonOperator"))?;
    if !COMPARISONS.contains(&comparison) {
        return Err(validation(format!("The value {comparison} for parameter ComparisonOperator is invalid")));
    }
    let periods = request["EvaluationPeriods"].as_i64().ok_or_else(|| missing("EvaluationPeriods"))?;
    if request["DatapointsToAlarm"].as_i64().is_some_and(|wanted| wanted > periods) {
        return Err(validation("DatapointsToAlarm must not be greater than EvaluationPeriods"));
    }
    let of_metric = ["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit", "Dimensions"];
    if request["Metrics"].is_null() {
        for member in ["MetricName", "Namespace", "Period"] {
            if request[member].is_null() {
                return Err(missing(member));
            }
        }
    } else if let Some(both) = of_metric.iter().find(|member| !request[**member].is_null()) {
        return Err(validation(format!("{both} must not be specified together with Metrics")));
    } else {
        check_queries(core, request)?;
    }
    if request["Threshold"].is_null() && request["ThresholdMetricId"].is_null() && request["Metrics"].is_array() {
        return Err(missing("Threshold"));
    }
    Ok(())
}

/// Exactly one query gives the values; the bands that the service learns are not part of the backend.
fn check_queries(core: &Core, request: &Value) -> Result<(), AwsError> {
    let queries = request["Metrics"].as_array().into_iter().flatten();
    let band = |query: &&Value| !request["ThresholdMetricId"].is_null() && request["ThresholdMetricId"] == query["Id"];
    let returned = queries.filter(|query| !band(query) && query["ReturnData"] != false).count();
    if returned != 1 {
        return Err(validation("Exactly one element of the metrics list should return data."));
    }
    // Unknown identifiers and syntax errors are found by trying.
    if request["ThresholdMetricId"].is_null() {
        let mut queries = super::super::queries::Queries::new(core, &request["Metrics"], 0, 60)?;
        for query in request["Metrics"].as_array().into_iter().flatten() {
            queries.result(text(query, "Id")).map(drop).or_else(|error| {
                // Some functions cannot do without values.
                if error.message.contains("is empty") { Ok(()) } else { Err(error) }
            })?;
        }
    }
    Ok(())
}
