//! Training jobs: their inputs, their handle and what they report.

mod description;
mod hyperparameter;
mod input;
mod job;
mod request;

pub use description::{Metric, TrainingJobDescription};
pub use hyperparameter::HyperparameterValue;
pub use input::{Channels, DataDistribution, InputMode, S3DataType, TrainingInput};
pub use job::{Training, TrainingJob};
pub(crate) use request::TrainingRequest;
