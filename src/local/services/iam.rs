//! The little IAM that role look-ups need.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::state::{Place, Role, State};
use crate::local::time::date_time;
use crate::local::wire::escape;

mod policies;

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
            let description = member("Description").unwrap_or_default();
            create_role(core, required("RoleName")?, member("Path").unwrap_or("/"), trust, description)
        }
        "UpdateAssumeRolePolicy" => {
            let trust = required("PolicyDocument")?;
            check_json(trust)?;
            policies::change(core, required("RoleName")?, |role| role.trust = trust.to_owned())
        }
        "ListRoles" => list_roles(core, member("PathPrefix").unwrap_or("/"), member("MaxItems"), member("Marker")),
        "DeleteRole" => delete_role(core, required("RoleName")?),
        "AttachRolePolicy" => policies::attach(core, required("RoleName")?, required("PolicyArn")?),
        "DetachRolePolicy" => policies::detach(core, required("RoleName")?, required("PolicyArn")?),
        "ListAttachedRolePolicies" => policies::attached(core, required("RoleName")?),
        "PutRolePolicy" => {
            let document = required("PolicyDocument")?;
            check_json(document)?;
            policies::put(core, required("RoleName")?, required("PolicyName")?, document)
        }
        "GetRolePolicy" => policies::get(core, required("RoleName")?, required("PolicyName")?),
        "ListRolePolicies" => policies::list(core, required("RoleName")?),
        "DeleteRolePolicy" => policies::delete(core, required("RoleName")?, required("PolicyName")?),
        other => Err(AwsError::unsupported("iam", other)),
    }
}

fn get_role(core: &Core, name: &str) -> Result<String, AwsError> {
    match core.state().roles.get(name) {
        Some(role) => Ok(xml(role, "Role")),
        None => Err(no_role(name)),
    }
}

fn no_role(name: &str) -> AwsError {
    no_such(format!("The role with name {name} cannot be found."))
}

fn no_such(message: String) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}

fn check_json(document: &str) -> Result<(), AwsError> {
    let read = serde_json::from_str::<Value>(document).map(drop);
    read.map_err(|_| AwsError::new(400, "MalformedPolicyDocument", "This policy contains invalid Json"))
}

fn check_name(name: &str) -> Result<(), AwsError> {
    const LONGEST: usize = 64;
    let length = name.chars().count();
    let message = if length > LONGEST {
        format!(
            "1 validation error detected: Value '{name}' at 'roleName' failed to satisfy constraint: Member must have \
             length less than or equal to {LONGEST}"
        )
    } else if name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c)) {
        return Ok(());
    } else {
        "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: \
         +=,.@_-"
            .to_owned()
    };
    Err(AwsError::new(400, "ValidationError", message))
}

/// A trust policy has statements, each of which says who may do what.
fn check_trust(document: &str) -> Result<(), AwsError> {
    let malformed = |why: &str| Err(AwsError::new(400, "MalformedPolicyDocument", why));
    let policy: Value = serde_json::from_str(document).unwrap_or_default();
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one @ Value::Object(_) => std::slice::from_ref(one),
        _ => return malformed("Syntax errors in policy."),
    };
    for statement in statements {
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return malformed("Syntax errors in policy.");
        }
        if statement.get("Resource").is_some() {
            return malformed("Has prohibited field Resource");
        }
    }
    Ok(())
}

/// Roles in the order of their names; the marker is the last one given.
fn list_roles(core: &Core, prefix: &str, size: Option<&str>, marker: Option<&str>) -> Result<String, AwsError> {
    let size = size.map_or(Some(100), |size| size.parse::<usize>().ok().filter(|size| (1..=1000).contains(size)));
    let size =
        size.ok_or_else(|| AwsError::new(400, "ValidationError", "MaxItems must be a number from 1 to 1000."))?;
    let state = core.state();
    let after = |role: &&Role| marker.is_none_or(|marker| role.name.as_str() > marker);
    let found = state.roles.values().filter(|role| role.path.starts_with(prefix)).filter(after);
    let page: Vec<&Role> = found.take(size + 1).collect();
    let shown = page.get(..size).unwrap_or(&page);
    let members: String = shown.iter().map(|role| xml(role, "member")).collect();
    let more = match shown.last() {
        Some(last) if page.len() > size => {
            format!("<IsTruncated>true</IsTruncated><Marker>{}</Marker>", escape(&last.name))
        }
        _ => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    Ok(format!("<Roles>{members}</Roles>{more}"))
}

/// A role with policies is not deleted.
fn delete_role(core: &Core, name: &str) -> Result<String, AwsError> {
    core.change(|state| {
        let role = state.roles.get(name).ok_or_else(|| no_role(name))?;
        let conflict = |message: &str| Err(AwsError::new(409, "DeleteConflict", message));
        if !role.attached.is_empty() {
            return conflict("Cannot delete entity, must detach all policies first.");
        }
        if !role.policies.is_empty() {
            return conflict("Cannot delete entity, must delete policies first.");
        }
        state.roles.remove(name);
        state.touch_role(name);
        Ok(String::new())
    })
}

fn create_role(core: &Core, name: &str, path: &str, trust: &str, description: &str) -> Result<String, AwsError> {
    check_name(name)?;
    if !(path.starts_with('/') && path.ends_with('/')) {
        let message = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.";
        return Err(AwsError::new(400, "ValidationError", message));
    }
    check_json(trust)?;
    if !core.is_lenient() {
        check_trust(trust)?;
    }
    core.change(|state| {
        if state.roles.contains_key(name) {
            let message = format!("Role with name {name} already exists.");
            return Err(AwsError::new(409, "EntityAlreadyExists", message));
        }
        let role = add(state, core, path, name, trust);
        role.description = description.to_owned();
        Ok(xml(role, "Role"))
    })
}

/// Adds the role that exists from the start.
pub(in crate::local) fn add_default_role(state: &mut State, core: &Core) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{SAGEMAKER}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    add(state, core, "/", DEFAULT_ROLE, &trust);
}

fn add<'a>(state: &'a mut State, core: &Core, path: &str, name: &str, trust: &str) -> &'a mut Role {
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: role_arn(&core.place, path, name),
        trust: trust.to_owned(),
        created: core.clock.now(),
        number: state.next_id(),
        attached: BTreeSet::new(),
        policies: BTreeMap::new(),
        description: String::new(),
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
    let assumable = core.home().state().roles.values().any(|role| role.arn == arn && role.trust.contains(SAGEMAKER));
    if assumable || core.is_lenient() {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "Could not assume role {arn}. Please ensure that the role exists and allows principal '{SAGEMAKER}' to assume \
         the role."
    )))
}

/// A role as an element of that name.
fn xml(role: &Role, element: &str) -> String {
    let (path, name, arn) = (escape(&role.path), escape(&role.name), escape(&role.arn));
    let trust = encoded(&role.trust);
    let description = match role.description.as_str() {
        "" => String::new(),
        text => format!("<Description>{}</Description>", escape(text)),
    };
    let created = date_time(role.created);
    let created = created.split('.').next().unwrap_or_default();
    format!(
        "<{element}><Path>{path}</Path><RoleName>{name}</RoleName><RoleId>AROA{:017X}</RoleId><Arn>{arn}</Arn>\
         <CreateDate>{created}Z</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>\
         {description}<MaxSessionDuration>3600</MaxSessionDuration></{element}>",
        role.number
    )
}

/// IAM gives policies back percent-encoded.
fn encoded(policy: &str) -> String {
    policy.bytes().map(percent_encoded).collect()
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
