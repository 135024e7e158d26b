//! Copies of objects and of ranges of them.

use std::ops::Range as Span;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::errors;
use crate::local::s3::Inner;
use crate::local::s3::body::off_thread;
use crate::local::s3::checksum::{Algorithm, Checksum, Coverage, fill_checksum};
use crate::local::s3::conditions::ReadConditions;
use crate::local::s3::multipart::{Part as StoredPart, check_part_number};
use crate::local::s3::object::{
    Attributes, Content, Etag, Object, fill_encryption, requested_attributes, seconds, timestamp,
};
use crate::local::s3::tags::Tags;

/// Where a copy comes from, if the conditions on it hold, and its version.
macro_rules! find_source {
    ($s3:expr, $input:expr) => {{
        let input = &$input;
        let (bucket, key, version) = source(&input.copy_source)?;
        let (object, version_id) = $s3
            .storage
            .with(bucket, |bucket| {
                let object = bucket.object(key, version).map_err(|error| {
                    let is_missing = error.code().as_str() == "NoSuchKey";
                    if is_missing { errors::with_details(error, &[("Key", key)]) } else { error }
                })?;
                let version_id = bucket.version_id(object.version);
                Ok((object, version_id))
            })
            .map_err(|error| {
                let is_missing = error.code().as_str() == "NoSuchBucket";
                if is_missing { errors::with_details(error, &[("BucketName", bucket)]) } else { error }
            })?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match.as_ref(),
            if_none_match: input.copy_source_if_none_match.as_ref(),
            if_modified_since: input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
        };
        conditions.check_source(&object)?;
        object.attributes.check_readable(seconds($s3.now())).map_err(|_| errors::archived_source())?;
        (object, version_id)
    }};
}

fn source(source: &CopySource) -> S3Result<(&str, &str, Option<&str>)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        _ => Err(errors::not_implemented("Only a bucket and a key are supported as the source of a copy here.")),
    }
}

pub(super) async fn copy(
    s3: &Arc<Inner>,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = request.input;
    let (original, copy_source_version_id) = find_source!(s3, input);
    let replace = directive(input.metadata_directive.as_ref().map(MetadataDirective::as_str))?;
    let requested = requested_attributes!(input, s3);
    let onto_itself = source(&input.copy_source)? == (input.bucket.as_str(), input.key.as_str(), None);
    // A bucket whose encryption was configured encrypts anew.
    let encrypted = s3.storage.with(&input.bucket, |bucket| Ok(bucket.documents.contains_key("encryption")))?;
    let changes_nothing = !replace
        && !encrypted
        && input.storage_class.is_none()
        && input.server_side_encryption.is_none()
        && input.website_redirect_location.is_none();
    if onto_itself && changes_nothing {
        return Err(errors::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let attributes = if replace { requested } else { kept(&original.attributes, requested) };
    let algorithm = match &input.checksum_algorithm {
        Some(name) => algorithm(name)?,
        None => original.checksum.algorithm,
    };
    let tags = if directive(input.tagging_directive.as_ref().map(TaggingDirective::as_str))? {
        input.tagging.as_deref().map(Tags::from_header).transpose()?.unwrap_or_default()
    } else {
        original.tags.clone()
    };
    let content = whole(&original, algorithm).await?;
    let mut object = Object::new(content, s3.shared(attributes), s3.now());
    object.tags = tags;

    let mut result = CopyObjectResult {
        e_tag: Some(object.etag()),
        last_modified: Some(object.modified()),
        checksum_type: Some(object.checksum.coverage.to_dto()),
        ..CopyObjectResult::default()
    };
    fill_checksum!(result, object.checksum);
    let mut output =
        CopyObjectOutput { copy_object_result: Some(result), copy_source_version_id, ..CopyObjectOutput::default() };
    fill_encryption!(output, object.attributes.encryption);
    s3.storage.with_mut(&input.bucket, |bucket| {
        let object = bucket.put(&input.key, object, s3.next_number());
        output.version_id = bucket.version_id(object.version);
        Ok(())
    })?;
    Ok(S3Response::new(output))
}

/// The content of a copy, which is of one piece: an entity tag and a checksum composed of those of parts are replaced.
async fn whole(original: &Arc<Object>, algorithm: Algorithm) -> S3Result<Content> {
    let Etag { md5, parts } = original.etag;
    let checksum = &original.checksum;
    let same = checksum.algorithm == algorithm && checksum.coverage == Coverage::FullObject;
    if parts == 0 && same {
        return Ok(Content { body: original.body.clone(), md5, checksum: checksum.clone(), given: true });
    }
    let body = original.body.clone();
    let digest = move || {
        let checksum = Checksum::of_body(algorithm, &body)?;
        let md5 = if parts == 0 { md5 } else { crate::local::s3::checksum::md5_of_body(&body)? };
        Ok(Content { body, md5, checksum, given: true })
    };
    off_thread(original.body.is_on_disk(), digest)
        .await?
        .map_err(|error: std::io::Error| S3Error::internal_error(error))
}

/// A copy keeps what describes the content; class, encryption and redirection are always those of the request.
fn kept(original: &Attributes, requested: Attributes) -> Attributes {
    Attributes {
        storage_class: requested.storage_class,
        encryption: requested.encryption,
        website_redirect_location: requested.website_redirect_location,
        acl: requested.acl,
        lock: requested.lock,
        restored: None,
        ..original.clone()
    }
}

fn directive(directive: Option<&str>) -> S3Result<bool> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(errors::invalid_argument("Unknown metadata directive.")),
    }
}

pub(super) fn algorithm(name: &ChecksumAlgorithm) -> S3Result<Algorithm> {
    Algorithm::from_name(name.as_str()).ok_or_else(|| {
        errors::invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })
}

pub(super) async fn copy_part(
    s3: &Arc<Inner>,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    check_part_number(input.part_number)?;
    let (original, copy_source_version_id) = find_source!(s3, input);
    let span = match input.copy_source_range.as_deref() {
        None => 0..original.body.len(),
        Some(range) => copied_range(original.body.len(), range)?,
    };
    let (algorithm, encryption) = s3.storage.with(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        Ok((upload.algorithm, upload.attributes.encryption.clone()))
    })?;
    let (inner, source) = (s3.clone(), original.clone());
    let take = move || {
        let bytes = source.body.read(span).map_err(S3Error::internal_error)?;
        let checksum = algorithm.map(|algorithm| Checksum::of(algorithm, &bytes));
        inner.keep(bytes, checksum)
    };
    let content = off_thread(s3.store.is_on_disk(), take).await??;
    let part = StoredPart::new(content, s3.now());

    let mut result = CopyPartResult {
        e_tag: Some(part.etag()),
        last_modified: Some(timestamp(part.modified)),
        ..CopyPartResult::default()
    };
    if let Some(checksum) = part.told() {
        fill_checksum!(result, checksum);
    }
    let mut output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id,
        ..UploadPartCopyOutput::default()
    };
    fill_encryption!(output, encryption);
    s3.storage
        .with_mut(&input.bucket, |bucket| bucket.put_part(&input.key, &input.upload_id, input.part_number, part))?;
    Ok(S3Response::new(output))
}

/// Unlike a range of a read, this one has both ends and lies within the object.
fn copied_range(size: u64, range: &str) -> S3Result<Span<u64>> {
    let Ok(Range::Int { first, last: Some(last) }) = Range::parse(range) else {
        return Err(errors::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        ));
    };
    if last >= size {
        return Err(s3_error!(InvalidArgument, "Range specified is not valid for source object of size: {size}"));
    }
    Ok(first..last + 1)
}
