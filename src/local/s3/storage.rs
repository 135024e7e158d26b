//! Buckets, objects and uploads in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use s3s::{S3Error, S3Result};
use serde::{Deserialize, Serialize};

use super::errors;
use super::journal::Journal;
use super::multipart::{Part, Upload};
use super::object::{Encryption, Object};
use super::version::{Version, check_id};
use crate::local::store::Store;

/// A bucket. What changes objects and uploads is a method here, which also tells the store.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Seconds since 1970.
    pub(super) created: u64,
    pub(super) region: String,
    pub(super) versioning: Versioning,
    /// What clients configured, by subresource: the documents as they came.
    pub(super) documents: BTreeMap<String, String>,
    /// How objects are encrypted that do not say it themselves.
    pub(super) encryption: Encryption,
    /// The objects that are there: the newest version of each key, unless that is a delete marker.
    pub(super) objects: BTreeMap<Box<str>, Arc<Object>>,
    /// The other versions of each key, newest first; never an empty list.
    pub(super) history: BTreeMap<Box<str>, Vec<Past>>,
    /// By key and upload id; ids grow with time.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
    journal: Journal,
}

/// Whether a bucket keeps versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// A version that is not the object of its key.
#[derive(Debug, Clone)]
pub(super) enum Past {
    Object(Arc<Object>),
    /// A delete marker, and when it was made in seconds since 1970.
    Marker {
        version: Version,
        modified: u64,
    },
}

impl Past {
    pub(super) fn version(&self) -> Version {
        match self {
            Self::Object(object) => object.version,
            Self::Marker { version, .. } => *version,
        }
    }
}

/// What became of a key that was to be deleted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Deleted {
    /// The version that is gone, or the delete marker that was made.
    pub(super) version: Option<String>,
    /// Whether that is a delete marker.
    pub(super) marker: bool,
}

impl Bucket {
    pub(super) fn new(store: &Store, name: &str, region: &str, created: u64) -> Self {
        Self {
            created,
            region: region.to_owned(),
            versioning: Versioning::Never,
            documents: BTreeMap::new(),
            encryption: Encryption::default(),
            objects: BTreeMap::new(),
            history: BTreeMap::new(),
            uploads: BTreeMap::new(),
            journal: Journal::new(store, name),
        }
    }

    /// Tells the store of a change to the bucket itself.
    pub(super) fn changed(&self) {
        self.journal.bucket(self);
    }

    pub(super) fn name(&self) -> &str {
        self.journal.bucket_name()
    }

    /// Whether there is not even an old version.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.history.is_empty()
    }

    /// An object, or a version of it; it costs no copy and outlives the lock.
    pub(super) fn object(&self, key: &str, version: Option<&str>) -> S3Result<Arc<Object>> {
        let Some(id) = version else {
            return self.objects.get(key).cloned().ok_or_else(|| self.no_such_key(key));
        };
        check_id(id)?;
        if let Some(object) = self.objects.get(key).filter(|object| object.version.is(id)) {
            return Ok(object.clone());
        }
        match self.past(key).iter().find(|past| past.version().is(id)) {
            Some(Past::Object(object)) => Ok(object.clone()),
            Some(Past::Marker { version, modified }) => Err(errors::is_delete_marker(&version.id(), *modified)),
            None => Err(errors::no_such_version()),
        }
    }

    fn past(&self, key: &str) -> &[Past] {
        self.history.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// A key may be gone because its newest version is a delete marker, and then the answer says so.
    fn no_such_key(&self, key: &str) -> S3Error {
        match self.past(key).first() {
            Some(Past::Marker { version, .. }) => errors::deleted(&version.id()),
            _ => errors::no_such_key(),
        }
    }

    /// What answers say of a version, if the bucket has or had them.
    pub(super) fn version_id(&self, version: Version) -> Option<String> {
        (self.versioning != Versioning::Never).then(|| version.id())
    }

    /// Stores an object as the newest version of its key; `sequence` is a number that was never used before.
    pub(super) fn put(&mut self, key: &str, mut object: Object, sequence: u64) -> Arc<Object> {
        object.version = Version { sequence, null: self.versioning != Versioning::Enabled };
        let replaced = self.retire(key, object.version.null);
        let object = Arc::new(object);
        self.journal.object(key, &object);
        self.replaced(key, replaced);
        self.objects.insert(key.into(), object.clone());
        object
    }

    /// Makes room for a newer version: with versioning the newest one until now becomes an older one. The version
    /// `null` is there once only: the one that was there is given back.
    fn retire(&mut self, key: &str, by_null: bool) -> Option<Past> {
        let current = self.objects.remove(key).map(Past::Object);
        if by_null && current.as_ref().is_some_and(|current| current.version().null) {
            return current;
        }
        if let Some(current) = current {
            self.history.entry(key.into()).or_default().insert(0, current);
        }
        let old = self.past(key).iter().position(|past| by_null && past.version().null);
        old.and_then(|at| self.take_past(key, at))
    }

    /// Tells the store that a version was replaced. The newer one is told before: should only one of both be kept, then
    /// not the end of what is still there.
    fn replaced(&self, key: &str, replaced: Option<Past>) {
        if let Some(replaced) = replaced {
            self.journal.no_version(key, replaced.version());
        }
    }

    fn take_past(&mut self, key: &str, at: usize) -> Option<Past> {
        let past = self.history.get_mut(key)?;
        let taken = past.remove(at);
        if past.is_empty() {
            self.history.remove(key);
        }
        Some(taken)
    }

    /// Deletes a key: with versioning nothing goes, and a delete marker becomes the newest version.
    pub(super) fn delete(&mut self, key: &str, sequence: u64, now: u64) -> Deleted {
        if self.versioning == Versioning::Never {
            if let Some(object) = self.objects.remove(key) {
                self.journal.no_version(key, object.version);
            }
            return Deleted::default();
        }
        let version = Version { sequence, null: self.versioning == Versioning::Suspended };
        let replaced = self.retire(key, version.null);
        self.journal.marker(key, version, now);
        self.replaced(key, replaced);
        self.history.entry(key.into()).or_default().insert(0, Past::Marker { version, modified: now });
        Deleted { version: Some(version.id()), marker: true }
    }

    /// Deletes a version for good; if it was the newest, the one before it takes its place.
    pub(super) fn delete_version(&mut self, key: &str, id: &str) -> S3Result<Deleted> {
        check_id(id)?;
        let mut deleted = Deleted { version: Some(id.to_owned()), marker: false };
        if let Some(object) = self.objects.get(key).filter(|object| object.version.is(id)) {
            self.journal.no_version(key, object.version);
            self.objects.remove(key);
            self.promote(key);
        } else if let Some(at) = self.past(key).iter().position(|past| past.version().is(id)) {
            let gone = self.take_past(key, at);
            deleted.marker = matches!(gone, Some(Past::Marker { .. }));
            self.replaced(key, gone);
            if at == 0 && !self.objects.contains_key(key) {
                self.promote(key);
            }
        }
        if self.versioning == Versioning::Never {
            deleted.version = None;
        }
        Ok(deleted)
    }

    /// Makes the newest of the older versions the object of its key, unless it is a delete marker.
    fn promote(&mut self, key: &str) {
        if matches!(self.past(key).first(), Some(Past::Object(_)))
            && let Some(Past::Object(object)) = self.take_past(key, 0)
        {
            self.objects.insert(key.into(), object);
        }
    }

    /// Puts back a version that is newer than those of its key that are there already.
    pub(super) fn restore(&mut self, key: &str, version: Past) {
        let replaced = self.retire(key, version.version().null);
        self.replaced(key, replaced);
        match version {
            Past::Object(object) => {
                self.objects.insert(key.into(), object);
            }
            marker @ Past::Marker { .. } => self.history.entry(key.into()).or_default().insert(0, marker),
        }
    }

    /// Changes an object, or a version of it, in its place.
    pub(super) fn change(
        &mut self,
        key: &str,
        version: Option<&str>,
        change: impl FnOnce(&mut Object),
    ) -> S3Result<Version> {
        let found = self.object(key, version)?.version;
        let current = self.objects.get_mut(key).filter(|object| object.version == found);
        let object = match current {
            Some(object) => object,
            None => {
                let past = self.history.get_mut(key).into_iter().flatten().find(|past| past.version() == found);
                match past {
                    Some(Past::Object(object)) => object,
                    _ => return Err(errors::no_such_key()),
                }
            }
        };
        change(Arc::make_mut(object));
        self.journal.object(key, object);
        Ok(found)
    }

    pub(super) fn upload(&self, key: &str, id: &str) -> S3Result<&Upload> {
        self.uploads.get(&(key.to_owned(), id.to_owned())).ok_or_else(errors::no_such_upload)
    }

    pub(super) fn begin_upload(&mut self, key: String, id: String, upload: Upload) {
        self.journal.upload(&key, &id, &upload);
        self.uploads.insert((key, id), upload);
    }

    pub(super) fn put_part(&mut self, key: &str, id: &str, number: i32, part: Part) -> S3Result<()> {
        let upload = self.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or_else(errors::no_such_upload)?;
        self.journal.part(key, id, number, &part);
        upload.parts.insert(number, part);
        Ok(())
    }

    pub(super) fn end_upload(&mut self, key: &str, id: &str) -> S3Result<()> {
        let place = (key.to_owned(), id.to_owned());
        self.upload(key, id)?;
        self.journal.no_upload(key, id);
        self.uploads.remove(&place);
        Ok(())
    }

    /// Tells the store that the bucket is gone, with the uploads in it.
    fn gone(&self) {
        for (key, id) in self.uploads.keys() {
            self.journal.no_upload(key, id);
        }
        self.journal.no_bucket();
    }
}

pub(super) type Buckets = BTreeMap<String, Bucket>;

/// All buckets under one lock. Closures keep it short and away from every await.
#[derive(Debug, Default)]
pub(super) struct Storage(RwLock<Buckets>);

impl Storage {
    pub(super) fn of(buckets: Buckets) -> Self {
        Self(RwLock::new(buckets))
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Buckets> {
        // No invariant spans two statements under the lock: a panic elsewhere leaves it usable.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Buckets> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks into a bucket.
    pub(super) fn with<R>(&self, bucket: &str, look: impl FnOnce(&Bucket) -> S3Result<R>) -> S3Result<R> {
        self.read().get(bucket).ok_or_else(errors::no_such_bucket).and_then(look)
    }

    /// Changes a bucket.
    pub(super) fn with_mut<R>(&self, bucket: &str, change: impl FnOnce(&mut Bucket) -> S3Result<R>) -> S3Result<R> {
        self.write().get_mut(bucket).ok_or_else(errors::no_such_bucket).and_then(change)
    }

    /// Removes a bucket that is empty.
    pub(super) fn remove(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.write();
        let bucket = buckets.get(name).ok_or_else(errors::no_such_bucket)?;
        if !bucket.is_empty() {
            return Err(errors::bucket_not_empty(bucket.versioning != Versioning::Never));
        }
        bucket.gone();
        buckets.remove(name);
        Ok(())
    }
}
