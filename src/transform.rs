//! Batch transform: a model applied to files in S3.

mod description;
mod input;
mod job;
mod options;
mod start;
mod transformer;

pub use description::TransformJobDescription;
pub use input::TransformInput;
pub use job::{Transform, TransformJob};
pub use options::{AssembleWith, BatchStrategy, SplitType};
pub use start::StartTransform;
pub use transformer::{Transformer, TransformerBuilder};
