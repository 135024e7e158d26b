use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::target::{file_for, make_parent, unwritable};
use super::{CONCURRENCY, MULTIPART_THRESHOLD, PART_SIZE, S3Object};
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

impl Session {
    /// Downloads an object, or every object below a prefix, into a folder, and gives the files in key order.
    ///
    /// An object keeps the last segment of its key as its name; objects below a prefix keep their path below it. Keys
    /// that are folder markers (they end with `/`) are skipped. A key never leads out of the folder.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if nothing is there, [`ErrorKind::InvalidInput`] for a key that leads out of the folder
    /// (nothing is downloaded then).
    pub async fn download(&self, source: &S3Uri, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        let objects = self.list(source).await?;
        let exact = objects.iter().any(|object| object.uri == *source);
        let mut files = Vec::new();
        for object in objects {
            let relative = match exact {
                true if object.uri == *source => source.file_name(),
                true => continue,
                false => below(source.key(), object.uri.key()),
            };
            if !relative.is_empty() && !relative.ends_with('/') {
                files.push((file_for(folder, relative)?, object));
            }
        }
        if files.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no object at {source}")));
        }
        for (file, _) in &files {
            make_parent(folder, file).await?;
        }
        stream::iter(&files)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENCY, |(file, object)| self.get_file(object, file))
            .await?;
        Ok(files.into_iter().map(|(file, _)| file).collect())
    }

    /// Reads an object into memory.
    pub async fn read(&self, object: &S3Uri) -> Result<Bytes> {
        let answer = self.aws().s3().get_object().bucket(object.bucket()).key(object.key()).send().await;
        let body = answer.of("GetObject")?.body.collect().await;
        body.map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes).map_err(|e| broken_off(object, e))
    }

    /// Writes beside the target first, so that a broken download leaves no half file under the real name.
    async fn get_file(&self, object: &S3Object, file: &Path) -> Result<()> {
        tracing::debug!(source = %object.uri, size = object.size, "download");
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let partial = file.with_file_name(name);
        let fetched = if object.size > MULTIPART_THRESHOLD {
            self.get_ranges(object, &partial).await
        } else {
            self.get_whole(object, &partial).await
        };
        let done = match fetched {
            Ok(()) => tokio::fs::rename(&partial, file).await.map_err(|e| unwritable(file, e)),
            Err(error) => Err(error),
        };
        if done.is_err() {
            let _ = tokio::fs::remove_file(&partial).await;
        }
        done
    }

    async fn get_whole(&self, object: &S3Object, file: &Path) -> Result<()> {
        let uri = &object.uri;
        let answer = self.aws().s3().get_object().bucket(uri.bucket()).key(uri.key()).send().await.of("GetObject")?;
        let mut out = tokio::fs::File::create(file).await.map_err(|e| unwritable(file, e))?;
        copy(answer.body, &mut out, uri, file).await
    }

    /// Ranges of one and the same version of the object, several at once.
    async fn get_ranges(&self, object: &S3Object, file: &Path) -> Result<()> {
        let (s3, uri) = (self.aws().s3(), &object.uri);
        let head = s3.head_object().bucket(uri.bucket()).key(uri.key()).send().await.of("HeadObject")?;
        let (tag, size) = (head.e_tag.as_deref(), head.content_length.unwrap_or(0).unsigned_abs());
        let out = tokio::fs::File::create(file).await.map_err(|e| unwritable(file, e))?;
        out.set_len(size).await.map_err(|e| unwritable(file, e))?;
        drop(out);
        stream::iter((0..size.div_ceil(PART_SIZE)).map(|part| Ok(part * PART_SIZE)))
            .try_for_each_concurrent(CONCURRENCY, |start| async move {
                let range = format!("bytes={start}-{}", (start + PART_SIZE).min(size) - 1);
                let request = s3.get_object().bucket(uri.bucket()).key(uri.key()).range(range);
                let answer = request.set_if_match(tag.map(str::to_owned)).send().await.of("GetObject")?;
                let out = tokio::fs::OpenOptions::new().write(true).open(file).await;
                let mut out = out.map_err(|e| unwritable(file, e))?;
                out.seek(std::io::SeekFrom::Start(start)).await.map_err(|e| unwritable(file, e))?;
                copy(answer.body, &mut out, uri, file).await
            })
            .await
    }
}

async fn copy(
    mut body: aws_sdk_s3::primitives::ByteStream,
    out: &mut tokio::fs::File,
    from: &S3Uri,
    file: &Path,
) -> Result<()> {
    while let Some(chunk) = body.try_next().await.map_err(|e| broken_off(from, e))? {
        out.write_all(&chunk).await.map_err(|e| unwritable(file, e))?;
    }
    out.flush().await.map_err(|e| unwritable(file, e))
}

fn broken_off(object: &S3Uri, error: aws_sdk_s3::primitives::ByteStreamError) -> Error {
    Error::new(ErrorKind::Transport, format!("the download of {object} broke off")).with_source(error)
}

/// The part of the key below the prefix. A prefix that ends within a segment (`a/b` of `a/b-1/x`) keeps that segment.
fn below<'a>(prefix: &str, key: &'a str) -> &'a str {
    let rest = key.strip_prefix(prefix).unwrap_or(key);
    if prefix.is_empty() || prefix.ends_with('/') {
        return rest;
    }
    match rest.strip_prefix('/') {
        Some(rest) => rest,
        None => &key[prefix.rfind('/').map_or(0, |slash| slash + 1)..],
    }
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn paths_below_a_prefix() {
        assert_eq!(below("a/b", "a/b/c.csv"), "c.csv");
        assert_eq!(below("a/b/", "a/b/c/d.csv"), "c/d.csv");
        assert_eq!(below("", "a/b.csv"), "a/b.csv");
        assert_eq!(below("a/b", "a/b-1/x.csv"), "b-1/x.csv");
        assert_eq!(below("run", "run-1.csv"), "run-1.csv");
    }
}
