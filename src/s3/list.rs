use aws_sdk_s3::types::RequestPayer;

use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Result, Session};

/// An object in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct S3Object {
    /// Where it is.
    pub uri: S3Uri,
    /// Its size in bytes.
    pub size: u64,
}

impl Session {
    /// Every object whose key begins with the URI's key, in key order: `run` lists `run-2/x` as well as `run/x`, and
    /// `run/` lists only what is below that folder.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such bucket. No object is no error.
    pub async fn list(&self, prefix: &S3Uri) -> Result<Vec<S3Object>> {
        self.list_keys(prefix.bucket(), prefix.key(), None).await
    }

    pub(super) async fn list_keys(
        &self,
        bucket: &str,
        prefix: &str,
        payer: Option<RequestPayer>,
    ) -> Result<Vec<S3Object>> {
        let owner = self.expected_owner(bucket).await?;
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let page = self.aws().s3().list_objects_v2().bucket(bucket).prefix(prefix);
            let page = page.set_expected_bucket_owner(owner.clone()).set_request_payer(payer.clone());
            let page = page.set_continuation_token(token).send().await.of("ListObjectsV2")?;
            for object in page.contents() {
                let uri = S3Uri::new(bucket, object.key().unwrap_or_default())?;
                objects.push(S3Object { uri, size: object.size().unwrap_or(0).unsigned_abs() });
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }
}
