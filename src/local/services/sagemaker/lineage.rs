//! What came from what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{Kind, Row};
use crate::local::listing;
use crate::local::state::{Identity, Resource, State, text};
use crate::local::time::{millis_of, timestamp};

pub(super) static OPERATIONS: &[Own] = &[
    ("AddAssociation", |core, request| add(core, request)),
    ("DeleteAssociation", |core, request| delete(core, request)),
    ("DeleteArtifact", |core, request| {
        let arn = artifact(core, request)?;
        table::delete_named(core, "DeleteArtifact", Kind::Artifact.row(), &arn)
    }),
    ("QueryLineage", |core, request| query(core, request)),
    ("DescribeLineageGroup", |core, request| group(core, text(request, "LineageGroupName")?)),
    ("GetLineageGroupPolicy", |core, request| {
        let group = group(core, text(request, "LineageGroupName")?)?;
        let arn = group["LineageGroupArn"].as_str().unwrap_or_default();
        // A group is shared by AWS RAM, which the local backend does not have.
        Err(AwsError::resource_not_found(format!("Lineage group '{arn}' has no resource policy.")))
    }),
    ("ListLineageGroups", |core, request| list_groups(core, request)),
];

/// The one lineage group of an account.
const DEFAULT_GROUP: &str = "sagemaker-default-lineage-group";

/// The default group, which is there once there is a lineage entity.
fn default_group(core: &Core) -> Option<Value> {
    let state = core.state();
    let kinds = [Kind::Action, Kind::Artifact, Kind::Context, Kind::TrialComponent];
    let created = kinds.iter().flat_map(|kind| state.all(*kind)).map(|entity| entity.created).min()?;
    Some(json!({
        "LineageGroupName": DEFAULT_GROUP,
        "LineageGroupArn": core.place.arn(&format!("lineage-group/{DEFAULT_GROUP}")),
        "DisplayName": DEFAULT_GROUP,
        "CreationTime": timestamp(created),
        "LastModifiedTime": timestamp(created),
    }))
}

fn group(core: &Core, name: &str) -> Answer {
    let found = default_group(core).filter(|group| group["LineageGroupArn"] == name || name == DEFAULT_GROUP);
    let missing = || {
        let own = core.place.arn(&format!("lineage-group/{name}"));
        let arn = if name.starts_with("arn:") { name } else { &own };
        AwsError::resource_not_found(format!("Lineage group '{arn}' does not exist."))
    };
    found.ok_or_else(missing)
}

fn list_groups(core: &Core, request: &Value) -> Answer {
    let bound = |filter: &str| request.get(filter).and_then(millis_of);
    let mut groups: Vec<Value> = default_group(core).into_iter().collect();
    groups.retain(|group| {
        let at = millis_of(&group["CreationTime"]).unwrap_or_default();
        bound("CreatedAfter").is_none_or(|first| first <= at) && bound("CreatedBefore").is_none_or(|last| at <= last)
    });
    listing::page("ListLineageGroups", &groups, request)
}

fn key(request: &Value) -> Result<(&str, &str, String), AwsError> {
    let (source, destination) = (text(request, "SourceArn")?, text(request, "DestinationArn")?);
    Ok((source, destination, format!("{source}/{destination}")))
}

/// `AddAssociation`: both ends must exist.
fn add(core: &Core, request: &Value) -> Answer {
    let row = Kind::Association.row();
    let (source, destination, key) = key(request)?;
    if source == destination {
        return Err(AwsError::validation("An entity cannot be associated with itself."));
    }
    core.change(|state| {
        let mut members = Map::new();
        for (end, arn) in [("Source", source), ("Destination", destination)] {
            let (of, found) = state.by_arn(arn).ok_or_else(|| missing(arn))?;
            members.insert(format!("{end}Type"), json!(type_of(of, found)));
            members.insert(format!("{end}Name"), json!(found.name));
        }
        let arn = core.place.arn(&format!("association/{key}"));
        let identity = Identity { key, name: destination.to_owned(), arn };
        if state.by_key_mut(row, &identity.key).is_none() {
            state.insert_as(row, &core.place, core.clock.now(), identity, request, members)?;
        }
        Ok(json!({"SourceArn": source, "DestinationArn": destination}))
    })
}

fn delete(core: &Core, request: &Value) -> Answer {
    let (source, destination, key) = key(request)?;
    core.change(|state| {
        let row = Kind::Association.row();
        if state.by_key_mut(row, &key).is_none() {
            let message = format!("There is no association from '{source}' to '{destination}'.");
            return Err(AwsError::resource_not_found(message));
        }
        let arn = core.place.arn(&format!("association/{key}"));
        state.remove(row, &core.place, &arn)?;
        Ok(json!({"SourceArn": source, "DestinationArn": destination}))
    })
}

fn missing(arn: &str) -> AwsError {
    AwsError::resource_not_found(format!("Entity '{arn}' does not exist."))
}

/// Such as `DataSet` for an artifact; a resource of another kind is of the type that the kind is called.
fn type_of<'a>(row: &'a Row, resource: &'a Resource) -> &'a str {
    let own = resource.member(&format!("{}Type", row.noun)).and_then(Value::as_str);
    own.unwrap_or(row.noun)
}

/// The ARN of the artifact that a request names, by itself or by its source.
fn artifact(core: &Core, request: &Value) -> Result<String, AwsError> {
    if let Some(arn) = request.get("ArtifactArn").and_then(Value::as_str) {
        return Ok(arn.to_owned());
    }
    let uri = request.get("Source").and_then(|source| source.get("SourceUri"));
    let state = core.state();
    let mut artifacts = state.all(Kind::Artifact);
    let found = artifacts.find(|artifact| uri.is_some() && artifact.member("Source.SourceUri") == uri);
    found.map(|artifact| artifact.arn.clone()).ok_or_else(|| match uri.and_then(Value::as_str) {
        Some(uri) => AwsError::resource_not_found(format!("No artifact has the source '{uri}'.")),
        None => AwsError::validation("Either ArtifactArn or Source must be given."),
    })
}

/// `QueryLineage`: what can be reached along associations, by breadth.
fn query(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let direction = request.get("Direction").and_then(Value::as_str).unwrap_or("Both");
    let depth = request.get("MaxDepth").and_then(Value::as_u64).unwrap_or(10);
    let edges = edges(&state);
    let mut next: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
    for (at, edge) in edges.iter().enumerate() {
        if direction != "Ascendants" {
            next.entry(edge.source).or_default().push((edge.destination, at));
        }
        if direction != "Descendants" {
            next.entry(edge.destination).or_default().push((edge.source, at));
        }
    }
    let starts = request["StartArns"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let starts: Vec<&str> = starts.collect();
    for start in &starts {
        state.by_arn(start).ok_or_else(|| missing(start))?;
    }
    let mut seen: BTreeSet<&str> = starts.iter().copied().collect();
    let mut waiting: VecDeque<(&str, u64)> = starts.iter().map(|start| (*start, 0)).collect();
    let (mut found, mut used) = (Vec::new(), BTreeSet::new());
    while let Some((arn, far)) = waiting.pop_front() {
        if far >= depth {
            continue;
        }
        for (other, edge) in next.get(arn).into_iter().flatten() {
            used.insert(*edge);
            if seen.insert(other) {
                found.push(*other);
                waiting.push_back((other, far + 1));
            }
        }
    }
    let vertices: Vec<Value> = found.iter().filter_map(|arn| vertex(&state, arn, request)).collect();
    let mut answer = listing::page("QueryLineage", &vertices, request)?;
    if request.get("IncludeEdges") != Some(&Value::Bool(false)) && request.get("NextToken").is_none() {
        answer["Edges"] = used.iter().filter_map(|at| edges.get(*at)).map(Edge::form).collect();
    }
    Ok(answer)
}

struct Edge<'a> {
    source: &'a str,
    destination: &'a str,
    kind: Option<&'a Value>,
}

impl Edge<'_> {
    fn form(&self) -> Value {
        let mut form = json!({"SourceArn": self.source, "DestinationArn": self.destination});
        if let Some(kind) = self.kind {
            form["AssociationType"] = kind.clone();
        }
        form
    }
}

fn edges(state: &State) -> Vec<Edge<'_>> {
    state
        .all(Kind::Association)
        .filter_map(|association| {
            Some(Edge {
                source: association.request.get("SourceArn")?.as_str()?,
                destination: association.request.get("DestinationArn")?.as_str()?,
                kind: association.request.get("AssociationType"),
            })
        })
        .collect()
}

/// A vertex, if it passes the request's filters.
fn vertex(state: &State, arn: &str, request: &Value) -> Option<Value> {
    let (row, resource) = state.by_arn(arn)?;
    let (kind, lineage) = (type_of(row, resource), row.noun);
    let wanted = |member: &str, value: &str| {
        let list = request.get("Filters").and_then(|filters| filters.get(member)).and_then(Value::as_array);
        list.is_none_or(|list| list.iter().any(|entry| entry == value))
    };
    let properties = request.get("Filters").and_then(|filters| filters.get("Properties")).and_then(Value::as_object);
    let has_properties = properties
        .into_iter()
        .flatten()
        .all(|(key, value)| resource.request.get("Properties").and_then(|own| own.get(key)) == Some(value));
    let passes = wanted("Types", kind) && wanted("LineageTypes", lineage) && has_properties;
    passes.then(|| json!({"Arn": arn, "Type": kind, "LineageType": lineage}))
}
