//! S3 in memory, behind its real protocol.
//!
//! A request goes through [`receive`] (where it is addressed to, authentication off, body decoded and checked), then
//! through the protocol crate to the operation in [`service`], and back through [`answer`].

mod address;
mod answer;
mod auth;
mod aws_chunked;
mod checksum;
mod conditions;
mod errors;
mod listing;
mod multipart;
mod object;
mod operation;
mod receive;
mod service;
mod storage;
mod tags;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use s3s::service::{S3Service, S3ServiceBuilder};

use object::{Attributes, Object};
use service::Service;
#[cfg(test)]
use storage::Bucket;
use storage::Storage;

/// One account's S3. Clones are cheap and share everything.
#[derive(Clone)]
pub(crate) struct S3 {
    inner: Arc<Inner>,
    protocol: S3Service,
}

type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What S3 is made of, shared with the operations.
struct Inner {
    storage: Storage,
    region: String,
    account: String,
    now: Now,
    /// The time that clients sign with.
    real_now: Now,
    /// Numbers requests and uploads.
    counter: AtomicU64,
}

impl Inner {
    fn now(&self) -> SystemTime {
        (self.now)()
    }

    fn next_number(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }
}

/// An object that is complete but not stored yet.
pub(crate) struct Prepared(Arc<Object>);

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectInfo {
    /// The whole key.
    pub(crate) key: String,
    /// Bytes.
    pub(crate) size: u64,
}

impl S3 {
    /// An empty S3 of an account. `region` is where buckets are made unless a request says otherwise; `now` dates
    /// objects, `real_now` decides whether a presigned URL has expired: its signer does not know of virtual time.
    pub(crate) fn new(region: &str, account: &str, now: Now, real_now: Now) -> Self {
        let inner = Arc::new(Inner {
            storage: Storage::default(),
            region: region.to_owned(),
            account: account.to_owned(),
            now,
            real_now,
            counter: AtomicU64::new(1),
        });
        let protocol = S3ServiceBuilder::new(Service::new(inner.clone())).build();
        Self { inner, protocol }
    }

    /// Answers a request of the REST protocol, path-style or virtual-hosted, signed in any way or not at all.
    pub(crate) async fn handle(&self, request: http::Request<SdkBody>) -> http::Response<SdkBody> {
        let context = answer::Context::new(&self.inner, &request);
        let response = match receive::receive(&self.inner, request).await {
            Ok(request) => self.protocol.call(request).await,
            Err(error) => error.to_http_response().map_err(|error| s3s::HttpError::new(Box::new(error))),
        };
        answer::finish(response, &context).await
    }

    /// What a request asks for, such as `PutObject`; the HTTP method for what has no name here.
    pub(crate) fn operation(request: &http::Request<SdkBody>) -> &str {
        operation::name(request)
    }

    /// Whether a host name stands for a bucket.
    pub(crate) fn is_virtual_hosted(host: &str) -> bool {
        address::of_host(host).bucket.is_some()
    }

    /// Whether there is such a bucket.
    pub(crate) fn bucket_exists(&self, bucket: &str) -> bool {
        self.inner.storage.read().contains_key(bucket)
    }

    /// Makes a bucket; one that exists stays as it is.
    #[cfg(test)]
    pub(crate) fn create_bucket(&self, bucket: &str) {
        let created = object::whole_seconds(self.inner.now());
        let mut buckets = self.inner.storage.write();
        buckets.entry(bucket.to_owned()).or_insert_with(|| Bucket::new(&self.inner.region, created));
    }

    /// The content of an object.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.inner.storage.object(bucket, key).ok().map(|object| object.body.clone())
    }

    /// Stores an object; false if there is no such bucket.
    #[cfg(test)]
    pub(crate) fn put(&self, bucket: &str, key: &str, body: Bytes, content_type: Option<&str>) -> bool {
        self.store(bucket, key, self.prepare(body, content_type))
    }

    /// Makes an object that is yet to be stored; takes the time that its checksum takes.
    pub(crate) fn prepare(&self, body: Bytes, content_type: Option<&str>) -> Prepared {
        let attributes = Attributes { content_type: content_type.map(str::to_owned), ..Attributes::default() };
        Prepared(Arc::new(Object::new(body, None, attributes, self.inner.now())))
    }

    /// Stores an object; false if there is no such bucket.
    pub(crate) fn store(&self, bucket: &str, key: &str, Prepared(object): Prepared) -> bool {
        let stored = self.inner.storage.with_mut(bucket, |bucket| {
            bucket.objects.insert(key.to_owned(), object);
            Ok(())
        });
        stored.is_ok()
    }

    /// The objects whose keys start with a prefix, in the order of their keys; none if there is no such bucket.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> Vec<ObjectInfo> {
        let buckets = self.inner.storage.read();
        let Some(bucket) = buckets.get(bucket) else { return Vec::new() };
        let query = listing::Query { prefix, limit: usize::MAX, ..listing::Query::default() };
        let page = listing::page(listing::start(&bucket.objects, query), query);
        let info =
            |(key, object): (&str, &Arc<Object>)| ObjectInfo { key: key.to_owned(), size: object.body.len() as u64 };
        page.entries.into_iter().map(info).collect()
    }

    /// Forgets every bucket.
    pub(crate) fn reset(&self) {
        self.inner.storage.write().clear();
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { region, account, .. } = &*self.inner;
        f.debug_struct("S3").field("region", region).field("account", account).finish_non_exhaustive()
    }
}
