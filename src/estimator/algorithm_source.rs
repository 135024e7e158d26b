use crate::types::{Arn, ImageUri};

/// What trains: an image, or an algorithm that is registered in SageMaker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlgorithmSource {
    /// A container image.
    Image(ImageUri),
    /// An algorithm resource or one from AWS Marketplace.
    Arn(Arn),
}

impl AlgorithmSource {
    /// What job names begin with.
    pub(super) fn base_name(&self) -> &str {
        match self {
            Self::Image(image) => image.repository(),
            Self::Arn(arn) => arn.resource().rsplit('/').next().unwrap_or_default(),
        }
    }
}
