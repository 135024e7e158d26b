//! Listings of objects, uploads and parts.

use std::ops::Bound;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::errors;
use crate::local::s3::Inner;
use crate::local::s3::checksum::{Coverage, fill_checksum};
use crate::local::s3::listing::{self, Page, Query, url_encode};
use crate::local::s3::multipart::{Part as StoredPart, Upload};
use crate::local::s3::object::{Object as StoredObject, size, timestamp};
use crate::local::s3::storage::{Bucket as StoredBucket, Past};
use crate::local::s3::version::Version;

/// Writes names as the request wants them.
#[derive(Clone, Copy)]
struct Names {
    encoded: bool,
}

impl Names {
    fn requested(encoding: Option<&EncodingType>) -> S3Result<Self> {
        Ok(Self { encoded: listing::url_encoded(encoding.map(EncodingType::as_str))? })
    }

    fn write(self, name: &str) -> String {
        if self.encoded { url_encode(name) } else { name.to_owned() }
    }

    /// S3 answers no element for a parameter that is empty.
    fn write_some(self, name: Option<&str>) -> Option<String> {
        name.filter(|name| !name.is_empty()).map(|name| self.write(name))
    }

    fn prefixes(self, prefixes: &[&str]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.write(prefix)) }).collect()
    }

    fn objects(self, page: &Page<'_, &Arc<StoredObject>>, owner: Option<&Owner>) -> Vec<Object> {
        let entry = |(key, object): &(&str, &Arc<StoredObject>)| Object {
            key: Some(self.write(key)),
            e_tag: Some(object.etag()),
            last_modified: Some(object.modified()),
            size: Some(object.size()),
            storage_class: Some(object.attributes.storage_class.name().into()),
            checksum_algorithm: Some(vec![ChecksumAlgorithm::from_static(object.checksum.algorithm.name())]),
            checksum_type: Some(object.checksum.coverage.to_dto()),
            owner: owner.cloned(),
            ..Object::default()
        };
        page.entries.iter().map(entry).collect()
    }
}

fn count(entries: usize) -> Option<i32> {
    i32::try_from(entries).ok()
}

pub(super) fn objects(s3: &Inner, request: S3Request<ListObjectsInput>) -> S3Result<ListObjectsOutput> {
    let input = request.input;
    let names = Names::requested(input.encoding_type.as_ref())?;
    let limit = listing::limit(input.max_keys, "maxKeys")?;
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: input.marker.as_deref().unwrap_or_default(),
        limit,
    };
    s3.storage.with(&input.bucket, |bucket| {
        let page = listing::page(listing::start(&bucket.objects, query), query);
        Ok(ListObjectsOutput {
            contents: Some(names.objects(&page, Some(&s3.owner()))),
            common_prefixes: Some(names.prefixes(&page.prefixes)),
            is_truncated: Some(page.truncated),
            // Without a delimiter clients go on from the last key.
            next_marker: page.last.filter(|_| !query.delimiter.is_empty()).map(|last| names.write(last)),
            name: Some(input.bucket.clone()),
            prefix: Some(names.write(query.prefix)),
            marker: Some(names.write(query.after)),
            delimiter: names.write_some(input.delimiter.as_deref()),
            max_keys: count(limit),
            encoding_type: input.encoding_type.clone(),
            ..ListObjectsOutput::default()
        })
    })
}

pub(super) fn objects_v2(s3: &Inner, request: S3Request<ListObjectsV2Input>) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let names = Names::requested(input.encoding_type.as_ref())?;
    let limit = listing::limit(input.max_keys, "maxKeys")?;
    let token = input.continuation_token.as_deref().map(listing::of_token).transpose()?;
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: token.as_deref().or(input.start_after.as_deref()).unwrap_or_default(),
        limit,
    };
    let owner = (input.fetch_owner == Some(true)).then(|| s3.owner());
    s3.storage.with(&input.bucket, |bucket| {
        let page = listing::page(listing::start(&bucket.objects, query), query);
        Ok(ListObjectsV2Output {
            contents: Some(names.objects(&page, owner.as_ref())),
            common_prefixes: Some(names.prefixes(&page.prefixes)),
            is_truncated: Some(page.truncated),
            key_count: count(page.entries.len() + page.prefixes.len()),
            next_continuation_token: page.last.map(listing::token),
            continuation_token: input.continuation_token.clone(),
            name: Some(input.bucket.clone()),
            prefix: Some(names.write(query.prefix)),
            // The token says where to go on; what was said before does not count any more.
            start_after: names.write_some(input.start_after.as_deref().filter(|_| token.is_none())),
            delimiter: names.write_some(input.delimiter.as_deref()),
            max_keys: count(limit),
            encoding_type: input.encoding_type.clone(),
            ..ListObjectsV2Output::default()
        })
    })
}

/// A version in a listing: an object, or else a delete marker.
#[derive(Clone, Copy)]
struct Listed<'a> {
    version: Version,
    modified: u64,
    object: Option<&'a StoredObject>,
    is_latest: bool,
}

fn by_name<'a, K: AsRef<str>, T>((key, value): (&'a K, &'a T)) -> (&'a str, &'a T) {
    (key.as_ref(), value)
}

/// The versions of a bucket from a key on, by key and then from the newest to the oldest.
fn listed<'a>(bucket: &'a StoredBucket, from: Bound<&str>) -> impl Iterator<Item = (&'a str, Listed<'a>)> {
    let mut current = bucket.objects.range::<str, _>((from, Bound::Unbounded)).map(by_name).peekable();
    let mut history = bucket.history.range::<str, _>((from, Bound::Unbounded)).map(by_name).peekable();
    let by_key = std::iter::from_fn(move || {
        let keys = [current.peek().map(|(key, _)| *key), history.peek().map(|(key, _)| *key)];
        let key = keys.into_iter().flatten().min()?;
        let object = current.next_if(|(at, _)| *at == key).map(|(_, object)| object);
        let past = history.next_if(|(at, _)| *at == key).map(|(_, past)| past.as_slice()).unwrap_or_default();
        Some((key, object, past))
    });
    by_key.flat_map(|(key, object, past)| {
        let of_object = |object: &'a StoredObject| Listed {
            version: object.version,
            modified: object.modified,
            object: Some(object),
            is_latest: false,
        };
        let newest = object.map(|object| of_object(object)).into_iter();
        let older = past.iter().map(move |past| match past {
            Past::Object(object) => of_object(object),
            Past::Marker { version, modified } => {
                Listed { version: *version, modified: *modified, object: None, is_latest: false }
            }
        });
        let mark = |(at, listed): (usize, Listed<'a>)| Listed { is_latest: at == 0, ..listed };
        newest.chain(older).enumerate().map(mark).map(move |listed| (key, listed))
    })
}

pub(super) fn versions(s3: &Inner, request: S3Request<ListObjectVersionsInput>) -> S3Result<ListObjectVersionsOutput> {
    let input = request.input;
    let names = Names::requested(input.encoding_type.as_ref())?;
    let limit = listing::limit(input.max_keys, "max-keys")?;
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    let id_marker = input.version_id_marker.as_deref().unwrap_or_default();
    if key_marker.is_empty() && !id_marker.is_empty() {
        return Err(errors::invalid_argument("A version-id marker cannot be specified without a key marker."));
    }
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: key_marker,
        limit,
    };
    s3.storage.with(&input.bucket, |bucket| {
        // With both markers the page begins within the versions of a key.
        let from = match (id_marker.is_empty(), key_marker >= query.prefix) {
            (true, true) if !key_marker.is_empty() => Bound::Excluded(key_marker),
            (false, true) => Bound::Included(key_marker),
            _ => Bound::Included(query.prefix),
        };
        let mut seen = id_marker.is_empty();
        let behind = listed(bucket, from).skip_while(|(key, listed)| {
            if seen || *key > key_marker {
                return false;
            }
            seen = listed.version.is(id_marker);
            true
        });
        let page = listing::page(behind, query);
        let last = page.entries.last().filter(|(key, _)| page.last == Some(key));
        let owner = s3.owner();
        let (objects, markers): (Vec<_>, Vec<_>) = page.entries.iter().partition(|(_, listed)| listed.object.is_some());
        let version = |(key, listed): &(&str, Listed<'_>)| {
            let object = listed.object?;
            Some(ObjectVersion {
                key: Some(names.write(key)),
                version_id: Some(listed.version.id()),
                is_latest: Some(listed.is_latest),
                last_modified: Some(object.modified()),
                e_tag: Some(object.etag()),
                size: Some(object.size()),
                storage_class: Some(object.attributes.storage_class.name().into()),
                checksum_algorithm: Some(vec![ChecksumAlgorithm::from_static(object.checksum.algorithm.name())]),
                checksum_type: Some(object.checksum.coverage.to_dto()),
                owner: Some(owner.clone()),
                ..ObjectVersion::default()
            })
        };
        let marker = |(key, listed): &(&str, Listed<'_>)| DeleteMarkerEntry {
            key: Some(names.write(key)),
            version_id: Some(listed.version.id()),
            is_latest: Some(listed.is_latest),
            last_modified: Some(timestamp(listed.modified)),
            owner: Some(owner.clone()),
        };
        Ok(ListObjectVersionsOutput {
            versions: Some(objects.into_iter().filter_map(version).collect()),
            delete_markers: Some(markers.into_iter().map(marker).collect()),
            common_prefixes: Some(names.prefixes(&page.prefixes)),
            is_truncated: Some(page.truncated),
            next_key_marker: page.last.map(|last| names.write(last)),
            next_version_id_marker: last.map(|(_, listed)| listed.version.id()),
            name: Some(input.bucket.clone()),
            prefix: Some(names.write(query.prefix)),
            key_marker: Some(names.write(key_marker)),
            version_id_marker: Some(id_marker.to_owned()),
            delimiter: names.write_some(input.delimiter.as_deref()),
            max_keys: count(limit),
            encoding_type: input.encoding_type.clone(),
            ..ListObjectVersionsOutput::default()
        })
    })
}

pub(super) fn uploads(
    s3: &Inner,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    let names = Names::requested(input.encoding_type.as_ref())?;
    let limit = listing::limit(input.max_uploads, "max-uploads")?;
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    // Without a key marker an upload id marker is ignored.
    let id_marker = input.upload_id_marker.as_deref().filter(|_| !key_marker.is_empty());
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: key_marker,
        limit,
    };
    let is_behind_markers = |key: &str, id: &str| match id_marker {
        _ if key_marker.is_empty() => true,
        Some(id_marker) => (key, id) > (key_marker, id_marker),
        None => key > key_marker,
    };
    s3.storage.with(&input.bucket, |bucket| {
        let items = bucket.uploads.iter().filter(|((key, id), _)| is_behind_markers(key, id));
        let page = listing::page(items.map(|((key, id), upload)| (key.as_str(), (id.as_str(), upload))), query);
        let last_entry = page.entries.last().filter(|(key, _)| page.last == Some(key));
        Ok(ListMultipartUploadsOutput {
            uploads: Some(
                page.entries.iter().map(|(key, (id, upload))| entry(s3, names.write(key), id, upload)).collect(),
            ),
            common_prefixes: Some(names.prefixes(&page.prefixes)),
            is_truncated: Some(page.truncated),
            next_key_marker: page.last.map(|last| names.write(last)),
            next_upload_id_marker: last_entry.map(|(_, (id, _))| (*id).to_owned()),
            bucket: Some(input.bucket.clone()),
            prefix: names.write_some(input.prefix.as_deref()),
            delimiter: names.write_some(input.delimiter.as_deref()),
            key_marker: Some(names.write(key_marker)),
            upload_id_marker: Some(id_marker.unwrap_or_default().to_owned()),
            max_uploads: count(limit),
            encoding_type: input.encoding_type.clone(),
            ..ListMultipartUploadsOutput::default()
        })
    })
}

fn entry(s3: &Inner, key: String, id: &str, upload: &Upload) -> MultipartUpload {
    let owner = s3.owner();
    MultipartUpload {
        key: Some(key),
        upload_id: Some(id.to_owned()),
        initiated: Some(timestamp(upload.initiated)),
        storage_class: Some(upload.attributes.storage_class.name().into()),
        checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: upload.algorithm.map(|_| Coverage::to_dto(upload.coverage)),
        initiator: Some(Initiator { display_name: None, id: owner.id.clone() }),
        owner: Some(owner),
    }
}

pub(super) fn parts(s3: &Inner, request: S3Request<ListPartsInput>) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let limit = listing::limit(input.max_parts, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    if marker < 0 {
        return Err(errors::invalid_argument(
            "Argument part-number-marker must be an integer between 0 and 2147483647",
        ));
    }
    s3.storage.with(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        let mut rest = upload.parts.range(marker.saturating_add(1)..);
        let parts: Vec<Part> = rest.by_ref().take(limit).map(|(number, part)| part_entry(*number, part)).collect();
        let owner = s3.owner();
        Ok(ListPartsOutput {
            is_truncated: Some(limit > 0 && rest.next().is_some()),
            next_part_number_marker: Some(parts.last().and_then(|part| part.part_number).unwrap_or(0)),
            parts: Some(parts),
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(input.upload_id.clone()),
            part_number_marker: Some(marker),
            max_parts: count(limit),
            storage_class: Some(upload.attributes.storage_class.name().into()),
            checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: upload.algorithm.map(|_| upload.coverage.to_dto()),
            initiator: Some(Initiator { display_name: None, id: owner.id.clone() }),
            owner: Some(owner),
            ..ListPartsOutput::default()
        })
    })
}

fn part_entry(number: i32, part: &StoredPart) -> Part {
    let mut entry = Part {
        part_number: Some(number),
        e_tag: Some(part.etag()),
        last_modified: Some(timestamp(part.modified)),
        size: Some(size(&part.body)),
        ..Part::default()
    };
    if let Some(checksum) = part.told() {
        fill_checksum!(entry, checksum);
    }
    entry
}
