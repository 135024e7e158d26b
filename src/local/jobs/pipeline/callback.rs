//! Callback steps: they wait until their token is answered.
//!
//! AWS sends the token to a queue of Amazon SQS. There is none here: it is in the metadata that
//! ListPipelineExecutionSteps gives, as on AWS.

use serde_json::{Value, json};

use super::super::Run;
use super::step::Status;

/// Where an execution keeps what became of tokens.
pub(in crate::local) const CALLBACKS: &str = "Callbacks";

/// Makes the token of a step; with it comes what the list of steps tells.
pub(super) fn begin(run: &Run, step: &Value) -> (String, Value) {
    let token = format!("cb{:08x}", run.owner.core.state().next_id() & 0xffff_ffff);
    let mut metadata = json!({"CallbackToken": token});
    if let Some(queue) = step["SqsQueueUrl"].as_str() {
        metadata["SqsQueueUrl"] = json!(queue);
    }
    let outputs = step["OutputParameters"].clone();
    run.update(|execution, _| {
        let all = execution.state.entry(CALLBACKS).or_insert_with(|| json!({}));
        all[token.as_str()] = json!({"Declared": outputs});
    });
    (token, json!({"Callback": metadata}))
}

/// Whether a token was answered, and how; the properties are the step's outputs.
pub(super) fn look(run: &Run, token: &str) -> (Status, Value) {
    let callback = run.owner.read(|execution| execution.state.get(CALLBACKS).map(|all| all[token].clone()));
    let callback = callback.flatten().unwrap_or_default();
    match callback["Answer"].as_str() {
        Some("Succeeded") => (Status::Succeeded, json!({"OutputParameters": outputs(&callback)})),
        Some(_) => {
            let reason = callback["FailureReason"].as_str().unwrap_or("The callback step was answered with a failure.");
            (Status::Failed(reason.to_owned()), Value::Null)
        }
        None => (Status::Running, Value::Null),
    }
}

/// The outputs by name, of the types that the step declares.
fn outputs(callback: &Value) -> Value {
    let declared = callback["Declared"].as_array();
    let of_type = |name: &Value, text: &str| {
        let output = declared.into_iter().flatten().find(|output| output["OutputName"] == *name);
        let parsed = match output.and_then(|output| output["OutputType"].as_str()) {
            Some("Integer") => text.parse::<i64>().ok().map(Value::from),
            Some("Float") => text.parse::<f64>().ok().map(Value::from),
            Some("Boolean") => text.to_lowercase().parse::<bool>().ok().map(Value::from),
            _ => None,
        };
        parsed.unwrap_or_else(|| json!(text))
    };
    let given = callback["OutputParameters"].as_array().into_iter().flatten();
    let named = given.filter_map(|output| {
        let (name, text) = (&output["Name"], output["Value"].as_str()?);
        Some((name.as_str()?.to_owned(), of_type(name, text)))
    });
    Value::Object(named.collect())
}
