//! Which components belong to which trials.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Resource, text};

pub(super) static OPERATIONS: &[Own] = &[
    ("AssociateTrialComponent", |core, request| associate(core, request)),
    ("DisassociateTrialComponent", |core, request| disassociate(core, request)),
    ("ListTrials", |core, request| list_trials(core, request)),
    ("ListTrialComponents", |core, request| list_components(core, request)),
    ("DeleteTrial", |core, request| {
        let name = text(request, "TrialName")?.to_owned();
        refuse_trial_with_components(core, &name)?;
        table::delete(core, "DeleteTrial", Kind::Trial.row(), request)
    }),
    ("DeleteTrialComponent", |core, request| {
        refuse_component_of_trials(core, request)?;
        table::delete(core, "DeleteTrialComponent", Kind::TrialComponent.row(), request)
    }),
];

/// The trials of a component, in the form in which Search shows them.
const PARENTS: &str = "Parents";

fn associate(core: &Core, request: &Value) -> Answer {
    let (trial, component) = (text(request, "TrialName")?, text(request, "TrialComponentName")?);
    core.change(|state| {
        let trial = state.get(Kind::Trial.row(), &core.place, trial)?;
        let (trial_arn, parent) = (trial.arn.clone(), parent(trial));
        let component = state.get_mut(Kind::TrialComponent.row(), &core.place, component)?;
        let parents = component.state.entry(PARENTS).or_insert_with(|| json!([]));
        if let Some(parents) = parents.as_array_mut().filter(|parents| !parents.contains(&parent)) {
            parents.push(parent);
        }
        Ok(json!({"TrialComponentArn": component.arn, "TrialArn": trial_arn}))
    })
}

fn disassociate(core: &Core, request: &Value) -> Answer {
    let (trial, component) = (text(request, "TrialName")?, text(request, "TrialComponentName")?);
    core.change(|state| {
        let trial = state.get(Kind::Trial.row(), &core.place, trial)?;
        let (trial_arn, parent) = (trial.arn.clone(), parent(trial));
        let component = state.get_mut(Kind::TrialComponent.row(), &core.place, component)?;
        if let Some(parents) = component.state.get_mut(PARENTS).and_then(Value::as_array_mut) {
            parents.retain(|known| *known != parent);
        }
        Ok(json!({"TrialComponentArn": component.arn, "TrialArn": trial_arn}))
    })
}

fn parent(trial: &Resource) -> Value {
    json!({"TrialName": trial.name, "ExperimentName": trial.request.get("ExperimentName")})
}

fn parents(component: &Resource) -> &[Value] {
    component.state.get(PARENTS).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn list_trials(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    if let Some(experiment) = request.get("ExperimentName").and_then(Value::as_str) {
        state.get(Kind::Experiment.row(), &core.place, experiment)?;
    }
    let of_component = match request.get("TrialComponentName").and_then(Value::as_str) {
        Some(name) => Some(parents(state.get(Kind::TrialComponent.row(), &core.place, name)?)),
        None => None,
    };
    let trials = state.all(Kind::Trial).filter(|trial| {
        of_component.is_none_or(|parents| parents.iter().any(|parent| parent["TrialName"] == trial.name.as_str()))
    });
    listing::list_some(trials, Kind::Trial.row(), "ListTrials", &without(request, &["TrialComponentName"]))
}

fn list_components(core: &Core, request: &Value) -> Answer {
    let state = core.state();
    let name_of = |kind: Kind, member: &str| match request.get(member).and_then(Value::as_str) {
        Some(name) => state.get(kind.row(), &core.place, name).map(|found| Some(found.name.as_str())),
        None => Ok(None),
    };
    let experiment = name_of(Kind::Experiment, "ExperimentName")?;
    let trial = name_of(Kind::Trial, "TrialName")?;
    let source = request.get("SourceArn");
    let components = state.all(Kind::TrialComponent).filter(|component| {
        let belongs = |member: &str, name: Option<&str>| {
            name.is_none_or(|name| parents(component).iter().any(|parent| parent[member] == name))
        };
        belongs("ExperimentName", experiment)
            && belongs("TrialName", trial)
            && source.is_none_or(|source| component.member("Source.SourceArn") == Some(source))
    });
    let rest = without(request, &["ExperimentName", "TrialName", "SourceArn"]);
    listing::list_some(components, Kind::TrialComponent.row(), "ListTrialComponents", &rest)
}

/// A request without filters that are applied already.
fn without(request: &Value, members: &[&str]) -> Value {
    let mut request = request.clone();
    if let Some(object) = request.as_object_mut() {
        object.retain(|member, _| !members.contains(&member.as_str()));
    }
    request
}

fn refuse_trial_with_components(core: &Core, name: &str) -> Result<(), AwsError> {
    let state = core.state();
    let trial = state.get(Kind::Trial.row(), &core.place, name)?;
    let parent = parent(trial);
    if state.all(Kind::TrialComponent).any(|component| parents(component).contains(&parent)) {
        let message = format!("Trial '{}' cannot be deleted: it has trial components.", trial.arn);
        return Err(AwsError::validation(message));
    }
    Ok(())
}

fn refuse_component_of_trials(core: &Core, request: &Value) -> Result<(), AwsError> {
    let state = core.state();
    let component = table::find(core, &state, Kind::TrialComponent.row(), request)?;
    if parents(component).is_empty() {
        return Ok(());
    }
    let message = format!("TrialComponent '{}' cannot be deleted: it is associated with trials.", component.arn);
    Err(AwsError::validation(message))
}
