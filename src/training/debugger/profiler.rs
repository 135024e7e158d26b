use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sagemaker::types as sdk;

use super::{FrameworkProfile, map, place};
use crate::error::Problems;
use crate::types::S3Uri;

/// How often the service can look, in milliseconds.
const INTERVALS: [u128; 6] = [100, 200, 500, 1000, 5000, 60_000];

/// Measures processors, memory, disks and network while a job trains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profiler {
    output_path: Option<String>,
    interval: Option<Duration>,
    framework: Option<FrameworkProfile>,
    parameters: BTreeMap<String, String>,
    disabled: bool,
}

impl Profiler {
    /// A profiler with the service's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// No profiling, said explicitly.
    pub fn disabled() -> Self {
        Self { disabled: true, ..Self::default() }
    }

    /// Where measurements go. Default: the job's output path.
    #[must_use]
    pub fn output_path(mut self, uri: impl Into<String>) -> Self {
        self.output_path = Some(uri.into());
        self
    }

    /// How often it measures: 100, 200 or 500 ms, 1, 5 or 60 s. Default: the service's.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Profiles the framework too. Default: no.
    #[must_use]
    pub fn framework(mut self, profile: FrameworkProfile) -> Self {
        self.framework = Some(profile);
        self
    }

    /// A parameter that [`FrameworkProfile`] has no method for; it comes before what a profile says.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.disabled
    }

    pub(super) fn to_request(&self, output: Option<&S3Uri>, problems: &mut Problems) -> sdk::ProfilerConfig {
        let own = place("profiler.output_path", self.output_path.as_ref(), problems);
        let output = own.or(output.map(ToString::to_string)).filter(|_| !self.disabled);
        sdk::ProfilerConfig::builder()
            .set_s3_output_path(output)
            .set_profiling_interval_in_milliseconds(self.milliseconds(problems))
            .set_profiling_parameters(map(&self.all_parameters(problems)))
            .disable_profiler(self.disabled)
            .build()
    }

    /// What changes in a running job: only what was set.
    pub(crate) fn to_update(&self, problems: &mut Problems) -> sdk::ProfilerConfigForUpdate {
        sdk::ProfilerConfigForUpdate::builder()
            .set_s3_output_path(place("profiler.output_path", self.output_path.as_ref(), problems))
            .set_profiling_interval_in_milliseconds(self.milliseconds(problems))
            .set_profiling_parameters(map(&self.all_parameters(problems)))
            .disable_profiler(self.disabled)
            .build()
    }

    fn all_parameters(&self, problems: &mut Problems) -> BTreeMap<String, String> {
        let mut all = self.framework.as_ref().map(|profile| profile.to_parameters(problems)).unwrap_or_default();
        all.extend(self.parameters.clone());
        all
    }

    fn milliseconds(&self, problems: &mut Problems) -> Option<i64> {
        let interval = self.interval?.as_millis();
        let fits = INTERVALS.contains(&interval);
        problems.require(fits, "profiler.interval", "is 100, 200 or 500 ms, 1, 5 or 60 s");
        i64::try_from(interval).ok()
    }
}
