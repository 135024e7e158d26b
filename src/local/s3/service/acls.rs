//! Access control lists: those of new buckets are switched off, so there is but the owner's own.

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use crate::local::s3::{Inner, errors};

pub(super) fn of_bucket(s3: &Inner, request: S3Request<GetBucketAclInput>) -> S3Result<GetBucketAclOutput> {
    s3.storage.with(&request.input.bucket, |_| Ok(()))?;
    Ok(GetBucketAclOutput { grants: Some(grants(s3)), owner: Some(s3.owner()) })
}

pub(super) fn of_object(s3: &Inner, request: S3Request<GetObjectAclInput>) -> S3Result<GetObjectAclOutput> {
    let input = request.input;
    s3.storage.with(&input.bucket, |bucket| bucket.object(&input.key, input.version_id.as_deref()))?;
    Ok(GetObjectAclOutput { grants: Some(grants(s3)), owner: Some(s3.owner()), ..GetObjectAclOutput::default() })
}

fn grants(s3: &Inner) -> Vec<Grant> {
    let grantee = Grantee {
        display_name: None,
        email_address: None,
        id: Some(s3.owner_id.clone()),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    vec![Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) }]
}

pub(super) fn set_of_bucket(s3: &Inner, request: S3Request<PutBucketAclInput>) -> S3Result<PutBucketAclOutput> {
    refuse(s3, &request.input.bucket)?;
    Ok(PutBucketAclOutput::default())
}

pub(super) fn set_of_object(s3: &Inner, request: S3Request<PutObjectAclInput>) -> S3Result<PutObjectAclOutput> {
    let input = request.input;
    s3.storage.with(&input.bucket, |bucket| bucket.object(&input.key, input.version_id.as_deref()))?;
    refuse(s3, &input.bucket)?;
    Ok(PutObjectAclOutput::default())
}

/// S3 itself refuses lists unless a bucket was told to use them, which nothing here does.
fn refuse(s3: &Inner, bucket: &str) -> S3Result<()> {
    s3.storage.with(bucket, |bucket| {
        let ownership = bucket.documents.get("ownershipControls");
        match ownership.is_some_and(|controls| controls.contains("BucketOwnerEnforced")) {
            true => Err(errors::no_acls()),
            false => Err(errors::not_implemented("Access control lists are not supported here.")),
        }
    })
}
