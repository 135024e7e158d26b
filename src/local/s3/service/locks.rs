//! Object lock: retention and legal hold of versions.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::errors;
use crate::local::s3::Inner;
use crate::local::s3::lock::{self, Lock, Retention};
use crate::local::s3::object::seconds;
use crate::local::s3::storage::{Bucket as StoredBucket, Past};

/// The lock of a version, if its bucket has object lock.
fn find(s3: &Inner, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Lock> {
    s3.storage.with(bucket, |bucket| {
        check_bucket(bucket)?;
        let object = bucket.object(key, version).map_err(|error| of_marker(bucket, key, error))?;
        Ok(object.attributes.lock.clone())
    })
}

fn check_bucket(bucket: &StoredBucket) -> S3Result<()> {
    if lock::configuration(bucket).is_some() { Ok(()) } else { Err(lock::no_lock()) }
}

/// A delete marker has no lock, which is told differently from a key that is not there.
fn of_marker(bucket: &StoredBucket, key: &str, error: s3s::S3Error) -> s3s::S3Error {
    match bucket.history.get(key).and_then(|past| past.first()) {
        Some(Past::Marker { version, modified })
            if error.code().as_str() == "NoSuchKey" && !bucket.objects.contains_key(key) =>
        {
            errors::is_delete_marker(&version.id(), *modified)
        }
        _ => error,
    }
}

fn change(
    s3: &Inner,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    change: impl FnOnce(&mut Lock) -> S3Result<()>,
) -> S3Result<()> {
    s3.storage.with_mut(bucket, |bucket| {
        check_bucket(bucket)?;
        let object = bucket.object(key, version).map_err(|error| of_marker(bucket, key, error))?;
        let mut attributes = object.attributes.as_ref().clone();
        change(&mut attributes.lock)?;
        let attributes = Arc::new(attributes);
        bucket.change(key, version, |object| object.attributes = attributes)?;
        Ok(())
    })
}

pub(super) fn retention(s3: &Inner, request: S3Request<GetObjectRetentionInput>) -> S3Result<GetObjectRetentionOutput> {
    let input = request.input;
    let lock = find(s3, &input.bucket, &input.key, input.version_id.as_deref())?;
    let retention = lock.retention.ok_or_else(lock::not_set)?;
    Ok(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(retention.mode.name())),
            retain_until_date: Some(retention.until()),
        }),
    })
}

pub(super) fn set_retention(
    s3: &Inner,
    request: S3Request<PutObjectRetentionInput>,
) -> S3Result<PutObjectRetentionOutput> {
    let input = request.input;
    let now = seconds(s3.now());
    change(s3, &input.bucket, &input.key, input.version_id.as_deref(), |lock| {
        let document = input.retention.as_ref().ok_or_else(errors::malformed_xml)?;
        let new = Retention::of(document, now)?;
        lock.check_change(new, now, input.bypass_governance_retention == Some(true))?;
        lock.retention = new;
        Ok(())
    })?;
    Ok(PutObjectRetentionOutput::default())
}

pub(super) fn legal_hold(
    s3: &Inner,
    request: S3Request<GetObjectLegalHoldInput>,
) -> S3Result<GetObjectLegalHoldOutput> {
    let input = request.input;
    let lock = find(s3, &input.bucket, &input.key, input.version_id.as_deref())?;
    let status = if lock.hold.ok_or_else(lock::not_set)? { "ON" } else { "OFF" };
    let status = Some(ObjectLockLegalHoldStatus::from_static(status));
    Ok(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) })
}

pub(super) fn set_legal_hold(
    s3: &Inner,
    request: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<PutObjectLegalHoldOutput> {
    let input = request.input;
    change(s3, &input.bucket, &input.key, input.version_id.as_deref(), |lock| {
        let status = input.legal_hold.as_ref().and_then(|hold| hold.status.as_ref());
        lock.hold = match status.map(ObjectLockLegalHoldStatus::as_str) {
            Some("ON") => Some(true),
            Some("OFF") => Some(false),
            _ => return Err(errors::malformed_xml()),
        };
        Ok(())
    })?;
    Ok(PutObjectLegalHoldOutput::default())
}

/// Whether the bucket's policy lets everybody in.
pub(super) fn policy_status(
    s3: &Inner,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<GetBucketPolicyStatusOutput> {
    let policy = s3.storage.with(&request.input.bucket, |bucket| Ok(bucket.documents.get("policy").cloned()))?;
    let policy = policy.ok_or_else(|| {
        errors::custom("NoSuchBucketPolicy", http::StatusCode::NOT_FOUND, "The bucket policy does not exist")
    })?;
    let is_public = serde_json::from_str(&policy).is_ok_and(|policy| lets_everybody_in(&policy));
    Ok(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public: Some(is_public) }) })
}

fn lets_everybody_in(policy: &serde_json::Value) -> bool {
    let statements = match &policy["Statement"] {
        serde_json::Value::Array(all) => all.iter().collect(),
        one => vec![one],
    };
    let is_all = |value: &serde_json::Value| match value {
        serde_json::Value::Array(all) => all.iter().any(|one| one == "*"),
        one => one == "*",
    };
    statements.iter().any(|statement| {
        let principal = &statement["Principal"];
        let conditions = statement["Condition"].as_object().is_some_and(|conditions| !conditions.is_empty());
        statement["Effect"] == "Allow" && (is_all(principal) || is_all(&principal["AWS"])) && !conditions
    })
}
