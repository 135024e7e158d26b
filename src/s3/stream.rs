use aws_sdk_s3::operation::put_object::builders::PutObjectInputBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedPart, ServerSideEncryption};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::multipart::{MOST_PARTS, Upload};
use super::put::missing_bucket;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// Parts under way at once: with that which is being made, few enough to stay small.
const AT_ONCE: usize = 4;
/// S3's least size of a part but the last.
const LEAST_PART: usize = 5 * 1024 * 1024;
/// After so many parts they grow, as nobody knows how many there will be: half a tebibyte fits into S3's 10,000 parts,
/// and the last of them have 100 MiB.
const GROWS_EVERY: usize = 500;

/// How large a part of a stream is to be; the first has the index 0.
pub(crate) fn stream_part_size(index: usize) -> usize {
    LEAST_PART * (1 + index / GROWS_EVERY)
}

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
        let like = PutObjectInputBuilder::default().set_expected_bucket_owner(put.owner.clone());
        let upload = Upload::new(put.target, &id, like);
        let sent = self.send_stream(&upload, first, parts, MOST_PARTS).await;
        self.settle(upload, sent).await
    }

    /// Sends parts while others are being made. What is under way comes to its end before a failure is told: a part that
    /// arrived after the upload was aborted would stay.
    async fn send_stream(
        &self,
        upload: &Upload<'_>,
        first: [Bytes; 2],
        mut parts: mpsc::Receiver<Result<Bytes>>,
        most: u64,
    ) -> Result<Vec<CompletedPart>> {
        let send = |number, part| async move {
            let _permit = self.transfers().part().await;
            self.upload_part(upload, number, part).await
        };
        let mut size: u64 = first.iter().map(|part| part.len() as u64).sum();
        let mut running: FuturesUnordered<_> = (1..).zip(first).map(|(number, part)| send(number, part)).collect();
        let (mut number, mut done, mut failed, mut is_open) = (2, Vec::new(), None, true);
        loop {
            tokio::select! {
                Some(sent) = running.next() => match sent {
                    Ok(part) => done.push(part),
                    Err(error) => {
                        failed.get_or_insert(error);
                    }
                },
                part = parts.recv(), if is_open && failed.is_none() && running.len() < AT_ONCE => match part {
                    Some(Ok(_)) if number == most => failed = Some(too_large(size, most)),
                    Some(Ok(part)) => {
                        number += 1;
                        size += part.len() as u64;
                        running.push(send(number, part));
                    }
                    Some(Err(error)) => failed = Some(error),
                    None => is_open = false,
                },
                else => return failed.map_or(Ok(done), Err),
            }
        }
    }
}

fn too_large(size: u64, most: u64) -> Error {
    let text = format!(
        "the archive has more than {} MiB, the most that S3's {most} parts hold when the size is not known before",
        size / (1024 * 1024)
    );
    Error::new(ErrorKind::InvalidInput, text)
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests;
