//! Multipart uploads.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result};

use super::{content, copies, errors};
use crate::local::s3::Inner;
use crate::local::s3::body::off_thread;
use crate::local::s3::checksum::{Algorithm, fill_checksum, given_checksum, sha256_hex};
use crate::local::s3::conditions;
use crate::local::s3::listing::url_encode;
use crate::local::s3::multipart::{NamedPart, Part as StoredPart, Upload, check_part_number, coverage};
use crate::local::s3::object::{Object, fill_encryption, requested_attributes, seconds};
use crate::local::s3::tags::Tags;

pub(super) fn create(
    s3: &Inner,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    let attributes = s3.shared(requested_attributes!(input, s3));
    let algorithm = input.checksum_algorithm.as_ref().map(copies::algorithm).transpose()?;
    let upload = Upload {
        initiated: seconds(s3.now()),
        attributes,
        tags: input.tagging.as_deref().map(Tags::from_header).transpose()?.unwrap_or_default(),
        algorithm,
        coverage: coverage(algorithm, input.checksum_type.as_ref().map(ChecksumType::as_str))?,
        parts: BTreeMap::new(),
    };
    // In the order of time, and not to be confused with that of another key.
    let number = s3.next_number();
    let id = format!("{number:016x}{}", sha256_hex(format!("{number}/{}/{}", input.bucket, input.key).as_bytes()));

    let mut output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(id.clone()),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| upload.coverage.to_dto()),
        ..CreateMultipartUploadOutput::default()
    };
    fill_encryption!(output, upload.attributes.encryption);
    s3.storage.with_mut(&input.bucket, |bucket| {
        bucket.begin_upload(input.key, id, upload);
        Ok(())
    })?;
    Ok(output)
}

pub(super) fn put_part(s3: &Inner, mut request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let content = content(&mut request)?;
    let input = request.input;
    check_part_number(input.part_number)?;
    let part = StoredPart::new(content, s3.now());
    let mut output = UploadPartOutput { e_tag: Some(part.etag()), ..UploadPartOutput::default() };
    if let Some(checksum) = part.told() {
        fill_checksum!(output, checksum);
    }
    s3.storage.with_mut(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        upload.check_part_checksum(part.told())?;
        fill_encryption!(output, upload.attributes.encryption);
        bucket.put_part(&input.key, &input.upload_id, input.part_number, part)
    })?;
    Ok(output)
}

pub(super) async fn complete(
    s3: &Arc<Inner>,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let upload = s3.storage.with(&input.bucket, |bucket| match bucket.upload(&input.key, &input.upload_id) {
        Ok(upload) => Ok(Ok(upload.clone())),
        // A client that did not hear the answer asks again and is told the same.
        Err(error) => match bucket.objects.get(input.key.as_str()) {
            Some(object) if was_made_by(object, &input.upload_id) => {
                Ok(Err((object.clone(), bucket.version_id(object.version))))
            }
            _ => Err(error),
        },
    })?;
    let upload = match upload {
        Ok(upload) => upload,
        Err((object, version_id)) => return Ok(S3Response::new(completed(s3, &input, &object, version_id))),
    };

    let algorithm = upload.algorithm.unwrap_or(Algorithm::DEFAULT);
    let named = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
    let named: Vec<NamedPart<'_>> = named
        .iter()
        .map(|part| named_part(part, algorithm))
        .collect::<Option<_>>()
        .ok_or_else(errors::malformed_xml)?;
    let parts = upload.select(&named)?;
    let on_disk = parts.iter().any(|part| part.body.is_on_disk());
    let (id, now) = (input.upload_id.clone(), s3.now());
    let object = off_thread(on_disk, move || upload.assemble(&id, &parts, now)).await?;
    let object = object.map_err(S3Error::internal_error)?;
    check_whole(&input, &object)?;

    let (object, version_id) = s3.storage.with_mut(&input.bucket, |bucket| {
        // The parts were assembled outside the lock: another request may have ended the upload meanwhile.
        bucket.upload(&input.key, &input.upload_id)?;
        let current = bucket.objects.get(input.key.as_str()).map(Arc::as_ref);
        conditions::check_write(input.if_match.as_ref(), input.if_none_match.as_ref(), current)?;
        // In this order: the parts may be gone only when the object is there.
        let object = bucket.put(&input.key, object, s3.next_number());
        bucket.end_upload(&input.key, &input.upload_id)?;
        let version_id = bucket.version_id(object.version);
        Ok((object, version_id))
    })?;
    Ok(S3Response::new(completed(s3, &input, &object, version_id)))
}

fn was_made_by(object: &Object, upload: &str) -> bool {
    object.multipart.as_ref().is_some_and(|multipart| multipart.upload == upload)
}

fn named_part(part: &CompletedPart, algorithm: Algorithm) -> Option<NamedPart<'_>> {
    Some(NamedPart {
        number: part.part_number?,
        etag: part.e_tag.as_ref()?.value(),
        checksum: given_checksum!(part, algorithm),
    })
}

/// What the request says about the whole object.
fn check_whole(input: &CompleteMultipartUploadInput, object: &Object) -> S3Result<()> {
    if let Some(size) = input.mpu_object_size
        && size != object.size()
    {
        return Err(errors::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {}",
            object.size()
        )));
    }
    let checksum = &object.checksum;
    match given_checksum!(input, checksum.algorithm) {
        Some(given) if *given != *checksum.value => Err(errors::bad_digest(checksum.algorithm.name())),
        _ => Ok(()),
    }
}

fn completed(
    s3: &Inner,
    input: &CompleteMultipartUploadInput,
    object: &Object,
    version_id: Option<String>,
) -> CompleteMultipartUploadOutput {
    let mut output = CompleteMultipartUploadOutput {
        version_id,
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("https://{}.s3.{}.amazonaws.com/{}", input.bucket, s3.region, url_encode(&input.key))),
        e_tag: Some(object.etag()),
        checksum_type: Some(object.checksum.coverage.to_dto()),
        ..CompleteMultipartUploadOutput::default()
    };
    fill_checksum!(output, object.checksum);
    fill_encryption!(output, object.attributes.encryption);
    output
}

pub(super) fn abort(s3: &Inner, request: S3Request<AbortMultipartUploadInput>) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    s3.storage.with_mut(&input.bucket, |bucket| {
        bucket.end_upload(&input.key, &input.upload_id)?;
        Ok(AbortMultipartUploadOutput::default())
    })
}
