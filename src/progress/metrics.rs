use aws_sdk_sagemaker::types::AlgorithmSpecification;
use fancy_regex::Regex;

use crate::training::TrainingJobDescription;

/// Reads metrics off log lines by the job's own definitions, as the service does: sooner than it tells them.
#[derive(Debug, Default)]
pub(super) struct Metrics(Vec<(String, Regex, Option<f64>)>);

impl Metrics {
    pub(super) fn of(description: &TrainingJobDescription) -> Self {
        let definitions = description.raw().algorithm_specification().map(AlgorithmSpecification::metric_definitions);
        let definitions = definitions.unwrap_or_default().iter().filter_map(|definition| {
            Some((definition.name()?.to_owned(), Regex::new(definition.regex()?).ok()?, None))
        });
        Self(definitions.collect())
    }

    pub(super) fn read(&mut self, line: &str) {
        for (_, regex, value) in &mut self.0 {
            // A pattern that backtracks too long finds nothing.
            let found = regex.captures(line).ok().flatten();
            let number = found.and_then(|found| found.get(1)?.as_str().parse().ok());
            *value = number.or(*value);
        }
    }

    /// Name and last value of those that have one.
    pub(super) fn last(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().filter_map(|(name, _, value)| Some((name.as_str(), (*value)?)))
    }
}
