//! Trained components.
//!
//! Arrays of the file, as in the container's: `mean` (features), `v` (features x components, the last component the
//! largest) and `s` (the singular values of the components).

use crate::local::engines::numeric::artifact::{Artifact, unloadable};
use crate::local::engines::numeric::linear_algebra::dot;
use crate::local::engines::numeric::matrix::Row;
use crate::local::engines::{EngineFailure, ModelFiles};

const ALGORITHM: &str = "pca";

/// Components and the mean.
#[derive(Debug, Clone)]
pub(super) struct Model {
    mean: Vec<f64>,
    /// One vector a component.
    components: Vec<Vec<f64>>,
    singular: Vec<f64>,
    /// The projection of the mean.
    offset: Vec<f64>,
}

impl Model {
    pub(super) fn new(mean: Vec<f64>, components: Vec<Vec<f64>>, singular: Vec<f64>) -> Self {
        let offset = components.iter().map(|component| dot(component, &mean)).collect();
        Self { mean, components, singular, offset }
    }

    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let file = Artifact::load(files, ALGORITHM)?;
        let (columns, count, v) = file.table("v")?;
        if columns == 0 || count == 0 {
            return Err(unloadable("it has no components"));
        }
        let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
        let component = |at: usize| v.iter().skip(at).step_by(count).map(|value| f64::from(*value)).collect();
        let components = (0..count).map(component).collect();
        Ok(Self::new(wide(file.vector("mean", columns)?), components, wide(file.vector("s", count)?)))
    }

    pub(super) fn artifact(&self) -> Artifact {
        let (columns, count) = (self.mean.len(), self.components.len());
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
        let v = (0..columns).flat_map(|column| self.components.iter().map(move |component| component[column] as f32));
        Artifact::new(ALGORITHM)
            .array("mean", &[columns], narrow(&self.mean))
            .array("v", &[columns, count], v.collect())
            .array("s", &[count], narrow(&self.singular))
    }

    pub(super) fn columns(&self) -> usize {
        self.mean.len()
    }

    /// A row along each component.
    pub(super) fn project(&self, row: Row<'_>) -> Vec<f32> {
        let along = self.components.iter().zip(&self.offset);
        along.map(|(component, offset)| (row.dot(component) - offset) as f32).collect()
    }
}
