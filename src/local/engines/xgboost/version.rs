//! Which XGBoost an image runs: its tag says so, and defaults, metrics and answers differ between releases.

/// The release of XGBoost in an image, such as 1.7 for the tag `1.7-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// The release that an image's repository and tag name. The first image, `xgboost`, has 0.72 whatever its tag; an
    /// image without a tag that names a release is taken for the newest.
    pub(super) fn of_image(image: &str) -> Self {
        const NEWEST: Version = Version::new(3, 0);
        match repository(image) {
            "xgboost" => Self::new(0, 72),
            _ => tag(image).and_then(Self::parse).unwrap_or(NEWEST),
        }
    }

    pub(super) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// `1.7-1` or `1.5-1-cpu-py3`: the release stands before the first `-`.
    fn parse(tag: &str) -> Option<Self> {
        let mut numbers = tag.split('-').next()?.split('.').map(|number| number.parse().ok());
        Some(Self::new(numbers.next()??, numbers.next()??))
    }

    /// Before the container printed answers in the asked type.
    pub(super) fn is_before_1_3(self) -> bool {
        self < Self::new(1, 3)
    }

    /// Before XGBoost handed margins to the caller's metrics.
    pub(super) fn is_before_1_2(self) -> bool {
        self < Self::new(1, 2)
    }

    /// Before XGBoost grew trees with `hist` and estimated the intercept by default.
    pub(super) fn is_before_2(self) -> bool {
        self < Self::new(2, 0)
    }
}

/// The repository of an image: no registry, tag or digest.
pub(super) fn repository(image: &str) -> &str {
    let path = image.rsplit('/').next().unwrap_or_default();
    path.split(['@', ':']).next().unwrap_or_default()
}

/// The tag of an image.
fn tag(image: &str) -> Option<&str> {
    let path = image.rsplit('/').next().unwrap_or_default();
    let name = path.split('@').next().unwrap_or_default();
    name.split_once(':').map(|(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_name_releases() {
        for (image, major, minor) in [
            ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", 1, 7),
            ("r/sagemaker-xgboost:0.90-2-cpu-py3", 0, 90),
            ("localhost:5000/sagemaker-xgboost:1.0-1", 1, 0),
            ("sagemaker-xgboost:3.0-5@sha256:00", 3, 0),
            ("sagemaker-xgboost:3.2-1", 3, 2),
            ("sagemaker-xgboost", 3, 0),
            ("sagemaker-xgboost:latest", 3, 0),
            ("sagemaker-xgboost@sha256:1.2", 3, 0),
            ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", 0, 72),
            ("xgboost:latest", 0, 72),
        ] {
            assert_eq!(Version::of_image(image), Version::new(major, minor), "{image}");
        }
    }

    #[test]
    fn releases_are_ordered_by_number() {
        let version = |tag: &str| Version::of_image(&format!("sagemaker-xgboost:{tag}"));
        assert!(version("0.90-1").is_before_1_2() && version("1.0-1").is_before_1_2());
        assert!(version("1.2-2").is_before_1_3() && !version("1.2-2").is_before_1_2());
        assert!(version("1.7-1").is_before_2() && !version("1.7-1").is_before_1_3());
        assert!(version("1.10-1").is_before_2() && !version("1.10-1").is_before_1_3());
        assert!(!version("3.0-5").is_before_2());
    }

    proptest! {
        #[test]
        fn any_image_has_a_version(image in ".*") {
            let _ = Version::of_image(&image);
        }
    }
}
