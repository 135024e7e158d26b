//! Taking objects out of archives.

use std::sync::Arc;

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::errors;
use crate::local::s3::object::seconds;
use crate::local::s3::restore::Restored;
use crate::local::s3::{Inner, answer};

pub(super) async fn begin(
    s3: &Arc<Inner>,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let input = request.input;
    let wanted = input.restore_request.ok_or_else(errors::malformed_xml)?;
    if wanted.type_.is_some() || wanted.select_parameters.is_some() || wanted.output_location.is_some() {
        return Err(errors::not_implemented("Select requests are not supported here."));
    }
    let days = wanted.days.ok_or_else(errors::malformed_xml)?;
    let days = u64::try_from(days)
        .ok()
        .filter(|days| *days > 0)
        .ok_or_else(|| errors::argument("restoration days should be at least 1", "Days", &days.to_string()))?;
    let tier = wanted.glacier_job_parameters.map(|parameters| parameters.tier).or(wanted.tier);
    let now = seconds(s3.now());
    let status = s3.storage.with_mut(&input.bucket, |bucket| {
        let object = bucket.object(&input.key, input.version_id.as_deref())?;
        let attributes = &object.attributes;
        if !attributes.is_archived() {
            let error = s3_error!(InvalidObjectState, "Restore is not allowed for the object's current storage class");
            return Err(errors::with_details(error, &[("StorageClass", &attributes.storage_class.name())]));
        }
        let (restored, status) = match &attributes.restored {
            Some(restored) if restored.is_under_way(now) => {
                return Err(s3_error!(RestoreAlreadyInProgress, "Object restore is already in progress"));
            }
            Some(restored) if restored.is_there(now) => {
                let mut restored = restored.clone();
                restored.extend(days, now);
                (restored, StatusCode::OK)
            }
            _ => {
                let tier = tier.as_ref().map(Tier::as_str);
                let restored = Restored::begin(&attributes.storage_class.name(), tier, days, now)?;
                (restored, StatusCode::ACCEPTED)
            }
        };
        bucket.change(&input.key, input.version_id.as_deref(), |object| {
            Arc::make_mut(&mut object.attributes).restored = Some(restored);
        })?;
        Ok(status)
    })?;
    let mut response = S3Response::new(RestoreObjectOutput::default());
    response.extensions.insert(answer::Status(status));
    Ok(response)
}
