//! The tags of an object.

use s3s::dto::{Tag, TagSet};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::errors;
use crate::local::query;

/// Valid tags in the order of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tags(Vec<(String, String)>);

impl Tags {
    const MAX: usize = 10;
    const MAX_OF_BUCKET: usize = 50;
    const MAX_KEY: usize = 128;
    const MAX_VALUE: usize = 256;

    pub(super) fn from_set(set: TagSet) -> S3Result<Self> {
        Self::limited(pairs(set)?, SYSTEM)
    }

    /// Refuses what cannot be the tags of a bucket.
    pub(super) fn check_of_bucket(set: TagSet) -> S3Result<()> {
        let pairs = pairs(set)?;
        if pairs.len() > Self::MAX_OF_BUCKET {
            return Err(too_many("Bucket tag count cannot be greater than 50"));
        }
        Self::checked(pairs, SYSTEM).map(drop)
    }

    /// The header `x-amz-tagging`: `key=value&key=value`, encoded as a query string.
    pub(super) fn from_header(header: &str) -> S3Result<Self> {
        let decode = |text: &str| query::decode(text.replace('+', " ").as_bytes());
        let pairs = header.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self::limited(
            pairs.map(|(key, value)| (decode(key), decode(value))).collect(),
            "Your TagKey cannot be prefixed with aws:",
        )
    }

    fn limited(pairs: Vec<(String, String)>, system: &'static str) -> S3Result<Self> {
        if pairs.len() > Self::MAX {
            return Err(too_many("Object tags cannot be greater than 10"));
        }
        Self::checked(pairs, system)
    }

    /// `system` is what is said of keys that only AWS itself may set.
    fn checked(pairs: Vec<(String, String)>, system: &'static str) -> S3Result<Self> {
        for (index, (key, value)) in pairs.iter().enumerate() {
            if key.starts_with("aws:") {
                return Err(invalid(system));
            }
            if key.is_empty() || key.encode_utf16().count() > Self::MAX_KEY {
                return Err(invalid("The TagKey you have provided is invalid"));
            }
            if value.encode_utf16().count() > Self::MAX_VALUE {
                return Err(invalid("The TagValue you have provided is invalid"));
            }
            if pairs[..index].iter().any(|(earlier, _)| earlier == key) {
                return Err(invalid("Cannot provide multiple Tags with the same key"));
            }
        }
        Ok(Self(pairs))
    }

    pub(super) fn to_set(&self) -> TagSet {
        self.0.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
    }

    /// The header `x-amz-tagging-count`, which S3 leaves out if there are none.
    pub(super) fn count(&self) -> Option<i32> {
        i32::try_from(self.0.len()).ok().filter(|count| *count > 0)
    }
}

const SYSTEM: &str = "System tags cannot be added/updated by requester";

fn pairs(set: TagSet) -> S3Result<Vec<(String, String)>> {
    set.into_iter().map(|tag| Ok((tag.key.ok_or_else(errors::malformed_xml)?, tag.value.unwrap_or_default()))).collect()
}

fn too_many(message: &'static str) -> S3Error {
    errors::custom("BadRequest", http::StatusCode::BAD_REQUEST, message)
}

fn invalid(message: &'static str) -> S3Error {
    s3_error!(InvalidTag, "{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_a_query_string() {
        let tags = Tags::from_header("a=1&b%26=x+y&c").unwrap();
        let pairs = [("a", "1"), ("b&", "x y"), ("c", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(tags, Tags(pairs.into()));
        assert_eq!((tags.count(), Tags::default().count()), (Some(3), None));
        assert_eq!(Tags::from_set(tags.to_set()).unwrap(), tags);
    }

    #[test]
    fn limits_are_those_of_s3() {
        let many: Vec<String> = (0..11).map(|index| format!("k{index}=v")).collect();
        for (header, code) in [
            (many.join("&"), "BadRequest"),
            ("a=1&a=2".to_owned(), "InvalidTag"),
            ("=1".to_owned(), "InvalidTag"),
            ("aws:a=1".to_owned(), "InvalidTag"),
            (format!("{}=1", "k".repeat(129)), "InvalidTag"),
            (format!("k={}", "v".repeat(257)), "InvalidTag"),
        ] {
            assert_eq!(Tags::from_header(&header).unwrap_err().code().as_str(), code, "{header}");
        }
        assert!(Tags::from_header(&format!("{}={}", "k".repeat(128), "v".repeat(256))).is_ok());
    }
}
