//! The training jobs of a tuning job.

use serde_json::{Value, json};

use super::super::Answer;
use crate::local::backend::Core;
use crate::local::jobs::tuning;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::text;

/// `ListTrainingJobsForHyperParameterTuningJob`. Sorted by the objective's value, jobs without one are left out.
pub(in crate::local::services::sagemaker) fn training_jobs(core: &Core, request: &Value) -> Answer {
    let parent_member = "HyperParameterTuningJobName";
    let state = core.state();
    let parent = state.get(Kind::HyperParameterTuningJob.row(), &core.place, text(request, parent_member)?)?;
    // What is left of the request filters, sorts and pages.
    let mut rest = request.as_object().cloned().unwrap_or_default();
    rest.remove(parent_member);
    rest.entry("SortBy").or_insert_with(|| json!("Name"));
    let by_value = rest.get("SortBy").and_then(Value::as_str) == Some("FinalObjectiveMetricValue");
    let jobs = tuning::training_jobs(&state, parent);
    let jobs = jobs.filter(|job| !by_value || tuning::objective_value(job).is_some());
    listing::list_some(jobs, Kind::TrainingJob.row(), tuning::LIST, &Value::Object(rest))
}
