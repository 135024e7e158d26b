//! Which images are AWS's framework images, and what their Python has.

use crate::local::engines::image::repository;

/// A framework and the packages of PyPI that stand in for its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framework {
    pub(super) packages: &'static str,
    /// Its image is a built-in algorithm when the user brings no script.
    pub(super) is_algorithm_too: bool,
}

/// The beginning of a repository's name, and what is in it. The first that fits counts.
const REPOSITORIES: &[(&str, &str)] = &[
    ("sagemaker-scikit-learn", "scikit-learn"),
    ("sagemaker-xgboost", "xgboost scikit-learn"),
    ("huggingface-tensorflow", "transformers tensorflow"),
    ("huggingface-pytorch", "transformers torch"),
    ("pytorch-", "torch"),
    ("sagemaker-pytorch", "torch"),
    ("tensorflow-", "tensorflow"),
    ("sagemaker-tensorflow", "tensorflow"),
    ("mxnet-", "mxnet"),
    ("sagemaker-mxnet", "mxnet"),
    ("sagemaker-chainer", "chainer"),
];

impl Framework {
    pub(super) fn of_image(image: &str) -> Option<Self> {
        let repository = repository(image);
        let (name, packages) = REPOSITORIES.iter().find(|(name, _)| repository.starts_with(name))?;
        Some(Self { packages, is_algorithm_too: *name == "sagemaker-xgboost" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_repository() {
        let of = |image: &str| Framework::of_image(image).map(|framework| framework.packages);
        let account = "683313688378.dkr.ecr.us-east-1.amazonaws.com";
        assert_eq!(of(&format!("{account}/sagemaker-scikit-learn:1.2-1-cpu-py3")), Some("scikit-learn"));
        assert_eq!(of(&format!("{account}/pytorch-training:2.3.0-cpu-py311")), Some("torch"));
        assert_eq!(of(&format!("{account}/huggingface-pytorch-inference:2.1")), Some("transformers torch"));
        assert_eq!(of("my-pytorch-training"), None);
        assert!(Framework::of_image(&format!("{account}/sagemaker-xgboost:1.7-1")).unwrap().is_algorithm_too);
    }
}
