//! The task behind a pipeline execution: its steps run as the jobs and resources that they describe.

mod callback;
mod condition;
mod definition;
mod step;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Run;
use crate::local::state::Resource;
use crate::local::time::timestamp;

pub(in crate::local) use self::callback::CALLBACKS;
pub(in crate::local) use self::definition::check;
use self::step::{Outcome, Started};
use self::value::Scope;

/// How often, in virtual seconds, the jobs of steps are looked at.
const LOOK: u64 = 5;

/// Where an execution keeps what ListPipelineExecutionSteps tells.
pub(in crate::local) const STEPS: &str = "Steps";

/// What an execution runs.
pub(in crate::local) struct Plan {
    /// The steps of the definition.
    pub(in crate::local) steps: Vec<Value>,
    pub(in crate::local) parameters: BTreeMap<String, Value>,
    /// What `Execution.PipelineName` and such stand for.
    pub(in crate::local) execution: Map<String, Value>,
}

/// Runs the steps: each as soon as those before it have succeeded.
pub(in crate::local) async fn run(mut run: Run, plan: Plan) {
    let mut scope = Scope { parameters: plan.parameters, execution: plan.execution, steps: BTreeMap::new() };
    let mut waiting = plan.steps;
    let mut running: Vec<Running> = Vec::new();
    let mut failure: Option<String> = None;
    let mut skipped = BTreeSet::new();
    loop {
        let seen = run.owner.core.clock.changes();
        if run.is_orphaned() {
            return run.abandon();
        }
        if run.stop.asked() {
            stop(&run, &running);
            run.finish(|execution, _| execution.set("PipelineExecutionStatus", "Stopped"));
            return;
        }
        skip(&mut waiting, &mut skipped);
        let mut moved = look(&run, &mut running, &mut scope, &mut failure);
        while let Some(at) = waiting.iter().position(|step| failure.is_none() && is_ready(step, &waiting, &running)) {
            let step = waiting.remove(at);
            match start(&run, &step, &scope) {
                Ok(Outcome::Running(started)) => running.push(Running { name: step::name(&step), started }),
                Ok(Outcome::Done(properties)) => {
                    scope.steps.insert(step::name(&step), properties);
                }
                Ok(Outcome::Branch(branch)) => {
                    waiting.extend(branch.chosen);
                    branch.other.iter().for_each(|step| names(step, &mut skipped));
                    skip(&mut waiting, &mut skipped);
                }
                Err(reason) => failure = Some(reason),
            }
            moved = true;
        }
        if running.is_empty() && (waiting.is_empty() || failure.is_some() || !moved) {
            break;
        }
        if running.iter().any(|step| step.started.is_job()) {
            run.pass_unless_stopped(LOOK).await;
        } else if !running.is_empty() {
            // Whoever answers a callback takes their time, and none passes here.
            let clock = run.owner.core.clock.clone();
            let answered = async {
                clock.change_since(seen).await;
                ((), None)
            };
            run.attend(answered, false, None).await;
        }
    }
    if failure.is_none() && !waiting.is_empty() {
        failure = Some("The steps wait for each other.".to_owned());
    }
    run.finish(|execution, _| match failure {
        None => execution.set("PipelineExecutionStatus", "Succeeded"),
        Some(reason) => fail(execution, &reason),
    });
}

/// Marks an execution as failed.
pub(in crate::local) fn fail(execution: &mut Resource, reason: &str) {
    execution.set("PipelineExecutionStatus", "Failed");
    execution.set_failure(reason);
}

/// A step whose job runs.
struct Running {
    name: String,
    started: Started,
}

/// Whether all that a step waits for is over.
fn is_ready(step: &Value, waiting: &[Value], running: &[Running]) -> bool {
    let own = step::name(step);
    step::needs(step).iter().all(|need| {
        *need == own
            || (!waiting.iter().any(|other| contains(other, need)) && !running.iter().any(|other| other.name == *need))
    })
}

/// Whether a step is of that name, or a condition that may still lead to one.
fn contains(step: &Value, name: &str) -> bool {
    step["Name"] == name
        || ["IfSteps", "ElseSteps"]
            .iter()
            .any(|branch| step["Arguments"][branch].as_array().into_iter().flatten().any(|inner| contains(inner, name)))
}

/// Leaves out the steps that wait for one that is left out.
fn skip(waiting: &mut Vec<Value>, skipped: &mut BTreeSet<String>) {
    while let Some(at) = waiting.iter().position(|step| step::needs(step).iter().any(|need| skipped.contains(need))) {
        names(&waiting.remove(at), skipped);
    }
}

/// The names of a step and of those in its branches.
fn names(step: &Value, found: &mut BTreeSet<String>) {
    found.insert(step::name(step));
    for branch in ["IfSteps", "ElseSteps"] {
        step["Arguments"][branch].as_array().into_iter().flatten().for_each(|inner| names(inner, found));
    }
}

/// Starts a step and notes it.
fn start(run: &Run, step: &Value, scope: &Scope) -> Result<Outcome, String> {
    let name = step::name(step);
    let now = timestamp(run.now());
    let mut entry = json!({"StepName": name, "StartTime": now, "StepStatus": "Executing", "AttemptCount": 1});
    for (member, from) in [("StepDisplayName", "DisplayName"), ("StepDescription", "Description")] {
        if let Some(text) = step.get(from).filter(|text| text.is_string()) {
            entry[member] = text.clone();
        }
    }
    let outcome = step::start(run, step, scope);
    match &outcome {
        Ok(Outcome::Running(started)) => entry["Metadata"] = started.metadata.clone(),
        Ok(Outcome::Done(properties)) => {
            entry["StepStatus"] = json!("Succeeded");
            entry["EndTime"] = now;
            entry["Metadata"] = properties["@Metadata"].clone();
        }
        Ok(Outcome::Branch(branch)) => {
            entry["StepStatus"] = json!("Succeeded");
            entry["EndTime"] = now;
            entry["Metadata"] = json!({"Condition": {"Outcome": if branch.holds { "True" } else { "False" }}});
        }
        Err(reason) => {
            entry["StepStatus"] = json!("Failed");
            entry["EndTime"] = now;
            entry["FailureReason"] = json!(reason);
        }
    }
    if entry["Metadata"].is_null()
        && let Some(entry) = entry.as_object_mut()
    {
        entry.remove("Metadata");
    }
    run.update(|execution, _| {
        let steps = execution.state.entry(STEPS).or_insert_with(|| json!([]));
        if let Some(steps) = steps.as_array_mut() {
            steps.push(entry);
        }
    });
    outcome.map_err(|reason| format!("Step failure: One or multiple steps failed. {name}: {reason}"))
}

/// Looks after running jobs; whether one has ended.
fn look(run: &Run, running: &mut Vec<Running>, scope: &mut Scope, failure: &mut Option<String>) -> bool {
    let before = running.len();
    running.retain(|step| {
        let (status, properties) = step.started.look(run);
        let (status, reason) = match status {
            step::Status::Running => return true,
            step::Status::Succeeded => ("Succeeded", None),
            step::Status::Failed(reason) => ("Failed", Some(reason)),
        };
        note_end(run, &step.name, status, reason.as_deref());
        scope.steps.insert(step.name.clone(), properties);
        if let Some(reason) = reason {
            failure.get_or_insert(format!("Step failure: One or multiple steps failed. {}: {reason}", step.name));
        }
        false
    });
    running.len() < before
}

fn note_end(run: &Run, name: &str, status: &str, reason: Option<&str>) {
    run.update(|execution, now| {
        let steps = execution.state.get_mut(STEPS).and_then(Value::as_array_mut).into_iter().flatten();
        for step in steps.filter(|step| step["StepName"] == name) {
            step["StepStatus"] = json!(status);
            step["EndTime"] = timestamp(now);
            if let Some(reason) = reason {
                step["FailureReason"] = json!(reason.chars().take(1024).collect::<String>());
            }
        }
    });
}

fn stop(run: &Run, running: &[Running]) {
    for step in running {
        step.started.stop(run);
        note_end(run, &step.name, "Stopped", None);
    }
}
