//! Scenarios `train_*`: containers and their options.

use futures_util::TryStreamExt;
use sagemaker::algorithms::xgboost::{Objective, XGBoost};
use sagemaker::estimator::EstimatorExt;
use sagemaker::training::TrainingInput;
use sagemaker::types::Compute;
use sagemaker::{Result, Session};

use super::support::{ROLE, WorkDir, below, scenarios};

scenarios![train_xgboost_csv];

/// Waits and shows all logs.
async fn follow(job: &sagemaker::training::TrainingJob) -> Result<()> {
    let _lines: Vec<_> = job.logs().try_collect().await?;
    job.wait().await?;
    Ok(())
}

pub async fn train_xgboost_csv(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let train = folder.write("data/train/train.csv", "1,0.5,10\n0,0.25,20\n1,0.75,30\n")?;
    let train = session.upload(train, "demo-xgboost/train").await?;
    let validation = folder.write("data/validation/validation.csv", "0,0.1,40\n1,0.9,50\n")?;
    let validation = session.upload(validation, "demo-xgboost/validation").await?;
    let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100)
        .version("1.7-1")
        .max_depth(5)
        .eta(0.2)
        .gamma(4.0)
        .min_child_weight(6.0)
        .subsample(0.8)
        .role(ROLE)
        .compute(Compute::instances("ml.m5.xlarge", 1).volume_gb(5))
        .output_path(below("demo-xgboost/output"))
        .build()?;
    let csv = |uri| TrainingInput::new(uri).content_type("csv");
    let inputs = [("train", csv(train)), ("validation", csv(validation))];
    follow(&xgboost.fit(session, inputs).job_name("demo-xgboost-job").await?).await
}
