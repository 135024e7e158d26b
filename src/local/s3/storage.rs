//! Buckets, objects and uploads in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use s3s::S3Result;

use super::errors;
use super::multipart::Upload;
use super::object::Object;

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) created: SystemTime,
    pub(super) region: String,
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    /// By key and upload id; ids grow with time.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
}

impl Bucket {
    pub(super) fn new(region: &str, created: SystemTime) -> Self {
        Self { created, region: region.to_owned(), objects: BTreeMap::new(), uploads: BTreeMap::new() }
    }

    /// An object; it costs no copy and outlives the lock.
    pub(super) fn object(&self, key: &str) -> S3Result<Arc<Object>> {
        self.objects.get(key).cloned().ok_or_else(errors::no_such_key)
    }

    pub(super) fn upload(&self, key: &str, id: &str) -> S3Result<&Upload> {
        self.uploads.get(&(key.to_owned(), id.to_owned())).ok_or_else(errors::no_such_upload)
    }

    pub(super) fn upload_mut(&mut self, key: &str, id: &str) -> S3Result<&mut Upload> {
        self.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or_else(errors::no_such_upload)
    }
}

pub(super) type Buckets = BTreeMap<String, Bucket>;

/// All buckets under one lock. Closures keep it short and away from every await.
#[derive(Debug, Default)]
pub(super) struct Storage(RwLock<Buckets>);

impl Storage {
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

    pub(super) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.with(bucket, |bucket| bucket.object(key))
    }
}
