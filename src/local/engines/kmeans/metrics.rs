//! How far rows are from their centers.

use super::model::Model;
use crate::local::engines::numeric::log::{Log, Sense};
use crate::local::engines::numeric::matrix::Matrix;

/// The sum of the squares of all distances.
pub(super) fn square_distances(model: &Model, rows: &Matrix) -> f64 {
    rows.iter().map(|row| model.closest(row).1).sum()
}

/// Logs the metrics that were asked for.
pub(super) fn report(log: &Log<'_>, names: &[String], model: &Model, rows: &Matrix) {
    let total = square_distances(model, rows);
    for name in names {
        let value = if name == "msd" { total / rows.rows() as f64 } else { total };
        log.score("test", name, Sense::Loss, value);
    }
}
