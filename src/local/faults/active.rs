//! A rule at work: it counts.

use fastrand::Rng;

use super::pattern;
use super::{Fault, FaultRule};

/// What a request, or the job that it started, is about.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    /// The names that it gives.
    pub(super) resources: &'a [String],
}

#[derive(Debug)]
pub(super) struct Active {
    rule: FaultRule,
    random: Rng,
    /// Requests that matched.
    met: u64,
    fired: u64,
}

impl Active {
    pub(super) fn new(rule: FaultRule) -> Self {
        Self { random: Rng::with_seed(rule.seed), rule, met: 0, fired: 0 }
    }

    pub(super) fn restart(&mut self) {
        *self = Self::new(self.rule.clone());
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.rule.fault
    }

    pub(super) fn fired(&self) -> u64 {
        self.fired
    }

    /// Whether the fault happens now.
    pub(super) fn meet(&mut self, asked: &Asked<'_>) -> Option<Fault> {
        if !self.matches(asked) {
            return None;
        }
        self.met += 1;
        // Drawn for each request that matches, so that a choice depends on nothing but its number.
        let chosen = self.rule.probability >= 1.0 || self.random.f64() < self.rule.probability;
        if !chosen || self.met <= self.rule.skip || self.fired >= self.rule.times {
            return None;
        }
        self.fired += 1;
        Some(self.rule.fault.clone())
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        let FaultRule { service, operation, resource, .. } = &self.rule;
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        let named = |pattern: &String| asked.resources.iter().any(|name| pattern::matches(pattern, name));
        is(service, asked.service) && is(operation, asked.operation) && resource.as_ref().is_none_or(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(rule: FaultRule, requests: usize) -> String {
        let mut active = Active::new(rule);
        let resources = ["train-1".to_owned()];
        let asked = Asked { service: "sagemaker", operation: "CreateTrainingJob", resources: &resources };
        (0..requests).map(|_| if active.meet(&asked).is_some() { 'x' } else { '.' }).collect()
    }

    #[test]
    fn rules_count_the_requests_that_match() {
        assert_eq!(fires(Fault::throttle().times(2), 4), "xx..");
        assert_eq!(fires(Fault::throttle().nth(3), 4), "..x.");
        assert_eq!(fires(Fault::throttle().skip(1), 4), ".xxx");
        assert_eq!(fires(Fault::throttle().on("CreateModel"), 2), "..");
        assert_eq!(fires(Fault::throttle().service("s3"), 2), "..");
        assert_eq!(fires(Fault::throttle().resource("train-*").on("CreateTrainingJob").service("sagemaker"), 1), "x");
        assert_eq!(fires(Fault::throttle().resource("other"), 1), ".");
    }

    #[test]
    fn chance_is_the_same_in_each_run() {
        let rule = Fault::throttle().probability(0.3).seed(9);
        let first = fires(rule.clone(), 1000);
        assert_eq!(first, fires(rule.clone(), 1000));
        assert_ne!(first, fires(rule.clone().seed(10), 1000));
        let fired = first.matches('x').count();
        assert!((230..370).contains(&fired), "{fired}");
        // The choice is that of the request's number, whatever else the rule says.
        assert_eq!(first[500..], fires(rule.skip(500), 1000)[500..]);
        assert_eq!(fires(Fault::throttle().probability(0.0), 3), "...");
        assert_eq!(fires(Fault::throttle().probability(f64::NAN), 3), "...");
        assert_eq!(fires(Fault::throttle().probability(7.0), 3), "xxx");
    }
}
