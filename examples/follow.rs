//! Follows a training job at a terminal, in this process, without an account: statuses, log lines of two instances in their
//! colours, a bar, a clock, metrics.
//!
//! ```text
//! cargo run --example follow                       # a job on the local backend
//! cargo run --example follow -- my-training-job    # one of your account, whoever started it
//! ```

use sagemaker::Session;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::local::LocalBackend;
use sagemaker::local::engines::process::ProcessEngine;
use sagemaker::progress::JobView;
use sagemaker::training::{Channels, TrainingJob};
use sagemaker::types::Compute;

/// What each instance runs in place of a container.
const PROGRAM: &str = r#"
for epoch in 1 2 3 4 5; do
    echo "epoch $epoch on $SM_CURRENT_HOST: loss=0.$((100 / epoch))"
    sleep 1
done
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let job = match std::env::args().nth(1) {
        Some(name) => TrainingJob::attach(&Session::from_env().await?, name).await?,
        None => start().await?,
    };
    // `?` on the outcome would end with the reason; the view has shown it already.
    let _outcome = JobView::stderr().follow(&job).await?;
    Ok(())
}

async fn start() -> sagemaker::Result<TrainingJob> {
    let engine = ProcessEngine::for_image("forecaster").train_with(["sh", "-c", PROGRAM]);
    let session = Session::with_backend(&LocalBackend::builder().engine(engine).build());
    session.ensure_bucket().await?;
    let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.us-east-1.amazonaws.com/forecaster:3")
        .compute(Compute::instances("ml.m5.xlarge", 2))
        .metric_definition("loss", "loss=([0-9.]+)")
        .build()?;
    estimator.fit(&session, Channels::default()).await
}
