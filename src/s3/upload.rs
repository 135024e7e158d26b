use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};

use super::{CONCURRENCY, MULTIPART_THRESHOLD};
use crate::aws::ServiceCall;
use crate::types::{ContentType, S3Uri};
use crate::{Error, ErrorKind, Result, Session};

impl Session {
    /// Uploads a file or a folder to the default bucket, below `prefix`.
    ///
    /// Gives the URI to train from: for a file that of the object, for a folder that of the prefix, with the files at
    /// their relative paths below it. Symbolic links in a folder are followed. Files above 16 MiB travel in parts.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if nothing is there, [`ErrorKind::InvalidInput`] for an empty folder,
    /// [`ErrorKind::NotFound`] if there is no such bucket.
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
    pub async fn upload(&self, path: impl AsRef<Path>, prefix: &str) -> Result<S3Uri> {
        self.upload_to(path, &self.default_uri(prefix).await?).await
    }

    /// [`upload`](Self::upload) to any bucket.
    pub async fn upload_to(&self, path: impl AsRef<Path>, prefix: &S3Uri) -> Result<S3Uri> {
        let path = path.as_ref();
        let owner = self.expected_owner(prefix.bucket()).await?;
        let metadata = tokio::fs::metadata(path).await.map_err(|e| unreadable(path, e))?;
        if metadata.is_file() {
            let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| not_unicode(path))?;
            let target = prefix.join(name);
            self.put_file(path, metadata.len(), &target, owner).await?;
            return Ok(target);
        }
        let root = path.to_owned();
        let files = tokio::task::spawn_blocking(move || files_below(&root)).await.map_err(std::io::Error::other)??;
        if files.is_empty() {
            return Err(Error::invalid("path", format!("there is no file in the folder {}", path.display())));
        }
        stream::iter(files.into_iter().map(Ok))
            .try_for_each_concurrent(CONCURRENCY, |(file, size, relative)| {
                let (target, owner) = (prefix.join(&relative), owner.clone());
                async move { self.put_file(&file, size, &target, owner).await }
            })
            .await?;
        Ok(prefix.clone())
    }

    /// Uploads bytes as one object.
    pub async fn upload_bytes(&self, body: impl Into<Bytes>, target: &S3Uri, content_type: &ContentType) -> Result<()> {
        let owner = self.expected_owner(target.bucket()).await?;
        let request = self.aws().s3().put_object().bucket(target.bucket()).key(target.key());
        let request = request.content_type(content_type.as_str()).set_expected_bucket_owner(owner);
        let sent = request.body(ByteStream::from(body.into())).send().await.of("PutObject");
        sent.map(drop).map_err(|error| missing_bucket(error, target))
    }

    async fn put_file(&self, file: &Path, size: u64, target: &S3Uri, owner: Option<String>) -> Result<()> {
        tracing::debug!(target = %target, size, "upload");
        if size > MULTIPART_THRESHOLD {
            let sent = self.put_parts(file, size, target, owner).await;
            return sent.map_err(|error| missing_bucket(error, target));
        }
        let body = ByteStream::from_path(file).await.map_err(|e| unreadable(file, std::io::Error::other(e)))?;
        let request = self.aws().s3().put_object().bucket(target.bucket()).key(target.key());
        let sent = request.set_expected_bucket_owner(owner).body(body).send().await.of("PutObject");
        sent.map(drop).map_err(|error| missing_bucket(error, target))
    }
}

/// Says how the bucket comes to be.
fn missing_bucket(error: Error, target: &S3Uri) -> Error {
    if error.code() != Some("NoSuchBucket") {
        return error;
    }
    let text = format!(
        "there is no bucket {}; session.ensure_bucket() creates the default bucket, others are yours to create",
        target.bucket()
    );
    Error::new(ErrorKind::NotFound, text).with_operation("PutObject").with_source(error)
}

pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error)
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
