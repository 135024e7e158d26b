//! S3 in memory, behind its real protocol.
//!
//! A request goes through [`receive`] (where it is addressed to, authentication off, body decoded and checked), then
//! through the protocol crate to the operation in [`service`], and back through [`answer`].

mod acl;
mod address;
mod answer;
mod auth;
mod aws_chunked;
mod body;
mod checksum;
mod conditions;
pub(super) mod documents;
mod errors;
mod form;
mod journal;
mod listing;
mod lock;
mod multipart;
mod object;
mod operation;
mod public;
mod quiet;
mod receive;
mod restore;
mod select;
pub(super) mod service;
mod storage;
mod tags;
#[cfg(test)]
mod tests;
mod version;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use s3s::service::{S3Service, S3ServiceBuilder};

use body::Body;
use checksum::{Algorithm, Checksum, md5, sha256_hex};
use object::{Attributes, Content, Object};
use quiet::Quiet;
use service::Service;
use storage::{Bucket, Buckets, Storage};

use crate::local::aws_error::AwsError;
use crate::local::store::{Corrupt, Store, Table};

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
    /// Numbers requests.
    requests: AtomicU64,
    /// Numbers versions and uploads; never the same again, also not after a restart.
    numbers: AtomicU64,
    store: Store,
    /// The attributes of the last object: most have the same, and share them.
    attributes: Mutex<Arc<Attributes>>,
    owner_id: String,
}

impl Inner {
    fn now(&self) -> SystemTime {
        (self.now)()
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn shared(&self, attributes: Attributes) -> Arc<Attributes> {
        let mut last = self.attributes.lock().unwrap_or_else(PoisonError::into_inner);
        if **last != attributes {
            *last = Arc::new(attributes);
        }
        last.clone()
    }

    /// Digests a body and puts it where it stays; `given` is the checksum that came with it. Blocks while a large one
    /// is written to the data directory.
    fn keep(&self, bytes: Bytes, given: Option<Checksum>) -> s3s::S3Result<Content> {
        let mut content = Content::of(bytes, given);
        if let Body::Memory(bytes) = &content.body
            && bytes.len() > IN_MEMORY
        {
            let blob = self.store.write_blob(std::slice::from_ref(bytes)).map_err(s3s::S3Error::internal_error)?;
            if let Some(blob) = blob {
                content.body = Body::File(Arc::new(blob));
            }
        }
        Ok(content)
    }

    /// A bucket of which the store is yet to be told.
    fn new_bucket(&self, name: &str, region: &str, ownership: Option<&str>) -> Bucket {
        let mut bucket = Bucket::new(&self.store, name, region, object::seconds(self.now()));
        let documents = documents::of_new_bucket(ownership).map(|(name, text)| (name.to_owned(), text));
        bucket.documents = documents.into();
        bucket
    }
}

/// Larger bodies are not held in memory if there is a data directory.
const IN_MEMORY: usize = 64 * 1024;

impl Content {
    fn of(bytes: Bytes, given: Option<Checksum>) -> Self {
        Self {
            md5: md5(&bytes),
            given: given.is_some(),
            checksum: given.unwrap_or_else(|| Checksum::of(Algorithm::DEFAULT, &bytes)),
            body: Body::memory(bytes),
        }
    }
}

/// An object that is complete but not stored yet.
pub(crate) struct Prepared(Object);

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
    #[cfg(test)]
    pub(crate) fn new(region: &str, account: &str, now: Now, real_now: Now) -> Self {
        Self::of(region, account, now, real_now, Store::memory(), Buckets::new())
    }

    /// The S3 that a store has kept, and the time of its newest object.
    pub(crate) fn load(
        region: &str,
        account: &str,
        now: Now,
        real_now: Now,
        store: Store,
    ) -> Result<(Self, Option<SystemTime>), Corrupt> {
        let loaded = journal::load(&store)?;
        let newest = UNIX_EPOCH.checked_add(Duration::from_secs(loaded.newest));
        Ok((Self::of(region, account, now, real_now, store, loaded.buckets), newest))
    }

    fn of(region: &str, account: &str, now: Now, real_now: Now, store: Store, buckets: Buckets) -> Self {
        let inner = Arc::new(Inner {
            storage: Storage::of(buckets),
            region: region.to_owned(),
            account: account.to_owned(),
            now,
            real_now,
            requests: AtomicU64::new(1),
            numbers: AtomicU64::new(store.first_number()),
            store,
            attributes: Mutex::default(),
            owner_id: sha256_hex(account.as_bytes()),
        });
        let protocol = S3ServiceBuilder::new(Service::new(inner.clone())).build();
        Self { inner, protocol }
    }

    /// Answers a request of the REST protocol, path-style or virtual-hosted, signed in any way or not at all.
    pub(crate) async fn handle(&self, request: http::Request<SdkBody>) -> http::Response<SdkBody> {
        let context = answer::Context::new(&self.inner, &request);
        let response = match receive::receive(&self.inner, request).await {
            Ok(mut request) => match documents::answer(&self.inner, &request) {
                Some(Ok(response)) => Ok(response),
                Some(Err(error)) => refused(error),
                None => {
                    let form: Option<form::Reply> = request.extensions_mut().remove();
                    let response = Quiet::new(self.protocol.call(request)).await;
                    match form {
                        Some(form) => response.map(|response| form.answer(response)),
                        None => response,
                    }
                }
            },
            Err(error) => refused(error),
        };
        answer::finish(response, &context).await
    }

    /// What a request asks for, such as `PutObject`; the HTTP method for what has no name here.
    pub(crate) fn operation(request: &http::Request<SdkBody>) -> &str {
        operation::name(request)
    }

    /// An error that somebody else decided on, in S3's form.
    pub(crate) fn refuse(&self, request: &http::Request<SdkBody>, error: &AwsError) -> http::Response<SdkBody> {
        answer::refuse(error, &answer::Context::new(&self.inner, request))
    }

    /// Refuses what the public may not do; `request` is one without any signature.
    pub(crate) fn admit_anonymous(&self, request: &http::Request<SdkBody>) -> Result<(), AwsError> {
        match public::may(&self.inner, request) {
            true => Ok(()),
            false => Err(AwsError::new(403, "AccessDenied", "Access Denied")),
        }
    }

    /// What a request is for: `/bucket/key`, decoded.
    pub(crate) fn resource(request: &http::Request<SdkBody>) -> String {
        answer::resource(request)
    }

    /// Whether a host name stands for a bucket.
    pub(crate) fn is_virtual_hosted(host: &str) -> bool {
        address::of_host(host).bucket.is_some()
    }

    /// What is answered when a request cannot be handled for a reason of the backend's own.
    pub(crate) fn failure(message: &str) -> http::Response<SdkBody> {
        let message = super::wire::escape(message);
        let document = format!("<Error><Code>InternalError</Code><Message>{message}</Message></Error>");
        super::wire::answer(500, "application/xml", document)
    }

    /// Whether there is such a bucket.
    pub(crate) fn bucket_exists(&self, bucket: &str) -> bool {
        self.inner.storage.read().contains_key(bucket)
    }

    /// The region of a bucket.
    pub(crate) fn region_of(&self, bucket: &str) -> Option<String> {
        self.inner.storage.read().get(bucket).map(|bucket| bucket.region.clone())
    }

    /// Makes a bucket; one that exists stays as it is.
    pub(crate) fn create_bucket(&self, bucket: &str) {
        let mut buckets = self.inner.storage.write();
        buckets.entry(bucket.to_owned()).or_insert_with(|| {
            let new = self.inner.new_bucket(bucket, &self.inner.region, None);
            new.changed();
            new
        });
    }

    /// The content of an object; what is on disk is read, which blocks.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let object = self.inner.storage.with(bucket, |bucket| bucket.object(key, None)).ok()?;
        object.body.read(0..object.body.len()).ok()
    }

    /// Stores an object; false if there is no such bucket.
    #[cfg(test)]
    pub(crate) fn put(&self, bucket: &str, key: &str, body: Bytes, content_type: Option<&str>) -> bool {
        self.store(bucket, key, self.prepare(body, content_type))
    }

    /// Makes an object that is yet to be stored; takes the time that its digests and writing it take.
    pub(crate) fn prepare(&self, body: Bytes, content_type: Option<&str>) -> Prepared {
        let attributes = Attributes { content_type: content_type.map(str::to_owned), ..Attributes::default() };
        let inner = &self.inner;
        // What cannot be written now is tried again with the record, which fails for everybody to see.
        let content = inner.keep(body.clone(), None).unwrap_or_else(|_| Content::of(body, None));
        Prepared(Object::new(content, inner.shared(attributes), inner.now()))
    }

    /// Stores an object; false if there is no such bucket.
    pub(crate) fn store(&self, bucket: &str, key: &str, Prepared(object): Prepared) -> bool {
        let number = self.inner.next_number();
        let stored = self.inner.storage.with_mut(bucket, |bucket| Ok(bucket.put(key, object, number)));
        stored.is_ok()
    }

    /// The objects whose keys start with a prefix, in the order of their keys; none if there is no such bucket.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> Vec<ObjectInfo> {
        let buckets = self.inner.storage.read();
        let Some(bucket) = buckets.get(bucket) else { return Vec::new() };
        let query = listing::Query { prefix, limit: usize::MAX, ..listing::Query::default() };
        let page = listing::page(listing::start(&bucket.objects, query), query);
        let info = |(key, object): (&str, &Arc<Object>)| ObjectInfo { key: key.to_owned(), size: object.body.len() };
        page.entries.into_iter().map(info).collect()
    }

    /// Forgets every bucket.
    pub(crate) fn reset(&self) {
        let mut buckets = self.inner.storage.write();
        for table in [Table::Part, Table::Upload, Table::Object, Table::Bucket] {
            self.inner.store.remove_all(table, &[]);
        }
        buckets.clear();
    }
}

/// An error as the answer that the protocol crate would make of it.
fn refused(error: s3s::S3Error) -> Result<s3s::HttpResponse, s3s::HttpError> {
    error.to_http_response().map_err(|error| s3s::HttpError::new(Box::new(error)))
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { region, account, .. } = &*self.inner;
        f.debug_struct("S3").field("region", region).field("account", account).finish_non_exhaustive()
    }
}
