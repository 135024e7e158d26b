//! Operations that follow from the table of kinds.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Answer;
use crate::api_model::{ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::jobs::{Run, Runtime, states};
use crate::local::kinds::{Move, Row, Step, Verb};
use crate::local::listing;
use crate::local::state::{Identity, Resource, State};

/// Answers an operation of a kind.
pub(super) fn handle(core: &Arc<Core>, operation: &str, verb: Verb, row: &'static Row, request: &Value) -> Answer {
    match verb {
        Verb::Create => create(core, operation, row, request),
        Verb::Describe => Ok(answer(operation, row, find(core, &core.state(), row, request)?)),
        Verb::Update => update(core, operation, row, request),
        Verb::Delete => delete(core, operation, row, request),
        Verb::Move(step) => step_to(core, operation, row, step, request),
        Verb::List => listing::list(&core.state(), row, request),
    }
}

/// Adds a resource and sends it on its way through its states.
pub(super) fn create(core: &Arc<Core>, operation: &str, row: &'static Row, request: &Value) -> Answer {
    let runtime = runtime_for(row.status.created)?;
    core.change(|state| {
        let mut members = Map::new();
        if let (false, Some((first, _))) = (row.status.member.is_empty(), row.status.created.first()) {
            members.insert(row.status.member.to_owned(), Value::from(*first));
        }
        let resource = state.insert(row, &core.place, core.clock.now(), request, members)?;
        walk(core, runtime, row, resource, row.status.created, false);
        Ok(answer(operation, row, resource))
    })
}

/// [`create`] for a resource whose identity the service gives in its own way.
pub(super) fn create_as(
    core: &Arc<Core>,
    operation: &str,
    row: &'static Row,
    request: &Value,
    make: impl FnOnce(&mut State) -> Result<(Identity, Map<String, Value>), AwsError>,
) -> Answer {
    let runtime = runtime_for(row.status.created)?;
    core.change(|state| {
        let (identity, mut members) = make(state)?;
        if let (false, Some((first, _))) = (row.status.member.is_empty(), row.status.created.first()) {
            members.entry(row.status.member).or_insert_with(|| Value::from(*first));
        }
        let resource = state.insert_as(row, &core.place, core.clock.now(), identity, request, members)?;
        if resource.status(row) == row.status.created.first().map_or("", |(status, _)| *status) {
            walk(core, runtime, row, resource, row.status.created, false);
        }
        Ok(answer(operation, row, resource))
    })
}

/// Adds a resource that goes through no states; `members` is what Describe adds to the request.
pub(super) fn insert(core: &Core, operation: &str, row: &Row, request: &Value, members: Map<String, Value>) -> Answer {
    core.change(|state| {
        let resource = state.insert(row, &core.place, core.clock.now(), request, members)?;
        Ok(answer(operation, row, resource))
    })
}

/// Changes the resource that a request names.
pub(super) fn update(core: &Arc<Core>, operation: &str, row: &'static Row, request: &Value) -> Answer {
    let runtime = runtime_for(row.status.updated)?;
    core.change(|state| {
        let resource = find_mut(core, state, row, request)?;
        allow(resource, row, "update", row.status.updatable)?;
        change(resource, row, request)?;
        resource.modified = core.clock.now();
        walk(core, runtime, row, resource, row.status.updated, false);
        Ok(answer(operation, row, resource))
    })
}

/// Changes what Update names.
fn change(resource: &mut Resource, row: &Row, request: &Value) -> Result<(), AwsError> {
    // First what can be refused, so that a refused update changes nothing.
    (row.update.finish)(resource, request)?;
    let identity = |member: &str| member == row.name || member == row.arn || row.parents.contains(&member);
    for (member, value) in request.as_object().into_iter().flatten() {
        if identity(member) || value.is_null() || row.update.left.contains(&member.as_str()) {
            continue;
        }
        if let Some((_, from)) = row.update.removals.iter().find(|(list, _)| list == member) {
            let keys: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if let Some(object) = resource.request.get_mut(*from).and_then(Value::as_object_mut) {
                object.retain(|key, _| !keys.contains(&key.as_str()));
            }
            continue;
        }
        let renamed = row.update.renamed.iter().find(|(name, _)| name == member);
        let target = renamed.map_or(member.as_str(), |(_, target)| target);
        let old = resource.request.get_mut(target).and_then(Value::as_object_mut);
        match (old, value) {
            (Some(old), Value::Object(new)) if row.update.merged.contains(&target) => {
                old.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => {
                resource.state.remove(target);
                resource.request.insert(target.to_owned(), value.clone());
            }
        }
    }
    Ok(())
}

/// Deletes the resource that a request names, unless something keeps it.
pub(super) fn delete(core: &Arc<Core>, operation: &str, row: &'static Row, request: &Value) -> Answer {
    delete_named(core, operation, row, &named(row, request)?)
}

/// [`delete`] by key or ARN.
pub(super) fn delete_named(core: &Arc<Core>, operation: &str, row: &'static Row, name: &str) -> Answer {
    let runtime = runtime_for(row.status.deleted)?;
    core.change(|state| {
        let resource = state.get(row, &core.place, name)?;
        allow(resource, row, "delete", row.status.deletable)?;
        if let Some(what) = state.keepers(row, resource) {
            return Err((row.kept)(&resource.arn, &what));
        }
        let answer = answer(operation, row, resource);
        let key = resource.key.clone();
        state.remove_below(row, &key);
        if row.status.deleted.is_empty() {
            state.remove(row, &core.place, &key)?;
        } else {
            let resource = state.get_mut(row, &core.place, &key)?;
            walk(core, runtime, row, resource, row.status.deleted, true);
        }
        Ok(answer)
    })
}

fn step_to(core: &Arc<Core>, operation: &str, row: &'static Row, step: &'static Move, request: &Value) -> Answer {
    let runtime = runtime_for(step.steps)?;
    core.change(|state| {
        let resource = find_mut(core, state, row, request)?;
        allow(resource, row, operation, step.from)?;
        resource.modified = core.clock.now();
        walk(core, runtime, row, resource, step.steps, false);
        Ok(answer(operation, row, resource))
    })
}

/// Refuses what the resource's state does not allow; `allowed` is empty where any does.
fn allow(resource: &Resource, row: &Row, asked: &str, allowed: &[&str]) -> Result<(), AwsError> {
    let status = resource.status(row);
    if allowed.is_empty() || allowed.contains(&status) {
        return Ok(());
    }
    Err((row.status.refuse)(asked, status, &resource.arn))
}

/// The Tokio runtime, where states follow each other.
fn runtime_for(steps: &[Step]) -> Result<Option<Runtime>, AwsError> {
    if steps.is_empty() { Ok(None) } else { Runtime::current().map(Some) }
}

/// Sends a resource on its way through states; with `removes`, it is gone at their end.
fn walk(
    core: &Arc<Core>,
    runtime: Option<Runtime>,
    row: &'static Row,
    resource: &mut Resource,
    steps: &'static [Step],
    removes: bool,
) {
    let (Some(runtime), Some((first, _))) = (runtime, steps.first()) else { return };
    resource.set(row.status.member, *first);
    (row.status.reached)(resource, first, core.clock.now());
    resource.walks += 1;
    if steps.len() == 1 && !removes {
        return;
    }
    let run = Run::new(core, row.kind, resource);
    runtime.spawn(states::walk(run, row, resource.walks, steps, removes));
}

/// The resource that a request names.
pub(super) fn find<'a>(core: &Core, state: &'a State, row: &Row, request: &Value) -> Result<&'a Resource, AwsError> {
    state.get(row, &core.place, &named(row, request)?)
}

/// The resource that a request names, to be changed.
pub(super) fn find_mut<'a>(
    core: &Core,
    state: &'a mut State,
    row: &Row,
    request: &Value,
) -> Result<&'a mut Resource, AwsError> {
    state.get_mut(row, &core.place, &named(row, request)?)
}

/// The ARN or the key that a request gives.
fn named(row: &Row, request: &Value) -> Result<String, AwsError> {
    let text = |member: &str| request.get(member).and_then(Value::as_str);
    let arn = text(row.arn).or(text(row.name).filter(|name| name.starts_with("arn:")));
    match (arn, text(row.name), request.as_object()) {
        (Some(arn), _, _) => Ok(arn.to_owned()),
        (None, Some(_), Some(request)) => Ok(row.key_of(request)),
        _ => Err(AwsError::serialization(format!("{} is not text", row.name))),
    }
}

/// The part of a resource that an operation answers.
pub(super) fn answer(operation: &str, row: &Row, resource: &Resource) -> Value {
    let Some(shape) = ModelShape::output(Service::SageMaker, operation) else { return Value::Null };
    let mut members = shape.members().peekable();
    if members.peek().is_none() {
        return Value::Null;
    }
    let document = resource.document(row);
    match shape.member(row.wrap) {
        Some(inner) => {
            let mut wrapped = Map::new();
            wrapped.insert(row.wrap.to_owned(), Value::Object(inner.project_members(&document)));
            Value::Object(wrapped)
        }
        None => Value::Object(shape.project_members(&document)),
    }
}
