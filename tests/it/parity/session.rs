//! Scenarios `session_*`: buckets, uploads and downloads.

use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, S3Uri};
use sagemaker::{Result, Session, images};

use super::support::{ROLE, WorkDir, below, scenarios};

scenarios![session_bucket_us_east_1, session_default_bucket_create, session_upload_kms_dir];

const KMS_KEY: &str = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555";

pub async fn session_bucket_us_east_1(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let data = session.upload(folder.write("train.csv", "1,2\n")?, "east/train").await?;
    let estimator = ContainerEstimator::builder(images::xgboost("us-east-1", "1.5-1")?.to_string())
        .role(ROLE)
        .compute(Compute::instances("ml.m5.large", 1))
        .build()?;
    let input = TrainingInput::new(data).content_type("text/csv");
    estimator.fit(session, [("train", input)]).job_name("east-job").await?;
    Ok(())
}

pub async fn session_default_bucket_create(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let file = folder.write("data/a.txt", "a\n")?;
    folder.write("data/sub/b.txt", "b\n")?;
    folder.write("data/sub/deep/c.txt", "c\n")?;
    session.upload(folder.path("data"), "corpus").await?;
    session.upload(file, "data").await?;
    Ok(())
}

pub async fn session_upload_kms_dir(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    folder.write("tree/one.txt", "1\n")?;
    folder.write("tree/two/three.txt", "3\n")?;
    let tree: S3Uri = below("tree").parse()?;
    session.upload_to(folder.path("tree"), &tree).kms_key(KMS_KEY).await?;
    assert_eq!(session.list(&tree).await?.len(), 2);
    assert_eq!(session.read(&tree.join("one.txt")).await?, "1\n");
    session.download(&tree, folder.path("back")).await?;
    let large: Vec<u8> = (0..=250_u8).cycle().take(9_437_184).collect();
    session.upload(folder.write("large.bin", large)?, "large").await?;
    Ok(())
}
