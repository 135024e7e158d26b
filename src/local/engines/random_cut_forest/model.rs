//! A trained forest.
//!
//! Settings of the file: `num_trees`. Array: `samples` (trees * points x features), the sample of one tree after that of
//! the other. The trees are grown again from their samples when the model is loaded, always the same ones.

use fastrand::Rng;

use super::forest::{Tree, box_numbers};
use crate::local::engines::numeric::artifact::{Artifact, unloadable};
use crate::local::engines::numeric::data::LIMIT;
use crate::local::engines::numeric::matrix::Row;
use crate::local::engines::{EngineFailure, ModelFiles};

const ALGORITHM: &str = "randomcutforest";

/// Trees over samples of the data.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) columns: usize,
    trees: Vec<Tree>,
}

impl Model {
    /// Grows a tree on each sample, or on fewer once `stop` says so.
    ///
    /// # Errors
    /// The trees do not fit the memory.
    pub(super) fn grow(columns: usize, samples: Vec<Vec<f32>>, stop: &dyn Fn() -> bool) -> Result<Self, String> {
        let points: usize = samples.iter().map(|sample| sample.len() / columns).sum();
        if box_numbers(points, columns).is_none_or(|size| size > LIMIT) {
            return Err(format!("{points} sampled points of {columns} features are too many for the local engine"));
        }
        let tree = |(seed, sample): (u64, Vec<f32>)| Tree::grow(sample, columns, &mut Rng::with_seed(seed));
        Ok(Self { columns, trees: (0..).zip(samples).take_while(|_| !stop()).map(tree).collect() })
    }

    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let file = Artifact::load(files, ALGORITHM)?;
        let (rows, columns, values) = file.table("samples")?;
        let trees = file.count("num_trees")?;
        if columns == 0 || trees == 0 || rows == 0 || !rows.is_multiple_of(trees) {
            return Err(unloadable("its samples have no shape that they could have"));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(unloadable("its samples hold a number that is not finite"));
        }
        let samples = values.chunks_exact(rows / trees * columns).map(<[f32]>::to_vec).collect();
        Self::grow(columns, samples, &|| false).map_err(unloadable)
    }

    pub(super) fn artifact(&self) -> Artifact {
        let samples: Vec<f32> = self.trees.iter().flat_map(Tree::points).copied().collect();
        Artifact::new(ALGORITHM).setting("num_trees", self.trees.len()).array(
            "samples",
            &[samples.len() / self.columns, self.columns],
            samples,
        )
    }

    /// How unusual a row is: about 1 for most, more for few.
    pub(super) fn score(&self, row: Row<'_>) -> f64 {
        let mut point = vec![0.0; self.columns];
        row.each(|column, value| point[column] = value);
        self.trees.iter().map(|tree| tree.score(&point)).sum::<f64>() / self.trees.len() as f64
    }
}
