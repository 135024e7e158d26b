//! Buckets.

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::{errors, received};
use crate::local::s3::Inner;
use crate::local::s3::acl::{Asked, asked_access};
use crate::local::s3::documents;
use crate::local::s3::listing;
use crate::local::s3::object::timestamp;
use crate::local::s3::storage::{Bucket as StoredBucket, Versioning};

/// The one region that is nobody's location constraint.
const CLASSIC: &str = "us-east-1";

pub(super) fn create(s3: &Inner, mut request: S3Request<CreateBucketInput>) -> S3Result<CreateBucketOutput> {
    let endpoint = received(&mut request)?.region;
    let input = request.input;
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let region = region(constraint.as_ref().map(BucketLocationConstraint::as_str), &endpoint)?;
    let ownership = input.object_ownership.as_ref().map(ObjectOwnership::as_str);
    let mut new = s3.new_bucket(&input.bucket, &region, ownership);
    let asked = Asked { write: input.grant_write.as_deref(), ..asked_access!(input) };
    new.begin_acl(&asked, &s3.owner_id)?;
    if input.object_lock_enabled_for_bucket == Some(true) {
        new.versioning = Versioning::Enabled;
        new.documents.insert(documents::OBJECT_LOCK.to_owned(), documents::object_lock_enabled());
    }
    let mut buckets = s3.storage.write();
    if let Some(existing) = buckets.get(&input.bucket) {
        if endpoint != CLASSIC || existing.region != CLASSIC {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
    } else {
        new.changed();
        buckets.insert(input.bucket.clone(), new);
    }
    Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
}

/// Where a bucket comes to be: the endpoint of us-east-1 makes them anywhere, every other one in its own region only.
fn region(constraint: Option<&str>, endpoint: &str) -> S3Result<String> {
    // The name of eu-west-1 from the time when it was the only region of Europe.
    let constraint = constraint.filter(|constraint| !constraint.is_empty());
    let constraint = constraint.map(|constraint| if constraint == "EU" { "eu-west-1" } else { constraint });
    match constraint {
        Some(CLASSIC) if endpoint == CLASSIC => {
            Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"))
        }
        None if endpoint == CLASSIC => Ok(CLASSIC.to_owned()),
        Some(constraint) if endpoint == CLASSIC || endpoint == constraint => Ok(constraint.to_owned()),
        other => Err(s3_error!(
            IllegalLocationConstraintException,
            "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
            other.unwrap_or("unspecified")
        )),
    }
}

pub(super) fn head(s3: &Inner, request: S3Request<HeadBucketInput>) -> S3Result<HeadBucketOutput> {
    let region = s3.storage.with(&request.input.bucket, |bucket| Ok(bucket.region.clone()))?;
    Ok(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() })
}

pub(super) fn delete(s3: &Inner, request: S3Request<DeleteBucketInput>) -> S3Result<DeleteBucketOutput> {
    s3.storage.remove(&request.input.bucket)?;
    Ok(DeleteBucketOutput {})
}

pub(super) fn list(s3: &Inner, request: S3Request<ListBucketsInput>) -> S3Result<ListBucketsOutput> {
    let input = request.input;
    let after = input.continuation_token.as_deref().map(listing::of_token).transpose()?.unwrap_or_default();
    let limit = match input.max_buckets {
        None => usize::MAX,
        Some(limit) if (1..=10_000).contains(&limit) => usize::try_from(limit).unwrap_or(usize::MAX),
        Some(_) => return Err(errors::invalid_argument("Argument max-buckets must be an integer between 1 and 10000")),
    };
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let query = listing::Query { prefix, delimiter: "", after: &after, limit };
    let buckets = s3.storage.read();
    let in_region = |bucket: &StoredBucket| input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region);
    let found = listing::start(&buckets, query).filter(|(_, bucket)| in_region(bucket));
    let page = listing::page(found, query);
    let entry = |(name, bucket): (&str, &StoredBucket)| Bucket {
        name: Some(name.to_owned()),
        creation_date: Some(timestamp(bucket.created)),
        // Only the paged form of the request is answered with regions.
        bucket_region: (input.max_buckets.is_some() || input.bucket_region.is_some()).then(|| bucket.region.clone()),
    };
    Ok(ListBucketsOutput {
        continuation_token: page.last.map(listing::token),
        buckets: Some(page.entries.into_iter().map(entry).collect()),
        owner: Some(s3.owner()),
        prefix: input.prefix.clone(),
    })
}

pub(super) fn location(s3: &Inner, request: S3Request<GetBucketLocationInput>) -> S3Result<GetBucketLocationOutput> {
    let region = s3.storage.with(&request.input.bucket, |bucket| Ok(bucket.region.clone()))?;
    // An empty constraint stands for us-east-1.
    let constraint = if region == CLASSIC { String::new() } else { region };
    Ok(GetBucketLocationOutput { location_constraint: Some(constraint.into()) })
}

pub(super) fn versioning(
    s3: &Inner,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<GetBucketVersioningOutput> {
    let versioning = s3.storage.with(&request.input.bucket, |bucket| Ok(bucket.versioning))?;
    let status = match versioning {
        // A bucket that never had versions has no status either.
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        ..GetBucketVersioningOutput::default()
    })
}

pub(super) fn set_versioning(
    s3: &Inner,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<PutBucketVersioningOutput> {
    let configuration = request.input.versioning_configuration;
    if configuration.mfa_delete.is_some_and(|delete| delete.as_str() == "Enabled") {
        return Err(errors::not_implemented("MFA delete is not supported here."));
    }
    let versioning = match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            return Err(s3_error!(IllegalVersioningConfigurationException, "The Versioning element must be specified"));
        }
    };
    s3.storage.with_mut(&request.input.bucket, |bucket| {
        if versioning != Versioning::Enabled && bucket.documents.contains_key(documents::OBJECT_LOCK) {
            return Err(errors::custom(
                "InvalidBucketState",
                http::StatusCode::CONFLICT,
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            ));
        }
        bucket.versioning = versioning;
        bucket.changed();
        Ok(PutBucketVersioningOutput::default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_constraints() {
        for (constraint, endpoint, expected) in [
            (None, "us-east-1", Ok("us-east-1")),
            (Some(""), "us-east-1", Ok("us-east-1")),
            (Some("eu-west-1"), "us-east-1", Ok("eu-west-1")),
            (Some("EU"), "us-east-1", Ok("eu-west-1")),
            (Some("us-east-1"), "us-east-1", Err("InvalidLocationConstraint")),
            (Some("eu-west-1"), "eu-west-1", Ok("eu-west-1")),
            (Some("EU"), "eu-west-1", Ok("eu-west-1")),
            (None, "eu-west-1", Err("IllegalLocationConstraintException")),
            (Some("us-east-1"), "eu-west-1", Err("IllegalLocationConstraintException")),
            (Some("us-west-2"), "eu-west-1", Err("IllegalLocationConstraintException")),
        ] {
            let outcome = region(constraint, endpoint);
            let outcome = outcome.as_deref().map_err(|error| error.code().as_str());
            assert_eq!(outcome, expected, "{constraint:?} at {endpoint}");
        }
    }
}
