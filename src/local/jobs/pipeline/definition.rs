//! What can be wrong with a definition before any of its steps runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::step;
use super::value::references_to;

/// The types of steps that the service knows; some of them cannot run here.
const TYPES: [&str; 23] = [
    "AutoML",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
    "Callback",
    "ClarifyCheck",
    "Condition",
    "EMR",
    "EMRServerless",
    "Endpoint",
    "EndpointConfig",
    "Fail",
    "InferenceComponent",
    "Lambda",
    "Lineage",
    "Model",
    "Processing",
    "QualityCheck",
    "RegisterModel",
    "Training",
    "Transform",
    "Tuning",
];

/// Checks that steps have types and names of their own, and that all they name is there; the error is a sentence.
pub(in crate::local) fn check(definition: &Value) -> Result<(), String> {
    let steps = definition["Steps"].as_array().ok_or("Steps are missing.")?;
    let mut graph = Graph::default();
    for step in steps {
        graph.add(step, None)?;
    }
    graph.check_needs()?;
    let declared = definition["Parameters"].as_array().into_iter().flatten();
    let declared: BTreeSet<&str> = declared.filter_map(|parameter| parameter["Name"].as_str()).collect();
    let mut named = BTreeSet::new();
    references_to("Parameters", definition, &mut named);
    match named.iter().find(|name| !declared.contains(name.as_str())) {
        Some(unknown) => Err(format!("The parameter '{unknown}' is not defined.")),
        None => Ok(()),
    }
}

/// What each step waits for, by name.
#[derive(Default)]
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// Adds a step and those of its branches, which wait for it.
    fn add(&mut self, step: &Value, parent: Option<&str>) -> Result<(), String> {
        let (Some(name), Some(kind)) = (step["Name"].as_str(), step["Type"].as_str()) else {
            return Err("A step has no Name or no Type.".to_owned());
        };
        if !TYPES.contains(&kind) {
            return Err(format!("The step '{name}' has the unknown type '{kind}'."));
        }
        let mut needs = step::needs(step);
        needs.extend(parent.map(str::to_owned));
        if self.0.insert(name.to_owned(), needs).is_some() {
            return Err(format!("Step names must be unique: two steps are named '{name}'."));
        }
        for branch in ["IfSteps", "ElseSteps"] {
            for inner in step["Arguments"][branch].as_array().into_iter().flatten() {
                self.add(inner, Some(name))?;
            }
        }
        Ok(())
    }

    /// All that is waited for is there, and not for each other.
    fn check_needs(mut self) -> Result<(), String> {
        for (name, needs) in &self.0 {
            if let Some(unknown) = needs.iter().find(|need| !self.0.contains_key(*need)) {
                return Err(format!("The step '{name}' depends on the step '{unknown}', which does not exist."));
            }
        }
        loop {
            let free: BTreeSet<String> =
                self.0.iter().filter(|(_, needs)| needs.is_empty()).map(|(name, _)| name.clone()).collect();
            if free.is_empty() {
                break;
            }
            self.0.retain(|name, needs| {
                needs.retain(|need| !free.contains(need));
                !free.contains(name)
            });
        }
        match self.0.keys().next() {
            Some(name) => Err(format!("The steps depend on each other in a cycle, in which the step '{name}' is.")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn step(name: &str, needs: &[&str]) -> Value {
        json!({"Name": name, "Type": "Fail", "DependsOn": needs, "Arguments": {}})
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let branch = json!({"Name": "If", "Type": "Condition", "Arguments": {
            "Conditions": [], "IfSteps": [step("Then", &[])], "ElseSteps": [step("Else", &["If"])]}});
        let good = json!({"Parameters": [{"Name": "P"}], "Steps": [
            step("Last", &["Then", "Else"]), branch.clone(),
            {"Name": "First", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.P"}}},
        ]});
        assert_eq!(check(&good), Ok(()));
        let get = |path: &str| json!({"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": path}}});
        for (steps, why) in [
            (json!([step("a", &["b"])]), "'b', which does not exist"),
            (json!([get("Steps.b.Name")]), "'b', which does not exist"),
            (json!([get("Parameters.Q")]), "parameter 'Q' is not defined"),
            (json!([step("a", &["b"]), step("b", &["a"])]), "in a cycle"),
            (json!([step("a", &["a"])]), "in a cycle"),
            (json!([branch, step("Then", &[])]), "two steps are named 'Then'"),
            (json!([{"Name": "a", "Type": "Dance"}]), "unknown type 'Dance'"),
            (json!([{"Name": "a"}]), "no Type"),
        ] {
            let error = check(&json!({"Steps": steps})).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        // What waits for a step of a branch cannot come before it.
        let mut around = good;
        around["Steps"][1]["DependsOn"] = json!(["Last"]);
        assert!(check(&around).unwrap_err().contains("in a cycle"));
    }

    proptest! {
        #[test]
        fn steps_in_some_order_are_no_cycle(order in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle()) {
            let steps: Vec<Value> = order.iter().map(|&at| {
                let needs: Vec<String> = (0..at).map(|before| before.to_string()).collect();
                json!({"Name": at.to_string(), "Type": "Fail", "DependsOn": needs, "Arguments": {}})
            }).collect();
            prop_assert_eq!(check(&json!({"Steps": steps})), Ok(()));
        }
    }
}
