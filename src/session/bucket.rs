use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::Session;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result};

impl Session {
    /// The bucket for uploads and outputs that name none: the builder's, else `sagemaker-<region>-<account>`.
    ///
    /// Creates nothing; see [`ensure_bucket`](Self::ensure_bucket).
    pub async fn default_bucket(&self) -> Result<String> {
        match &self.0.bucket {
            Some(bucket) => Ok(bucket.clone()),
            None => Ok(format!("sagemaker-{}-{}", self.region(), self.account_id().await?)),
        }
    }

    /// A place in the default bucket.
    pub async fn default_uri(&self, key: &str) -> Result<S3Uri> {
        S3Uri::new(self.default_bucket().await?, key)
    }

    /// Makes sure that the default bucket exists and belongs to this account, and gives its name.
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
        if self.0.bucket.is_some() || !bucket.starts_with("sagemaker-") {
            return Ok(None);
        }
        let own = self.default_bucket().await?;
        Ok(if own == bucket { Some(self.account_id().await?.to_owned()) } else { None })
    }
}
