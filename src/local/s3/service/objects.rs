//! Objects: put, get, head, delete.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::{content, errors};
use crate::local::s3::Inner;
use crate::local::s3::answer::{Sent, Status};
use crate::local::s3::checksum::fill_checksum;
use crate::local::s3::conditions::{self, ReadConditions};
use crate::local::s3::lock;
use crate::local::s3::object::{Object, fill_encryption, requested_attributes, seconds};
use crate::local::s3::storage::{Bucket as StoredBucket, Deleted};
use crate::local::s3::tags::Tags;

/// The most keys of one DeleteObjects.
const MAX_DELETED: usize = 1000;

pub(super) fn put(s3: &Inner, mut request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let content = content(&mut request)?;
    let input = request.input;
    if input.write_offset_bytes.is_some() {
        return Err(errors::not_implemented("A header you provided implies functionality that is not implemented"));
    }
    let attributes = requested_attributes!(input, s3);
    let mut object = Object::new(content, s3.shared(attributes), s3.now());
    object.tags = input.tagging.as_deref().map(Tags::from_header).transpose()?.unwrap_or_default();

    let mut output = PutObjectOutput { e_tag: Some(object.etag()), ..PutObjectOutput::default() };
    fill_checksum!(output, object.checksum);
    output.checksum_type = Some(object.checksum.coverage.to_dto());
    fill_encryption!(output, object.attributes.encryption);
    s3.storage.with_mut(&input.bucket, |bucket| {
        let current = bucket.objects.get(input.key.as_str()).map(Arc::as_ref);
        conditions::check_write(input.if_match.as_ref(), input.if_none_match.as_ref(), current)?;
        let object = bucket.put(&input.key, object, s3.next_number());
        output.version_id = bucket.version_id(object.version);
        Ok(())
    })?;
    Ok(output)
}

/// The part of an object that a request wants.
struct Slice {
    range: std::ops::Range<u64>,
    /// `Content-Range`, if it is not the whole object.
    content_range: Option<String>,
    parts_count: Option<i32>,
}

impl Slice {
    /// The status of an answer, if it is not that of a whole object.
    fn status(&self) -> http::Extensions {
        let mut extensions = http::Extensions::new();
        if self.content_range.is_some() || self.parts_count.is_some() {
            extensions.insert(Status(http::StatusCode::PARTIAL_CONTENT));
        }
        extensions
    }
}

fn slice(object: &Object, range: Option<Range>, part: Option<i32>) -> S3Result<Slice> {
    let length = object.body.len();
    let (range, parts_count) = match (range, part) {
        (Some(_), Some(_)) => {
            return Err(errors::invalid_request("Cannot specify both Range header and partNumber query parameter"));
        }
        (None, None) => return Ok(Slice { range: 0..length, content_range: None, parts_count: None }),
        (Some(range), None) => (range.check(length).map_err(|_| errors::invalid_range(length))?, None),
        (None, Some(number)) => {
            let range = object.part(number).ok_or_else(no_such_part)?;
            (range, object.parts_count())
        }
    };
    // Only the one part of an empty object is an empty range, which has no form.
    let content_range = (!range.is_empty()).then(|| format!("bytes {}-{}/{length}", range.start, range.end - 1));
    Ok(Slice { range, content_range, parts_count })
}

fn no_such_part() -> s3s::S3Error {
    errors::custom(
        "InvalidPartNumber",
        http::StatusCode::RANGE_NOT_SATISFIABLE,
        "The requested partnumber is not satisfiable",
    )
}

/// The fields that GetObject and HeadObject answer alike.
macro_rules! fill_object {
    ($output:expr, $object:expr, $slice:expr, $checksum_mode:expr, $now:expr) => {{
        let (object, slice) = (&$object, &$slice);
        let attributes = &object.attributes;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some(object.etag());
        $output.last_modified = Some(object.modified());
        $output.content_length = i64::try_from(slice.range.end - slice.range.start).ok();
        $output.content_range = slice.content_range.clone();
        $output.parts_count = slice.parts_count;
        $output.content_type = Some(attributes.content_type());
        $output.content_encoding = attributes.content_encoding.clone();
        $output.content_language = attributes.content_language.clone();
        $output.content_disposition = attributes.content_disposition.clone();
        $output.cache_control = attributes.cache_control.clone();
        $output.expires = attributes.expires();
        $output.website_redirect_location = attributes.website_redirect_location.clone();
        $output.metadata = attributes.metadata();
        $output.storage_class = attributes.storage_class.header();
        let retention = attributes.lock.retention;
        $output.object_lock_mode = retention.map(|retention| ObjectLockMode::from_static(retention.mode.name()));
        $output.object_lock_retain_until_date = retention.map(|retention| retention.until());
        $output.object_lock_legal_hold_status =
            attributes.lock.hold.map(|on| ObjectLockLegalHoldStatus::from_static(if on { "ON" } else { "OFF" }));
        $output.restore = attributes.restored.as_ref().and_then(|restored| restored.header($now));
        fill_encryption!($output, attributes.encryption);
        // A checksum of the whole says nothing about a part of it.
        let asked = $checksum_mode.as_ref().is_some_and(|mode| mode.as_str().eq_ignore_ascii_case("ENABLED"));
        if asked && slice.content_range.is_none() {
            fill_checksum!($output, object.checksum);
            $output.checksum_type = Some(object.checksum.coverage.to_dto());
        }
    }};
}

/// The object that a read is for, if its conditions hold.
macro_rules! find_object {
    ($s3:expr, $input:expr) => {{
        let input = &$input;
        let (object, version_id) = $s3.storage.with(&input.bucket, |bucket| {
            let object = bucket.object(&input.key, input.version_id.as_deref())?;
            let version_id = bucket.version_id(object.version);
            Ok((object, version_id))
        })?;
        let conditions = ReadConditions {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        };
        match conditions::refusal(&conditions, &object) {
            Some(error) => return Err(error),
            None => (object, version_id),
        }
    }};
}

/// The content itself goes past the protocol crate.
pub(super) async fn get(s3: &Arc<Inner>, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let input = request.input;
    let (object, version_id) = find_object!(s3, input);
    object.attributes.check_readable(seconds(s3.now()))?;
    let slice = slice(&object, input.range, input.part_number)?;
    let mut output = GetObjectOutput { tag_count: object.tags.count(), version_id, ..GetObjectOutput::default() };
    fill_object!(output, object, slice, input.checksum_mode, seconds(s3.now()));
    let mut response = S3Response::new(output);
    response.extensions.extend(slice.status());
    response.extensions.insert(Sent(object.body.clone(), slice.range));
    Ok(response)
}

pub(super) async fn head(
    s3: &Arc<Inner>,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = request.input;
    let (object, version_id) = find_object!(s3, input);
    let slice = slice(&object, input.range, input.part_number)?;
    let mut output = HeadObjectOutput { version_id, ..HeadObjectOutput::default() };
    fill_object!(output, object, slice, input.checksum_mode, seconds(s3.now()));
    let mut response = S3Response::new(output);
    response.extensions.extend(slice.status());
    Ok(response)
}

pub(super) fn delete(s3: &Inner, request: S3Request<DeleteObjectInput>) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    let deleted = s3.storage.with_mut(&input.bucket, |bucket| {
        let bypass = lock::check_bypass(bucket, input.bypass_governance_retention)?;
        delete_one(s3, bucket, &input.key, input.version_id.as_deref(), input.if_match.as_ref(), bypass)
    })?;
    Ok(DeleteObjectOutput {
        delete_marker: deleted.marker.then_some(true),
        version_id: deleted.version,
        ..DeleteObjectOutput::default()
    })
}

pub(super) fn delete_many(s3: &Inner, request: S3Request<DeleteObjectsInput>) -> S3Result<DeleteObjectsOutput> {
    let delete = request.input.delete;
    if delete.objects.is_empty() || delete.objects.len() > MAX_DELETED {
        return Err(errors::malformed_xml());
    }
    let quiet = delete.quiet == Some(true);
    let bypass = request.input.bypass_governance_retention;
    s3.storage.with_mut(&request.input.bucket, |bucket| {
        let bypass = lock::check_bypass(bucket, bypass)?;
        let (mut deleted, mut failed) = (Vec::new(), Vec::new());
        for identifier in delete.objects {
            let ObjectIdentifier { key, version_id, e_tag, .. } = identifier;
            let condition = e_tag.map(ETagCondition::ETag);
            match delete_one(s3, bucket, &key, version_id.as_deref(), condition.as_ref(), bypass) {
                Ok(_) if quiet => {}
                Ok(gone) => deleted.push(DeletedObject {
                    key: Some(key),
                    delete_marker: gone.marker.then_some(true),
                    delete_marker_version_id: gone.version.filter(|_| gone.marker),
                    version_id,
                }),
                Err(error) => failed.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(key),
                    message: error.message().map(str::to_owned),
                    version_id,
                }),
            }
        }
        Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(failed), request_charged: None })
    })
}

fn delete_one(
    s3: &Inner,
    bucket: &mut StoredBucket,
    key: &str,
    version: Option<&str>,
    if_match: Option<&ETagCondition>,
    bypass: bool,
) -> S3Result<Deleted> {
    conditions::check_write(if_match, None, bucket.objects.get(key).map(Arc::as_ref))?;
    if let Some(object) = version.and_then(|id| bucket.object(key, Some(id)).ok()) {
        object.attributes.lock.check_delete(seconds(s3.now()), bypass)?;
    }
    match version {
        Some(id) => bucket.delete_version(key, id),
        None => Ok(bucket.delete(key, s3.next_number(), seconds(s3.now()))),
    }
}
