//! Copies of objects and of ranges of them.

use std::sync::Arc;

use bytes::Bytes;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::{check_version, errors};
use crate::local::s3::Inner;
use crate::local::s3::checksum::{Algorithm, Checksum, Coverage, fill_checksum};
use crate::local::s3::conditions::ReadConditions;
use crate::local::s3::multipart::{Part as StoredPart, check_part_number};
use crate::local::s3::object::{Attributes, Object, fill_encryption, requested_attributes};
use crate::local::s3::tags::Tags;

/// Where a copy comes from, if the conditions on it hold.
macro_rules! find_source {
    ($s3:expr, $input:expr) => {{
        let input = &$input;
        let (bucket, key) = source(&input.copy_source)?;
        let object = $s3.storage.object(bucket, key)?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match.as_ref(),
            if_none_match: input.copy_source_if_none_match.as_ref(),
            if_modified_since: input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
        };
        conditions.check_source(&object)?;
        object
    }};
}

fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            check_version(version_id.as_deref())?;
            Ok((bucket, key))
        }
        _ => Err(errors::not_implemented("Only a bucket and a key are supported as the source of a copy here.")),
    }
}

pub(super) fn copy(s3: &Inner, request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let input = request.input;
    let original = find_source!(s3, input);
    let replace = directive(input.metadata_directive.as_ref().map(MetadataDirective::as_str))?;
    let requested = requested_attributes!(input, &s3.kms_arn_prefix());
    let onto_itself = source(&input.copy_source)? == (input.bucket.as_str(), input.key.as_str());
    let changes_nothing = !replace
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
    let mut object =
        Object::new(original.body.clone(), Some(checksum_of_copy(&original, algorithm)), attributes, s3.now());
    object.tags = if directive(input.tagging_directive.as_ref().map(TaggingDirective::as_str))? {
        input.tagging.as_deref().map(Tags::from_header).transpose()?.unwrap_or_default()
    } else {
        original.tags.clone()
    };

    let mut result = CopyObjectResult {
        e_tag: Some(object.etag()),
        last_modified: Some(object.modified()),
        checksum_type: Some(object.checksum.coverage.to_dto()),
        ..CopyObjectResult::default()
    };
    fill_checksum!(result, object.checksum);
    let mut output = CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() };
    fill_encryption!(output, object.attributes.encryption);
    s3.storage.with_mut(&input.bucket, |bucket| {
        bucket.objects.insert(input.key, Arc::new(object));
        Ok(())
    })?;
    Ok(output)
}

/// A copy keeps what describes the content; class, encryption and redirection are always those of the request.
fn kept(original: &Attributes, requested: Attributes) -> Attributes {
    Attributes {
        storage_class: requested.storage_class,
        encryption: requested.encryption,
        website_redirect_location: requested.website_redirect_location,
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

/// A copy is of one piece: a checksum composed of parts is replaced.
fn checksum_of_copy(original: &Object, algorithm: Algorithm) -> Checksum {
    let checksum = &original.checksum;
    if checksum.algorithm == algorithm && checksum.coverage == Coverage::FullObject {
        return checksum.clone();
    }
    Checksum::of(algorithm, &original.body)
}

pub(super) fn copy_part(s3: &Inner, request: S3Request<UploadPartCopyInput>) -> S3Result<UploadPartCopyOutput> {
    let input = request.input;
    check_part_number(input.part_number)?;
    let original = find_source!(s3, input);
    let body = match input.copy_source_range.as_deref() {
        None => original.body.clone(),
        Some(range) => copied_range(&original.body, range)?,
    };
    let (algorithm, encryption) = s3.storage.with(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        Ok((upload.algorithm, upload.attributes.encryption.clone()))
    })?;
    let checksum = algorithm.map(|algorithm| Checksum::of(algorithm, &body));
    let part = StoredPart::new(body, checksum, s3.now());

    let mut result = CopyPartResult {
        e_tag: Some(part.etag()),
        last_modified: Some(Timestamp::from(part.modified)),
        ..CopyPartResult::default()
    };
    if let Some(checksum) = &part.checksum {
        fill_checksum!(result, checksum);
    }
    let mut output = UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() };
    fill_encryption!(output, encryption);
    s3.storage.with_mut(&input.bucket, |bucket| {
        bucket.upload_mut(&input.key, &input.upload_id)?.parts.insert(input.part_number, part);
        Ok(())
    })?;
    Ok(output)
}

/// Unlike a range of a read, this one has both ends and lies within the object.
fn copied_range(body: &Bytes, range: &str) -> S3Result<Bytes> {
    let Ok(Range::Int { first, last: Some(last) }) = Range::parse(range) else {
        return Err(errors::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        ));
    };
    match (usize::try_from(first), usize::try_from(last)) {
        (Ok(first), Ok(last)) if last < body.len() => Ok(body.slice(first..=last)),
        _ => Err(s3_error!(InvalidArgument, "Range specified is not valid for source object of size: {}", body.len())),
    }
}
