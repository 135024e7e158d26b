//! The tags of objects.

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use crate::local::s3::Inner;
use crate::local::s3::tags::Tags;

pub(super) fn put(s3: &Inner, request: S3Request<PutObjectTaggingInput>) -> S3Result<PutObjectTaggingOutput> {
    let input = request.input;
    let tags = Tags::from_set(input.tagging.tag_set)?;
    let version_id = set(s3, &input.bucket, &input.key, input.version_id.as_deref(), tags)?;
    Ok(PutObjectTaggingOutput { version_id })
}

pub(super) fn get(s3: &Inner, request: S3Request<GetObjectTaggingInput>) -> S3Result<GetObjectTaggingOutput> {
    let input = request.input;
    s3.storage.with(&input.bucket, |bucket| {
        let object = bucket.object(&input.key, input.version_id.as_deref())?;
        Ok(GetObjectTaggingOutput { tag_set: object.tags.to_set(), version_id: bucket.version_id(object.version) })
    })
}

pub(super) fn delete(s3: &Inner, request: S3Request<DeleteObjectTaggingInput>) -> S3Result<DeleteObjectTaggingOutput> {
    let input = request.input;
    let version_id = set(s3, &input.bucket, &input.key, input.version_id.as_deref(), Tags::default())?;
    Ok(DeleteObjectTaggingOutput { version_id })
}

fn set(s3: &Inner, bucket: &str, key: &str, version: Option<&str>, tags: Tags) -> S3Result<Option<String>> {
    s3.storage.with_mut(bucket, |bucket| {
        let version = bucket.change(key, version, |object| object.tags = tags)?;
        Ok(bucket.version_id(version))
    })
}
