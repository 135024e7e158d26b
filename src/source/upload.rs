//! Uploads of packed code.

use aws_sdk_s3::types::ServerSideEncryption;

use super::Tree;
use super::pack::{digest, pack_in_parts};
use crate::aws::ServiceCall;
use crate::s3::StreamPut;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// Where an object keeps the digest of what was packed into it.
const DIGEST: &str = "sagemaker-source-sha256";
/// Code of so many bytes is rather copied than sent again; of less, a copy saves nothing.
const COPIED_FROM: u64 = 8 * 1024 * 1024;

/// Whose code it is. It goes to a place that bears the name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CodeOf<'a> {
    Job(&'a str),
    Model(&'a str),
}

impl CodeOf<'_> {
    /// Refuses a name that is taken, as that of the name runs or serves what is at `target`.
    async fn refuse_taken(self, session: &Session, target: &S3Uri) -> Result<()> {
        let client = session.aws().sagemaker();
        let (what, name, found) = match self {
            Self::Job(name) => {
                let described = client.describe_training_job().training_job_name(name).send().await;
                ("training job", name, described.of("DescribeTrainingJob").map(drop))
            }
            Self::Model(name) => {
                let described = client.describe_model().model_name(name).send().await;
                ("model", name, described.of("DescribeModel").map(drop))
            }
        };
        match found {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                let text = format!("there is a {what} {name} already, and {target} is its code: choose another name");
                Err(Error::new(ErrorKind::AlreadyExists, text))
            }
        }
    }
}

impl Tree {
    /// Packs and uploads, unless the same is there already. Other code that is there is replaced only if nobody uses it.
    pub(crate) async fn upload(
        self,
        session: &Session,
        target: &S3Uri,
        kms_key: Option<&str>,
        of: CodeOf<'_>,
    ) -> Result<()> {
        let packed = tokio::task::spawn_blocking(move || digest(&self).map(|digest| (self, digest))).await;
        let (tree, digest) = packed.map_err(std::io::Error::other)??;
        let owner = session.expected_owner(target.bucket()).await?;
        let put = StreamPut { target, owner, kms_key, metadata: Some((DIGEST, digest.clone())) };
        match there(session, &put).await? {
            There::Code { digest: Some(there), .. } if there == digest => {
                tracing::debug!(%target, "the same code is there already");
                session.sent_code().remember(&digest, target);
                return Ok(());
            }
            There::Nothing => {}
            There::Code { .. } | There::Unknown => of.refuse_taken(session, target).await?,
        }
        let sent_before = session.sent_code().find(&digest, target.bucket()).filter(|_| tree.size() >= COPIED_FROM);
        if let Some(from) = sent_before
            && copied(session, &from, &put, &digest).await
        {
            tracing::debug!(%target, %from, "copied code");
        } else {
            tracing::debug!(%target, size = tree.size(), "upload code");
            session.put_stream(&put, pack_in_parts(move |archive| tree.append_to(archive))).await?;
        }
        session.sent_code().remember(&digest, target);
        Ok(())
    }
}

/// Refuses a place for code if what is there is used.
pub(super) async fn refuse_used(session: &Session, put: &StreamPut<'_>, of: CodeOf<'_>) -> Result<()> {
    match there(session, put).await? {
        There::Nothing => Ok(()),
        There::Code { .. } | There::Unknown => of.refuse_taken(session, put.target).await,
    }
}

/// What a place has.
enum There {
    Nothing,
    Code {
        digest: Option<String>,
        etag: Option<String>,
    },
    /// The caller may not look.
    Unknown,
}

async fn there(session: &Session, put: &StreamPut<'_>) -> Result<There> {
    let head = session.aws().s3().head_object().bucket(put.target.bucket()).key(put.target.key());
    match head.set_expected_bucket_owner(put.owner.clone()).send().await.of("HeadObject") {
        Ok(object) => {
            let digest = object.metadata().and_then(|all| all.get(DIGEST)).cloned();
            Ok(There::Code { digest, etag: object.e_tag })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(There::Nothing),
        Err(error) if error.kind() == ErrorKind::AccessDenied => Ok(There::Unknown),
        Err(error) => Err(error),
    }
}

/// Copies within the bucket what was sent before, if it is still the same. A copy that fails is no error: the code is sent
/// then.
async fn copied(session: &Session, from: &S3Uri, put: &StreamPut<'_>, digest: &str) -> bool {
    let source = StreamPut { target: from, owner: put.owner.clone(), kms_key: None, metadata: None };
    let Ok(There::Code { digest: Some(there), etag: Some(etag) }) = there(session, &source).await else { return false };
    if there != digest {
        return false;
    }
    let copy = session.aws().s3().copy_object().bucket(put.target.bucket()).key(put.target.key());
    let copy = copy
        .copy_source(format!("{}/{}", from.bucket(), encoded(from.key())))
        .copy_source_if_match(etag)
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .set_ssekms_key_id(put.kms_key.map(str::to_owned))
        .set_expected_bucket_owner(put.owner.clone())
        .set_expected_source_bucket_owner(put.owner.clone());
    match copy.send().await.of("CopyObject") {
        Ok(_) => true,
        Err(error) => {
            tracing::debug!(%from, %error, "the code was not copied");
            false
        }
    }
}

/// A key as a copy's source has it: percent-encoded but for what stands for itself in URLs.
fn encoded(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let each = key.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    each.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::encoded;

    #[test]
    fn sources_of_copies_are_encoded() {
        assert_eq!(encoded("a/b-1/x.tar.gz"), "a/b-1/x.tar.gz");
        assert_eq!(encoded("a b+ü?"), "a%20b%2B%C3%BC%3F");
    }

    proptest! {
        #[test]
        fn any_key_is_read_back(key in any::<String>()) {
            let mut read = Vec::new();
            let text = encoded(&key);
            prop_assert!(text.is_ascii());
            let mut bytes = text.bytes();
            while let Some(byte) = bytes.next() {
                read.push(match byte {
                    b'%' => {
                        let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                    }
                    plain => plain,
                });
            }
            prop_assert_eq!(String::from_utf8(read).unwrap(), key);
        }
    }
}
