use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// So many numbers are encoded without a pause: a millisecond or so.
const NUMBERS_AT_ONCE: usize = 64 * 1024;

/// Rows of numbers that are about to be uploaded as a [`RecordSet`]; `.await` it.
///
/// The rows go to one shard for each training instance, in RecordIO-protobuf, beside a manifest. They are encoded a little at
/// a time, so that no other task waits for long, and sent in parallel. If something fails, what had arrived is removed again. A future that is dropped half-way cannot do so.
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
        let has_failed = &AtomicBool::new(false);
        let shards = (0..names.len()).map(|shard| async move {
            if has_failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let sent = match self.shard(shard).await {
                Ok(body) => self.put(folder, &names[shard], body).await,
                Err(error) => Err(error),
            };
            has_failed.fetch_or(sent.is_err(), Ordering::Relaxed);
            sent
        });
        // Those under way come to their end, so that nothing arrives after it was removed.
        let sent: Vec<Result<()>> = stream::iter(shards).buffer_unordered(CONCURRENCY).collect().await;
        sent.into_iter().collect::<Result<()>>()?;
        self.put(folder, MANIFEST, manifest(folder, names).into()).await
    }

    /// As many rows for each shard, the rest for the last. Other tasks get their turn in between.
    async fn shard(&self, shard: usize) -> Result<Bytes> {
        let rows = self.rows.row_count();
        let size = rows / self.shards;
        let end = if shard + 1 == self.shards { rows } else { (shard + 1) * size };
        let mut start = shard * size;
        let at_once = (NUMBERS_AT_ONCE / self.rows.row(start).len().max(1)).max(1);
        let mut writer = RecordWriter::new();
        while start < end {
            let next = end.min(start + at_once);
            writer.some_rows(self.rows, start..next, self.labels)?;
            if start == shard * size {
                writer.reserve((end - next).div_ceil(next - start));
            }
            start = next;
            tokio::task::yield_now().await;
        }
        Ok(writer.finish())
    }

    async fn put(&self, folder: &S3Uri, name: &str, body: Bytes) -> Result<()> {
        let target = S3Uri::new(folder.bucket(), format!("{}{name}", folder.key()))?;
        let upload = self.session.upload_bytes(body, &target, &ContentType::OCTET_STREAM);
        let upload = if self.is_encrypted { upload.encryption(ServerSideEncryption::Aes256) } else { upload };
        upload.await.map(drop)
    }

    /// The error that led here is told; one of the removal would only hide it.
    async fn remove(&self, folder: &S3Uri, names: &[String]) {
        let keys: Vec<String> =
            names.iter().map(String::as_str).chain([MANIFEST]).map(|name| format!("{}{name}", folder.key())).collect();
        // It has been asked for before, and is known.
        let owner = &self.session.expected_owner(folder.bucket()).await.ok().flatten();
        let deletions = keys.into_iter().map(|key| async move {
            let deletion = self.session.aws().s3().delete_object().bucket(folder.bucket()).key(&key);
            let deletion = deletion.set_expected_bucket_owner(owner.clone());
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

    #[cfg(feature = "local")]
    #[tokio::test]
    async fn encoding_lets_other_tasks_have_their_turn() {
        use crate::algorithms::kmeans::KMeans;
        use crate::types::Compute;
        use futures_util::FutureExt;

        let session = Session::local();
        let kmeans = KMeans::builder(2).compute(Compute::instances("ml.c5.xlarge", 2)).build().unwrap();
        let rows: Vec<Vec<f32>> = (0..301_u16).map(|row| vec![f32::from(row); 1000]).collect();
        let labels = vec![1.0_f32; rows.len()];
        let upload = kmeans.record_set(&session, &rows).labels(&labels);
        assert!(upload.shard(0).now_or_never().is_none(), "it pauses");
        let mut whole = RecordWriter::new();
        whole.some_rows(&rows, 150..301, Some(&labels)).unwrap();
        assert!(upload.shard(1).await.unwrap() == whole.finish());
    }

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
