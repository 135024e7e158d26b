//! Models: what is to be served.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, parse, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::data;
use crate::local::jobs::RESOLVED_CONTAINERS;
use crate::local::kinds::Kind;
use crate::local::services::iam;

mod package;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateModel {
    execution_role_arn: Option<String>,
    primary_container: Option<Value>,
    #[serde(default)]
    containers: Vec<Value>,
    inference_execution_config: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    image: Option<String>,
    container_hostname: Option<String>,
    mode: Option<String>,
    model_data_url: Option<String>,
    model_data_source: Option<Value>,
}

/// `CreateModel`: the role must be known and the model data must exist.
pub(super) fn create(core: &Core, request: &Value) -> Answer {
    let model: CreateModel = parse(request)?;
    if model.primary_container.is_some() && !model.containers.is_empty() {
        return Err(AwsError::validation("You must specify either PrimaryContainer or Containers, not both."));
    }
    if let Some(role) = &model.execution_role_arn {
        iam::check_assumable(core, role)?;
    }
    let given: Vec<&Value> = model.primary_container.iter().chain(&model.containers).collect();
    if given.is_empty() && !core.is_lenient() {
        return Err(AwsError::validation("At least one container must be specified."));
    }
    let mut resolved = Vec::new();
    for definition in &given {
        resolved.extend(package::resolve(core, definition)?);
    }
    let containers = resolved.iter().map(parse).collect::<Result<Vec<Container>, _>>()?;
    check_host_names(&model, &containers)?;
    for container in &containers {
        check_container(core, container)?;
    }
    let mut members = Map::new();
    if given.iter().any(|definition| definition.get("ModelPackageName").is_some()) {
        // Describe gives back what was given; what is served is as it was then, whatever becomes of the package.
        members.insert(RESOLVED_CONTAINERS.to_owned(), Value::from(resolved));
    }
    table::insert(core, "CreateModel", Kind::Model.row(), request, members)
}

/// Containers that are invoked directly are told apart by their host names; each name is unique.
fn check_host_names(model: &CreateModel, containers: &[Container]) -> Result<(), AwsError> {
    let direct = model.inference_execution_config.as_ref().is_some_and(|config| config["Mode"] == "Direct");
    let mut names = BTreeSet::new();
    for container in containers {
        match &container.container_hostname {
            Some(name) if !names.insert(name) => {
                let message = format!("Duplicate container hostname \"{name}\" found in containers.");
                return Err(AwsError::validation(message));
            }
            None if direct => {
                return Err(AwsError::validation(
                    "Each container must have a ContainerHostname when the InferenceExecutionConfig mode is Direct.",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_container(core: &Core, container: &Container) -> Result<(), AwsError> {
    if container.image.is_none() {
        return Err(AwsError::validation("A container must have an Image or a ModelPackageName."));
    }
    let source = container.model_data_source.as_ref().map(|source| &source["S3DataSource"]);
    let (uri, prefix) = match (&container.model_data_url, source) {
        (Some(_), Some(_)) => {
            return Err(AwsError::validation("You must specify either ModelDataUrl or ModelDataSource, not both."));
        }
        (Some(url), None) => (url.as_str(), false),
        (None, Some(source)) => (source["S3Uri"].as_str().unwrap_or_default(), source["S3DataType"] == "S3Prefix"),
        (None, None) if container.mode.as_deref() == Some("MultiModel") => {
            return Err(AwsError::validation("A container with the mode MultiModel must have a ModelDataUrl."));
        }
        (None, None) => return Ok(()),
    };
    let missing = || AwsError::validation(format!("Could not find model data at {uri}."));
    let place = match data::s3_uri(uri) {
        Ok(place) => place,
        // No bucket has such a name.
        Err(_) if core.is_lenient() => return Ok(()),
        Err(_) => return Err(missing()),
    };
    if !data::is_in_reach(core, place.bucket()) {
        return Err(missing());
    }
    if container.mode.as_deref() == Some("MultiModel") {
        return Ok(()); // models may come later
    }
    let exists = match prefix {
        true => !core.s3.list(place.bucket(), place.key()).is_empty(),
        false => core.s3.get(place.bucket(), place.key()).is_some(),
    };
    if exists || core.is_lenient() { Ok(()) } else { Err(missing()) }
}
