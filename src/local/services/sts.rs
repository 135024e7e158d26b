//! STS: who am I, and credentials of a role.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::clock::LocalClock;
use crate::local::services::iam::DEFAULT_ROLE;
use crate::local::time::date_time;
use crate::local::wire::escape;

pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

type Members = BTreeMap<String, String>;

pub(super) fn handle(core: &Core, action: &str, members: &Members) -> Result<String, AwsError> {
    match action {
        "GetCallerIdentity" => {
            let account = &core.place.account;
            let arn = format!("arn:{}:sts::{account}:assumed-role/{DEFAULT_ROLE}/local", core.place.partition());
            Ok(format!("<Arn>{arn}</Arn><UserId>AROALOCAL:local</UserId><Account>{account}</Account>"))
        }
        "AssumeRole" => assume_role(core, members),
        "GetSessionToken" => Ok(credentials(seconds(members, 43_200, 129_600)?)),
        other => Err(AwsError::unsupported("sts", other)),
    }
}

fn assume_role(core: &Core, members: &Members) -> Result<String, AwsError> {
    let role = required(members, "RoleArn")?;
    let session = required(members, "RoleSessionName")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&session.len()) || !session.chars().all(plain) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\w+=,.@-]*"
        )));
    }
    let seconds = seconds(members, 3600, 43_200)?;
    let name = {
        let state = core.state();
        let known =
            state.roles.values().find(|known| known.arn == role).map(|known| (known.name.clone(), known.number));
        known.or_else(|| core.is_lenient().then(|| (role.rsplit('/').next().unwrap_or(role).to_owned(), 0)))
    };
    let Some((name, number)) = name else {
        let caller =
            format!("arn:{}:sts::{}:assumed-role/{DEFAULT_ROLE}/local", core.place.partition(), core.place.account);
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
        return Err(AwsError::new(403, "AccessDenied", message));
    };
    let account = role.split(':').nth(4).unwrap_or(&core.place.account);
    let arn = format!("arn:{}:sts::{account}:assumed-role/{name}/{session}", core.place.partition());
    Ok(format!(
        "<AssumedRoleUser><AssumedRoleId>AROA{number:017X}:{session}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>{}",
        escape(&arn),
        credentials(seconds)
    ))
}

fn required<'a>(members: &'a Members, name: &str) -> Result<&'a str, AwsError> {
    let path = name.get(..1).unwrap_or_default().to_lowercase() + name.get(1..).unwrap_or_default();
    members.get(name).map(String::as_str).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

fn invalid(message: String) -> AwsError {
    AwsError::new(400, "ValidationError", message)
}

fn seconds(members: &Members, default: u64, most: u64) -> Result<u64, AwsError> {
    let Some(text) = members.get("DurationSeconds") else { return Ok(default) };
    text.parse().ok().filter(|seconds| (900..=most).contains(seconds)).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member must \
             have value between 900 and {most}"
        ))
    })
}

/// Credentials in the form of those of AWS. They open nothing: the backend takes any.
///
/// They expire by the real time, which is the one that clients know.
fn credentials(seconds: u64) -> String {
    let text = |length: usize, of: &dyn Fn() -> char| -> String { (0..length).map(|_| of()).collect() };
    let upper = || if fastrand::bool() { fastrand::uppercase() } else { fastrand::digit(10) };
    let expires = date_time(LocalClock::real_now() + Duration::from_secs(seconds));
    let expires = expires.split('.').next().unwrap_or_default();
    format!(
        "<Credentials><AccessKeyId>ASIA{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}\
         </SessionToken><Expiration>{expires}Z</Expiration></Credentials>",
        text(16, &upper),
        text(40, &fastrand::alphanumeric),
        text(200, &fastrand::alphanumeric)
    )
}
