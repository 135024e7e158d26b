//! A trained index.
//!
//! Settings of the file: `predictor_type`, `k`, `index_metric`, `feature_dim`. Arrays: `points` (sample x dimensions),
//! `labels` (sample) and, with a dimension reduction, `projection` (features x dimensions).

use super::index::{Index, Metric, Neighbour};
use crate::local::engines::numeric::artifact::{Artifact, unloadable};
use crate::local::engines::numeric::matrix::Row;
use crate::local::engines::{EngineFailure, ModelFiles};

const ALGORITHM: &str = "knn";

/// Points with their labels.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) classifies: bool,
    pub(super) k: usize,
    pub(super) columns: usize,
    /// The number of dimensions that are left, and the matrix.
    pub(super) projection: Option<(usize, Vec<f32>)>,
    pub(super) index: Index,
    pub(super) labels: Vec<f32>,
}

/// What is said about a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) label: f32,
    pub(super) neighbours: Vec<Neighbour>,
}

impl Model {
    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let file = Artifact::load(files, ALGORITHM)?;
        let (count, width, points) = file.table("points")?;
        let columns = file.count("feature_dim")?;
        let projection = match file.table("projection") {
            Ok((from, to, matrix)) if from == columns && to == width => Some((width, matrix.to_vec())),
            Ok(_) => return Err(unloadable("its projection does not fit its points")),
            Err(_) => None,
        };
        let k = file.count("k")?;
        let metric =
            Metric::of(file.text("index_metric")?).ok_or_else(|| unloadable("its index_metric is not known"))?;
        if count == 0 || width == 0 || k == 0 || (projection.is_none() && width != columns) {
            return Err(unloadable("its points have no shape that they could have"));
        }
        Ok(Self {
            classifies: file.text("predictor_type")? == "classifier",
            k,
            columns,
            projection,
            index: Index::new(metric, width, points.to_vec()),
            labels: file.vector("labels", count)?.to_vec(),
        })
    }

    pub(super) fn artifact(&self) -> Artifact {
        let file = Artifact::new(ALGORITHM)
            .setting("predictor_type", if self.classifies { "classifier" } else { "regressor" })
            .setting("k", self.k)
            .setting("index_metric", self.index.metric.name())
            .setting("feature_dim", self.columns)
            .array("points", &[self.index.len(), self.index.columns], self.index.points.clone())
            .array("labels", &[self.labels.len()], self.labels.clone());
        match &self.projection {
            Some((target, matrix)) => file.array("projection", &[self.columns, *target], matrix.clone()),
            None => file,
        }
    }

    /// A row in fewer dimensions.
    pub(super) fn project(matrix: &[f32], target: usize, row: Row<'_>) -> Vec<f32> {
        let mut out = vec![0.0; target];
        row.each(|column, value| {
            let line = &matrix[column * target..(column + 1) * target];
            out.iter_mut().zip(line).for_each(|(out, weight)| *out += value * weight);
        });
        out
    }

    /// The neighbours of a row, and the label that they give it: that of most, the lowest of equals, or the mean.
    pub(super) fn ask(&self, row: Row<'_>) -> Answer {
        let query = match &self.projection {
            Some((target, matrix)) => Self::project(matrix, *target, row),
            None => {
                let mut dense = vec![0.0; self.columns];
                row.each(|column, value| dense[column] = value);
                dense
            }
        };
        let neighbours = self.index.nearest(&query, self.k);
        let labels: Vec<f32> = neighbours.iter().map(|one| self.labels[one.place]).collect();
        let label = match self.classifies {
            true => most_frequent(labels),
            false => labels.iter().sum::<f32>() / labels.len().max(1) as f32,
        };
        Answer { label, neighbours }
    }
}

fn most_frequent(mut labels: Vec<f32>) -> f32 {
    labels.sort_by(f32::total_cmp);
    let runs = labels.chunk_by(|a, b| a == b);
    let longest = runs.fold(None, |best: Option<&[f32]>, run| match best {
        Some(best) if best.len() >= run.len() => Some(best),
        _ => Some(run),
    });
    longest.and_then(|run| run.first()).copied().unwrap_or(0.0)
}
