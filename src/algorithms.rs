//! SageMaker's built-in algorithms, with hyperparameters that are typed and checked before a job is paid for.

pub mod xgboost;

pub use xgboost::XGBoost;
