//! The image of the built-in XGBoost.

use super::builtin;
use crate::Result;
use crate::types::ImageUri;

/// The version to take where there is no reason for another: `1.7-1`.
///
/// It is not the newest one in the tables (that is `3.0-5`), but the one that most programs and AWS's own examples name:
/// what they train and measure stays comparable.
pub const DEFAULT_VERSION: &str = "1.7-1";

/// The image of the built-in XGBoost in a region; also as [`images::xgboost`](super::xgboost()).
///
/// Versions `1` and `latest` are XGBoost 0.72 (repository `xgboost`); those from `0.90-1` on are named after the XGBoost
/// release and the number of the container (repository `sagemaker-xgboost`).
///
/// # Errors
/// As for [`builtin`].
pub fn uri(region: &str, version: &str) -> Result<ImageUri> {
    builtin("xgboost", region, version)
}
