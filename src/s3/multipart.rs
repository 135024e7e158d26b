use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::upload::unreadable;
use super::{CONCURRENCY, PART_SIZE};
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// S3's limit.
const MOST_PARTS: u64 = 10_000;

impl Session {
    /// Uploads a file in parts, several at once; on any failure the parts are removed again, as S3 would keep charging.
    pub(super) async fn put_parts(&self, file: &Path, size: u64, to: &S3Uri, owner: Option<String>) -> Result<()> {
        let s3 = self.aws().s3();
        let started = s3.create_multipart_upload().bucket(to.bucket()).key(to.key());
        let started = started.checksum_algorithm(ChecksumAlgorithm::Crc32).set_expected_bucket_owner(owner.clone());
        let started = started.send().await.of("CreateMultipartUpload")?;
        let Some(upload) = started.upload_id else {
            return Err(Error::new(ErrorKind::Service, "S3 gave no upload id").with_operation("CreateMultipartUpload"));
        };
        let sent = async {
            let parts = self.send_parts(file, size, to, &upload, owner.as_deref()).await?;
            let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
            let done = s3.complete_multipart_upload().bucket(to.bucket()).key(to.key()).upload_id(&upload);
            let done = done.multipart_upload(parts).set_expected_bucket_owner(owner.clone());
            done.send().await.of("CompleteMultipartUpload").map(drop)
        };
        let sent = sent.await;
        if sent.is_err() {
            let abort = s3.abort_multipart_upload().bucket(to.bucket()).key(to.key()).upload_id(&upload);
            if let Err(error) = abort.send().await.of("AbortMultipartUpload") {
                tracing::warn!(target = %to, upload, kind = %error.kind(), "the parts of a failed upload were not removed");
            }
        }
        sent
    }

    async fn send_parts(
        &self,
        file: &Path,
        size: u64,
        to: &S3Uri,
        upload: &str,
        owner: Option<&str>,
    ) -> Result<Vec<CompletedPart>> {
        let part_size = PART_SIZE.max(size.div_ceil(MOST_PARTS));
        let parts = (0..size.div_ceil(part_size)).map(|index| (index * part_size, index + 1));
        let mut done: Vec<CompletedPart> = stream::iter(parts)
            .map(|(start, number)| async move {
                let body = read_at(file, start, part_size.min(size - start)).await.map_err(|e| unreadable(file, e))?;
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                let request = self.aws().s3().upload_part().bucket(to.bucket()).key(to.key()).upload_id(upload);
                let request = request.part_number(number).checksum_algorithm(ChecksumAlgorithm::Crc32);
                let request = request.set_expected_bucket_owner(owner.map(str::to_owned));
                let sent = request.body(ByteStream::from(body)).send().await.of("UploadPart")?;
                let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
                Ok::<_, Error>(part.set_checksum_crc32(sent.checksum_crc32).build())
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        done.sort_by_key(CompletedPart::part_number);
        Ok(done)
    }
}

async fn read_at(file: &Path, start: u64, length: u64) -> std::io::Result<Bytes> {
    let mut file = tokio::fs::File::open(file).await?;
    file.seek(std::io::SeekFrom::Start(start)).await?;
    let mut body = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
    file.read_exact(&mut body).await?;
    Ok(body.into())
}
