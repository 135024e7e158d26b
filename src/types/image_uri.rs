use crate::{Error, Result};

/// The URI of a container image, such as
/// `683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1`.
///
/// ```
/// use sagemaker::types::ImageUri;
///
/// let image = ImageUri::new("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")?;
/// assert_eq!((image.repository(), image.tag()), ("sagemaker-xgboost", Some("1.7-1")));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageUri(String);

super::checked_string!(ImageUri);

impl ImageUri {
    /// Checks that the URI is not empty, has no white space and at most 255 characters (the service's limit).
    pub fn new(uri: impl Into<String>) -> Result<Self> {
        let uri = uri.into();
        if uri.is_empty() || uri.len() > 255 || uri.chars().any(char::is_whitespace) || uri.contains("://") {
            let form = "an image is 1 to 255 characters such as \
                        123456789012.dkr.ecr.us-east-1.amazonaws.com/my-image:1.0";
            return Err(Error::invalid("", format!("{uri:?} is no image URI; {form}")));
        }
        Ok(Self(uri))
    }

    /// The last segment of the repository, without tag and digest.
    pub fn repository(&self) -> &str {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        last.split(['@', ':']).next().unwrap_or_default()
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        last.split('@').next().unwrap_or_default().split_once(':').map(|(_, tag)| tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_leaves_out_tag_and_digest() {
        for (uri, repository, tag) in [
            ("xgboost:1", "xgboost", Some("1")),
            ("1.dkr.ecr.x.amazonaws.com/a/b:2", "b", Some("2")),
            ("localhost:5000/a@sha256:00ff", "a", None),
            ("a:1@sha256:00ff", "a", Some("1")),
        ] {
            let image = ImageUri::new(uri).unwrap();
            assert_eq!((image.repository(), image.tag()), (repository, tag), "{uri}");
        }
        for bad in ["", "a b", "https://x/y"] {
            assert!(ImageUri::new(bad).is_err(), "{bad}");
        }
    }
}
