//! The little IAM that role look-ups need.

use std::collections::BTreeMap;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::state::{Place, Role, State};
use crate::local::time::date_time;
use crate::local::wire::escape;

pub(super) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The name of the role that exists from the start.
pub(in crate::local) const DEFAULT_ROLE: &str = "SageMakerRole";

const SAGEMAKER: &str = "sagemaker.amazonaws.com";

pub(super) fn handle(core: &Core, action: &str, members: &BTreeMap<String, String>) -> Result<String, AwsError> {
    let member = |name: &str| members.get(name).map(String::as_str);
    let required = |name: &str| {
        member(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let path = name.chars().next().map(|first| first.to_ascii_lowercase()).into_iter();
            let path: String = path.chain(name.chars().skip(1)).collect();
            AwsError::new(
                400,
                "ValidationError",
                format!("1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"),
            )
        })
    };
    match action {
        "GetRole" => get_role(core, required("RoleName")?),
        "CreateRole" => {
            let trust = required("AssumeRolePolicyDocument")?;
            create_role(core, required("RoleName")?, member("Path").unwrap_or("/"), trust)
        }
        other => Err(AwsError::unsupported("iam", other)),
    }
}

fn get_role(core: &Core, name: &str) -> Result<String, AwsError> {
    match core.state().roles.get(name) {
        Some(role) => Ok(xml(role)),
        None => Err(AwsError::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))),
    }
}

fn create_role(core: &Core, name: &str, path: &str, trust: &str) -> Result<String, AwsError> {
    if !(path.starts_with('/') && path.ends_with('/')) {
        let message = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.";
        return Err(AwsError::new(400, "ValidationError", message));
    }
    if serde_json::from_str::<serde_json::Value>(trust).is_err() {
        return Err(AwsError::new(400, "MalformedPolicyDocument", "This policy contains invalid Json"));
    }
    core.change(|state| {
        if state.roles.contains_key(name) {
            let message = format!("Role with name {name} already exists.");
            return Err(AwsError::new(409, "EntityAlreadyExists", message));
        }
        Ok(xml(add(state, core, path, name, trust)))
    })
}

/// Adds the role that exists from the start.
pub(in crate::local) fn add_default_role(state: &mut State, core: &Core) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{SAGEMAKER}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    add(state, core, "/", DEFAULT_ROLE, &trust);
}

fn add<'a>(state: &'a mut State, core: &Core, path: &str, name: &str, trust: &str) -> &'a Role {
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: role_arn(&core.place, path, name),
        trust: trust.to_owned(),
        created: core.clock.now(),
        number: state.next_id(),
    };
    state.touch_role(name);
    state.roles.entry(name.to_owned()).or_insert(role)
}

/// The ARN of a role; the path begins and ends with a slash.
pub(in crate::local) fn role_arn(place: &Place, path: &str, name: &str) -> String {
    format!("arn:{}:iam::{}:role{path}{name}", place.partition(), place.account)
}

/// Whether SageMaker may take on a role; the text is what SageMaker answers when it may not.
pub(in crate::local) fn check_assumable(core: &Core, arn: &str) -> Result<(), AwsError> {
    let assumable = core.state().roles.values().any(|role| role.arn == arn && role.trust.contains(SAGEMAKER));
    if assumable || core.is_lenient() {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "Could not assume role {arn}. Please ensure that the role exists and allows principal '{SAGEMAKER}' to assume \
         the role."
    )))
}

fn xml(role: &Role) -> String {
    let (path, name, arn) = (escape(&role.path), escape(&role.name), escape(&role.arn));
    // IAM gives policies back percent-encoded.
    let trust: String = role.trust.bytes().map(percent_encoded).collect();
    let created = date_time(role.created);
    let created = created.split('.').next().unwrap_or_default();
    format!(
        "<Role><Path>{path}</Path><RoleName>{name}</RoleName><RoleId>AROA{:017X}</RoleId><Arn>{arn}</Arn>\
         <CreateDate>{created}Z</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument></Role>",
        role.number
    )
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
