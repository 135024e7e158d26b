//! What GetObjectAttributes tells.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::errors;
use crate::local::s3::Inner;
use crate::local::s3::answer::BareEtag;
use crate::local::s3::checksum::fill_checksum;
use crate::local::s3::listing;
use crate::local::s3::object::{Multipart, Object};

pub(super) async fn get(
    s3: &Inner,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = request.input;
    let (object, version_id) = s3.storage.with(&input.bucket, |bucket| {
        let object = bucket.object(&input.key, input.version_id.as_deref())?;
        let version = bucket.version_id(object.version);
        Ok((object, version))
    })?;
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(object.modified()),
        version_id,
        ..GetObjectAttributesOutput::default()
    };
    if input.object_attributes.is_empty() {
        return Err(errors::invalid_request("At least one attribute must be specified in x-amz-object-attributes."));
    }
    // A header may name several.
    let names = input.object_attributes.iter().flat_map(|names| names.as_str().split(',')).map(str::trim);
    for name in names {
        match name {
            "ETag" => output.e_tag = Some(object.etag()),
            "Checksum" => output.checksum = Some(checksum(&object)),
            "ObjectParts" => {
                output.object_parts = match &object.multipart {
                    None => None,
                    Some(multipart) => Some(parts(multipart, input.max_parts, input.part_number_marker)?),
                };
            }
            "StorageClass" => output.storage_class = Some(object.attributes.storage_class.name().into()),
            "ObjectSize" => output.object_size = Some(object.size()),
            _ => return Err(errors::invalid_argument("Invalid attribute name specified.")),
        }
    }
    let mut response = S3Response::new(output);
    response.extensions.insert(BareEtag);
    Ok(response)
}

fn checksum(object: &Object) -> Checksum {
    let mut checksum = Checksum::default();
    fill_checksum!(checksum, object.checksum);
    checksum.checksum_type = Some(object.checksum.coverage.to_dto());
    checksum
}

/// S3 lists the parts only of what was uploaded with checksums of its parts.
fn parts(multipart: &Multipart, limit: Option<i32>, marker: Option<i32>) -> S3Result<GetObjectAttributesParts> {
    let total = i32::try_from(multipart.parts.len()).ok();
    if multipart.parts.iter().any(|part| part.checksum.is_none()) {
        return Ok(GetObjectAttributesParts { total_parts_count: total, ..GetObjectAttributesParts::default() });
    }
    let limit = listing::limit(limit, "max-parts")?;
    let marker = marker.unwrap_or(0);
    let behind = usize::try_from(marker).map_err(|_| {
        errors::invalid_argument("Argument part-number-marker must be an integer between 0 and 2147483647")
    })?;
    let rest = multipart.parts.iter().zip(1..).skip(behind);
    let parts: Vec<ObjectPart> = rest
        .take(limit)
        .map(|(part, number)| {
            let mut entry =
                ObjectPart { part_number: Some(number), size: i64::try_from(part.size).ok(), ..ObjectPart::default() };
            if let Some(checksum) = &part.checksum {
                fill_checksum!(entry, checksum);
            }
            entry
        })
        .collect();
    Ok(GetObjectAttributesParts {
        is_truncated: Some(limit > 0 && behind + parts.len() < multipart.parts.len()),
        max_parts: i32::try_from(limit).ok(),
        next_part_number_marker: Some(parts.last().and_then(|part| part.part_number).unwrap_or(0)),
        part_number_marker: Some(marker),
        parts: Some(parts),
        total_parts_count: total,
    })
}
