//! Training jobs: their inputs, their handle and what they report.

mod description;
mod input;
mod job;
mod request;
mod series;

pub use description::{Metric, TrainingJobDescription};
pub use input::{Channels, DataDistribution, InputMode, S3DataType, TrainingInput};
pub use job::{Training, TrainingJob};
pub(crate) use request::TrainingRequest;
pub use series::{MetricPoint, MetricSeries, MetricStatistic, ReadMetricSeries};
