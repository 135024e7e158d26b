use std::fmt;

use crate::{Error, Result};

/// The place of an object or of a prefix in S3: `s3://bucket/key`.
///
/// `?`, `#` and `%` are ordinary characters of a key and are kept as they are.
///
/// ```
/// use sagemaker::types::S3Uri;
///
/// let data: S3Uri = "s3://my-bucket/bike/train.csv".parse()?;
/// assert_eq!((data.bucket(), data.key()), ("my-bucket", "bike/train.csv"));
/// assert_eq!(S3Uri::new("my-bucket", "")?.join("what?#1").to_string(), "s3://my-bucket/what?#1");
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct S3Uri {
    bucket: String,
    key: String,
}

impl S3Uri {
    /// A bucket with a key or prefix; an empty key means the whole bucket.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Result<Self> {
        let (bucket, key) = (bucket.into(), key.into());
        check_bucket(&bucket)?;
        if key.len() > 1024 {
            return Err(Error::invalid("", format!("an S3 key has at most 1024 bytes, this one has {}", key.len())));
        }
        Ok(Self { bucket, key })
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key or prefix, without the leading slash.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place below this one, joined with exactly one slash.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        let relative = relative.trim_start_matches('/');
        let base = self.key.trim_end_matches('/');
        let key = match (base.is_empty(), relative.is_empty()) {
            (true, _) => relative.to_owned(),
            (false, true) => self.key.clone(),
            (false, false) => format!("{base}/{relative}"),
        };
        Self { bucket: self.bucket.clone(), key }
    }

    /// The last segment of the key.
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

/// The rules of general-purpose buckets; access points (ARNs) are passed through as they are.
fn check_bucket(bucket: &str) -> Result<()> {
    if bucket.starts_with("arn:") {
        return Ok(());
    }
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = (3..=63).contains(&bucket.len())
        && bucket.chars().all(legal)
        && edge(bucket.chars().next())
        && edge(bucket.chars().next_back())
        && !bucket.contains("..");
    if fits {
        return Ok(());
    }
    let rule = "a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a \
                letter or digit";
    Err(Error::invalid("", format!("{rule} ({bucket:?})")))
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl std::str::FromStr for S3Uri {
    type Err = Error;
    fn from_str(uri: &str) -> Result<Self> {
        let Some(rest) = uri.strip_prefix("s3://") else {
            return Err(Error::invalid("", format!("{uri:?} is no S3 URI; the form is s3://bucket/key")));
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Self::new(bucket, key)
    }
}

impl TryFrom<&str> for S3Uri {
    type Error = Error;
    fn try_from(uri: &str) -> Result<Self> {
        uri.parse()
    }
}

impl TryFrom<String> for S3Uri {
    type Error = Error;
    fn try_from(uri: String) -> Result<Self> {
        uri.parse()
    }
}

impl From<S3Uri> for String {
    fn from(uri: S3Uri) -> Self {
        uri.to_string()
    }
}

impl From<&S3Uri> for String {
    fn from(uri: &S3Uri) -> Self {
        uri.to_string()
    }
}

impl From<&S3Uri> for S3Uri {
    fn from(uri: &S3Uri) -> Self {
        uri.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_s3() {
        for bad in ["", "s3:/b/k", "https://b/k", "s3://", "s3://UPPER/k", "s3://a..b/k", "s3://ab/k", "/tmp/x"] {
            assert!(bad.parse::<S3Uri>().is_err(), "{bad}");
        }
        assert!(S3Uri::new("bucket", "k".repeat(1025)).is_err());
    }

    #[test]
    fn joins_with_one_slash() {
        let at = |uri: &str, tail: &str| uri.parse::<S3Uri>().unwrap().join(tail).to_string();
        assert_eq!(at("s3://bucket", "a"), "s3://bucket/a");
        assert_eq!(at("s3://bucket/a/", "/b"), "s3://bucket/a/b");
        assert_eq!(at("s3://bucket/a", "b/"), "s3://bucket/a/b/");
        assert_eq!(at("s3://bucket/a/", ""), "s3://bucket/a/");
    }

    proptest! {
        #[test]
        fn any_key_survives_the_round_trip(key in "\\PC{0,200}") {
            let uri = S3Uri::new("bucket", key.clone()).unwrap();
            let back: S3Uri = uri.to_string().parse().unwrap();
            prop_assert_eq!(back.key(), key.as_str());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = text.parse::<S3Uri>();
        }
    }
}
