//! Uploads of packed code.

use super::Tree;
use super::pack::{digest, pack_in_parts};
use crate::aws::ServiceCall;
use crate::s3::StreamPut;
use crate::types::S3Uri;
use crate::{ErrorKind, Result, Session};

/// Where an object keeps the digest of what was packed into it.
const DIGEST: &str = "sagemaker-source-sha256";

impl Tree {
    /// Packs and uploads, unless the same is there already.
    pub(crate) async fn upload(self, session: &Session, target: &S3Uri, kms_key: Option<&str>) -> Result<()> {
        let packed = tokio::task::spawn_blocking(move || digest(&self).map(|digest| (self, digest))).await;
        let (tree, digest) = packed.map_err(std::io::Error::other)??;
        let owner = session.expected_owner(target.bucket()).await?;
        if is_there(session, target, owner.clone(), &digest).await? {
            tracing::debug!(%target, "the same code is there already");
            return Ok(());
        }
        tracing::debug!(%target, size = tree.size(), "upload code");
        let put = StreamPut { target, owner, kms_key, metadata: Some((DIGEST, digest)) };
        session.put_stream(&put, pack_in_parts(move |archive| tree.append_to(archive))).await
    }
}

/// Who may not look is not kept back: then the code is uploaded.
async fn is_there(session: &Session, target: &S3Uri, owner: Option<String>, digest: &str) -> Result<bool> {
    let head = session.aws().s3().head_object().bucket(target.bucket()).key(target.key());
    match head.set_expected_bucket_owner(owner).send().await.of("HeadObject") {
        Ok(object) => Ok(object.metadata().and_then(|all| all.get(DIGEST)).is_some_and(|known| known == digest)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AccessDenied) => Ok(false),
        Err(error) => Err(error),
    }
}
