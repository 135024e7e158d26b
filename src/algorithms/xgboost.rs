//! The built-in XGBoost: gradient boosted trees for regression, classification, ranking and survival.
//!
//! ```
//! use sagemaker::algorithms::xgboost::{Objective, XGBoost};
//!
//! let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100).max_depth(5).eta(0.2).subsample(0.8).build()?;
//! assert_eq!(xgboost.hyperparameters().to_wire()["eta"], "0.2");
//!
//! let error = XGBoost::builder(Objective::BinaryLogistic, 0).eta(1.5).build().unwrap_err();
//! assert_eq!(error.invalid_values().len(), 2);
//! # Ok::<(), sagemaker::Error>(())
//! ```

use crate::Result;
use crate::error::Problems;

mod choices;
mod eval_metric;
mod hyperparameters;
mod metrics;
mod objective;
mod rules;
#[cfg(test)]
mod tests;
mod wire;

pub use choices::{
    AftDistribution, Booster, GrowPolicy, Monotone, NormalizeType, ProcessType, SampleType, SamplingMethod, TreeMethod,
    Updater,
};
pub use eval_metric::EvalMetric;
pub use hyperparameters::Hyperparameters;
pub use metrics::{DefaultMetric, default_metrics};
pub use objective::Objective;

/// A training of the built-in XGBoost algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct XGBoost {
    hyperparameters: Hyperparameters,
}

impl XGBoost {
    /// Begins with what every training needs: what to learn, and how many rounds of boosting.
    pub fn builder(objective: Objective, num_round: u32) -> XGBoostBuilder {
        XGBoostBuilder { hyperparameters: Hyperparameters::new(objective, num_round) }
    }

    /// What the algorithm is told.
    pub fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyperparameters
    }
}

/// Collects the settings of an [`XGBoost`] training. Every hyperparameter of [`Hyperparameters`] is a method here too.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct XGBoostBuilder {
    hyperparameters: Hyperparameters,
}

impl XGBoostBuilder {
    /// The algorithm with these settings.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) that lists every refused value as `hyperparameters.<name>`.
    pub fn build(self) -> Result<XGBoost> {
        let mut problems = Problems::default();
        self.hyperparameters.validate(&mut problems);
        problems.into_result()?;
        Ok(XGBoost { hyperparameters: self.hyperparameters })
    }
}
