//! What a tuning job tells of itself while it runs.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::Objective;
use crate::local::state::Resource;
use crate::local::time::timestamp;

/// A change of less than this share is no improvement.
const IMPROVEMENT: f64 = 0.01;
/// After so many training jobs without an improvement the search has converged.
const CONVERGED: u32 = 10;

/// The best training job: its objective's value and its summary.
#[derive(Debug, Clone)]
pub(in crate::local) struct Best {
    pub(in crate::local) value: f64,
    pub(in crate::local) summary: Value,
}

#[derive(Default)]
pub(super) struct Progress {
    pub(super) running: usize,
    pub(super) completed: u32,
    pub(super) stopped: u32,
    pub(super) failed: u32,
    /// How many ended with a value of the objective.
    pub(super) with_objective: u32,
    pub(super) best: Option<Best>,
    pub(super) earlier_best: Option<Best>,
    /// How many training jobs in a row were no better than those before.
    pub(super) not_improving: u32,
    pub(super) converged: Option<SystemTime>,
}

impl Progress {
    pub(super) fn ended(&self) -> u32 {
        self.completed + self.stopped + self.failed
    }

    /// A training job ended.
    pub(super) fn count(&mut self, status: &str, value: Option<f64>, summary: Value, objective: &Objective) {
        match status {
            "Completed" => self.completed += 1,
            "Stopped" => self.stopped += 1,
            _ => self.failed += 1,
        }
        let Some(value) = value else {
            self.not_improving += 1;
            return;
        };
        self.with_objective += 1;
        let gain = self.best.as_ref().map(|best| {
            let better = objective.lower_is_better(best.value) - objective.lower_is_better(value);
            better > IMPROVEMENT * best.value.abs()
        });
        self.not_improving = if gain.unwrap_or(true) { 0 } else { self.not_improving + 1 };
        if self.best.as_ref().is_none_or(|best| objective.is_better(value, best.value)) {
            if self.earlier_best.as_ref().is_some_and(|earlier| objective.is_better(value, earlier.value)) {
                self.earlier_best = None;
            }
            self.best = Some(Best { value, summary });
        }
    }

    pub(super) fn notice_convergence(&mut self, now: SystemTime) {
        if self.converged.is_none() && self.best.is_some() && self.not_improving >= CONVERGED {
            self.converged = Some(now);
        }
    }

    /// Writes it all into the tuning job's document.
    pub(super) fn show(&self, resource: &mut Resource) {
        resource.set(
            "TrainingJobStatusCounters",
            json!({
                "Completed": self.completed,
                "InProgress": self.running,
                "RetryableError": 0,
                "NonRetryableError": self.failed,
                "Stopped": self.stopped,
            }),
        );
        resource.set(
            "ObjectiveStatusCounters",
            json!({
                "Succeeded": self.with_objective,
                "Pending": self.running,
                "Failed": self.ended() - self.with_objective,
            }),
        );
        if let Some(best) = &self.best {
            resource.set("BestTrainingJob", best.summary.clone());
        }
        let overall = self.earlier_best.as_ref().or(self.best.as_ref());
        if let Some(overall) = overall.filter(|_| resource.request.contains_key("WarmStartConfig")) {
            resource.set("OverallBestTrainingJob", overall.summary.clone());
        }
        let mut details = json!({"NumberOfTrainingJobsObjectiveNotImproving": self.not_improving});
        if let Some(at) = self.converged {
            details["ConvergenceDetectedTime"] = timestamp(at);
        }
        resource.set("TuningJobCompletionDetails", details);
    }
}
