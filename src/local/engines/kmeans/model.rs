//! Trained centers.
//!
//! Array of the file: `centroids` (k x features).

use super::lloyd::Points;
use crate::local::engines::numeric::artifact::{Artifact, unloadable};
use crate::local::engines::numeric::matrix::Row;
use crate::local::engines::{EngineFailure, ModelFiles};

const ALGORITHM: &str = "kmeans";

/// Centers of clusters.
#[derive(Debug, Clone)]
pub(super) struct Model {
    centers: Points,
}

impl Model {
    pub(super) fn new(centers: Points) -> Self {
        Self { centers }
    }

    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let file = Artifact::load(files, ALGORITHM)?;
        let (k, columns, values) = file.table("centroids")?;
        match k > 0 && columns > 0 {
            true => Ok(Self::new(Points { columns, values: values.iter().map(|value| f64::from(*value)).collect() })),
            false => Err(unloadable("it has no centroids")),
        }
    }

    pub(super) fn artifact(&self) -> Artifact {
        let values = self.centers.values.iter().map(|value| *value as f32).collect();
        Artifact::new(ALGORITHM).array("centroids", &[self.centers.len(), self.centers.columns], values)
    }

    pub(super) fn columns(&self) -> usize {
        self.centers.columns
    }

    /// The closest center, and the square of its distance.
    pub(super) fn closest(&self, row: Row<'_>) -> (usize, f64) {
        let mut dense = vec![0.0; self.centers.columns];
        row.each(|column, value| dense[column] = f64::from(value));
        self.centers.nearest(&dense)
    }
}
