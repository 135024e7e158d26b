use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart, ServerSideEncryption};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::multipart::Upload;
use super::put::missing_bucket;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// Parts under way at once: with that which is being made, few enough to stay small.
const AT_ONCE: usize = 4;

/// An object whose bytes come from a stream, encrypted with KMS as the Python SDK does it for code.
pub(crate) struct StreamPut<'a> {
    pub(crate) target: &'a S3Uri,
    /// The account that the bucket must belong to.
    pub(crate) owner: Option<String>,
    /// Default: AWS's own key for S3.
    pub(crate) kms_key: Option<&'a str>,
    pub(crate) metadata: Option<(&'a str, String)>,
}

impl Session {
    /// Sends what comes: a single part in one request, several at once as parts of an object. Nothing is kept of what
    /// fails.
    pub(crate) async fn put_stream(&self, put: &StreamPut<'_>, mut parts: mpsc::Receiver<Result<Bytes>>) -> Result<()> {
        let first = parts.recv().await.transpose()?.unwrap_or_default();
        let second = parts.recv().await.transpose()?;
        let sent = match second {
            None => self.put_one(put, first).await,
            Some(second) => self.put_several(put, [first, second], parts).await,
        };
        sent.map_err(|error| missing_bucket(error, put.target))
    }

    async fn put_one(&self, put: &StreamPut<'_>, body: Bytes) -> Result<()> {
        let request = self.aws().s3().put_object().bucket(put.target.bucket()).key(put.target.key());
        let request = request
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(put.kms_key.map(str::to_owned))
            .set_metadata(put.metadata.clone().map(|(key, value)| [(key.to_owned(), value)].into()))
            .set_expected_bucket_owner(put.owner.clone());
        request.body(ByteStream::from(body)).send().await.of("PutObject").map(drop)
    }

    async fn put_several(
        &self,
        put: &StreamPut<'_>,
        first: [Bytes; 2],
        parts: mpsc::Receiver<Result<Bytes>>,
    ) -> Result<()> {
        let request = self.aws().s3().create_multipart_upload().bucket(put.target.bucket()).key(put.target.key());
        let request = request
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(put.kms_key.map(str::to_owned))
            .set_metadata(put.metadata.clone().map(|(key, value)| [(key.to_owned(), value)].into()))
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_expected_bucket_owner(put.owner.clone());
        let started = request.send().await.of("CreateMultipartUpload")?;
        let Some(id) = started.upload_id else {
            return Err(Error::new(ErrorKind::Service, "S3 gave no upload id").with_operation("CreateMultipartUpload"));
        };
        let upload = Upload::new(put.target, &id, put.owner.as_deref());
        let sent = self.send_stream(&upload, first, parts).await;
        self.settle(upload, sent).await
    }

    async fn send_stream(
        &self,
        upload: &Upload<'_>,
        first: [Bytes; 2],
        mut parts: mpsc::Receiver<Result<Bytes>>,
    ) -> Result<Vec<CompletedPart>> {
        let mut ready = first.into_iter();
        let (mut running, mut done) = (FuturesUnordered::new(), Vec::new());
        let mut number = 0;
        loop {
            let part = match ready.next() {
                Some(part) => part,
                None => match parts.recv().await {
                    Some(part) => part?,
                    None => break,
                },
            };
            if running.len() == AT_ONCE {
                done.extend(running.next().await.transpose()?);
            }
            number += 1;
            running.push(async move {
                let _permit = self.transfers().part().await;
                self.upload_part(upload, number, part).await
            });
        }
        while let Some(part) = running.next().await {
            done.push(part?);
        }
        Ok(done)
    }
}
