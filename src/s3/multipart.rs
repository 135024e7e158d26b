use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadInputBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectInputBuilder;
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
pub(super) const MOST_PARTS: u64 = 10_000;

impl Session {
    /// Sends an object in parts, several at once; on any failure the parts are removed again, as S3 would keep charging.
    pub(super) async fn put_parts(&self, put: &Put<'_>, group: &Group<'_>) -> Result<()> {
        let like = put.way.request();
        let started = beginning(&like).bucket(put.target.bucket()).key(put.target.key());
        let started = started.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let started = started.send_with(self.aws().s3()).await.of("CreateMultipartUpload")?;
        let Some(id) = started.upload_id else {
            return Err(Error::new(ErrorKind::Service, "S3 gave no upload id").with_operation("CreateMultipartUpload"));
        };
        let upload = Upload::new(put.target, &id, like);
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
        let done = done
            .multipart_upload(parts)
            .set_expected_bucket_owner(upload.like.get_expected_bucket_owner().clone())
            .set_request_payer(upload.like.get_request_payer().clone())
            .set_if_match(upload.like.get_if_match().clone())
            .set_if_none_match(upload.like.get_if_none_match().clone())
            .set_sse_customer_algorithm(upload.like.get_sse_customer_algorithm().clone())
            .set_sse_customer_key(upload.like.get_sse_customer_key().clone())
            .set_sse_customer_key_md5(upload.like.get_sse_customer_key_md5().clone());
        done.send().await.of("CompleteMultipartUpload").map(drop)
    }

    async fn abort(&self, upload: &Upload<'_>) {
        let (target, id) = (upload.target, upload.id);
        let abort = self.aws().s3().abort_multipart_upload().bucket(target.bucket()).key(target.key()).upload_id(id);
        let abort = abort
            .set_expected_bucket_owner(upload.like.get_expected_bucket_owner().clone())
            .set_request_payer(upload.like.get_request_payer().clone());
        match abort.send().await.of("AbortMultipartUpload") {
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
        let request = request
            .set_expected_bucket_owner(upload.like.get_expected_bucket_owner().clone())
            .set_request_payer(upload.like.get_request_payer().clone())
            .set_sse_customer_algorithm(upload.like.get_sse_customer_algorithm().clone())
            .set_sse_customer_key(upload.like.get_sse_customer_key().clone())
            .set_sse_customer_key_md5(upload.like.get_sse_customer_key_md5().clone());
        let sent = request.body(ByteStream::from(body)).send().await.of("UploadPart")?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }
}

/// Begins an upload in parts of what the other request would put as a whole.
fn beginning(whole: &PutObjectInputBuilder) -> CreateMultipartUploadInputBuilder {
    CreateMultipartUploadInputBuilder::default()
        .set_acl(whole.get_acl().clone())
        .set_bucket_key_enabled(*whole.get_bucket_key_enabled())
        .set_cache_control(whole.get_cache_control().clone())
        .set_content_disposition(whole.get_content_disposition().clone())
        .set_content_encoding(whole.get_content_encoding().clone())
        .set_content_language(whole.get_content_language().clone())
        .set_content_type(whole.get_content_type().clone())
        .set_expected_bucket_owner(whole.get_expected_bucket_owner().clone())
        .set_expires(*whole.get_expires())
        .set_grant_full_control(whole.get_grant_full_control().clone())
        .set_grant_read(whole.get_grant_read().clone())
        .set_grant_read_acp(whole.get_grant_read_acp().clone())
        .set_grant_write_acp(whole.get_grant_write_acp().clone())
        .set_metadata(whole.get_metadata().clone())
        .set_object_lock_legal_hold_status(whole.get_object_lock_legal_hold_status().clone())
        .set_object_lock_mode(whole.get_object_lock_mode().clone())
        .set_object_lock_retain_until_date(*whole.get_object_lock_retain_until_date())
        .set_request_payer(whole.get_request_payer().clone())
        .set_server_side_encryption(whole.get_server_side_encryption().clone())
        .set_sse_customer_algorithm(whole.get_sse_customer_algorithm().clone())
        .set_sse_customer_key(whole.get_sse_customer_key().clone())
        .set_sse_customer_key_md5(whole.get_sse_customer_key_md5().clone())
        .set_ssekms_encryption_context(whole.get_ssekms_encryption_context().clone())
        .set_ssekms_key_id(whole.get_ssekms_key_id().clone())
        .set_storage_class(whole.get_storage_class().clone())
        .set_tagging(whole.get_tagging().clone())
        .set_website_redirect_location(whole.get_website_redirect_location().clone())
}

/// An upload in parts that is under way. Dropped half-way it cannot be aborted, so it tells what is left.
pub(super) struct Upload<'a> {
    target: &'a S3Uri,
    id: &'a str,
    /// The request that would put the object as a whole: the settings that each request has to repeat.
    like: PutObjectInputBuilder,
    settled: bool,
}

impl<'a> Upload<'a> {
    pub(super) fn new(target: &'a S3Uri, id: &'a str, like: PutObjectInputBuilder) -> Self {
        Self { target, id, like, settled: false }
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
