//! Failures of containers, as the runtime words them.

use super::aim::Aim;
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::engines::InvocationFailure;
use crate::local::jobs::calls::{Failure, Progress};

/// The longest message that the API allows, in characters.
const MAX_MESSAGE: usize = 2048;
/// What of a container's body is repeated in the message, in characters.
const MAX_REPEATED: usize = 1024;

/// The status and text of a failure: of a container that said nothing, status 0.
pub(super) fn original(aim: &Aim, progress: &Progress, failure: &Failure) -> Option<InvocationFailure> {
    match failure {
        Failure::Model(failure) => Some(failure.clone()),
        Failure::Late => {
            let message = format!(
                "Your invocation timed out while waiting for a response from container {}. Review the latency metrics \
                 for each container in Amazon CloudWatch, resolve the issue, and try again.",
                container(aim, progress)
            );
            Some(InvocationFailure { status: 0, message })
        }
        Failure::NoTarget { .. } | Failure::NotLoaded => None,
    }
}

/// The error that the caller gets; the endpoint's log says the same.
pub(super) fn error(core: &Core, aim: &Aim, progress: &Progress, failure: &Failure) -> AwsError {
    let Some(InvocationFailure { status, message }) = original(aim, progress, failure) else {
        return match failure {
            Failure::NoTarget { bucket, key } => AwsError::runtime_validation(format!(
                "Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object \
                 located at the URL and that the role passed to CreateModel has permissions to download the model."
            )),
            _ => AwsError::new(
                429,
                "ModelNotReadyException",
                "The target model is still being downloaded or loaded. Wait and try your request again.",
            ),
        };
    };
    aim.log(core, &aim.variant.log_stream, &format!("POST /invocations {status}: {message}"));
    let (region, account) = (&core.place.region, &core.place.account);
    let group = aim.log_group();
    let side = if (400..500).contains(&status) { "client" } else { "server" };
    let said = if message.chars().count() > MAX_REPEATED {
        "and could not load the entire response body".to_owned()
    } else {
        format!("with message \"{message}\"")
    };
    let text = format!(
        "Received {side} error ({status}) from {} {said}. See https://{region}.console.aws.amazon.com/cloudwatch/home\
         ?region={region}#logEventViewer:group={group} in account {account} for more information.",
        container(aim, progress)
    );
    let arn = format!("arn:{}:logs:{region}:{account}:log-group:{group}", core.place.partition());
    AwsError::new(424, "ModelError", text)
        .with("OriginalStatusCode", status)
        .with("OriginalMessage", cut(&message))
        .with("LogStreamArn", arn)
}

/// The container that is being asked.
fn container<'a>(aim: &'a Aim, progress: &Progress) -> &'a str {
    aim.variant.serving.containers.get(progress.container()).map_or("primary", |container| container.name.as_str())
}

/// As much as the API allows.
pub(super) fn cut(message: &str) -> String {
    message.chars().take(MAX_MESSAGE).collect()
}
