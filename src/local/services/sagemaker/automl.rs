//! The second version of AutoML's operations, and candidates.

use serde_json::{Value, json};

use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;

pub(super) static OPERATIONS: &[Own] = &[
    ("CreateAutoMLJobV2", |core, request| table::create(core, "CreateAutoMLJobV2", Kind::AutoMLJob.row(), request)),
    ("DescribeAutoMLJob", |core, request| describe(core, request)),
    ("DescribeAutoMLJobV2", |core, request| {
        let row = Kind::AutoMLJob.row();
        Ok(table::answer("DescribeAutoMLJobV2", row, table::find(core, &core.state(), row, request)?))
    }),
    ("ListCandidatesForAutoMLJob", |core, request| {
        // Nothing is trained, so that there are no candidates.
        table::find(core, &core.state(), Kind::AutoMLJob.row(), request)?;
        Ok(json!({"Candidates": []}))
    }),
];

/// `DescribeAutoMLJob`: the first version knows no jobs of the second.
fn describe(core: &Core, request: &Value) -> Answer {
    let row = Kind::AutoMLJob.row();
    let state = core.state();
    let job = table::find(core, &state, row, request)?;
    if !job.request.contains_key("InputDataConfig") {
        let message = "The AutoML job was created with CreateAutoMLJobV2: use DescribeAutoMLJobV2 to describe it.";
        return Err(AwsError::validation(message));
    }
    Ok(table::answer("DescribeAutoMLJob", row, job))
}
