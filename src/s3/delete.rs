use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

impl Session {
    /// Deletes every object whose key begins with the URI's key, and gives their number.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for an empty key: a whole bucket is never emptied by accident.
    pub async fn delete_prefix(&self, prefix: &S3Uri) -> Result<usize> {
        if prefix.key().is_empty() {
            return Err(Error::invalid("prefix", format!("{prefix} names a whole bucket; name a prefix in it")));
        }
        let objects = self.list(prefix).await?;
        for batch in objects.chunks(1000) {
            let keys = batch.iter().map(|object| ObjectIdentifier::builder().key(object.uri.key()).build());
            let keys: Vec<_> = keys.collect::<Result<_, _>>().map_err(|e| Error::invalid("prefix", e.to_string()))?;
            let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build();
            let delete = delete.map_err(|e| Error::invalid("prefix", e.to_string()))?;
            let request = self.aws().s3().delete_objects().bucket(prefix.bucket()).delete(delete);
            let answer = request.send().await.of("DeleteObjects")?;
            if let Some(failed) = answer.errors().first() {
                let text = format!(
                    "{} of {} objects could not be deleted, the first is {}: {}",
                    answer.errors().len(),
                    batch.len(),
                    failed.key().unwrap_or_default(),
                    failed.message().unwrap_or_default()
                );
                return Err(Error::new(ErrorKind::Service, text).with_operation("DeleteObjects"));
            }
        }
        Ok(objects.len())
    }
}
