use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use aws_sdk_s3::operation::put_object::builders::PutObjectInputBuilder;
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption, StorageClass};
use bytes::Bytes;

use super::Progress;
use super::group::Group;
use super::progress::Tracker;
use super::put::{Put, Source, Way, unreadable};
use super::settings::PutSettings;
use crate::types::{ContentType, S3Uri};
use crate::{Error, Result, Session};

impl Session {
    /// Uploads a file or a folder to the default bucket, below `prefix`.
    ///
    /// Gives the URI to train from: for a file that of the object, for a folder that of the prefix, with the files at
    /// their relative paths below it. Symbolic links in a folder are followed.
    ///
    /// The URI of a folder has no slash at its end, as in the Python SDK. [`download`](Self::download) and
    /// [`delete_prefix`](Self::delete_prefix) take it for the folder alone, but SageMaker takes an input for a plain
    /// prefix: a job that reads `s3://bucket/run` reads `s3://bucket/run-2/..` too. Where there are such neighbours, give
    /// the job the URI with a slash.
    ///
    /// Files above 16 MiB travel in parts of 8 MiB, at most 8 parts at once in the whole session. If something fails,
    /// nothing more is begun, what is under way is awaited, and the parts of unfinished files are removed; files that
    /// had arrived stay. A future that is dropped half-way cannot do so: S3 keeps the parts, and charges for them, until
    /// they are aborted. A warning through `tracing` names bucket, key and upload id then; a lifecycle rule of the bucket
    /// that aborts incomplete uploads is the remedy for good.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if nothing is there or a file shrinks meanwhile,
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for an empty folder,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such bucket.
    ///
    /// ```
    /// # #[cfg(feature = "local")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> sagemaker::Result<()> {
    /// # let folder = std::env::temp_dir().join(format!("sagemaker-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # std::fs::write(folder.join("train.csv"), "1,2\n")?;
    /// let session = sagemaker::Session::local();
    /// let bucket = session.ensure_bucket().await?;
    /// let data = session.upload(folder.join("train.csv"), "bike/train").await?;
    /// assert_eq!(data.to_string(), format!("s3://{bucket}/bike/train/train.csv"));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "local"))]
    /// # fn main() {}
    /// ```
    pub fn upload(&self, path: impl AsRef<Path>, prefix: &str) -> Upload<'_> {
        Upload::new(self, What::Path(path.as_ref().to_owned()), Target::Default(prefix.to_owned()))
    }

    /// [`upload`](Self::upload) to any bucket.
    pub fn upload_to(&self, path: impl AsRef<Path>, prefix: &S3Uri) -> Upload<'_> {
        Upload::new(self, What::Path(path.as_ref().to_owned()), Target::Uri(prefix.clone()))
    }

    /// Uploads bytes as one object; above 16 MiB in parts, as [`upload`](Self::upload) does.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such bucket.
    pub fn upload_bytes(&self, body: impl Into<Bytes>, target: &S3Uri, content_type: &ContentType) -> Upload<'_> {
        Upload::new(self, What::Bytes(body.into()), Target::Uri(target.clone())).content_type(content_type)
    }
}

/// An upload that is about to start; `.await` it for the URI of what was uploaded.
///
/// ```no_run
/// # async fn run(session: sagemaker::Session) -> sagemaker::Result<()> {
/// let data = session
///     .upload("data", "bike/train")
///     .kms_key("arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555")
///     .metadata("team", "forecast")
///     .progress(|progress| eprint!("\r{:3.0} %", 100.0 * progress.fraction()))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is uploaded until it is awaited"]
pub struct Upload<'a> {
    session: &'a Session,
    what: What,
    target: Target,
    settings: PutSettings,
    tracker: Tracker,
}

#[derive(Debug)]
enum What {
    Path(PathBuf),
    Bytes(Bytes),
}

#[derive(Debug)]
enum Target {
    /// Below a prefix in the default bucket.
    Default(String),
    Uri(S3Uri),
}

impl<'a> Upload<'a> {
    fn new(session: &'a Session, what: What, target: Target) -> Self {
        Self { session, what, target, settings: PutSettings::default(), tracker: Tracker::default() }
    }

    /// Encrypts the objects under a KMS key (ARN or id). Default: the bucket's encryption.
    pub fn kms_key(self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.encryption(ServerSideEncryption::AwsKms).map_raw(move |request| request.ssekms_key_id(&key))
    }

    /// How S3 encrypts the objects, such as under the account's own KMS key. Default: the bucket's encryption.
    pub fn encryption(self, encryption: ServerSideEncryption) -> Self {
        self.map_raw(move |request| request.server_side_encryption(encryption.clone()))
    }

    /// A canned access control list. Default: none, which most buckets of today demand.
    pub fn acl(self, acl: ObjectCannedAcl) -> Self {
        self.map_raw(move |request| request.acl(acl.clone()))
    }

    /// The storage class of the objects. Default: `STANDARD`.
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.map_raw(move |request| request.storage_class(class.clone()))
    }

    /// The content type of the objects. Default: S3's, `application/octet-stream`.
    pub fn content_type(self, content_type: &ContentType) -> Self {
        let content_type = content_type.clone();
        self.map_raw(move |request| request.content_type(content_type.as_str()))
    }

    /// Metadata of the user's own on each object, the header `x-amz-meta-<name>`.
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.map_raw(move |request| request.metadata(&name, &value))
    }

    /// How caches are to treat the objects, the header `Cache-Control`. Default: none.
    pub fn cache_control(self, directives: impl Into<String>) -> Self {
        let directives = directives.into();
        self.map_raw(move |request| request.cache_control(&directives))
    }

    /// A tag on each object; an object has 10 at most. Needs leave for `s3:PutObjectTagging`. Default: none.
    pub fn tag(self, key: &str, value: &str) -> Self {
        let tag = format!("{}={}", query_escaped(key), query_escaped(value));
        self.map_raw(move |request| {
            let tags = match request.get_tagging() {
                Some(before) => format!("{before}&{tag}"),
                None => tag.clone(),
            };
            request.tagging(tags)
        })
    }

    /// Changes the request of each object before it is sent: the door to what this crate has no setter for. For objects
    /// that travel in parts, the requests of the parts take over what they have a place for. Bucket, key and body are
    /// those of the upload, whatever the change says.
    ///
    /// ```no_run
    /// # async fn run(session: sagemaker::Session) -> sagemaker::Result<()> {
    /// use sagemaker::aws::s3::types::RequestPayer;
    ///
    /// let upload = session.upload("data", "bike/train").tag("team", "forecast");
    /// upload.map_raw(|request| request.request_payer(RequestPayer::Requester)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn map_raw(
        mut self,
        change: impl Fn(PutObjectInputBuilder) -> PutObjectInputBuilder + Send + Sync + 'static,
    ) -> Self {
        self.settings.push(change);
        self
    }

    /// Is told whenever bytes have arrived: part by part for large files, else file by file. It should return soon.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.tracker.listen(listener);
        self
    }

    async fn start(self) -> Result<S3Uri> {
        let target = match self.target {
            Target::Default(prefix) => self.session.default_uri(&prefix).await?,
            Target::Uri(uri) => uri,
        };
        let owner = self.session.expected_owner(target.bucket()).await?;
        let way = Way { owner, settings: &self.settings, tracker: &self.tracker };
        match self.what {
            What::Bytes(body) => {
                let size = body.len() as u64;
                self.tracker.expect(1, size);
                let put = Put { source: Source::Bytes(body), size, target: &target, way: &way };
                self.session.put(put, &Group::default()).await?;
                Ok(target)
            }
            What::Path(path) => self.session.upload_path(&path, target, &way).await,
        }
    }
}

impl<'a> IntoFuture for Upload<'a> {
    type Output = Result<S3Uri>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

impl Session {
    async fn upload_path(&self, path: &Path, prefix: S3Uri, way: &Way<'_>) -> Result<S3Uri> {
        let metadata = tokio::fs::metadata(path).await.map_err(|e| unreadable(path, e))?;
        if metadata.is_file() {
            let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| not_unicode(path))?;
            let target = prefix.join(name);
            way.tracker.expect(1, metadata.len());
            let put = Put { source: Source::File(path), size: metadata.len(), target: &target, way };
            self.put(put, &Group::default()).await?;
            return Ok(target);
        }
        let root = path.to_owned();
        let files = tokio::task::spawn_blocking(move || files_below(&root)).await.map_err(std::io::Error::other)??;
        if files.is_empty() {
            return Err(Error::invalid("path", format!("there is no file in the folder {}", path.display())));
        }
        way.tracker.expect(files.len() as u64, files.iter().map(|(_, size, _)| size).sum());
        let group = Group::default();
        let uploads = files.into_iter().map(|(file, size, relative)| {
            let (target, group) = (prefix.join(&relative), &group);
            async move {
                let source = Source::File(&file);
                self.put(Put { source, size, target: &target, way }, group).await
            }
        });
        group.run(uploads).await?;
        Ok(prefix)
    }
}

/// As the value of a query string, in which S3 takes tags.
fn query_escaped(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

fn not_unicode(path: &Path) -> Error {
    Error::invalid("path", format!("{} has a name that is no Unicode text, which S3 keys must be", path.display()))
}

/// Every file below the folder with its size and its relative path with `/`, sorted.
fn files_below(root: &Path) -> Result<Vec<(PathBuf, u64, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new(), vec![std::fs::canonicalize(root)?])];
    while let Some((folder, relative, above)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, e))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| not_unicode(&path))?;
            let relative = if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
            let metadata = std::fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
            if metadata.is_file() {
                files.push((path, metadata.len(), relative));
            } else if metadata.is_dir() {
                let real = std::fs::canonicalize(&path)?;
                if above.contains(&real) {
                    let text = format!("the link {} leads back to a folder above it", path.display());
                    return Err(Error::invalid("path", text));
                }
                let mut above = above.clone();
                above.push(real);
                folders.push((path, relative, above));
            }
        }
    }
    files.sort_by(|a, b| a.2.cmp(&b.2));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn folders_are_walked_and_loops_refused() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::fs::write(root.path().join("a/b/x.csv"), "1").unwrap();
        std::fs::write(root.path().join("y.csv"), "22").unwrap();
        let found = files_below(root.path()).unwrap();
        let found: Vec<_> = found.iter().map(|(_, size, relative)| (*size, relative.as_str())).collect();
        assert_eq!(found, [(1, "a/b/x.csv"), (2, "y.csv")]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        assert!(files_below(root.path()).unwrap_err().to_string().contains("leads back"));
    }
}
