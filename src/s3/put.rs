use std::path::Path;

use aws_sdk_s3::operation::put_object::builders::PutObjectInputBuilder;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::MULTIPART_THRESHOLD;
use super::group::Group;
use super::progress::Tracker;
use super::settings::PutSettings;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// One object to be written.
pub(super) struct Put<'a> {
    pub(super) source: Source<'a>,
    pub(super) size: u64,
    pub(super) target: &'a S3Uri,
    pub(super) way: &'a Way<'a>,
}

/// What the objects of an upload share.
pub(super) struct Way<'a> {
    /// The account that the bucket must belong to.
    pub(super) owner: Option<String>,
    pub(super) settings: &'a PutSettings,
    pub(super) tracker: &'a Tracker,
}

impl Way<'_> {
    /// The request for an object, but for its place and its bytes.
    pub(super) fn request(&self) -> PutObjectInputBuilder {
        self.settings.apply(PutObjectInputBuilder::default().set_expected_bucket_owner(self.owner.clone()))
    }
}

/// Where the bytes come from.
pub(super) enum Source<'a> {
    File(&'a Path),
    Bytes(Bytes),
}

impl Session {
    /// In one request or in parts, as the size demands.
    pub(super) async fn put(&self, put: Put<'_>, group: &Group<'_>) -> Result<()> {
        tracing::debug!(target = %put.target, size = put.size, "upload");
        let sent = if put.size > MULTIPART_THRESHOLD {
            self.put_parts(&put, &group.within()).await
        } else {
            self.put_whole(&put).await
        };
        sent.map_err(|error| missing_bucket(error, put.target))
    }

    async fn put_whole(&self, put: &Put<'_>) -> Result<()> {
        let request = put.way.request().bucket(put.target.bucket()).key(put.target.key());
        request.body(put.source.whole().await?).send_with(self.aws().s3()).await.of("PutObject")?;
        put.way.tracker.file(put.size);
        Ok(())
    }
}

impl Source<'_> {
    async fn whole(&self) -> Result<ByteStream> {
        match self {
            Self::File(file) => {
                ByteStream::from_path(file).await.map_err(|e| unreadable(file, std::io::Error::other(e)))
            }
            Self::Bytes(bytes) => Ok(ByteStream::from(bytes.clone())),
        }
    }

    /// So many bytes from `start` on; those of memory are shared, not copied.
    pub(super) async fn part(&self, start: u64, length: u64) -> Result<Bytes> {
        match self {
            Self::File(file) => read_at(file, start, length).await.map_err(|e| unreadable(file, e)),
            Self::Bytes(bytes) => {
                let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(at(start)..at(start + length)))
            }
        }
    }
}

async fn read_at(file: &Path, start: u64, length: u64) -> std::io::Result<Bytes> {
    let mut file = tokio::fs::File::open(file).await?;
    file.seek(std::io::SeekFrom::Start(start)).await?;
    let mut body = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
    file.read_exact(&mut body).await?;
    Ok(body.into())
}

pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error)
}

/// Says how the bucket comes to be.
pub(super) fn missing_bucket(error: Error, target: &S3Uri) -> Error {
    if error.code() != Some("NoSuchBucket") {
        return error;
    }
    error.reworded(format!(
        "there is no bucket {}; session.ensure_bucket() creates the default bucket, others are yours to create",
        target.bucket()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_of_memory_are_not_copied() {
        let bytes = Bytes::from(vec![7; 100]);
        let part = Source::Bytes(bytes.clone()).part(90, 10).await.unwrap();
        assert_eq!((part.len(), part.as_ptr()), (10, bytes[90..].as_ptr()));
    }

    #[tokio::test]
    async fn a_file_that_has_shrunk_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(Source::File(&file).part(2, 3).await.unwrap(), "345");
        let error = Source::File(&file).part(2, 4).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
}
