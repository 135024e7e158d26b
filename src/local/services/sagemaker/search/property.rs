//! Properties of what is searched, by names such as `Tags.team` or `AlgorithmSpecification.TrainingImage`.

use serde_json::{Map, Value};

use super::Searchable;
use crate::api_model::{ModelShape, ShapeKind};
use crate::local::aws_error::AwsError;
use crate::local::kinds::Row;
use crate::local::state::Resource;
use crate::local::time::timestamp;

/// A property that the searched kind may have.
pub(super) struct Property {
    row: &'static Row,
    path: Vec<String>,
}

impl Property {
    /// Refuses what the kind does not have.
    pub(super) fn read(name: &str, searchable: &Searchable) -> Result<Self, AwsError> {
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        let first = path.first().map_or("", String::as_str);
        let shape = searchable.shape;
        let known = matches!(first, "Tags" | "Metrics" | "Parents")
            || shape.member(first).is_some()
            || shape.member(searchable.member).is_some_and(|own| own.member(first).is_some());
        if !known {
            return Err(AwsError::validation(format!("Unknown property name: {name}")));
        }
        Ok(Self { row: searchable.row, path })
    }

    /// When a record was last modified or, if such records do not say that, created.
    pub(super) fn time(searchable: &Searchable) -> Self {
        let created_only =
            searchable.shape.member("LastModifiedTime").is_none() && searchable.shape.member("CreationTime").is_some();
        let name = if created_only { "CreationTime" } else { "LastModifiedTime" };
        Self { row: searchable.row, path: vec![name.to_owned()] }
    }

    /// The name in requests.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    /// Whether values are compared as numbers though they are text.
    pub(super) fn is_hyperparameter(&self) -> bool {
        self.path.first().is_some_and(|first| first == "HyperParameters")
    }

    /// The type of the property's values, where there is one type for all of them.
    pub(super) fn kind(&self, searchable: &Searchable) -> Option<ShapeKind> {
        if self.path.first().is_some_and(|first| first == "Tags") {
            return Some(ShapeKind::String);
        }
        let mut shape = searchable.shape;
        for part in &self.path {
            shape = match shape.kind() {
                ShapeKind::Structure => shape.member(part)?,
                ShapeKind::List => shape.element()?.member(part)?,
                // The rest of the path is a key of the map.
                ShapeKind::Map => return Some(shape.element()?.kind()),
                _ => return None,
            };
        }
        Some(shape.kind())
    }

    /// The elements of the list that the property is.
    pub(super) fn elements(&self, resource: &Resource) -> Vec<Value> {
        match resource.member(&self.path.join(".")) {
            Some(Value::Array(items)) => items.clone(),
            Some(Value::Null) | None => Vec::new(),
            Some(other) => vec![other.clone()],
        }
    }

    pub(super) fn first(&self, resource: &Resource) -> Option<Value> {
        self.values(resource).into_iter().next()
    }

    /// All values: a property of the elements of a list has one for each.
    pub(super) fn values(&self, resource: &Resource) -> Vec<Value> {
        let (first, rest) = (self.path.first().map_or("", String::as_str), self.path.get(1..).unwrap_or_default());
        match first {
            "Tags" => {
                let tag = resource.tags.get(&rest.join("."));
                return tag.map(|value| Value::from(value.as_str())).into_iter().collect();
            }
            "Metrics" => return metric(resource, &rest.join(".")).into_iter().collect(),
            "CreationTime" => return vec![timestamp(resource.created)],
            "LastModifiedTime" => return vec![timestamp(resource.modified)],
            _ if first == self.row.arn => return vec![Value::from(resource.arn.as_str())],
            _ if first == self.row.title => return vec![Value::from(resource.name.as_str())],
            _ => {}
        }
        let mut found = Vec::new();
        if let Some(value) = resource.member(first) {
            below(value, rest, &mut found);
        }
        found
    }
}

/// The values at a path below another, in lists in each element.
pub(super) fn below(value: &Value, path: &[String], found: &mut Vec<Value>) {
    match (value, path.split_first()) {
        (Value::Array(items), _) => items.iter().for_each(|item| below(item, path, found)),
        (Value::Object(members), None) => found.extend(only_value(members)),
        (value, None) => found.push(value.clone()),
        (Value::Object(members), Some((first, rest))) => {
            // Names of parameters and metrics may hold dots.
            if let Some(inner) = members.get(&path.join(".")).filter(|_| !rest.is_empty()) {
                below(inner, &[], found);
            } else if let Some(inner) = members.get(first) {
                below(inner, rest, found);
            }
        }
        _ => {}
    }
}

/// The value of a union such as `{"NumberValue": 1}`, or the object itself, which only exists.
fn only_value(members: &Map<String, Value>) -> Option<Value> {
    let inner = ["NumberValue", "StringValue", "Value"].iter().find_map(|name| members.get(*name));
    Some(inner.cloned().unwrap_or_else(|| Value::Object(members.clone())))
}

/// The last value of a training job's metric.
fn metric(resource: &Resource, name: &str) -> Option<Value> {
    let list = resource.member("FinalMetricDataList").or_else(|| resource.member("Metrics"))?.as_array()?;
    let metric = list.iter().find(|metric| metric["MetricName"] == name)?;
    metric.get("Value").or_else(|| metric.get("Last")).cloned()
}

/// The names of properties that are keys of maps, such as `HyperParameters.eta`, tags or metrics.
pub(super) fn keys(shape: ModelShape, resource: &Resource) -> Vec<String> {
    let mut found: Vec<String> = resource.tags.keys().map(|key| format!("Tags.{key}")).collect();
    for (member, inner) in shape.members() {
        let value = resource.member(member.name);
        if inner.kind() == ShapeKind::Map {
            let keys = value.and_then(Value::as_object).into_iter().flat_map(Map::keys);
            found.extend(keys.map(|key| format!("{}.{key}", member.name)));
        } else if matches!(member.name, "FinalMetricDataList" | "Metrics") {
            let metrics = value.and_then(Value::as_array).into_iter().flatten();
            let names = metrics.filter_map(|metric| metric["MetricName"].as_str());
            found.extend(names.map(|name| format!("Metrics.{name}")));
        }
    }
    found
}

/// The names of a shape's properties, also of inner structures.
pub(super) fn names(shape: ModelShape) -> Vec<String> {
    let mut names = Vec::new();
    for (member, inner) in shape.members() {
        names.push(member.name.to_owned());
        let inner = inner.element().filter(|_| inner.kind() == ShapeKind::List).unwrap_or(inner);
        if inner.kind() == ShapeKind::Structure && member.name != "Tags" {
            names.extend(inner.members().map(|(below, _)| format!("{}.{}", member.name, below.name)));
        }
    }
    names
}
