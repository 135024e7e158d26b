//! A trained machine.
//!
//! Setting of the file: `predictor_type`. Arrays: `w0` (the bias, 1), `w1` (linear terms, features) and `v` (features x
//! factors).

use super::machine::Machine;
use crate::local::engines::numeric::artifact::{Artifact, unloadable};
use crate::local::engines::{EngineFailure, ModelFiles};

const ALGORITHM: &str = "factorization-machines";

/// A machine with what it predicts.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) classifies: bool,
    pub(super) columns: usize,
    pub(super) machine: Machine,
}

impl Model {
    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let file = Artifact::load(files, ALGORITHM)?;
        let (columns, factor_count, factors) = file.table("v")?;
        if columns == 0 {
            return Err(unloadable("it has no features"));
        }
        let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
        let machine = Machine {
            factor_count,
            bias: wide(file.vector("w0", 1)?),
            linear: wide(file.vector("w1", columns)?),
            factors: wide(factors),
        };
        Ok(Self { classifies: file.text("predictor_type")? == "binary_classifier", columns, machine })
    }

    pub(super) fn artifact(&self) -> Artifact {
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
        let machine = &self.machine;
        Artifact::new(ALGORITHM)
            .setting("predictor_type", if self.classifies { "binary_classifier" } else { "regressor" })
            .array("w0", &[1], narrow(&machine.bias))
            .array("w1", &[self.columns], narrow(&machine.linear))
            .array("v", &[self.columns, machine.factor_count], narrow(&machine.factors))
    }
}
