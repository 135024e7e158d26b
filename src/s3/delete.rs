use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

impl Session {
    /// Deletes what is at the URI, and gives the number of objects: the object of that very key, and every object in
    /// the folder of that name. `s3://bucket/run` stands for `run` and `run/..`, never for `run-2/..` or `run.csv`; with
    /// a slash at the end, as in `s3://bucket/run/`, only what is in the folder goes.
    ///
    /// What [`upload`](Self::upload) gave can be passed as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an empty key: a whole bucket is never emptied by accident.
    pub async fn delete_prefix(&self, prefix: &S3Uri) -> Result<usize> {
        let (bucket, key) = (prefix.bucket(), prefix.key());
        if key.is_empty() {
            return Err(Error::invalid("prefix", format!("{prefix} names a whole bucket; name a prefix in it")));
        }
        let keys = if key.ends_with('/') {
            self.keys_below(bucket, key).await?
        } else {
            let mut keys = self.keys_below(bucket, &format!("{key}/")).await?;
            keys.extend(self.is_there(prefix).await?.then(|| key.to_owned()));
            keys
        };
        for batch in keys.chunks(1000) {
            self.delete_keys(bucket, batch).await?;
        }
        Ok(keys.len())
    }

    async fn keys_below(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let objects = self.list_keys(bucket, prefix, None).await?;
        Ok(objects.into_iter().map(|object| object.uri.key().to_owned()).collect())
    }

    /// Whether there is an object of that very key. It is the first of those that begin with it, and unlike HeadObject a
    /// listing needs no leave to read objects.
    async fn is_there(&self, object: &S3Uri) -> Result<bool> {
        let page = self.aws().s3().list_objects_v2().bucket(object.bucket()).prefix(object.key()).max_keys(1);
        let page = page.set_expected_bucket_owner(self.expected_owner(object.bucket()).await?);
        let page = page.send().await.of("ListObjectsV2")?;
        Ok(page.contents().first().is_some_and(|first| first.key() == Some(object.key())))
    }

    async fn delete_keys(&self, bucket: &str, keys: &[String]) -> Result<()> {
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects: Vec<_> = objects.collect::<Result<_, _>>().map_err(|e| Error::invalid("prefix", e.to_string()))?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|e| Error::invalid("prefix", e.to_string()))?;
        let request = self.aws().s3().delete_objects().bucket(bucket).delete(delete);
        let request = request.set_expected_bucket_owner(self.expected_owner(bucket).await?);
        let answer = request.send().await.of("DeleteObjects")?;
        let Some(failed) = answer.errors().first() else { return Ok(()) };
        let text = format!(
            "{} of {} objects could not be deleted, the first is {}: {}",
            answer.errors().len(),
            keys.len(),
            failed.key().unwrap_or_default(),
            failed.message().unwrap_or_default()
        );
        Err(Error::new(ErrorKind::Service, text).with_operation("DeleteObjects"))
    }
}
