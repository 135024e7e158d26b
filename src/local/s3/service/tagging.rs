//! The tags of objects.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::{check_version, errors};
use crate::local::s3::Inner;
use crate::local::s3::tags::Tags;

pub(super) fn put(s3: &Inner, request: S3Request<PutObjectTaggingInput>) -> S3Result<PutObjectTaggingOutput> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    set(s3, &input.bucket, &input.key, Tags::from_set(input.tagging.tag_set)?)?;
    Ok(PutObjectTaggingOutput::default())
}

pub(super) fn get(s3: &Inner, request: S3Request<GetObjectTaggingInput>) -> S3Result<GetObjectTaggingOutput> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let object = s3.storage.object(&input.bucket, &input.key)?;
    Ok(GetObjectTaggingOutput { tag_set: object.tags.to_set(), version_id: None })
}

pub(super) fn delete(s3: &Inner, request: S3Request<DeleteObjectTaggingInput>) -> S3Result<DeleteObjectTaggingOutput> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    set(s3, &input.bucket, &input.key, Tags::default())?;
    Ok(DeleteObjectTaggingOutput::default())
}

fn set(s3: &Inner, bucket: &str, key: &str, tags: Tags) -> S3Result<()> {
    s3.storage.with_mut(bucket, |bucket| {
        let object = bucket.objects.get_mut(key).ok_or_else(errors::no_such_key)?;
        Arc::make_mut(object).tags = tags;
        Ok(())
    })
}
