//! Access control lists of buckets and objects.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use crate::local::s3::Inner;
use crate::local::s3::acl::{Acl, Asked, asked_access};

pub(super) fn of_bucket(s3: &Inner, request: S3Request<GetBucketAclInput>) -> S3Result<GetBucketAclOutput> {
    let acl = s3.storage.with(&request.input.bucket, |bucket| Ok(bucket.acl().filter(|_| !bucket.refuses_acls())))?;
    Ok(GetBucketAclOutput { grants: Some(grants(s3, acl)), owner: Some(s3.owner()) })
}

pub(super) fn of_object(s3: &Inner, request: S3Request<GetObjectAclInput>) -> S3Result<GetObjectAclOutput> {
    let input = request.input;
    let acl = s3.storage.with(&input.bucket, |bucket| {
        let object = bucket.object(&input.key, input.version_id.as_deref())?;
        Ok(object.attributes.acl.clone().filter(|_| !bucket.refuses_acls()))
    })?;
    Ok(GetObjectAclOutput { grants: Some(grants(s3, acl)), owner: Some(s3.owner()), ..GetObjectAclOutput::default() })
}

fn grants(s3: &Inner, acl: Option<Acl>) -> Vec<Grant> {
    acl.unwrap_or_else(|| Acl::private(&s3.owner_id)).grants()
}

pub(super) fn set_of_bucket(s3: &Inner, request: S3Request<PutBucketAclInput>) -> S3Result<PutBucketAclOutput> {
    let input = request.input;
    let asked = Asked {
        write: input.grant_write.as_deref(),
        policy: input.access_control_policy.as_ref(),
        ..asked_access!(input)
    };
    s3.storage.with_mut(&input.bucket, |bucket| bucket.change_acl(&asked, &s3.owner_id))?;
    Ok(PutBucketAclOutput::default())
}

pub(super) fn set_of_object(s3: &Inner, request: S3Request<PutObjectAclInput>) -> S3Result<PutObjectAclOutput> {
    let input = request.input;
    let asked = Asked {
        write: input.grant_write.as_deref(),
        policy: input.access_control_policy.as_ref(),
        ..asked_access!(input)
    };
    s3.storage.with_mut(&input.bucket, |bucket| {
        bucket.object(&input.key, input.version_id.as_deref())?;
        let acl = bucket.acl_for_object(&asked, &s3.owner_id)?;
        bucket.change(&input.key, input.version_id.as_deref(), |object| {
            if object.attributes.acl != acl {
                Arc::make_mut(&mut object.attributes).acl = acl;
            }
        })?;
        Ok(PutObjectAclOutput::default())
    })
}
