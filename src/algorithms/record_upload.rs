use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::builtin::Builtin;
use crate::aws::ServiceCall;
use crate::codec::recordio::{Labels, RecordWriter, Rows};
use crate::error::Problems;
use crate::training::{DataDistribution, RecordSet, TrainingInput};
use crate::types::{ContentType, S3Uri, name_from_base};
use crate::{Result, Session};

/// Shards that are encoded and under way at once: bounds memory.
const CONCURRENCY: usize = 8;

/// Rows of numbers that are about to be uploaded as a [`RecordSet`]; `.await` it.
///
/// The rows go to one shard for each training instance, in RecordIO-protobuf, beside a manifest. If something fails, what
/// had arrived is removed again. A future that is dropped half-way cannot do so.
#[must_use = "nothing is uploaded until it is awaited"]
pub struct RecordUpload<'a, R: ?Sized, L: ?Sized = [f32]> {
    session: &'a Session,
    class: &'static str,
    shards: usize,
    location: Option<String>,
    rows: &'a R,
    labels: Option<&'a L>,
    channel: String,
    distribution: DataDistribution,
    is_encrypted: bool,
}

impl<'a, R: Rows + ?Sized> RecordUpload<'a, R> {
    pub(super) fn new(builtin: &Builtin, session: &'a Session, rows: &'a R) -> Self {
        Self {
            session,
            class: builtin.spec.class,
            shards: builtin.instance_count() as usize,
            location: builtin.data_location.clone(),
            rows,
            labels: None,
            channel: "train".to_owned(),
            distribution: DataDistribution::ShardedByS3Key,
            is_encrypted: false,
        }
    }

    /// A label for each row. Default: none.
    pub fn labels<L: Labels + ?Sized>(self, labels: &'a L) -> RecordUpload<'a, R, L> {
        let Self { session, class, shards, location, rows, channel, distribution, is_encrypted, .. } = self;
        let labels = Some(labels);
        RecordUpload { session, class, shards, location, rows, labels, channel, distribution, is_encrypted }
    }
}

impl<R: Rows + ?Sized, L: Labels + ?Sized> RecordUpload<'_, R, L> {
    /// The channel that the records are for. Default: `train`.
    pub fn channel(mut self, name: impl Into<String>) -> Self {
        self.channel = name.into();
        self
    }

    /// How the shards are spread over the instances. Default: each gets its share.
    pub fn distribution(mut self, distribution: DataDistribution) -> Self {
        self.distribution = distribution;
        self
    }

    /// Has S3 encrypt the objects with its own keys (AES-256). Default: as the bucket does.
    pub fn encrypt(mut self) -> Self {
        self.is_encrypted = true;
        self
    }

    async fn upload(self) -> Result<RecordSet> {
        let rows = self.rows.row_count();
        let mut problems = Problems::default();
        if rows < self.shards {
            let text = format!("{rows} rows are too few for {} instances, which get one shard each", self.shards);
            problems.push("rows", text);
        }
        if let Some(labels) = self.labels.map(|labels| labels.labels().len()).filter(|labels| *labels != rows) {
            problems.push("labels", format!("{rows} rows have {labels} labels; give one each"));
        }
        problems.into_result()?;

        let folder = self.folder().await?;
        let names: Vec<String> = (0..self.shards).map(|shard| shard_name(shard, self.shards)).collect();
        let sent = self.send(&folder, &names).await;
        if let Err(error) = sent {
            self.remove(&folder, &names).await;
            return Err(error);
        }
        let uri = format!("{folder}{MANIFEST}");
        let input = TrainingInput::manifest(uri).distribution(self.distribution);
        let feature_dim = self.rows.row(0).len() as u64;
        Ok(RecordSet::of(input, rows as u64, feature_dim).channel(self.channel))
    }

    /// The location and the folder's name are joined as they are, as in the Python SDK: a location ends with a slash.
    async fn folder(&self) -> Result<S3Uri> {
        let location = match &self.location {
            Some(location) => location.parse::<S3Uri>().map_err(|error| {
                let mut problems = Problems::default();
                problems.absorb("data_location", &error);
                problems.into_result().err().unwrap_or(error)
            })?,
            None => self.session.default_uri("sagemaker-record-sets/").await?,
        };
        let name = name_from_base(self.class, self.session.name_time());
        S3Uri::new(location.bucket(), format!("{}{name}/", location.key()))
    }

    /// All shards, and then what lists them.
    async fn send(&self, folder: &S3Uri, names: &[String]) -> Result<()> {
        let owner = self.session.expected_owner(folder.bucket()).await?;
        let has_failed = &AtomicBool::new(false);
        let owner = owner.as_deref();
        let shards = (0..names.len()).map(|shard| async move {
            if has_failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let sent = match self.shard(shard) {
                Ok(body) => self.put(folder, &names[shard], body, owner).await,
                Err(error) => Err(error),
            };
            has_failed.fetch_or(sent.is_err(), Ordering::Relaxed);
            sent
        });
        // Those under way come to their end, so that nothing arrives after it was removed.
        let sent: Vec<Result<()>> = stream::iter(shards).buffer_unordered(CONCURRENCY).collect().await;
        sent.into_iter().collect::<Result<()>>()?;
        self.put(folder, MANIFEST, manifest(folder, names).into(), owner).await
    }

    /// As many rows for each shard, the rest for the last.
    fn shard(&self, shard: usize) -> Result<Bytes> {
        let rows = self.rows.row_count();
        let size = rows / self.shards;
        let end = if shard + 1 == self.shards { rows } else { (shard + 1) * size };
        let mut writer = RecordWriter::new();
        writer.some_rows(self.rows, shard * size..end, self.labels)?;
        Ok(writer.finish())
    }

    async fn put(&self, folder: &S3Uri, name: &str, body: Bytes, owner: Option<&str>) -> Result<()> {
        let target = S3Uri::new(folder.bucket(), format!("{}{name}", folder.key()))?;
        if !self.is_encrypted {
            return self.session.upload_bytes(body, &target, &ContentType::OCTET_STREAM).await.map(drop);
        }
        let put = self.session.aws().s3().put_object().bucket(target.bucket()).key(target.key());
        let put = put
            .set_expected_bucket_owner(owner.map(str::to_owned))
            .server_side_encryption(ServerSideEncryption::Aes256);
        put.body(ByteStream::from(body)).send().await.of("PutObject").map(drop)
    }

    /// The error that led here is told; one of the removal would only hide it.
    async fn remove(&self, folder: &S3Uri, names: &[String]) {
        let keys: Vec<String> =
            names.iter().map(String::as_str).chain([MANIFEST]).map(|name| format!("{}{name}", folder.key())).collect();
        let deletions = keys.into_iter().map(|key| async move {
            let deletion = self.session.aws().s3().delete_object().bucket(folder.bucket()).key(&key);
            if let Err(error) = deletion.send().await.of("DeleteObject") {
                tracing::warn!(bucket = folder.bucket(), key, %error, "a part of a failed record set is left");
            }
        });
        stream::iter(deletions).buffer_unordered(CONCURRENCY).collect::<Vec<()>>().await;
    }
}

const MANIFEST: &str = ".amazon.manifest";

/// Numbers as wide as the number of shards is.
fn shard_name(shard: usize, shards: usize) -> String {
    let width = shards.to_string().len();
    format!("matrix_{shard:0width$}.pbr")
}

/// As Python writes JSON.
fn manifest(folder: &S3Uri, names: &[String]) -> String {
    let mut text = format!("[{{\"prefix\": {}}}", serde_json::Value::from(folder.to_string()));
    names.iter().for_each(|name| text.push_str(&format!(", \"{name}\"")));
    text.push(']');
    text
}

impl<'a, R, L> IntoFuture for RecordUpload<'a, R, L>
where
    R: Rows + Sync + ?Sized,
    L: Labels + Sync + ?Sized,
{
    type Output = Result<RecordSet>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.upload())
    }
}

impl<R: Rows + ?Sized, L: Labels + ?Sized> fmt::Debug for RecordUpload<'_, R, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordUpload").field("rows", &self.rows.row_count()).finish_non_exhaustive()
    }
}

/// What algorithms that read RecordIO-protobuf have besides.
macro_rules! record_sets {
    ($name:ident, $builder:ident) => {
        impl $name {
            /// Uploads rows of numbers as a [`RecordSet`](crate::training::RecordSet) for this estimator: `.await` it.
            ///
            /// There is one shard for each training instance; give each at least one row.
            ///
            /// # Errors
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for fewer rows than instances,
            /// [`Serialization`](crate::ErrorKind::Serialization) for rows of different lengths,
            /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such bucket.
            pub fn record_set<'a, R: $crate::codec::recordio::Rows + ?Sized>(
                &self,
                session: &'a $crate::Session,
                rows: &'a R,
            ) -> $crate::algorithms::RecordUpload<'a, R> {
                $crate::algorithms::RecordUpload::new(&self.0, session, rows)
            }
        }

        impl $builder {
            /// Where record sets go, each to a folder of its own: `s3://my-bucket/data/`, with a slash at its end, as the
            /// folder's name is put right behind it. Default: `sagemaker-record-sets/` in the default bucket.
            pub fn data_location(mut self, uri: impl Into<String>) -> Self {
                self.0.data_location = Some(uri.into());
                self
            }
        }
    };
}
pub(super) use record_sets;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_named_as_in_the_python_sdk() {
        assert_eq!(shard_name(0, 1), "matrix_0.pbr");
        assert_eq!(shard_name(3, 12), "matrix_03.pbr");
        let folder = "s3://bucket/data/KMeans-x/".parse().unwrap();
        let names = ["matrix_0.pbr".to_owned(), "matrix_1.pbr".to_owned()];
        let text = r#"[{"prefix": "s3://bucket/data/KMeans-x/"}, "matrix_0.pbr", "matrix_1.pbr"]"#;
        assert_eq!(manifest(&folder, &names), text);
    }
}
