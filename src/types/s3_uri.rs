use std::fmt;

use crate::{Error, Result};

/// The place of an object or of a prefix in S3: `s3://bucket/key`.
///
/// `?`, `#` and `%` are ordinary characters of a key and are kept as they are.
///
/// An access point may stand for the bucket, by its ARN, as in the AWS command line:
/// `s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/name/key`. S3 takes it wherever a bucket is asked for, and this
/// crate passes it on. Where another service reads the place, the access point's alias is the safer choice: it has the
/// form of a bucket's name.
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

    /// The bucket's name, or the ARN of an access point.
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

/// The rules of general-purpose buckets, and the form of an access point's ARN.
fn check_bucket(bucket: &str) -> Result<()> {
    if bucket.starts_with("arn:") {
        if is_access_point(bucket) {
            return Ok(());
        }
        let form = "an ARN in place of a bucket must be that of an S3 access point, such as \
                    arn:aws:s3:eu-west-1:123456789012:accesspoint/name";
        return Err(Error::invalid("", format!("{form} ({bucket:?})")));
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

/// The part of an access point's ARN before its name, which `/` or `:` follows.
const ACCESS_POINT: &str = ":accesspoint";

/// `arn:partition:s3:region:account:accesspoint/name`; those of several regions have no region.
fn is_access_point(arn: &str) -> bool {
    let label = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let [_, partition, "s3", region, account, resource] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else {
        return false;
    };
    let name = resource.strip_prefix(&ACCESS_POINT[1..]).and_then(|rest| rest.strip_prefix(['/', ':']));
    partition.starts_with("aws")
        && label(partition)
        && label(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name.is_some_and(|name| !name.is_empty() && name.split('.').all(label))
}

/// Bucket and key. The first slash parts them, but for that within the ARN of an access point.
fn split(place: &str) -> (&str, &str) {
    let name = match place.find(ACCESS_POINT) {
        Some(at) if place.starts_with("arn:") => at + ACCESS_POINT.len(),
        _ => 0,
    };
    let start = if name > 0 && place[name..].starts_with(['/', ':']) { name + 1 } else { 0 };
    match place[start..].find('/') {
        Some(slash) => (&place[..start + slash], &place[start + slash + 1..]),
        None => (place, ""),
    }
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
        let (bucket, key) = split(rest);
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
    fn access_points_stand_for_a_bucket() {
        for (uri, bucket, key) in [
            (
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/name/deep/key",
                "arn:aws:s3:eu-west-1:123456789012:accesspoint/name",
                "deep/key",
            ),
            (
                "s3://arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:name/k:accesspoint/x",
                "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:name",
                "k:accesspoint/x",
            ),
            (
                "s3://arn:aws:s3::123456789012:accesspoint/alias.mrap/",
                "arn:aws:s3::123456789012:accesspoint/alias.mrap",
                "",
            ),
            ("s3://bucket/arn:aws:s3:::accesspoint/x", "bucket", "arn:aws:s3:::accesspoint/x"),
        ] {
            let parsed: S3Uri = uri.parse().unwrap();
            assert_eq!((parsed.bucket(), parsed.key()), (bucket, key));
            assert_eq!(parsed.to_string(), uri);
        }
    }

    #[test]
    fn other_arns_stand_for_no_bucket() {
        for bad in [
            "arn:aws:s3:::bucket",
            "arn:aws:s3:::bucket/key",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/name/key",
            "arn:aws:s3:eu-west-1:12345678901:accesspoint/name",
            "arn:aws:s3:eu/west:123456789012:accesspoint/name",
            "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/name",
            "arn:",
        ] {
            let error = S3Uri::new(bad, "key").unwrap_err();
            assert!(error.to_string().contains("access point"), "{error}");
        }
        assert!("s3://arn:aws:s3:eu-west-1:123456789012:accesspoint".parse::<S3Uri>().is_err());
        assert!("s3://arn:aws:s3:::bucket/key".parse::<S3Uri>().is_err());
        assert!("s3://arn:aws:s3:r:123456789012:accesspointü/key".parse::<S3Uri>().is_err());
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
        fn access_points_survive_the_round_trip(
            region in "[a-z0-9-]{0,15}", name in "[/:][a-z0-9-]{1,50}(\\.mrap)?", key in "\\PC{0,60}",
        ) {
            let bucket = format!("arn:aws:s3:{region}:123456789012:accesspoint{name}");
            let uri = S3Uri::new(bucket, key).unwrap();
            prop_assert_eq!(&uri.to_string().parse::<S3Uri>().unwrap(), &uri);
            let below = uri.join("x/y");
            prop_assert_eq!(below.to_string().parse::<S3Uri>().unwrap(), below);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(s3://)?(arn:\\PC{0,20}:accesspoint)?\\PC{0,80}") {
            if let Ok(uri) = text.parse::<S3Uri>() {
                prop_assert_eq!(&uri.to_string().parse::<S3Uri>().unwrap(), &uri);
            }
        }
    }
}
