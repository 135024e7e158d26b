use std::collections::BTreeMap;

use aws_sdk_sagemaker::types as sdk;

use super::evaluator;
use super::{BuiltinProfilerRule, BuiltinRule, RuleAction, TensorCollection, action, map, place};
use crate::error::Problems;
use crate::types::{ImageUri, InstanceType, S3Uri};

/// What evaluates a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Evaluator {
    /// The service's own, on instances that are not charged.
    Builtin,
    Custom {
        image: String,
        instance_type: String,
        volume_gb: u32,
    },
}

/// What both kinds of rules have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    name: String,
    evaluator: Evaluator,
    output_path: Option<String>,
    local_path: Option<String>,
    parameters: BTreeMap<String, String>,
    has_source: bool,
}

impl Rule {
    fn builtin(name: &str) -> Self {
        let parameters = BTreeMap::from([("rule_to_invoke".to_owned(), name.to_owned())]);
        let name = name.to_owned();
        Self { name, evaluator: Evaluator::Builtin, output_path: None, local_path: None, parameters, has_source: false }
    }

    fn custom(name: String, image: String, instance_type: String, volume_gb: u32) -> Self {
        let evaluator = Evaluator::Custom { image, instance_type, volume_gb };
        Self { name, evaluator, output_path: None, local_path: None, parameters: BTreeMap::new(), has_source: false }
    }

    /// Image, instance type and volume.
    fn machine(&self, field: &str, region: &str, problems: &mut Problems) -> Option<(ImageUri, Option<(String, i32)>)> {
        match &self.evaluator {
            Evaluator::Builtin if self.has_source => {
                problems.push(field, "a rule of the service has its own code; source is for custom rules");
                None
            }
            Evaluator::Builtin => Some((problems.check(field, evaluator::image(region))?, None)),
            Evaluator::Custom { image, instance_type, volume_gb } => {
                let image = problems.check(field, ImageUri::new(image.as_str()));
                let instance_type = problems.check(field, InstanceType::new(instance_type.as_str()));
                let volume = i32::try_from(*volume_gb).ok().filter(|gb| *gb >= 1);
                problems.require(volume.is_some(), field, "a volume has at least 1 GB");
                Some((image?, Some((instance_type?.to_string(), volume?))))
            }
        }
    }
}

macro_rules! rule_setters {
    () => {
        /// Its name in the job. Default: the rule's own name.
        #[must_use]
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.rule.name = name.into();
            self
        }

        /// A parameter of the rule; see its page in the SageMaker guide.
        #[must_use]
        pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.rule.parameters.insert(name.into(), value.into());
            self
        }

        /// The code of a rule of your own: a file in S3, and the name of the rule in it. For custom rules only.
        #[must_use]
        pub fn source(mut self, file: &S3Uri, rule: impl Into<String>) -> Self {
            self.rule.has_source = true;
            self.rule.parameters.insert("source_s3_uri".to_owned(), file.to_string());
            self.rule.parameters.insert("rule_to_invoke".to_owned(), rule.into());
            self
        }

        /// Where its results go. Default: below the job's output path.
        #[must_use]
        pub fn output_path(mut self, uri: impl Into<String>) -> Self {
            self.rule.output_path = Some(uri.into());
            self
        }

        /// Where the rule's container writes its results.
        #[must_use]
        pub fn local_path(mut self, path: impl Into<String>) -> Self {
            self.rule.local_path = Some(path.into());
            self
        }

        pub(super) fn own_name(&self) -> &str {
            &self.rule.name
        }
    };
}

macro_rules! rule_request {
    ($self:ident, $kind:ident, $field:ident, $region:ident, $parameters:expr, $problems:ident) => {{
        let rule = &$self.rule;
        let field = $field;
        let output = place(&field, rule.output_path.as_ref(), $problems);
        let (image, machine) = rule.machine(&field, $region, $problems)?;
        let (instance_type, volume) = machine.unzip();
        let request = sdk::$kind::builder()
            .rule_configuration_name(&rule.name)
            .rule_evaluator_image(image)
            .set_instance_type(instance_type.map(|name| sdk::ProcessingInstanceType::from(name.as_str())))
            .set_volume_size_in_gb(volume)
            .set_s3_output_path(output)
            .set_local_path(rule.local_path.clone())
            .set_rule_parameters(map($parameters));
        Some(request.build())
    }};
}

/// Watches saved tensors, such as for vanishing gradients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebuggerRule {
    rule: Rule,
    collections: Vec<TensorCollection>,
    actions: Vec<RuleAction>,
}

impl DebuggerRule {
    /// One of the service's own rules, with the tensors that it needs.
    pub fn builtin(rule: BuiltinRule) -> Self {
        Self { rule: Rule::builtin(rule.name()), collections: rule.collections(), actions: Vec::new() }
    }

    /// A rule of your own: an image that evaluates it, on an instance of a type with a volume of so many GB.
    pub fn custom(
        name: impl Into<String>,
        image: impl Into<String>,
        instance_type: impl Into<String>,
        volume_gb: u32,
    ) -> Self {
        let rule = Rule::custom(name.into(), image.into(), instance_type.into(), volume_gb);
        Self { rule, collections: Vec::new(), actions: Vec::new() }
    }

    /// The tensors that it needs, in place of those that a built-in rule asks for.
    #[must_use]
    pub fn collections(mut self, collections: impl IntoIterator<Item = TensorCollection>) -> Self {
        self.collections = collections.into_iter().collect();
        self
    }

    /// What it does when it finds something; several are done in order. Default: nothing.
    #[must_use]
    pub fn action(mut self, action: RuleAction) -> Self {
        self.actions.push(action);
        self
    }

    /// The saved tensors of other jobs, which the rule compares with those of this one: where each has them in S3.
    #[must_use]
    pub fn other_trials(mut self, trials: impl IntoIterator<Item = S3Uri>) -> Self {
        for (index, trial) in trials.into_iter().enumerate() {
            self.rule.parameters.insert(format!("other_trial_{index}"), trial.to_string());
        }
        self
    }

    rule_setters!();

    pub(super) fn tensors(&self) -> impl Iterator<Item = TensorCollection> + '_ {
        self.collections.iter().cloned()
    }

    pub(super) fn to_request(
        &self,
        region: &str,
        job: &str,
        problems: &mut Problems,
    ) -> Option<sdk::DebugRuleConfiguration> {
        let field = format!("debugger_rules.{}", self.rule.name);
        let mut parameters = self.rule.parameters.clone();
        if let Some(actions) = action::to_wire(&self.actions, job, &field, problems) {
            parameters.insert("action_json".to_owned(), actions);
        }
        rule_request!(self, DebugRuleConfiguration, field, region, &parameters, problems)
    }
}

/// Watches what the profiler measures, such as for idle processors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfilerRule {
    rule: Rule,
}

impl ProfilerRule {
    /// One of the service's own rules, with its usual thresholds.
    pub fn builtin(rule: BuiltinProfilerRule) -> Self {
        let mut made = Rule::builtin(rule.name());
        made.parameters.extend(rule.parameters());
        Self { rule: made }
    }

    /// A rule of your own: an image that evaluates it, on an instance of a type with a volume of so many GB.
    pub fn custom(
        name: impl Into<String>,
        image: impl Into<String>,
        instance_type: impl Into<String>,
        volume_gb: u32,
    ) -> Self {
        Self { rule: Rule::custom(name.into(), image.into(), instance_type.into(), volume_gb) }
    }

    rule_setters!();

    pub(crate) fn to_request(&self, region: &str, problems: &mut Problems) -> Option<sdk::ProfilerRuleConfiguration> {
        let field = format!("profiler_rules.{}", self.rule.name);
        rule_request!(self, ProfilerRuleConfiguration, field, region, &self.rule.parameters, problems)
    }
}
