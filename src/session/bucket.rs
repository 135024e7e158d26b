use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::Session;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result};

impl Session {
    /// The bucket for uploads and outputs that name none: the builder's, else that of the
    /// [defaults file](Self::defaults), else `sagemaker-<region>-<account>`.
    ///
    /// Creates nothing; see [`ensure_bucket`](Self::ensure_bucket).
    pub async fn default_bucket(&self) -> Result<String> {
        match &self.0.bucket {
            Some(bucket) => Ok(bucket.clone()),
            None => Ok(format!("sagemaker-{}-{}", self.region(), self.account_id().await?)),
        }
    }

    /// [`default_uri`](Self::default_uri) of no key, if it is known without a call.
    pub(crate) fn known_default_uri(&self) -> Option<S3Uri> {
        let chosen = || Some(format!("sagemaker-{}-{}", self.region(), self.0.identity.get()?.account));
        let bucket = self.0.bucket.clone().or_else(chosen)?;
        let key = self.0.prefix.as_ref().map_or_else(String::new, |prefix| format!("{prefix}/"));
        S3Uri::new(bucket, key).ok()
    }

    /// A session like this one with another default bucket, and with a prefix of its keys or none.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for what is no bucket's name, and for a prefix of slashes only.
    pub fn with_default_bucket(&self, bucket: impl Into<String>, prefix: Option<&str>) -> Result<Self> {
        let bucket = S3Uri::new(bucket, "")?.bucket().to_owned();
        let prefix = prefix.map(checked_prefix).transpose()?;
        Ok(self.changed(|inner| {
            inner.bucket = Some(bucket);
            inner.prefix = prefix;
        }))
    }

    /// What keys in the default bucket begin with, if anything: the builder's, else that of the
    /// [defaults file](Self::defaults).
    pub fn bucket_prefix(&self) -> Option<&str> {
        self.0.prefix.as_deref()
    }

    /// A place in the default bucket, below the [prefix](Self::bucket_prefix) if there is one.
    pub async fn default_uri(&self, key: &str) -> Result<S3Uri> {
        let bucket = self.default_bucket().await?;
        match &self.0.prefix {
            Some(prefix) => S3Uri::new(bucket, format!("{prefix}/{}", key.trim_start_matches('/'))),
            None => S3Uri::new(bucket, key),
        }
    }

    /// Makes sure that the default bucket exists and belongs to this account, and gives its name.
    ///
    /// With a [prefix](Self::bucket_prefix) nothing is created: who is given a part of a bucket may see no more than that
    /// part, so that only the part is looked at.
    ///
    /// A bucket whose name this crate chose is only used if the caller's own account owns it, because anyone could have
    /// taken the name first.
    ///
    /// # Errors
    /// [`ErrorKind::AccessDenied`] if the bucket belongs to somebody else or may not be seen, [`ErrorKind::Config`] if it
    /// is in another region, which the text names.
    pub async fn ensure_bucket(&self) -> Result<String> {
        let bucket = self.default_bucket().await?;
        let owner = self.expected_owner(&bucket).await?;
        if let Some(prefix) = &self.0.prefix {
            let look = self.aws().s3().list_objects_v2().bucket(&bucket).prefix(prefix).max_keys(1);
            look.set_expected_bucket_owner(owner).send().await.of("ListObjectsV2").map_err(|error| {
                if error.kind() != ErrorKind::NotFound {
                    return error;
                }
                let text =
                    format!("there is no bucket {bucket}; with a prefix ({prefix}) it is not created: create it");
                error.reworded(text)
            })?;
            return Ok(bucket);
        }
        let head = self.aws().s3().head_bucket().bucket(&bucket).set_expected_bucket_owner(owner).send().await;
        match head.of("HeadBucket") {
            Ok(_) => return Ok(bucket),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::AccessDenied => {
                let text = format!(
                    "the bucket {bucket} exists but belongs to another account, or the caller lacks s3:ListBucket on it; \
                     choose another with Session::builder().bucket(..)"
                );
                return Err(Error::new(ErrorKind::AccessDenied, text).with_operation("HeadBucket").with_source(error));
            }
            Err(error) => return Err(error),
        }
        // us-east-1 is the one region that must not be named.
        let location = (self.region() != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region()))
                .build()
        });
        let created = self.aws().s3().create_bucket().bucket(&bucket).set_create_bucket_configuration(location).send();
        match created.await.of("CreateBucket") {
            Ok(_) => Ok(bucket),
            // Another process was quicker: S3 says that it is ours, or that it is being made.
            Err(error) if matches!(error.code(), Some("BucketAlreadyOwnedByYou" | "OperationAborted")) => Ok(bucket),
            Err(error) => Err(error),
        }
    }

    /// The account that must own the bucket, where this crate chose its name.
    pub(crate) async fn expected_owner(&self, bucket: &str) -> Result<Option<String>> {
        let is_like_ours = || bucket.strip_prefix("sagemaker-").is_some_and(|rest| rest.starts_with(self.region()));
        if self.0.bucket.is_some() || !is_like_ours() {
            return Ok(None);
        }
        let own = self.default_bucket().await?;
        Ok(if own == bucket { Some(self.account_id().await?.to_owned()) } else { None })
    }
}

/// A prefix without slashes at its ends.
pub(super) fn checked_prefix(prefix: &str) -> Result<String> {
    let prefix = prefix.trim_matches('/');
    if (1..=1024).contains(&prefix.len()) {
        return Ok(prefix.to_owned());
    }
    Err(Error::invalid("", "1 to 1024 characters beside slashes at its ends are needed"))
}
