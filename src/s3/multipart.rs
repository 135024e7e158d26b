use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::PART_SIZE;
use super::group::Group;
use super::put::Put;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// S3's limit.
const MOST_PARTS: u64 = 10_000;

impl Session {
    /// Sends an object in parts, several at once; on any failure the parts are removed again, as S3 would keep charging.
    pub(super) async fn put_parts(&self, put: &Put<'_>, group: &Group<'_>) -> Result<()> {
        let (s3, target) = (self.aws().s3(), put.target);
        let started = s3.create_multipart_upload().bucket(target.bucket()).key(target.key());
        let started = put.way.settings.parts(started);
        let started =
            started.checksum_algorithm(ChecksumAlgorithm::Crc32).set_expected_bucket_owner(put.way.owner.clone());
        let started = started.send().await.of("CreateMultipartUpload")?;
        let Some(id) = started.upload_id else {
            return Err(Error::new(ErrorKind::Service, "S3 gave no upload id").with_operation("CreateMultipartUpload"));
        };
        let upload = Upload::new(target, &id, put.way.owner.as_deref());
        let sent = self.send_parts(put, &upload, group).await;
        self.settle(upload, sent).await?;
        put.way.tracker.file(0);
        Ok(())
    }

    /// Ends an upload: the parts become the object, or are removed again.
    pub(super) async fn settle(&self, mut upload: Upload<'_>, sent: Result<Vec<CompletedPart>>) -> Result<()> {
        let sent = match sent {
            Ok(parts) => self.complete(&upload, parts).await,
            Err(error) => Err(error),
        };
        if sent.is_err() {
            self.abort(&upload).await;
        }
        upload.settled = true;
        sent
    }

    async fn complete(&self, upload: &Upload<'_>, mut parts: Vec<CompletedPart>) -> Result<()> {
        parts.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let (bucket, key) = (upload.target.bucket(), upload.target.key());
        let done = self.aws().s3().complete_multipart_upload().bucket(bucket).key(key).upload_id(upload.id);
        let done = done.multipart_upload(parts).set_expected_bucket_owner(upload.owner.map(str::to_owned));
        done.send().await.of("CompleteMultipartUpload").map(drop)
    }

    async fn abort(&self, upload: &Upload<'_>) {
        let (target, id) = (upload.target, upload.id);
        let abort = self.aws().s3().abort_multipart_upload().bucket(target.bucket()).key(target.key()).upload_id(id);
        let aborted = abort.set_expected_bucket_owner(upload.owner.map(str::to_owned)).send().await;
        match aborted.of("AbortMultipartUpload") {
            Ok(_) => {}
            // It is gone already.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let kind = error.kind();
                tracing::warn!(%target, upload_id = id, %kind, "the parts of a failed upload were not removed");
            }
        }
    }

    async fn send_parts(&self, put: &Put<'_>, upload: &Upload<'_>, group: &Group<'_>) -> Result<Vec<CompletedPart>> {
        let part_size = PART_SIZE.max(put.size.div_ceil(MOST_PARTS));
        let parts = (0..put.size.div_ceil(part_size)).map(|index| async move {
            let start = index * part_size;
            let _permit = self.transfers().part().await;
            group.check()?;
            let length = part_size.min(put.size - start);
            let body = put.source.part(start, length).await?;
            let part = self.upload_part(upload, index + 1, body).await?;
            put.way.tracker.bytes(length);
            Ok(part)
        });
        group.run(parts).await
    }

    pub(super) async fn upload_part(&self, upload: &Upload<'_>, number: u64, body: Bytes) -> Result<CompletedPart> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let (bucket, key) = (upload.target.bucket(), upload.target.key());
        let request = self.aws().s3().upload_part().bucket(bucket).key(key).upload_id(upload.id).part_number(number);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let request = request.set_expected_bucket_owner(upload.owner.map(str::to_owned));
        let sent = request.body(ByteStream::from(body)).send().await.of("UploadPart")?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }
}

/// An upload in parts that is under way. Dropped half-way it cannot be aborted, so it tells what is left.
pub(super) struct Upload<'a> {
    target: &'a S3Uri,
    id: &'a str,
    /// The account that the bucket must belong to.
    owner: Option<&'a str>,
    settled: bool,
}

impl<'a> Upload<'a> {
    pub(super) fn new(target: &'a S3Uri, id: &'a str, owner: Option<&'a str>) -> Self {
        Self { target, id, owner, settled: false }
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if !self.settled {
            tracing::warn!(
                bucket = self.target.bucket(),
                key = self.target.key(),
                upload_id = self.id,
                "an upload was dropped half-way, and S3 charges for its parts: remove them with AbortMultipartUpload"
            );
        }
    }
}
