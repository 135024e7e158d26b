//! An object as it is stored.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use s3s::S3Result;
use s3s::dto::{ETag, Metadata, Timestamp};

use super::checksum::{Algorithm, Checksum, hex, md5};
use super::errors;
use super::tags::Tags;

/// An object: what is computed of its body is computed once.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) modified: SystemTime,
    pub(super) checksum: Checksum,
    pub(super) attributes: Attributes,
    pub(super) tags: Tags,
    /// The parts that it was uploaded in; empty unless by a multipart upload.
    pub(super) parts: Vec<u64>,
    /// The multipart upload that made it, so that completing it again can be answered.
    pub(super) upload: Option<String>,
}

impl Object {
    /// An object of one piece; `checksum` is the one that came with it.
    pub(super) fn new(body: Bytes, checksum: Option<Checksum>, attributes: Attributes, now: SystemTime) -> Self {
        Self {
            etag: hex(&md5(&body)),
            checksum: checksum.unwrap_or_else(|| Checksum::of(Algorithm::DEFAULT, &body)),
            body,
            modified: whole_seconds(now),
            attributes,
            tags: Tags::default(),
            parts: Vec::new(),
            upload: None,
        }
    }

    pub(super) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub(super) fn modified(&self) -> Timestamp {
        Timestamp::from(self.modified)
    }

    pub(super) fn size(&self) -> i64 {
        size(&self.body)
    }

    /// The bytes of a part from 1; an object of one piece is its own part 1.
    pub(super) fn part(&self, number: i32) -> Option<std::ops::Range<u64>> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        if self.parts.is_empty() {
            return (index == 0).then_some(0..self.body.len() as u64);
        }
        let start = self.parts.iter().take(index).sum();
        self.parts.get(index).map(|size| start..start + size)
    }
}

pub(super) fn size(body: &Bytes) -> i64 {
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}

/// S3 keeps times to the second.
pub(super) fn whole_seconds(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// What a request says about an object beside its body.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) expires: Option<Timestamp>,
    pub(super) website_redirect_location: Option<String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) storage_class: StorageClass,
    pub(super) encryption: Encryption,
}

impl Attributes {
    pub(super) fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
    }
}

/// The attributes that a PutObject, CopyObject or CreateMultipartUpload asks for; what cannot be honoured is refused.
macro_rules! requested_attributes {
    ($input:expr, $arn:expr) => {{
        let input = &$input;
        $crate::local::s3::object::refuse_unsupported(
            input.acl.as_ref().map(|acl| acl.as_str()),
            input.sse_customer_algorithm.is_some() || input.sse_customer_key.is_some(),
            input.object_lock_mode.is_some()
                || input.object_lock_retain_until_date.is_some()
                || input.object_lock_legal_hold_status.is_some(),
        )?;
        $crate::local::s3::object::Attributes {
            content_type: input.content_type.clone(),
            content_encoding: input.content_encoding.clone(),
            content_language: input.content_language.clone(),
            content_disposition: input.content_disposition.clone(),
            cache_control: input.cache_control.clone(),
            expires: input.expires.clone(),
            website_redirect_location: input.website_redirect_location.clone(),
            metadata: input.metadata.clone(),
            storage_class: $crate::local::s3::object::StorageClass::requested(
                input.storage_class.as_ref().map(|class| class.as_str()),
            )?,
            encryption: $crate::local::s3::object::Encryption::requested(
                input.server_side_encryption.as_ref().map(|algorithm| algorithm.as_str()),
                input.ssekms_key_id.as_deref(),
                input.bucket_key_enabled,
                $arn,
            )?,
        }
    }};
}
pub(super) use requested_attributes;

pub(super) fn refuse_unsupported(acl: Option<&str>, customer_key: bool, object_lock: bool) -> S3Result<()> {
    if acl.is_some_and(|acl| acl != "bucket-owner-full-control") {
        // New buckets of AWS have their access control lists switched off.
        return Err(s3s::s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs"));
    }
    if customer_key {
        return Err(errors::not_implemented(
            "Server-side encryption with customer-provided keys is not supported here.",
        ));
    }
    if object_lock {
        return Err(errors::invalid_request("Bucket is missing Object Lock Configuration"));
    }
    Ok(())
}

/// The storage class; only its name matters here.
#[derive(Debug, Clone, PartialEq)]
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

    /// The header of answers, which S3 leaves out for the standard class.
    pub(super) fn header(&self) -> Option<s3s::dto::StorageClass> {
        (*self != Self::default()).then(|| self.name().into())
    }
}

/// Server-side encryption; nothing is encrypted, the answers are those of S3.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Encryption {
    algorithm: String,
    pub(super) key_id: Option<String>,
    pub(super) bucket_key_enabled: Option<bool>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), key_id: None, bucket_key_enabled: None }
    }
}

impl Encryption {
    /// `arn_prefix` is that of KMS keys: `arn:aws:kms:region:account:`.
    pub(super) fn requested(
        algorithm: Option<&str>,
        key_id: Option<&str>,
        bucket_key_enabled: Option<bool>,
        arn_prefix: &str,
    ) -> S3Result<Self> {
        match algorithm {
            None | Some("AES256") if key_id.is_some() => Err(errors::invalid_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
                 aws:kms",
            )),
            None | Some("AES256") => Ok(Self::default()),
            Some(kms @ ("aws:kms" | "aws:kms:dsse")) => Ok(Self {
                algorithm: kms.to_owned(),
                // Without a key S3 uses, and names, the account's own key for S3.
                key_id: Some(key_id.map_or_else(|| format!("{arn_prefix}alias/aws/s3"), str::to_owned)),
                bucket_key_enabled,
            }),
            Some(_) => Err(s3s::s3_error!(
                InvalidEncryptionAlgorithmError,
                "The encryption request that you specified is not valid. The valid value is AES256."
            )),
        }
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
    use super::*;

    #[test]
    fn parts_are_counted_from_one() {
        let mut object = Object::new(Bytes::from_static(b"hello"), None, Attributes::default(), UNIX_EPOCH);
        assert_eq!(object.part(1), Some(0..5));
        assert_eq!((object.part(0), object.part(2), object.part(-1)), (None, None, None));
        object.parts = vec![3, 2];
        assert_eq!((object.part(1), object.part(2), object.part(3)), (Some(0..3), Some(3..5), None));
    }

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(whole_seconds(UNIX_EPOCH + Duration::from_millis(1999)), UNIX_EPOCH + Duration::from_secs(1));
        assert_eq!(whole_seconds(UNIX_EPOCH - Duration::from_secs(5)), UNIX_EPOCH);
    }
}
