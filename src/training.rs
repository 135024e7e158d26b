//! Training jobs: their inputs, their handle and what they report.

pub mod debugger;
mod description;
mod hyperparameter;
mod input;
mod job;
mod update;

pub use description::{Metric, TrainingJobDescription};
pub use hyperparameter::HyperparameterValue;
pub(crate) use input::JobOfChannels;
pub use input::{ChannelInput, Channels, DataDistribution, FileSystemInput, InputMode, TrainingInput};
pub use job::{Training, TrainingJob};
pub use update::UpdateTrainingJob;
