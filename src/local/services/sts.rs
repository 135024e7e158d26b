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
        "GetSessionToken" => {
            let mut wrong = Vec::new();
            let seconds = seconds(members, 43_200, 129_600, &mut wrong);
            refuse(&wrong)?;
            Ok(credentials(seconds))
        }
        other => Err(AwsError::unsupported("sts", other)),
    }
}

fn assume_role(core: &Core, members: &Members) -> Result<String, AwsError> {
    let mut wrong = Vec::new();
    let role = required(members, "RoleArn", 20, 2048, &mut wrong);
    let session = required(members, "RoleSessionName", 2, 64, &mut wrong);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !session.chars().all(plain) {
        let rule = "satisfy regular expression pattern: [\\w+=,.@-]*";
        wrong.push(violation(Some(session), "roleSessionName", rule));
    }
    let seconds = seconds(members, 3600, 43_200, &mut wrong);
    refuse(&wrong)?;
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

/// What is wrong with a member, in the words of AWS; `rule` goes on after "Member must".
fn violation(value: Option<&str>, path: &str, rule: &str) -> String {
    let value = value.map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
    format!("Value {value} at '{path}' failed to satisfy constraint: Member must {rule}")
}

/// All that is wrong with a request, in one message.
fn refuse(wrong: &[String]) -> Result<(), AwsError> {
    let errors = match wrong.len() {
        0 => return Ok(()),
        1 => "1 validation error".to_owned(),
        many => format!("{many} validation errors"),
    };
    Err(AwsError::new(400, "ValidationError", format!("{errors} detected: {}", wrong.join("; "))))
}

/// A member of a length; empty if it is not there.
fn required<'a>(members: &'a Members, name: &str, least: usize, most: usize, wrong: &mut Vec<String>) -> &'a str {
    let path = name.get(..1).unwrap_or_default().to_lowercase() + name.get(1..).unwrap_or_default();
    let value = members.get(name).map(String::as_str);
    let rule = match value.map(|value| value.chars().count()) {
        None => "not be null".to_owned(),
        Some(length) if length < least => format!("have length greater than or equal to {least}"),
        Some(length) if length > most => format!("have length less than or equal to {most}"),
        Some(_) => return value.unwrap_or_default(),
    };
    wrong.push(violation(value, &path, &rule));
    value.unwrap_or_default()
}

fn seconds(members: &Members, default: u64, most: u64, wrong: &mut Vec<String>) -> u64 {
    const LEAST: u64 = 900;
    let Some(text) = members.get("DurationSeconds") else { return default };
    let rule = match text.parse::<u64>() {
        Ok(seconds) if seconds > most => format!("have value less than or equal to {most}"),
        Ok(seconds) if seconds >= LEAST => return seconds,
        _ => format!("have value greater than or equal to {LEAST}"),
    };
    wrong.push(violation(Some(text), "durationSeconds", &rule));
    default
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
