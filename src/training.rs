//! Training jobs: their inputs, their handle and what they report.

pub mod debugger;
mod description;
mod hyperparameter;
mod input;
mod job;
mod record_set;
mod series;
mod update;

pub use description::{Metric, TrainingJobDescription};
pub use hyperparameter::HyperparameterValue;
pub use input::{ChannelInput, Channels, DataDistribution, FileSystemInput, InputMode, TrainingInput};
pub(crate) use input::{JobOfChannels, RecordShape};
pub use job::{Training, TrainingJob};
pub use record_set::RecordSet;
pub use series::{MetricPoint, MetricSeries, MetricStatistic, ReadMetricSeries};
pub use update::UpdateTrainingJob;
