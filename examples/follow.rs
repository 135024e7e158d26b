//! Follows a training job at a terminal, in this process, without an account: statuses, log lines in colours, a bar, metrics.
//!
//! ```text
//! cargo run --example follow                       # a job on the local backend
//! cargo run --example follow -- my-training-job    # one of your account, whoever started it
//! ```

use sagemaker::Session;
use sagemaker::algorithms::xgboost::{Objective, XGBoost};
use sagemaker::estimator::EstimatorExt;
use sagemaker::progress::JobView;
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::types::{Compute, ContentType};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let job = match std::env::args().nth(1) {
        Some(name) => TrainingJob::attach(&Session::from_env().await?, name).await?,
        None => start(&Session::local()).await?,
    };
    // `?` on the outcome would end with the reason; the view has shown it already.
    let _outcome = JobView::stderr().follow(&job).await?;
    Ok(())
}

/// y = 3 a + b, learnt on two instances.
async fn start(session: &Session) -> sagemaker::Result<TrainingJob> {
    session.ensure_bucket().await?;
    let rows = (0..400).map(|i| (f64::from(i % 20), f64::from(i / 20)));
    let rows: String = rows.map(|(a, b)| format!("{},{a},{b}\n", 3.0 * a + b)).collect();
    let data = session.default_uri("plane/train.csv").await?;
    session.upload_bytes(rows, &data, &ContentType::CSV).await?;
    let xgboost = XGBoost::builder(Objective::RegSquaredError, 30)
        .eta(0.3)
        .compute(Compute::instances("ml.m5.xlarge", 1))
        .metric_definition("train:rmse", r"train-rmse:([0-9.eE+-]+)")
        .build()?;
    xgboost.fit(session, [("train", TrainingInput::csv(data))]).await
}
