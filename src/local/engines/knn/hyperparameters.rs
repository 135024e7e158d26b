//! Hyperparameters of k-NN.

use crate::local::engines::EngineFailure;
use crate::local::engines::numeric::parameters::{Parameters, Spec, choice, int};
use crate::local::engines::numeric::refused;

const MOST: i64 = i64::MAX;

/// Every hyperparameter that the container takes, with its default.
pub(super) const SPECS: &[Spec] = &[
    int("feature_dim", 1, MOST).required(),
    int("k", 1, MOST).required(),
    choice("predictor_type", &["classifier", "regressor"]).required(),
    int("sample_size", 1, MOST).required(),
    int("dimension_reduction_target", 1, MOST),
    choice("dimension_reduction_type", &["sign", "fjlt"]),
    int("faiss_index_ivf_nlists", 1, MOST).or_auto(),
    int("faiss_index_pq_m", 1, MOST),
    choice("index_metric", &["L2", "INNER_PRODUCT", "COSINE"]).or("L2"),
    choice("index_type", &["faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"]).or("faiss.Flat"),
    int("mini_batch_size", 1, MOST).or("5000"),
];

/// What one hyperparameter demands of another.
pub(super) fn check(given: &Parameters) -> Result<(), EngineFailure> {
    let target = given.count("dimension_reduction_target");
    match (given.text("dimension_reduction_type"), target, given.count("feature_dim")) {
        (Some(_), None, _) => Err(refused(
            "No value(s) were specified for 'dimension_reduction_target' which are required hyperparameter(s) when \
             'dimension_reduction_type' is given (caused by ValidationError)",
        )),
        (Some(_), Some(target), Some(columns)) if target >= columns => Err(refused(format!(
            "The value '{target}' is not valid for the 'dimension_reduction_target' hyperparameter which expects an \
             integer greater than 0 and less than feature_dim ({columns}) (caused by ValidationError)"
        ))),
        _ => Ok(()),
    }
}
