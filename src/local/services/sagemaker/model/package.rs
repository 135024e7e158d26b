//! Containers that come from the registry: a model package says which image serves which data.

use serde_json::{Map, Value, json};

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::state::{Resource, State};

/// What a container of a model package is made of.
const SERVED: [&str; 5] = ["Image", "ModelDataUrl", "ModelDataSource", "Environment", "ContainerHostname"];
/// What a model package decides, so that who names one cannot.
const DECIDED: [&str; 3] = ["Image", "ModelDataUrl", "ModelDataSource"];

/// The containers that a definition stands for: itself, or those of the model package that it names.
///
/// Whether the package is approved does not matter here, as on AWS: approval tells pipelines and people what to deploy.
pub(super) fn resolve(core: &Core, definition: &Value) -> Result<Vec<Value>, AwsError> {
    let Some(name) = definition["ModelPackageName"].as_str() else { return Ok(vec![definition.clone()]) };
    if let Some(member) = DECIDED.iter().find(|member| definition.get(**member).is_some()) {
        return Err(AwsError::validation(format!(
            "{member} cannot be specified together with ModelPackageName: the model package determines it."
        )));
    }
    let row = Kind::ModelPackage.row();
    let state = core.state();
    let package = state.get(row, &core.place, name)?;
    match package.status(row) {
        "Completed" => {}
        status => {
            let arn = &package.arn;
            return Err(AwsError::validation(format!(
                "Model package {arn} is in status {status}: a model can be created from it once it is Completed."
            )));
        }
    }
    let containers = containers(core, &state, package, definition["InferenceSpecificationName"].as_str())?;
    Ok(containers.iter().map(|container| filled(definition, container)).collect())
}

/// The containers of a package, or of the specification of that name among its additional ones.
fn containers(
    core: &Core,
    state: &State,
    package: &Resource,
    specification: Option<&str>,
) -> Result<Vec<Value>, AwsError> {
    let list = |specification: &Value| specification["Containers"].as_array().cloned().unwrap_or_default();
    let missing = |what: &str| AwsError::validation(format!("Model package {} has no {what}.", package.arn));
    if let Some(name) = specification {
        let all = package.request.get("AdditionalInferenceSpecifications").and_then(Value::as_array);
        let found = all.into_iter().flatten().find(|one| one["Name"] == name);
        return found.map(list).ok_or_else(|| missing(&format!("inference specification named {name}")));
    }
    if let Some(specification) = package.request.get("InferenceSpecification") {
        return Ok(list(specification));
    }
    let algorithms = package.member("SourceAlgorithmSpecification.SourceAlgorithms").and_then(Value::as_array);
    let Some(source) = algorithms.and_then(|all| all.first()) else { return Err(missing("inference specification")) };
    let name = source["AlgorithmName"].as_str().unwrap_or_default();
    let algorithm = state.get(Kind::Algorithm.row(), &core.place, name)?;
    let mut containers = algorithm.request.get("InferenceSpecification").map(list).unwrap_or_default();
    // The algorithm has the image, the package the data that was trained with it.
    for container in &mut containers {
        for member in ["ModelDataUrl", "ModelDataSource"] {
            if let Some(data) = source.get(member) {
                container[member] = data.clone();
            }
        }
    }
    if containers.is_empty() { Err(missing("inference specification")) } else { Ok(containers) }
}

/// A container of a package as a `ContainerDefinition`; what the definition that named the package says comes on top.
fn filled(definition: &Value, container: &Value) -> Value {
    let mut filled = Map::new();
    for member in SERVED {
        if let Some(value) = container.get(member).filter(|value| !value.is_null()) {
            filled.insert(member.to_owned(), value.clone());
        }
    }
    for (member, value) in definition.as_object().into_iter().flatten() {
        match (member.as_str(), value) {
            ("ModelPackageName" | "InferenceSpecificationName", _) | (_, Value::Null) => {}
            ("Environment", Value::Object(own)) => {
                let environment = filled.entry("Environment").or_insert_with(|| json!({}));
                if let Some(environment) = environment.as_object_mut() {
                    environment.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
            }
            (_, value) => {
                filled.insert(member.clone(), value.clone());
            }
        }
    }
    Value::Object(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_comes_on_top_of_the_package() {
        let container = json!({"Image": "i", "ModelDataUrl": "s3://b/m", "Environment": {"A": "1", "B": "1"},
            "ContainerHostname": "packed", "ProductId": "p", "Framework": "XGBOOST"});
        let definition = json!({"ModelPackageName": "p/1", "Environment": {"B": "2"}, "ContainerHostname": "own"});
        let expected = json!({"Image": "i", "ModelDataUrl": "s3://b/m", "Environment": {"A": "1", "B": "2"},
            "ContainerHostname": "own"});
        assert_eq!(filled(&definition, &container), expected);
    }
}
