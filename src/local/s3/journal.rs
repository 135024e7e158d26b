//! What buckets tell the store, and how they are found again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::checksum::Checksum;
use super::multipart::{Part, Upload};
use super::object::{self, Attributes, Encryption, Etag, Multipart, Object};
use super::storage::{Bucket, Buckets, Past, Versioning};
use super::tags::Tags;
use super::version::Version;
use crate::local::store::{Corrupt, Store, Table};

/// A bucket's way to the store.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    store: Store,
    bucket: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct BucketRecord {
    created: u64,
    region: String,
    versioning: Versioning,
    documents: BTreeMap<String, String>,
    encryption: Encryption,
}

/// A version of a key; without the fields of an object it is a delete marker.
#[derive(Serialize, Deserialize)]
struct VersionRecord {
    null: bool,
    modified: u64,
    object: Option<ObjectRecord>,
}

#[derive(Serialize, Deserialize)]
struct ObjectRecord {
    body: Vec<PieceRecord>,
    md5: [u8; 16],
    parts: u16,
    checksum: Checksum,
    #[serde(with = "object::shared")]
    attributes: Arc<Attributes>,
    tags: Tags,
    multipart: Option<Box<Multipart>>,
}

#[derive(Serialize, Deserialize)]
struct PartRecord {
    body: Vec<PieceRecord>,
    md5: [u8; 16],
    modified: u64,
    checksum: Checksum,
    given: bool,
}

/// Where a piece of a body is: in a blob, or behind the record.
#[derive(Serialize, Deserialize)]
struct PieceRecord {
    blob: Option<u64>,
    len: u64,
}

impl Journal {
    pub(super) fn new(store: &Store, bucket: &str) -> Self {
        Self { store: store.clone(), bucket: bucket.into() }
    }

    pub(super) fn bucket_name(&self) -> &str {
        &self.bucket
    }

    fn name(&self) -> &[u8] {
        self.bucket.as_bytes()
    }

    pub(super) fn bucket(&self, bucket: &Bucket) {
        self.store.put(Table::Bucket, &[self.name()], || {
            let record = BucketRecord {
                created: bucket.created,
                region: bucket.region.clone(),
                versioning: bucket.versioning,
                documents: bucket.documents.clone(),
                encryption: bucket.encryption.clone(),
            };
            encode(&record, None)
        });
    }

    pub(super) fn no_bucket(&self) {
        self.store.remove(Table::Bucket, &[self.name()]);
    }

    pub(super) fn object(&self, key: &str, object: &Object) {
        self.store.put(Table::Object, &self.version_key(key, &object.version.sequence.to_be_bytes()), || {
            let record = VersionRecord {
                null: object.version.null,
                modified: object.modified,
                object: Some(ObjectRecord {
                    body: pieces(&object.body),
                    md5: object.etag.md5,
                    parts: object.etag.parts,
                    checksum: object.checksum.clone(),
                    attributes: object.attributes.clone(),
                    tags: object.tags.clone(),
                    multipart: object.multipart.clone(),
                }),
            };
            encode(&record, Some(&object.body))
        });
    }

    pub(super) fn marker(&self, key: &str, version: Version, modified: u64) {
        self.store.put(Table::Object, &self.version_key(key, &version.sequence.to_be_bytes()), || {
            encode(&VersionRecord { null: version.null, modified, object: None }, None)
        });
    }

    pub(super) fn no_version(&self, key: &str, version: Version) {
        self.store.remove(Table::Object, &self.version_key(key, &version.sequence.to_be_bytes()));
    }

    fn version_key<'a>(&'a self, key: &'a str, sequence: &'a [u8; 8]) -> [&'a [u8]; 3] {
        [self.name(), key.as_bytes(), sequence]
    }

    pub(super) fn upload(&self, key: &str, id: &str, upload: &Upload) {
        let record_key = [self.name(), key.as_bytes(), id.as_bytes()];
        self.store.put(Table::Upload, &record_key, || encode(upload, None));
    }

    pub(super) fn no_upload(&self, key: &str, id: &str) {
        let record_key = [self.name(), key.as_bytes(), id.as_bytes()];
        self.store.remove(Table::Upload, &record_key);
        self.store.remove_all(Table::Part, &record_key);
    }

    pub(super) fn part(&self, key: &str, id: &str, number: i32, part: &Part) {
        let record_key = [self.name(), key.as_bytes(), id.as_bytes(), &number.to_be_bytes()];
        self.store.put(Table::Part, &record_key, || {
            let record = PartRecord {
                body: pieces(&part.body),
                md5: part.md5,
                modified: part.modified,
                checksum: part.checksum.clone(),
                given: part.given,
            };
            encode(&record, Some(&part.body))
        });
    }
}

/// The length of the JSON document, the document, and the bytes of the body that are in memory.
fn encode(record: &impl Serialize, body: Option<&Body>) -> Vec<u8> {
    let mut value = vec![0; 4];
    // Plain structs with text as keys: there is nothing that JSON cannot hold.
    let _ = serde_json::to_writer(&mut value, record);
    let length = (value.len() - 4) as u32;
    value[..4].copy_from_slice(&length.to_be_bytes());
    for piece in body.map(Body::pieces).unwrap_or_default() {
        if let Body::Memory(bytes) = piece {
            value.extend_from_slice(bytes);
        }
    }
    value
}

fn decode<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<(T, &'a [u8]), Corrupt> {
    let corrupt = || Corrupt("a record of S3");
    let (length, rest) = value.split_first_chunk::<4>().ok_or_else(corrupt)?;
    let (document, body) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(corrupt)?;
    Ok((serde_json::from_slice(document).map_err(|_| corrupt())?, body))
}

fn pieces(body: &Body) -> Vec<PieceRecord> {
    let record = |piece: &Body| PieceRecord {
        blob: match piece {
            Body::File(blob) => Some(blob.id()),
            _ => None,
        },
        len: piece.len(),
    };
    body.pieces().iter().map(record).collect()
}

/// What is found in a store.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) buckets: Buckets,
    /// The time of the newest change, in seconds since 1970.
    pub(super) newest: u64,
}

/// Finds everything again.
pub(super) fn load(store: &Store) -> Result<Loaded, Corrupt> {
    let mut loader = Loader { store, files: BTreeMap::new(), attributes: Vec::new(), newest: 0 };
    let mut buckets = Buckets::new();
    store.load(Table::Bucket, |key, value| {
        let [name] = key else { return Err(Corrupt("a bucket")) };
        let name = text(name)?;
        let (record, _): (BucketRecord, _) = decode(value)?;
        loader.newest = loader.newest.max(record.created);
        let mut bucket = Bucket::new(store, name, &record.region, record.created);
        bucket.versioning = record.versioning;
        bucket.documents = record.documents;
        bucket.encryption = record.encryption;
        buckets.insert(name.to_owned(), bucket);
        Ok(())
    })?;
    // Keys are in order, and the versions of a key from the oldest to the newest.
    store.load(Table::Object, |key, value| {
        let [bucket, key, sequence] = key else { return Err(Corrupt("an object")) };
        let sequence = u64::from_be_bytes((*sequence).try_into().map_err(|_| Corrupt("an object"))?);
        let bucket = buckets.get_mut(text(bucket)?).ok_or(Corrupt("an object"))?;
        bucket.restore(text(key)?, loader.version(sequence, value)?);
        Ok(())
    })?;
    store.load(Table::Upload, |key, value| {
        let [bucket, key, id] = key else { return Err(Corrupt("an upload")) };
        let bucket = buckets.get_mut(text(bucket)?).ok_or(Corrupt("an upload"))?;
        let (upload, _) = decode(value)?;
        bucket.uploads.insert((text(key)?.to_owned(), text(id)?.to_owned()), upload);
        Ok(())
    })?;
    store.load(Table::Part, |key, value| {
        let [bucket, key, id, number] = key else { return Err(Corrupt("a part")) };
        let number = i32::from_be_bytes((*number).try_into().map_err(|_| Corrupt("a part"))?);
        let bucket = buckets.get_mut(text(bucket)?).ok_or(Corrupt("a part"))?;
        let upload = bucket.uploads.get_mut(&(text(key)?.to_owned(), text(id)?.to_owned()));
        let part = loader.part(value)?;
        upload.ok_or(Corrupt("a part"))?.parts.insert(number, part);
        Ok(())
    })?;
    store.sweep(&loader.files.keys().copied().collect::<BTreeSet<u64>>());
    Ok(Loaded { buckets, newest: loader.newest })
}

struct Loader<'a> {
    store: &'a Store,
    /// Copies share their files.
    files: BTreeMap<u64, Body>,
    /// The attributes seen last: objects of one job have the same.
    attributes: Vec<Arc<Attributes>>,
    newest: u64,
}

impl Loader<'_> {
    fn version(&mut self, sequence: u64, value: &[u8]) -> Result<Past, Corrupt> {
        let (record, bytes): (VersionRecord, _) = decode(value)?;
        let version = Version { sequence, null: record.null };
        self.newest = self.newest.max(record.modified);
        let Some(object) = record.object else { return Ok(Past::Marker { version, modified: record.modified }) };
        Ok(Past::Object(Arc::new(Object {
            version,
            body: self.body(&object.body, bytes)?,
            etag: Etag { md5: object.md5, parts: object.parts },
            modified: record.modified,
            checksum: object.checksum,
            attributes: self.shared(object.attributes),
            tags: object.tags,
            multipart: object.multipart,
        })))
    }

    fn part(&mut self, value: &[u8]) -> Result<Part, Corrupt> {
        let (record, bytes): (PartRecord, _) = decode(value)?;
        self.newest = self.newest.max(record.modified);
        Ok(Part {
            body: self.body(&record.body, bytes)?,
            md5: record.md5,
            modified: record.modified,
            checksum: record.checksum,
            given: record.given,
        })
    }

    fn body(&mut self, pieces: &[PieceRecord], mut bytes: &[u8]) -> Result<Body, Corrupt> {
        let mut bodies = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let Some(id) = piece.blob else {
                let length = usize::try_from(piece.len).map_err(|_| Corrupt("a body"))?;
                let (here, rest) = bytes.split_at_checked(length).ok_or(Corrupt("a body"))?;
                bodies.push(Body::Memory(Bytes::copy_from_slice(here)));
                bytes = rest;
                continue;
            };
            if !self.files.contains_key(&id) {
                let blob = self.store.blob(id, piece.len).ok_or(Corrupt("a body"))?;
                self.files.insert(id, Body::File(Arc::new(blob)));
            }
            bodies.extend(self.files.get(&id).cloned());
        }
        Ok(Body::join(bodies))
    }

    fn shared(&mut self, attributes: Arc<Attributes>) -> Arc<Attributes> {
        if let Some(same) = self.attributes.iter().find(|seen| **seen == attributes) {
            return same.clone();
        }
        self.attributes.truncate(7);
        self.attributes.insert(0, attributes.clone());
        attributes
    }
}

fn text(bytes: &[u8]) -> Result<&str, Corrupt> {
    std::str::from_utf8(bytes).map_err(|_| Corrupt("a name in S3"))
}
