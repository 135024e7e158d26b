use crate::error::Problems;

/// What a [`DebuggerRule`](super::DebuggerRule) does when it finds something.
///
/// ```
/// use sagemaker::training::debugger::{BuiltinRule, DebuggerRule, RuleAction};
///
/// let rule = DebuggerRule::builtin(BuiltinRule::Overfit)
///     .action(RuleAction::stop_training())
///     .action(RuleAction::email("me@example.com"))
///     .action(RuleAction::sms("+31612345678"));
/// # let _ = rule;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAction(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Stop { prefix: Option<String> },
    Email(String),
    Sms(String),
}

impl RuleAction {
    /// Stops this job. Its role needs leave for `sagemaker:StopTrainingJob`.
    pub fn stop_training() -> Self {
        Self(Kind::Stop { prefix: None })
    }

    /// Stops the training job whose name begins so: letters, digits and hyphens. If there are several, none is stopped.
    pub fn stop_training_named(prefix: impl Into<String>) -> Self {
        Self(Kind::Stop { prefix: Some(prefix.into()) })
    }

    /// Sends an e-mail through the SNS topic `SMDebugRules`, for which the job's role needs `sns:CreateTopic`,
    /// `sns:Subscribe` and `sns:Publish`.
    pub fn email(address: impl Into<String>) -> Self {
        Self(Kind::Email(address.into()))
    }

    /// Sends a text message, through the same topic as [`email`](Self::email), to a number such as `+31612345678`: a plus
    /// sign and at most 15 digits.
    pub fn sms(number: impl Into<String>) -> Self {
        Self(Kind::Sms(number.into()))
    }

    fn check(&self, field: &str, problems: &mut Problems) {
        match &self.0 {
            Kind::Stop { prefix: None } => {}
            Kind::Stop { prefix: Some(prefix) } => {
                let legal = !prefix.is_empty() && prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                problems.require(legal, field, "the prefix of a job's name has letters, digits and hyphens only");
            }
            Kind::Email(address) => {
                let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\' | '@');
                let legal = address.split_once('@').is_some_and(|(name, host)| {
                    !name.is_empty() && !host.is_empty() && !name.contains(odd) && !host.contains(odd)
                });
                problems.require(legal, field, "an e-mail address is like name@example.com");
            }
            Kind::Sms(number) => {
                let legal = number.strip_prefix('+').is_some_and(|digits| {
                    (1..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
                });
                problems.require(legal, field, "a telephone number is a plus sign and at most 15 digits");
            }
        }
    }

    /// As the rule's container reads it: JSON with its quotes escaped once more.
    fn to_wire(&self, job: &str) -> String {
        let entries = |entries: [(&str, &str); 2]| {
            let [first, second] = entries.map(|(key, value)| format!(r#"\"{key}\": \"{value}\""#));
            format!("{{{first}, {second}}}")
        };
        match &self.0 {
            Kind::Stop { prefix: None } => entries([("name", "stoptraining"), ("training_job_prefix", job)]),
            Kind::Stop { prefix: Some(prefix) } => entries([("training_job_prefix", prefix), ("name", "stoptraining")]),
            Kind::Email(address) => entries([("endpoint", address), ("name", "email")]),
            Kind::Sms(number) => entries([("endpoint", number), ("name", "sms")]),
        }
    }
}

/// The value of the parameter `action_json` of a rule in that job; none without actions.
pub(super) fn to_wire(actions: &[RuleAction], job: &str, field: &str, problems: &mut Problems) -> Option<String> {
    actions.iter().for_each(|action| action.check(field, problems));
    let texts: Vec<String> = actions.iter().map(|action| action.to_wire(job)).collect();
    (!texts.is_empty()).then(|| format!("[{}]", texts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_written_as_by_the_python_sdk() {
        let actions = [
            RuleAction::stop_training(),
            RuleAction::stop_training_named("forecaster"),
            RuleAction::email("me@example.com"),
            RuleAction::sms("+31612345678"),
        ];
        let mut problems = Problems::default();
        let text = to_wire(&actions, "job-1", "rule", &mut problems).unwrap();
        problems.into_result().unwrap();
        let expected = concat!(
            r#"[{\"name\": \"stoptraining\", \"training_job_prefix\": \"job-1\"}, "#,
            r#"{\"training_job_prefix\": \"forecaster\", \"name\": \"stoptraining\"}, "#,
            r#"{\"endpoint\": \"me@example.com\", \"name\": \"email\"}, "#,
            r#"{\"endpoint\": \"+31612345678\", \"name\": \"sms\"}]"#,
        );
        assert_eq!(text, expected);
        assert!(to_wire(&[], "job-1", "rule", &mut Problems::default()).is_none());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for action in [
            RuleAction::stop_training_named("a b"),
            RuleAction::stop_training_named(""),
            RuleAction::email("me"),
            RuleAction::email("me@ex\"ample.com"),
            RuleAction::email("me@x@y"),
            RuleAction::sms("0612345678"),
            RuleAction::sms("+1234567890123456"),
        ] {
            let mut problems = Problems::default();
            action.check("debugger_rules.x", &mut problems);
            let error = problems.into_result().unwrap_err();
            assert_eq!(error.invalid_values().len(), 1, "{action:?}");
        }
    }
}
