//! What the scenarios share: constants, and small files.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use sagemaker::session::SessionBuilder;
use sagemaker::types::VpcConfig;
use sagemaker::{Result, Session};

pub const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerRole";
pub const BUCKET: &str = "sagemaker-us-west-2-123456789012";
pub const IMAGE: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/parity-image:1.0";
pub const KMS_KEY: &str = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555";
pub const VOLUME_KMS_KEY: &str = "arn:aws:kms:us-west-2:123456789012:key/66666666-7777-8888-9999-000000000000";
pub const DATA: &str = "s3://parity-fixtures/data/";

/// A scenario that runs on a session.
pub type Scenario = for<'a> fn(&'a Session) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// The table of a group: `scenarios![train_one, train_two]`.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        pub const SCENARIOS: &[(&str, super::support::Scenario)] =
            &[$((stringify!($name), |session| Box::pin($name(session)))),*];
    };
}
pub(crate) use scenarios;

/// `name` below the default bucket.
pub fn below(name: &str) -> String {
    format!("s3://{BUCKET}/{name}")
}

/// A session like this one, but with settings of its own.
pub fn fresh(session: &Session) -> SessionBuilder {
    match session.backend() {
        Some(backend) => Session::builder().local(backend),
        None => {
            let url = std::env::var("AWS_ENDPOINT_URL").unwrap_or_default();
            Session::builder().region(session.region()).endpoint_url(url)
        }
    }
}

/// The network of the scenarios that have one.
pub fn vpc() -> VpcConfig {
    VpcConfig::new(["subnet-0a1b2c3d", "subnet-4e5f6a7b"], ["sg-01234567"])
}

/// A folder that is gone when it is dropped.
pub struct WorkDir(tempfile::TempDir);

impl WorkDir {
    pub fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above)?;
        }
        std::fs::write(&path, content)?;
        Ok(path)
    }

    /// The path of something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
