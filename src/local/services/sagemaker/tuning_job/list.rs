//! The training jobs of a tuning job.

use std::borrow::Cow;

use serde_json::Value;

use super::super::Answer;
use crate::local::backend::Core;
use crate::local::jobs::tuning;
use crate::local::kinds::Kind;
use crate::local::listing::{self, SortKey};
use crate::local::state::text;

/// `ListTrainingJobsForHyperParameterTuningJob`. Sorted by the objective's value, jobs without one are left out.
pub(in crate::local::services::sagemaker) fn training_jobs(core: &Core, request: &Value) -> Answer {
    let name = text(request, "HyperParameterTuningJobName")?;
    let state = core.state();
    let parent = state.get(Kind::HyperParameterTuningJob.row(), &core.place, name)?;
    let ascending = request.get("SortOrder").and_then(Value::as_str).is_none_or(|order| order == "Ascending");
    let sort_by = request.get("SortBy").and_then(Value::as_str).unwrap_or("Name");
    let status = request.get("StatusEquals").and_then(Value::as_str);
    let row = Kind::TrainingJob.row();
    let jobs = tuning::training_jobs(&state, parent);
    let jobs = jobs.filter(|job| status.is_none_or(|status| job.status(row) == status));
    let found = jobs.filter_map(|job| {
        let key = match sort_by {
            "FinalObjectiveMetricValue" => {
                SortKey { number: tuning::objective_value(job)?, text: Cow::Borrowed(""), id: job.id }
            }
            other => listing::sort_key(job, row, other),
        };
        Some((key, job))
    });
    let scope = format!("training jobs of {} {sort_by} {ascending}", parent.id);
    listing::page(request, &scope, ascending, found.collect(), "TrainingJobSummaries", |job| tuning::summary(job, false))
}
