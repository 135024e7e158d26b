//! Versions of objects and their identifiers.

use s3s::S3Result;

use super::checksum::sha256;
use super::errors;

/// Which version of a key something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    /// Grows with each version that is made; tells versions of a key apart.
    pub(super) sequence: u64,
    /// Whether its identifier is `null`: it was made while the bucket had no versioning, or had it suspended.
    pub(super) null: bool,
}

impl Version {
    pub(super) const NULL: Self = Self { sequence: 0, null: true };

    /// The identifier: 32 characters like those of S3, the same in every run.
    pub(super) fn id(self) -> String {
        if self.null {
            return "null".to_owned();
        }
        let digest = sha256(&self.sequence.to_be_bytes());
        let text = aws_smithy_types::base64::encode(&digest[..24]);
        text.replace('+', ".").replace('/', "_")
    }

    pub(super) fn is(self, id: &str) -> bool {
        if id == "null" || self.null { id == "null" && self.null } else { self.id() == id }
    }
}

/// Refuses what is no identifier of a version.
pub(super) fn check_id(id: &str) -> S3Result<()> {
    let is_one = id == "null"
        || (id.len() == 32
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')));
    if is_one { Ok(()) } else { Err(errors::argument("Invalid version id specified", "versionId", id)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_null_version_is_no_other() {
        let null = Version { sequence: 7, null: true };
        let other = Version { sequence: 7, null: false };
        assert!(null.is("null") && !other.is("null") && !null.is(&other.id()) && other.is(&other.id()));
    }

    proptest! {
        #[test]
        fn identifiers_are_valid_and_different(one: u64, other: u64) {
            let id = |sequence| Version { sequence, null: false }.id();
            prop_assert!(check_id(&id(one)).is_ok());
            prop_assert_eq!(one == other, id(one) == id(other));
        }

        #[test]
        fn other_text_is_refused(text in "[^a-zA-Z0-9._-]{32}|[a-z]{0,31}") {
            prop_assume!(text != "null");
            prop_assert!(check_id(&text).is_err());
        }
    }
}
