//! One step: the operation that it stands for.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::Run;
use super::value::{Scope, references};
use super::{callback, condition};
use crate::local::router::Service;
use crate::local::services::sagemaker;
use crate::local::validation;

/// What came of starting a step.
pub(super) enum Outcome {
    Running(Started),
    /// It is done already; its properties.
    Done(Value),
    Branch(Branch),
}

/// What came of a condition.
pub(super) struct Branch {
    pub(super) holds: bool,
    /// The steps to go on with.
    pub(super) chosen: Vec<Value>,
    /// The steps that are left out.
    pub(super) other: Vec<Value>,
}

/// What a step has started.
pub(super) struct Started {
    work: Work,
    /// What the list of steps tells of it.
    pub(super) metadata: Value,
}

enum Work {
    /// A job of that name.
    Job(&'static Form, String),
    /// Waits for the answer to this token.
    Callback(String),
}

/// How the job of a step is doing.
pub(super) enum Status {
    Running,
    Succeeded,
    Failed(String),
}

/// The operations that a type of step stands for.
struct Form {
    step: &'static str,
    noun: &'static str,
    /// The member that holds the name of what is created; empty where the service names it.
    name: &'static str,
    arn: &'static str,
    /// The member of the steps' metadata.
    metadata: &'static str,
    /// The member that tells the status of a job; empty where the step is done once the resource is there.
    status: &'static str,
}

const fn job(step: &'static str, noun: &'static str, names: [&'static str; 4]) -> Form {
    let [name, arn, metadata, status] = names;
    Form { step, noun, name, arn, metadata, status }
}

static FORMS: &[Form] = &[
    job("Training", "TrainingJob", ["TrainingJobName", "TrainingJobArn", "TrainingJob", "TrainingJobStatus"]),
    job(
        "Processing",
        "ProcessingJob",
        ["ProcessingJobName", "ProcessingJobArn", "ProcessingJob", "ProcessingJobStatus"],
    ),
    job("Transform", "TransformJob", ["TransformJobName", "TransformJobArn", "TransformJob", "TransformJobStatus"]),
    job(
        "Tuning",
        "HyperParameterTuningJob",
        ["HyperParameterTuningJobName", "HyperParameterTuningJobArn", "TuningJob", "HyperParameterTuningJobStatus"],
    ),
    job("AutoML", "AutoMLJobV2", ["AutoMLJobName", "AutoMLJobArn", "AutoMLJob", "AutoMLJobStatus"]),
    job("Model", "Model", ["ModelName", "ModelArn", "Model", ""]),
    job("RegisterModel", "ModelPackage", ["", "ModelPackageArn", "RegisterModel", ""]),
    job("EndpointConfig", "EndpointConfig", ["EndpointConfigName", "EndpointConfigArn", "EndpointConfig", ""]),
    job("Endpoint", "Endpoint", ["EndpointName", "EndpointArn", "Endpoint", "EndpointStatus"]),
];

pub(super) fn name(step: &Value) -> String {
    step["Name"].as_str().unwrap_or_default().to_owned()
}

/// The names of the steps that a step waits for.
pub(super) fn needs(step: &Value) -> BTreeSet<String> {
    let listed = step["DependsOn"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut needs: BTreeSet<String> = listed.map(str::to_owned).collect();
    // The steps of a branch have needs of their own, once it is chosen.
    if step["Type"] == "Condition" {
        references(&step["Arguments"]["Conditions"], &mut needs);
    } else {
        references(&step["Arguments"], &mut needs);
    }
    needs
}

/// Starts a step; the error is the reason of its failure.
pub(super) fn start(run: &Run, step: &Value, scope: &Scope) -> Result<Outcome, String> {
    let arguments = &step["Arguments"];
    match step["Type"].as_str().unwrap_or_default() {
        "Condition" => {
            let holds = condition::all(&arguments["Conditions"], scope)?;
            let steps = |branch: &str| arguments[branch].as_array().cloned().unwrap_or_default();
            let (mut chosen, mut other) = (steps("IfSteps"), steps("ElseSteps"));
            if !holds {
                std::mem::swap(&mut chosen, &mut other);
            }
            Ok(Outcome::Branch(Branch { holds, chosen, other }))
        }
        "Fail" => {
            let message = scope.resolve(&arguments["ErrorMessage"])?;
            Err(message.as_str().map_or_else(|| "The fail step was reached.".to_owned(), str::to_owned))
        }
        "Callback" => {
            // What cannot be resolved could not be sent.
            scope.resolve(arguments)?;
            let (token, metadata) = callback::begin(run, step);
            Ok(Outcome::Running(Started { work: Work::Callback(token), metadata }))
        }
        kind => match FORMS.iter().find(|form| form.step == kind) {
            Some(form) => create(run, form, &name(step), &scope.resolve(arguments)?),
            None => Err(format!("The local backend does not support steps of the type {kind}.")),
        },
    }
}

fn create(run: &Run, form: &'static Form, step: &str, arguments: &Value) -> Result<Outcome, String> {
    let mut request = arguments.clone();
    let given = request.get(form.name).and_then(Value::as_str).map(str::to_owned);
    let name = given.unwrap_or_else(|| job_name(run, step));
    if !form.name.is_empty() {
        request[form.name] = json!(name);
    }
    if form.noun == "ModelPackage" {
        make_group(run, &request);
    }
    let created = call(run, &format!("Create{}", form.noun), &request)?;
    let metadata = json!({form.metadata: {"Arn": created[form.arn]}});
    if form.noun == "ModelPackage" {
        let mut properties = call(run, "DescribeModelPackage", &json!({"ModelPackageName": created[form.arn]}))?;
        properties["@Metadata"] = metadata;
        return Ok(Outcome::Done(properties));
    }
    if form.status.is_empty() {
        let mut properties = describe(run, form, &name)?;
        properties["@Metadata"] = metadata;
        return Ok(Outcome::Done(properties));
    }
    Ok(Outcome::Running(Started { work: Work::Job(form, name), metadata }))
}

/// A group that a model is to be registered in comes into being with its first model.
fn make_group(run: &Run, request: &Value) {
    if let Some(group) = request.get("ModelPackageGroupName") {
        // The group may exist; whatever else is wrong, the registration itself says.
        let _ = call(run, "CreateModelPackageGroup", &json!({"ModelPackageGroupName": group}));
    }
}

/// `pipelines-`, the execution and the step, as the service names the jobs of steps; at most 63 characters.
fn job_name(run: &Run, step: &str) -> String {
    let letters = step.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    let short: String = letters.take(20).collect();
    let suffix = run.owner.core.state().next_id();
    format!("pipelines-{}-{}-{suffix:010}", run.owner.key(), short.trim_matches('-'))
}

fn describe(run: &Run, form: &Form, name: &str) -> Result<Value, String> {
    call(run, &format!("Describe{}", form.noun), &json!({form.name: name}))
}

impl Started {
    /// Whether time passes while it runs.
    pub(super) fn is_job(&self) -> bool {
        matches!(self.work, Work::Job(..))
    }

    /// How the job is doing, and its properties.
    pub(super) fn look(&self, run: &Run) -> (Status, Value) {
        let (form, name) = match &self.work {
            Work::Job(form, name) => (form, name),
            Work::Callback(token) => return callback::look(run, token),
        };
        let described = match describe(run, form, name) {
            Ok(described) => described,
            Err(reason) => return (Status::Failed(reason), Value::Null),
        };
        let status = match described[form.status].as_str() {
            Some("Completed" | "InService") => Status::Succeeded,
            Some(ended @ ("Failed" | "Stopped")) => {
                let reason = described["FailureReason"].as_str().unwrap_or(ended);
                Status::Failed(reason.to_owned())
            }
            _ => Status::Running,
        };
        (status, described)
    }

    /// Stops the job, if its kind can be stopped.
    pub(super) fn stop(&self, run: &Run) {
        if let Work::Job(form, name) = &self.work {
            // It may have ended meanwhile, and then refuses.
            let _ = call(run, &format!("Stop{}", form.noun), &json!({form.name: name}));
        }
    }
}

/// An operation, checked and answered as if a client had sent it.
fn call(run: &Run, operation: &str, request: &Value) -> Result<Value, String> {
    let request = match request {
        Value::Object(members) => {
            let given = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
        }
        other => other.clone(),
    };
    let refused = |error: crate::local::aws_error::AwsError| format!("{}: {}", error.code, error.message);
    validation::validate(&Service::SageMaker, operation, &request).map_err(refused)?;
    sagemaker::handle(&run.owner.core, operation, &request).map_err(refused)
}
