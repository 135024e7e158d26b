//! The labeling jobs of a work team.

use super::Own;
use crate::local::kinds::Kind;
use crate::local::listing;

pub(super) static OPERATIONS: &[Own] = &[("ListLabelingJobsForWorkteam", |core, request| {
    let state = core.state();
    listing::list_some(state.all(Kind::LabelingJob), Kind::LabelingJob.row(), "ListLabelingJobsForWorkteam", request)
})];
