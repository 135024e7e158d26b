//! SageMaker Debugger: tensors and metrics that a job saves while it trains, and rules that watch them.
//!
//! All of it is off unless it is asked for; what is on costs storage, and rules with instances of their own cost money.
//!
//! ```
//! use std::time::Duration;
//! use sagemaker::estimator::ContainerEstimator;
//! use sagemaker::training::debugger::{BuiltinRule, DebuggerHook, DebuggerRule, Profiler, TensorBoard, TensorCollection};
//! use sagemaker::types::Compute;
//!
//! let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecaster:3")
//!     .compute(Compute::instances("ml.g4dn.xlarge", 1))
//!     .debugger_hook(DebuggerHook::new().collection(TensorCollection::new("losses").parameter("save_interval", "50")))
//!     .debugger_rule(DebuggerRule::builtin(BuiltinRule::LossNotDecreasing).parameter("num_steps", "10"))
//!     .profiler(Profiler::new().interval(Duration::from_secs(1)))
//!     .tensorboard(TensorBoard::new("s3://my-bucket/board"))
//!     .build()?;
//! # let _ = estimator;
//! # Ok::<(), sagemaker::Error>(())
//! ```

mod action;
mod builtin;
mod evaluator;
mod framework;
mod hook;
mod profiler;
mod rule;

pub use action::RuleAction;
pub use builtin::{BuiltinProfilerRule, BuiltinRule};
pub use framework::{
    CProfileTimer, DataloaderProfiling, DetailedProfiling, FrameworkProfile, HorovodProfiling, ProfilingRange,
    PythonProfiling, SmDataParallelProfiling,
};
pub use hook::{DebuggerHook, TensorBoard, TensorCollection};
pub use profiler::Profiler;
pub use rule::{DebuggerRule, ProfilerRule};

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sagemaker::types as sdk;

use crate::error::Problems;
use crate::types::S3Uri;

/// The debugger's part of a training job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Debugger {
    pub(crate) hook: Option<DebuggerHook>,
    pub(crate) rules: Vec<DebuggerRule>,
    pub(crate) profiler: Option<Profiler>,
    pub(crate) profiler_rules: Vec<ProfilerRule>,
    pub(crate) tensorboard: Option<TensorBoard>,
}

impl Debugger {
    /// The hook with the collections that the rules need; rules without one get a hook at the output path.
    pub(crate) fn hook_request(&self, output: Option<&S3Uri>, problems: &mut Problems) -> Option<sdk::DebugHookConfig> {
        if self.hook.is_none() && self.rules.is_empty() {
            return None;
        }
        let hook = self.hook.clone().unwrap_or_default();
        Some(hook.to_request(self.rules.iter().flat_map(DebuggerRule::tensors), output, problems))
    }

    pub(crate) fn rules_request(
        &self,
        region: &str,
        job: &str,
        problems: &mut Problems,
    ) -> Vec<sdk::DebugRuleConfiguration> {
        refuse_twice("debugger_rules", self.rules.iter().map(DebuggerRule::own_name), problems);
        self.rules.iter().filter_map(|rule| rule.to_request(region, job, problems)).collect()
    }

    /// The profiler; rules without one get one at the output path.
    pub(crate) fn profiler_request(
        &self,
        output: Option<&S3Uri>,
        problems: &mut Problems,
    ) -> Option<sdk::ProfilerConfig> {
        if self.profiler.as_ref().is_some_and(Profiler::is_disabled) && !self.profiler_rules.is_empty() {
            problems.push("profiler_rules", "the profiler is switched off: Profiler::disabled()");
        }
        if self.profiler.is_none() && self.profiler_rules.is_empty() {
            return None;
        }
        Some(self.profiler.clone().unwrap_or_default().to_request(output, problems))
    }

    pub(crate) fn profiler_rules_request(
        &self,
        region: &str,
        problems: &mut Problems,
    ) -> Vec<sdk::ProfilerRuleConfiguration> {
        refuse_twice("profiler_rules", self.profiler_rules.iter().map(ProfilerRule::own_name), problems);
        self.profiler_rules.iter().filter_map(|rule| rule.to_request(region, problems)).collect()
    }
}

fn refuse_twice<'a>(field: &str, names: impl Iterator<Item = &'a str>, problems: &mut Problems) {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            problems.push(field, format!("two rules have the name {name:?}"));
        }
        seen.push(name);
    }
    problems.require(seen.len() <= 20, field, "a job has at most 20 rules");
}

fn map(entries: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!entries.is_empty()).then(|| entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The URI as the service takes it.
fn place(field: &str, uri: Option<&String>, problems: &mut Problems) -> Option<String> {
    problems.check(field, uri?.parse::<S3Uri>()).map(String::from)
}
