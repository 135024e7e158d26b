//! Policies of a role: kept and given back, never evaluated.

use super::{encoded, no_role, no_such};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::state::Role;
use crate::local::wire::escape;

type Answer = Result<String, AwsError>;

const COMPLETE: &str = "<IsTruncated>false</IsTruncated>";

/// Changes a role.
pub(super) fn change(core: &Core, role: &str, change: impl FnOnce(&mut Role)) -> Answer {
    try_change(core, role, |role| {
        change(role);
        Ok(())
    })
}

fn try_change(core: &Core, role: &str, change: impl FnOnce(&mut Role) -> Result<(), AwsError>) -> Answer {
    core.change(|state| {
        change(state.roles.get_mut(role).ok_or_else(|| no_role(role))?)?;
        state.touch_role(role);
        Ok(String::new())
    })
}

fn read(core: &Core, role: &str, read: impl FnOnce(&Role) -> Answer) -> Answer {
    read(core.state().roles.get(role).ok_or_else(|| no_role(role))?)
}

pub(super) fn attach(core: &Core, role: &str, arn: &str) -> Answer {
    if !arn.starts_with("arn:") {
        return Err(AwsError::new(400, "InvalidInput", format!("ARN {arn} is not valid.")));
    }
    change(core, role, |role| {
        role.attached.insert(arn.to_owned());
    })
}

pub(super) fn detach(core: &Core, role: &str, arn: &str) -> Answer {
    try_change(core, role, |role| {
        let attached = role.attached.remove(arn);
        attached.then_some(()).ok_or_else(|| no_such(format!("Policy {arn} was not found.")))
    })
}

pub(super) fn attached(core: &Core, role: &str) -> Answer {
    read(core, role, |role| {
        let member = |arn: &String| {
            let name = escape(arn.rsplit('/').next().unwrap_or(arn));
            format!("<member><PolicyName>{name}</PolicyName><PolicyArn>{}</PolicyArn></member>", escape(arn))
        };
        let members: String = role.attached.iter().map(member).collect();
        Ok(format!("<AttachedPolicies>{members}</AttachedPolicies>{COMPLETE}"))
    })
}

pub(super) fn put(core: &Core, role: &str, name: &str, document: &str) -> Answer {
    change(core, role, |role| drop(role.policies.insert(name.to_owned(), document.to_owned())))
}

fn no_policy(name: &str) -> AwsError {
    no_such(format!("The role policy with name {name} cannot be found."))
}

pub(super) fn get(core: &Core, role: &str, name: &str) -> Answer {
    read(core, role, |role| {
        let document = role.policies.get(name).ok_or_else(|| no_policy(name))?;
        Ok(format!(
            "<RoleName>{}</RoleName><PolicyName>{}</PolicyName><PolicyDocument>{}</PolicyDocument>",
            escape(&role.name),
            escape(name),
            encoded(document)
        ))
    })
}

pub(super) fn list(core: &Core, role: &str) -> Answer {
    read(core, role, |role| {
        let members: String = role.policies.keys().map(|name| format!("<member>{}</member>", escape(name))).collect();
        Ok(format!("<PolicyNames>{members}</PolicyNames>{COMPLETE}"))
    })
}

pub(super) fn delete(core: &Core, role: &str, name: &str) -> Answer {
    try_change(core, role, |role| role.policies.remove(name).map(drop).ok_or_else(|| no_policy(name)))
}
