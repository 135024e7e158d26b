//! Metric filters: what a group's events are, counted and measured as metrics.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::pattern::{Match, Pattern};
use super::{Answer, group_mut, limit_exceeded, no_group, page};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::time::millis;

/// How many filters a group has at most.
const MAX_FILTERS: usize = 100;
/// How many dimensions a filter gives its metric at most.
const MAX_DIMENSIONS: usize = 3;

/// A filter, as it is kept with its group.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MetricFilter {
    pattern: String,
    transformations: Vec<Transformation>,
    created: i64,
    /// Members that are only given back.
    #[serde(default)]
    further: Map<String, Value>,
    #[serde(skip)]
    compiled: OnceLock<Option<Pattern>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transformation {
    metric_name: String,
    metric_namespace: String,
    metric_value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

impl MetricFilter {
    /// Publishes what an event of this time, in milliseconds since 1970, gives.
    fn observe(&self, core: &Core, timestamp: i64, message: &str) {
        let pattern = self.compiled.get_or_init(|| Pattern::parse(&self.pattern).ok());
        let found = pattern.as_ref().and_then(|pattern| pattern.find(message));
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(timestamp).unwrap_or(0));
        for transformation in &self.transformations {
            let value = match &found {
                Some(found) => transformation.value(found),
                None => transformation.default_value,
            };
            let dimensions = found.as_ref().map(|found| transformation.dimensions(found)).unwrap_or_default();
            if let (Some(value), Some(dimensions)) = (value, dimensions.or_none(&transformation.dimensions)) {
                let dimensions: Vec<(&str, &str)> =
                    dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let unit = transformation.unit.as_deref().unwrap_or("None");
                let (namespace, name) = (&transformation.metric_namespace, &transformation.metric_name);
                core.metrics.add(namespace, name, &dimensions, unit, at, value);
            }
        }
    }

    fn describe(&self, group: &str, name: &str) -> Value {
        let mut entry = json!({
            "filterName": name,
            "filterPattern": self.pattern,
            "metricTransformations": self.transformations,
            "creationTime": self.created,
            "logGroupName": group,
        });
        entry["applyOnTransformedLogs"] = json!(false);
        if let Some(entry) = entry.as_object_mut() {
            entry.extend(self.further.clone());
        }
        entry
    }
}

/// Publishes what an event gives by all filters of its group.
pub(super) fn observe(core: &Core, filters: &BTreeMap<String, MetricFilter>, timestamp: i64, message: &str) {
    filters.values().for_each(|filter| filter.observe(core, timestamp, message));
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    metric_transformations: Vec<Transformation>,
    #[serde(flatten)]
    further: Map<String, Value>,
}

impl Transformation {
    /// The value that an event gives: a number, or what a selector finds.
    fn value(&self, found: &Match) -> Option<f64> {
        let text = match self.metric_value.starts_with('$') {
            true => found.value(&self.metric_value)?,
            false => self.metric_value.clone(),
        };
        text.trim().parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// The dimensions with what their selectors find; those that find nothing are left out.
    fn dimensions(&self, found: &Match) -> Dimensions {
        let found = |(name, selector): (&String, &String)| Some((name.clone(), found.value(selector)?));
        Dimensions(self.dimensions.iter().filter_map(found).collect())
    }

    fn check(&self, pattern: &Pattern) -> Result<(), AwsError> {
        if self.dimensions.is_empty() {
            return Ok(());
        }
        if self.default_value.is_some() {
            let message =
                "Invalid metric transformation: dimensions and default value are mutually exclusive properties.";
            return Err(AwsError::invalid_parameter(message));
        }
        if !pattern.has_values() {
            return Err(AwsError::invalid_parameter("The specified filter pattern does not support dimensions"));
        }
        if self.dimensions.len() > MAX_DIMENSIONS {
            let message = format!("Invalid metric transformation: at most {MAX_DIMENSIONS} dimensions are allowed.");
            return Err(AwsError::invalid_parameter(message));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Dimensions(Vec<(String, String)>);

impl Dimensions {
    /// None if the event lacks one of those that are wanted: it belongs to no metric of the filter.
    fn or_none(self, wanted: &BTreeMap<String, String>) -> Option<Vec<(String, String)>> {
        (self.0.len() == wanted.len()).then_some(self.0)
    }
}

/// `PutMetricFilter`: it acts on what comes from now on.
pub(super) fn put(core: &Core, request: Put) -> Answer {
    let pattern = Pattern::parse(&request.filter_pattern)?;
    request.metric_transformations.iter().try_for_each(|transformation| transformation.check(&pattern))?;
    core.logs.change(core, |groups| {
        let group = group_mut(groups, &request.log_group_name)?;
        let filters = &mut group.settings.metric_filters;
        let before = filters.get(&request.filter_name);
        if before.is_none() && filters.len() >= MAX_FILTERS {
            return Err(limit_exceeded());
        }
        let filter = MetricFilter {
            created: before.map_or_else(|| millis(core.clock.now()), |filter| filter.created),
            pattern: request.filter_pattern,
            transformations: request.metric_transformations,
            further: request.further,
            compiled: OnceLock::from(Some(pattern)),
        };
        filters.insert(request.filter_name, filter);
        core.logs.journal.settings(&request.log_group_name, group);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    log_group_name: String,
    filter_name: String,
}

pub(super) fn delete(core: &Core, request: Delete) -> Answer {
    core.logs.change(core, |groups| {
        let group = group_mut(groups, &request.log_group_name)?;
        group.settings.metric_filters.remove(&request.filter_name).ok_or_else(|| {
            AwsError::new(400, "ResourceNotFoundException", "The specified metric filter does not exist.")
        })?;
        core.logs.journal.settings(&request.log_group_name, group);
        Ok(Value::Null)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: Option<String>,
    filter_name_prefix: Option<String>,
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

/// `DescribeMetricFilters`, in the order of the filters' names.
pub(super) fn describe(core: &Core, request: Describe) -> Answer {
    if request.metric_name.is_some() != request.metric_namespace.is_some() {
        let message = "The parameters metricName and metricNamespace must be specified together.";
        return Err(AwsError::invalid_parameter(message));
    }
    let prefix = request.filter_name_prefix.as_deref().unwrap_or_default();
    let wanted = |filter: &MetricFilter| {
        let (name, namespace) = (request.metric_name.as_ref(), request.metric_namespace.as_ref());
        filter.transformations.iter().any(|found| {
            name.is_none_or(|name| *name == found.metric_name)
                && namespace.is_none_or(|namespace| *namespace == found.metric_namespace)
        })
    };
    core.logs.read(|groups| {
        let only = request.log_group_name.as_ref();
        if only.is_some_and(|name| !groups.contains_key(name)) {
            return Err(no_group());
        }
        let mut found: Vec<(String, Value)> = Vec::new();
        for (group, of) in groups.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
            let filters = of.settings.metric_filters.iter();
            let filters = filters.filter(|(name, filter)| name.starts_with(prefix) && wanted(filter));
            // A name holds no colon: the position is unambiguous.
            found.extend(filters.map(|(name, filter)| (format!("{name}:{group}"), filter.describe(group, name))));
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        page(found, false, "metricFilters", request.limit.unwrap_or(50), request.next_token.as_deref())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Test {
    filter_pattern: String,
    log_event_messages: Vec<String>,
}

/// `TestMetricFilter`: the events that match, counted from 1, and the values that the pattern names.
pub(super) fn test(request: Test) -> Answer {
    let pattern = Pattern::parse(&request.filter_pattern)?;
    let matches = request.log_event_messages.iter().zip(1..).filter_map(|(message, number)| {
        let values: BTreeMap<String, String> = pattern.find(message)?.values().into_iter().collect();
        Some(json!({"eventNumber": number, "eventMessage": message, "extractedValues": values}))
    });
    Ok(json!({"matches": matches.collect::<Vec<Value>>()}))
}
