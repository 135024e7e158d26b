use std::collections::BTreeSet;
use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use aws_sdk_s3::operation::get_object::builders::GetObjectInputBuilder;
use aws_sdk_s3::types::RequestPayer;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::fetch::Fetch;
use super::partial::Partial;
use super::progress::Tracker;
use super::target::{file_for, make_parent, unwritable};
use super::{CONCURRENCY, MULTIPART_THRESHOLD, PART_SIZE, Progress};
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// An object to be downloaded.
struct Found {
    uri: S3Uri,
    size: u64,
    /// The version, once the object itself was looked at.
    tag: Option<String>,
    /// Its path below the folder.
    relative: String,
}

impl Session {
    /// Downloads an object, or a folder of objects, into a folder, and gives the files in key order.
    ///
    /// `s3://bucket/run` is the object of that very key, or else everything in the folder `run/`, never a neighbour such
    /// as `run-2/..` or `run.csv`; with a slash at the end, as in `s3://bucket/run/`, it is the folder. A URI without a
    /// key is the whole bucket. What [`upload`](Self::upload) gave can be passed as it is.
    ///
    /// An object keeps the last segment of its key as its name; objects in a folder keep their path below it. Keys
    /// that are folder markers (they end with `/`) are skipped. A key never leads out of the folder. Each file appears
    /// under its name when it is whole, and replaces what had that name. A single object needs no leave to list the
    /// bucket; a connection that breaks off is resumed, of the same version of the object.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if nothing is there, [`ErrorKind::InvalidInput`] for a key that leads out of the folder
    /// or two keys for one file (nothing is downloaded then), [`ErrorKind::Conflict`] if an object is overwritten
    /// meanwhile, [`ErrorKind::Transport`] if the connection breaks off time and again.
    pub fn download(&self, source: &S3Uri, folder: impl AsRef<Path>) -> Download<'_> {
        Download {
            session: self,
            source: source.clone(),
            folder: folder.as_ref().to_owned(),
            request: GetObjectInputBuilder::default(),
            tracker: Tracker::default(),
        }
    }

    async fn download_all(&self, download: &Download<'_>) -> Result<Vec<PathBuf>> {
        let Download { source, folder, tracker, .. } = download;
        let mut request = download.request.clone();
        if request.get_expected_bucket_owner().is_none() {
            request = request.set_expected_bucket_owner(self.expected_owner(source.bucket()).await?);
        }
        let request = &request;
        let mut files = Vec::new();
        let mut taken = BTreeSet::new();
        for object in self.find(source, request).await? {
            let file = file_for(folder, &object.relative)?;
            if !taken.insert(file.clone()) {
                let text = format!("{} and another object would both be {}", object.uri, file.display());
                return Err(Error::new(ErrorKind::InvalidInput, text));
            }
            files.push((file, object));
        }
        for (file, _) in &files {
            make_parent(folder, file).await?;
        }
        tracker.expect(files.len() as u64, files.iter().map(|(_, object)| object.size).sum());
        stream::iter(&files)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENCY, |(file, object)| self.get_file(object, file, request, tracker))
            .await?;
        Ok(files.into_iter().map(|(file, _)| file).collect())
    }

    /// Reads an object into memory.
    pub async fn read(&self, object: &S3Uri) -> Result<Bytes> {
        let request = self.aws().s3().get_object().bucket(object.bucket()).key(object.key());
        let request = request.set_expected_bucket_owner(self.expected_owner(object.bucket()).await?);
        let body = request.send().await.of("GetObject")?.body.collect().await;
        body.map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes)
            .map_err(|e| Error::new(ErrorKind::Transport, format!("the download of {object} broke off")).with_source(e))
    }

    /// The object itself, or what is in the folder of that name; never nothing.
    async fn find(&self, source: &S3Uri, request: &GetObjectInputBuilder) -> Result<Vec<Found>> {
        let key = source.key();
        let mut prefix = key.to_owned();
        let mut denied = None;
        if !key.is_empty() && !key.ends_with('/') {
            match self.look_at(source, request).await {
                Ok(found) => return Ok(vec![found]),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // Who may not list is not told either that there is no such key, and a folder is none.
                Err(error) if error.kind() == ErrorKind::AccessDenied => denied = Some(error),
                Err(error) => return Err(error),
            }
            prefix.push('/');
        }
        let payer = request.get_request_payer().clone();
        let objects = self.list_keys(source.bucket(), &prefix, payer).await.map_err(|error| match &denied {
            Some(_) if error.kind() == ErrorKind::AccessDenied => error.reworded(format!(
                "{source} can neither be read nor listed: there is no such object, or the caller lacks s3:GetObject on \
                 it; for a folder s3:ListBucket is needed too"
            )),
            _ => error,
        })?;
        let found = objects.into_iter().filter_map(|object| {
            let relative = object.uri.key().strip_prefix(&prefix)?.to_owned();
            let marker = relative.is_empty() || relative.ends_with('/');
            (!marker).then_some(Found { uri: object.uri, size: object.size, tag: None, relative })
        });
        let found: Vec<_> = found.collect();
        if found.is_empty() {
            let nothing = || Error::new(ErrorKind::NotFound, format!("there is no object at {source}"));
            return Err(denied.unwrap_or_else(nothing));
        }
        Ok(found)
    }

    async fn look_at(&self, object: &S3Uri, like: &GetObjectInputBuilder) -> Result<Found> {
        let head = self.aws().s3().head_object().bucket(object.bucket()).key(object.key());
        let head = head
            .set_expected_bucket_owner(like.get_expected_bucket_owner().clone())
            .set_request_payer(like.get_request_payer().clone())
            .set_version_id(like.get_version_id().clone())
            .set_if_match(like.get_if_match().clone())
            .set_if_none_match(like.get_if_none_match().clone())
            .set_if_modified_since(*like.get_if_modified_since())
            .set_if_unmodified_since(*like.get_if_unmodified_since())
            .set_sse_customer_algorithm(like.get_sse_customer_algorithm().clone())
            .set_sse_customer_key(like.get_sse_customer_key().clone())
            .set_sse_customer_key_md5(like.get_sse_customer_key_md5().clone());
        let head = head.send().await.of("HeadObject")?;
        let size = head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Found { uri: object.clone(), size, tag: head.e_tag, relative: object.file_name().to_owned() })
    }

    async fn get_file(
        &self,
        object: &Found,
        file: &Path,
        request: &GetObjectInputBuilder,
        tracker: &Tracker,
    ) -> Result<()> {
        tracing::debug!(source = %object.uri, size = object.size, "download");
        let partial = Partial::beside(file).await?;
        match &object.tag {
            _ if object.size <= MULTIPART_THRESHOLD => {
                self.fetch(Fetch::whole(&object.uri, request), partial.path(), tracker).await?;
            }
            Some(_) => self.get_ranges(object, partial.path(), request, tracker).await?,
            // A listing does not bind the version, and ranges must be of one.
            None => {
                let object = self.look_at(&object.uri, request).await?;
                self.get_ranges(&object, partial.path(), request, tracker).await?;
            }
        }
        partial.keep_as(file).await?;
        tracker.file(0);
        Ok(())
    }

    /// Ranges of one and the same version of the object, several at once.
    async fn get_ranges(
        &self,
        object: &Found,
        file: &Path,
        request: &GetObjectInputBuilder,
        tracker: &Tracker,
    ) -> Result<()> {
        let out = tokio::fs::OpenOptions::new().write(true).open(file).await.map_err(|e| unwritable(file, e))?;
        out.set_len(object.size).await.map_err(|e| unwritable(file, e))?;
        drop(out);
        stream::iter((0..object.size.div_ceil(PART_SIZE)).map(|part| Ok(part * PART_SIZE)))
            .try_for_each_concurrent(CONCURRENCY, |start| async move {
                let _permit = self.transfers().part().await;
                let range = start..object.size.min(start + PART_SIZE);
                let fetch = Fetch::range(&object.uri, request, object.tag.as_deref(), range);
                self.fetch(fetch, file, tracker).await
            })
            .await
    }
}

/// A download that is about to start; `.await` it for the files in key order.
#[derive(Debug)]
#[must_use = "nothing is downloaded until it is awaited"]
pub struct Download<'a> {
    session: &'a Session,
    source: S3Uri,
    folder: PathBuf,
    /// What every request for an object begins from.
    request: GetObjectInputBuilder,
    tracker: Tracker,
}

impl Download<'_> {
    /// Is told whenever bytes have arrived. It should return soon.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.tracker.listen(listener);
        self
    }

    /// This version of the object, in a bucket that keeps versions. Default: the newest. Not for folders.
    pub fn version_id(self, version: impl Into<String>) -> Self {
        self.map_raw(|request| request.version_id(version))
    }

    /// The caller pays for the requests and the bytes, as some public buckets demand. Default: the bucket's owner pays.
    pub fn requester_pays(self) -> Self {
        self.map_raw(|request| request.request_payer(RequestPayer::Requester))
    }

    /// Changes the requests for objects before they are sent: the door to what this crate has no setter for. The look at
    /// an object before takes over what it has a place for. Bucket, key and range are those of the download, whatever the
    /// change says.
    pub fn map_raw(mut self, change: impl FnOnce(GetObjectInputBuilder) -> GetObjectInputBuilder) -> Self {
        self.request = change(self.request);
        self
    }
}

impl<'a> IntoFuture for Download<'a> {
    type Output = Result<Vec<PathBuf>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.session.download_all(&self).await })
    }
}
