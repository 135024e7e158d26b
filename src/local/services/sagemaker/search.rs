//! `Search` and its suggestions.

mod candidates;
mod condition;
mod property;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Answer, Own};
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{Kind, Row};
use crate::local::listing;
use crate::local::state::{Resource, State, text};

use self::candidates::Candidate;
use self::condition::Condition;
use self::property::Property;

pub(super) static OPERATIONS: &[Own] = &[
    ("Search", |core, request| search(core, request)),
    ("GetSearchSuggestions", |core, request| suggest(core, request)),
];

const MAX_SUGGESTIONS: usize = 10;

/// A kind that can be searched: its name in requests, and the member of a record that holds it.
pub(super) struct Searchable {
    row: &'static Row,
    member: &'static str,
    shape: ModelShape,
    /// Whether operators must suit the types of properties.
    strict: bool,
}

impl Searchable {
    fn of(core: &Core, resource: &str) -> Result<Self, AwsError> {
        let (kind, member) = match resource {
            "TrainingJob" => (Kind::TrainingJob, "TrainingJob"),
            "HyperParameterTuningJob" => (Kind::HyperParameterTuningJob, "HyperParameterTuningJob"),
            "Experiment" => (Kind::Experiment, "Experiment"),
            "ExperimentTrial" => (Kind::Trial, "Trial"),
            "ExperimentTrialComponent" => (Kind::TrialComponent, "TrialComponent"),
            "Endpoint" => (Kind::Endpoint, "Endpoint"),
            "ModelPackage" => (Kind::ModelPackage, "ModelPackage"),
            "ModelPackageGroup" => (Kind::ModelPackageGroup, "ModelPackageGroup"),
            "Pipeline" => (Kind::Pipeline, "Pipeline"),
            "PipelineExecution" => (Kind::PipelineExecution, "PipelineExecution"),
            "FeatureGroup" => (Kind::FeatureGroup, "FeatureGroup"),
            "Project" => (Kind::Project, "Project"),
            "ModelCard" => (Kind::ModelCard, "ModelCard"),
            "HubContent" => (Kind::HubContent, "HubContent"),
            "Job" => (Kind::Job, "Job"),
            "Model" => (Kind::Model, "Model"),
            "FeatureMetadata" => (Kind::FeatureGroup, "FeatureMetadata"),
            "PipelineVersion" => (Kind::Pipeline, "PipelineVersion"),
            // Of images the service's own model has no records.
            _ => return Err(unsupported(resource)),
        };
        let record = ModelShape::output(Service::SageMaker, "Search")
            .and_then(|output| output.member("Results")?.element()?.member(member));
        let shape = record.ok_or_else(|| unsupported(resource))?;
        Ok(Self { row: kind.row(), member, shape, strict: !core.is_lenient() })
    }

    fn record(&self, resource: &Resource) -> Value {
        let mut record = Map::new();
        let document = resource.document(self.row);
        record.insert(self.member.to_owned(), Value::Object(self.shape.project_members(&document)));
        Value::Object(record)
    }
}

fn unsupported(resource: &str) -> AwsError {
    AwsError::validation(format!("The local backend does not support Search for the resource {resource} yet."))
}

fn search(core: &Core, request: &Value) -> Answer {
    let searchable = Searchable::of(core, text(request, "Resource")?)?;
    let condition = match request.get("SearchExpression") {
        Some(expression) => Some(Condition::read(expression, &searchable)?),
        None => None,
    };
    let sort_by = match request.get("SortBy").and_then(Value::as_str) {
        Some(asked) => Property::read(asked, &searchable)?,
        None => Property::time(&searchable),
    };
    let ascending = request.get("SortOrder").and_then(Value::as_str) == Some("Ascending");

    let state = core.state();
    let mut found = matching(&state, &searchable, condition.as_ref());
    found.sort_by(|a, b| {
        let order = compare(sort_by.first(a), sort_by.first(b)).then(a.id.cmp(&b.id));
        if ascending { order } else { order.reverse() }
    });
    let total = found.len();
    let records = listing::page_of("Search", &found, request, |candidate| searchable.record(candidate))?;
    let mut answer = records;
    answer["TotalHits"] = json!({"Value": total, "Relation": "EqualTo"});
    Ok(answer)
}

fn matching<'a>(state: &'a State, searchable: &Searchable, condition: Option<&Condition>) -> Vec<Candidate<'a>> {
    let mut all = candidates::all(state, searchable);
    all.retain(|candidate| condition.is_none_or(|condition| condition.holds(candidate)));
    all
}

/// What is missing comes first, then numbers, then text.
fn compare(a: Option<Value>, b: Option<Value>) -> Ordering {
    let key = |value: &Option<Value>| match value {
        None => 0,
        Some(Value::Number(_)) => 1,
        Some(_) => 2,
    };
    key(&a).cmp(&key(&b)).then_with(|| match (&a, &b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(a), Some(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    })
}

/// `GetSearchSuggestions`: the properties that begin like the hint.
fn suggest(core: &Core, request: &Value) -> Answer {
    let searchable = Searchable::of(core, text(request, "Resource")?)?;
    let hint = request.get("SuggestionQuery").and_then(|query| query.get("PropertyNameQuery"));
    let hint = hint.and_then(|query| query.get("PropertyNameHint")).and_then(Value::as_str).unwrap_or_default();
    let hint = hint.to_lowercase();
    let begins = |name: &String| name.to_lowercase().starts_with(&hint);
    let mut names: Vec<String> = property::names(searchable.shape).into_iter().filter(begins).collect();
    if names.len() < MAX_SUGGESTIONS {
        let state = core.state();
        let used = candidates::all(&state, &searchable);
        let used: BTreeSet<String> =
            used.iter().flat_map(|candidate| property::keys(searchable.shape, candidate)).filter(begins).collect();
        names.extend(used);
    }
    let names = names.into_iter().take(MAX_SUGGESTIONS);
    let suggestions: Vec<Value> = names.map(|name| json!({"PropertyName": name})).collect();
    Ok(json!({"PropertyNameSuggestions": suggestions}))
}
