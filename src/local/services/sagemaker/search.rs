//! `Search` and its suggestions.

mod condition;
mod property;

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::{Answer, Own};
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::{Kind, Row};
use crate::local::listing;
use crate::local::state::{Resource, State, text};

use self::condition::Condition;
use self::property::Property;

pub(super) static OPERATIONS: &[Own] =
    &[("Search", |core, request| search(core, request)), ("GetSearchSuggestions", |_, request| suggest(request))];

const MAX_SUGGESTIONS: usize = 10;

/// A kind that can be searched: its name in requests, and the member of a record that holds it.
pub(super) struct Searchable {
    row: &'static Row,
    member: &'static str,
    shape: ModelShape,
}

impl Searchable {
    fn of(resource: &str) -> Result<Self, AwsError> {
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
            _ => return Err(unsupported(resource)),
        };
        let record = ModelShape::output(Service::SageMaker, "Search")
            .and_then(|output| output.member("Results")?.element()?.member(member));
        let shape = record.ok_or_else(|| unsupported(resource))?;
        Ok(Self { row: kind.row(), member, shape })
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
    let searchable = Searchable::of(text(request, "Resource")?)?;
    let condition = match request.get("SearchExpression") {
        Some(expression) => Some(Condition::read(expression, &searchable)?),
        None => None,
    };
    let sort_by = match request.get("SortBy").and_then(Value::as_str) {
        Some(asked) => Property::read(asked, &searchable)?,
        // Records of some kinds do not say when they were last modified.
        None => {
            Property::read("LastModifiedTime", &searchable).or_else(|_| Property::read("CreationTime", &searchable))?
        }
    };
    let ascending = request.get("SortOrder").and_then(Value::as_str) == Some("Ascending");

    let state = core.state();
    let mut found = matching(&state, &searchable, condition.as_ref());
    found.sort_by(|a, b| {
        let order = compare(sort_by.first(a), sort_by.first(b)).then(a.id.cmp(&b.id));
        if ascending { order } else { order.reverse() }
    });
    let total = found.len();
    let records = listing::page_of("Search", &found, request, |resource| searchable.record(resource))?;
    let mut answer = records;
    answer["TotalHits"] = json!({"Value": total, "Relation": "EqualTo"});
    Ok(answer)
}

fn matching<'a>(state: &'a State, searchable: &Searchable, condition: Option<&Condition>) -> Vec<&'a Resource> {
    let all = state.all(searchable.row.kind);
    all.filter(|resource| condition.is_none_or(|condition| condition.holds(resource))).collect()
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
fn suggest(request: &Value) -> Answer {
    let searchable = Searchable::of(text(request, "Resource")?)?;
    let hint = request.get("SuggestionQuery").and_then(|query| query.get("PropertyNameQuery"));
    let hint = hint.and_then(|query| query.get("PropertyNameHint")).and_then(Value::as_str).unwrap_or_default();
    let hint = hint.to_lowercase();
    let names = property::names(searchable.shape).into_iter().filter(|name| name.to_lowercase().starts_with(&hint));
    let suggestions: Vec<Value> = names.take(MAX_SUGGESTIONS).map(|name| json!({"PropertyName": name})).collect();
    Ok(json!({"PropertyNameSuggestions": suggestions}))
}
