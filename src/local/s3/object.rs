//! An object as it is stored.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::S3Result;
use s3s::dto::{ETag, Timestamp};
use serde::{Deserialize, Serialize};

use super::acl::Acl;
use super::body::Body;
use super::checksum::{Checksum, hex};
use super::errors;
use super::lock::Lock;
use super::restore::Restored;
use super::tags::Tags;
use super::version::Version;

/// An object: what is computed of its body is computed once.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) version: Version,
    pub(super) body: Body,
    pub(super) etag: Etag,
    /// Seconds since 1970.
    pub(super) modified: u64,
    pub(super) checksum: Checksum,
    /// Shared by objects of the same attributes.
    pub(super) attributes: Arc<Attributes>,
    pub(super) tags: Tags,
    pub(super) multipart: Option<Box<Multipart>>,
}

/// What is known of an object that was uploaded in parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Multipart {
    /// The upload that made it, so that completing it again can be answered.
    pub(super) upload: String,
    pub(super) parts: Vec<PartOf>,
}

/// A part of a finished object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PartOf {
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<Checksum>,
}

/// A body with what is computed of it.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) body: Body,
    pub(super) md5: [u8; 16],
    pub(super) checksum: Checksum,
    /// Whether the checksum came with the body.
    pub(super) given: bool,
}

impl Object {
    /// An object of one piece.
    pub(super) fn new(content: Content, attributes: Arc<Attributes>, now: SystemTime) -> Self {
        Self {
            version: Version::NULL,
            body: content.body,
            etag: Etag { md5: content.md5, parts: 0 },
            checksum: content.checksum,
            modified: seconds(now),
            attributes,
            tags: Tags::default(),
            multipart: None,
        }
    }

    pub(super) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.text())
    }

    pub(super) fn modified(&self) -> Timestamp {
        timestamp(self.modified)
    }

    pub(super) fn size(&self) -> i64 {
        size(&self.body)
    }

    /// The number of parts, if it was uploaded in parts.
    pub(super) fn parts_count(&self) -> Option<i32> {
        self.multipart.as_ref().and_then(|multipart| i32::try_from(multipart.parts.len()).ok())
    }

    /// The bytes of a part from 1; an object of one piece is its own part 1.
    pub(super) fn part(&self, number: i32) -> Option<Range<u64>> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let Some(multipart) = &self.multipart else {
            return (index == 0).then_some(0..self.body.len());
        };
        let start = multipart.parts.iter().take(index).map(|part| part.size).sum();
        multipart.parts.get(index).map(|part| start..start + part.size)
    }
}

pub(super) fn size(body: &Body) -> i64 {
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}

/// S3 keeps times to the second.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

pub(super) fn timestamp(seconds: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// An entity tag without its quotes: the MD5 of a body, or that of the MD5s of so many parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Etag {
    pub(super) md5: [u8; 16],
    pub(super) parts: u16,
}

impl Etag {
    pub(super) fn text(&self) -> String {
        let md5 = hex(&self.md5);
        if self.parts == 0 { md5 } else { format!("{md5}-{}", self.parts) }
    }
}

/// What a request says about an object beside its body.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) website_redirect_location: Option<String>,
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(super) metadata: HashMap<String, String>,
    #[serde(skip_serializing_if = "StorageClass::is_standard")]
    pub(super) storage_class: StorageClass,
    #[serde(skip_serializing_if = "Encryption::is_default")]
    pub(super) encryption: Encryption,
    /// Without one, the owner alone has access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acl: Option<Acl>,
    /// The copy that was taken out of an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restored: Option<Restored>,
    /// What keeps it from being deleted.
    #[serde(skip_serializing_if = "Lock::is_none")]
    pub(super) lock: Lock,
}

impl Attributes {
    /// The most bytes of metadata, names and values together.
    const MAX_METADATA: usize = 2048;

    pub(super) fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
    }

    pub(super) fn metadata(&self) -> Option<HashMap<String, String>> {
        (!self.metadata.is_empty()).then(|| self.metadata.clone())
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.expires.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok()).map(Timestamp::from)
    }

    /// Refuses what no object may have.
    pub(super) fn checked(self) -> S3Result<Self> {
        let size: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > Self::MAX_METADATA {
            return Err(s3s::s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size"
            ));
        }
        Ok(self)
    }

    /// Whether the content is in an archive.
    pub(super) fn is_archived(&self) -> bool {
        matches!(self.storage_class.0.as_str(), "GLACIER" | "DEEP_ARCHIVE")
    }

    /// Refuses to read what is in an archive and has no copy outside of it, at a time in seconds since 1970.
    pub(super) fn check_readable(&self, now: u64) -> S3Result<()> {
        let is_out = self.restored.as_ref().is_some_and(|restored| restored.is_there(now));
        if self.is_archived() && !is_out { Err(errors::archived(&self.storage_class.0)) } else { Ok(()) }
    }
}

/// For records: attributes are shared in memory only.
pub(super) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Attributes;

    pub(in crate::local::s3) fn serialize<S: Serializer>(
        attributes: &Arc<Attributes>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        attributes.as_ref().serialize(serializer)
    }

    pub(in crate::local::s3) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Attributes>, D::Error> {
        Attributes::deserialize(deserializer).map(Arc::new)
    }
}

/// The attributes that a PutObject, CopyObject or CreateMultipartUpload asks for; what cannot be honoured is refused.
macro_rules! requested_attributes {
    ($input:expr, $s3:expr) => {{
        let (input, s3) = (&$input, &$s3);
        $crate::local::s3::object::refuse_unsupported(
            input.sse_customer_algorithm.is_some() || input.sse_customer_key.is_some(),
        )?;
        let asked_lock = $crate::local::s3::lock::Asked {
            mode: input.object_lock_mode.as_ref().map(|mode| mode.as_str()),
            until: input.object_lock_retain_until_date.as_ref(),
            hold: input.object_lock_legal_hold_status.as_ref().map(|status| status.as_str()),
        };
        let now = $crate::local::s3::object::seconds(s3.now());
        let asked = $crate::local::s3::acl::asked_access!(input);
        let (acl, default_encryption, lock) = s3.storage.with(&input.bucket, |bucket| {
            let acl = bucket.acl_for_object(&asked, &s3.owner_id)?;
            Ok((acl, bucket.encryption.clone(), asked_lock.lock(bucket, now)?))
        })?;
        $crate::local::s3::object::Attributes {
            content_type: input.content_type.clone(),
            content_encoding: input.content_encoding.clone(),
            content_language: input.content_language.clone(),
            content_disposition: input.content_disposition.clone(),
            cache_control: input.cache_control.clone(),
            expires: input.expires.clone().map(|at| time::OffsetDateTime::from(at).unix_timestamp()),
            website_redirect_location: input.website_redirect_location.clone(),
            metadata: input.metadata.clone().unwrap_or_default(),
            storage_class: $crate::local::s3::object::StorageClass::requested(
                input.storage_class.as_ref().map(|class| class.as_str()),
            )?,
            encryption: match $crate::local::s3::object::Encryption::requested(
                input.server_side_encryption.as_ref().map(|algorithm| algorithm.as_str()),
                input.ssekms_key_id.as_deref(),
                input.bucket_key_enabled,
                &s3.kms_arn_prefix(),
            )? {
                Some(encryption) => encryption,
                None => default_encryption,
            },
            acl,
            restored: None,
            lock,
        }
        .checked()?
    }};
}
pub(super) use requested_attributes;

pub(super) fn refuse_unsupported(customer_key: bool) -> S3Result<()> {
    if customer_key {
        return Err(errors::not_implemented(
            "Server-side encryption with customer-provided keys is not supported here.",
        ));
    }
    Ok(())
}

/// The storage class; only its name matters here, but for the archives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StorageClass(String);

impl Default for StorageClass {
    fn default() -> Self {
        Self("STANDARD".to_owned())
    }
}

impl StorageClass {
    const KNOWN: [&'static str; 8] = [
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    ];

    pub(super) fn requested(name: Option<&str>) -> S3Result<Self> {
        let Some(name) = name else { return Ok(Self::default()) };
        if !Self::KNOWN.contains(&name) {
            return Err(s3s::s3_error!(InvalidStorageClass, "The storage class you specified is not valid"));
        }
        Ok(Self(name.to_owned()))
    }

    pub(super) fn name(&self) -> String {
        self.0.clone()
    }

    fn is_standard(&self) -> bool {
        self.0 == "STANDARD"
    }

    /// The header of answers, which S3 leaves out for the standard class.
    pub(super) fn header(&self) -> Option<s3s::dto::StorageClass> {
        (!self.is_standard()).then(|| self.name().into())
    }
}

/// Server-side encryption; nothing is encrypted, the answers are those of S3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Encryption {
    algorithm: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bucket_key_enabled: Option<bool>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), key_id: None, bucket_key_enabled: None }
    }
}

impl Encryption {
    /// What a request asks for; `None` leaves it to the bucket. `arn_prefix` is that of KMS keys:
    /// `arn:aws:kms:region:account:`.
    pub(super) fn requested(
        algorithm: Option<&str>,
        key_id: Option<&str>,
        bucket_key_enabled: Option<bool>,
        arn_prefix: &str,
    ) -> S3Result<Option<Self>> {
        match algorithm {
            None | Some("AES256") if key_id.is_some() => Err(errors::invalid_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
                 aws:kms",
            )),
            None => Ok(None),
            Some("AES256") => Ok(Some(Self::default())),
            Some(kms @ ("aws:kms" | "aws:kms:dsse")) => Ok(Some(Self {
                algorithm: kms.to_owned(),
                // Without a key S3 uses, and names, the account's own key for S3.
                key_id: Some(key_id.map_or_else(|| format!("{arn_prefix}alias/aws/s3"), str::to_owned)),
                bucket_key_enabled,
            })),
            Some(_) => Err(s3s::s3_error!(
                InvalidEncryptionAlgorithmError,
                "The encryption request that you specified is not valid. The valid value is AES256."
            )),
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn algorithm(&self) -> Option<s3s::dto::ServerSideEncryption> {
        Some(self.algorithm.clone().into())
    }
}

/// Sets the encryption fields of an answer.
macro_rules! fill_encryption {
    ($answer:expr, $encryption:expr) => {{
        let encryption = &$encryption;
        $answer.server_side_encryption = encryption.algorithm();
        $answer.ssekms_key_id = encryption.key_id.clone();
        $answer.bucket_key_enabled = encryption.bucket_key_enabled;
    }};
}
pub(super) use fill_encryption;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn parts_are_counted_from_one() {
        let content = Content::of(Bytes::from_static(b"hello"), None);
        let mut object = Object::new(content, Arc::default(), UNIX_EPOCH);
        assert_eq!(object.part(1), Some(0..5));
        assert_eq!((object.part(0), object.part(2), object.part(-1)), (None, None, None));
        let part = |size| PartOf { size, checksum: None };
        object.multipart = Some(Box::new(Multipart { upload: "u".to_owned(), parts: vec![part(3), part(2)] }));
        assert_eq!((object.part(1), object.part(2), object.part(3)), (Some(0..3), Some(3..5), None));
    }

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(seconds(UNIX_EPOCH + Duration::from_millis(1999)), 1);
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_secs(5)), 0);
    }

    /// Ten thousands of them are held: what all have in common must not be in each.
    #[test]
    fn an_object_is_small() {
        assert!(size_of::<Object>() <= 192, "{}", size_of::<Object>());
    }
}
