//! What the layer above the AWS SDK costs: `Predictor` beside `aws-sdk-sagemakerruntime` alone, on the same local
//! transport, in one run. Also one describe call, in process.
//!
//! ```text
//! cargo bench --bench predict
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark talks to a person")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sagemaker::aws::sagemakerruntime::primitives::Blob;
use sagemaker::codec::Csv;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::local::LocalBackend;
use sagemaker::local::engines::{
    Engine, EngineFailure, Invocation, InvocationFailure, LoadedModel, ModelFiles, Reply, TrainingOutput, TrainingTask,
};
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, ContentType};
use sagemaker::{Result, Session};

const ROUNDS: usize = 41;
const CALLS: u32 = 200;

/// Answers at once, so that only the way there and back is measured.
#[derive(Debug)]
struct Instantly;

impl Engine for Instantly {
    fn runs(&self, image: &str) -> bool {
        image == "instantly"
    }

    fn train(&self, _job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        Ok(TrainingOutput::default())
    }

    fn load(&self, _model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Ok(Arc::new(Self))
    }
}

impl LoadedModel for Instantly {
    fn invoke(&self, _request: &Invocation) -> Result<Reply, InvocationFailure> {
        Ok(Reply { content_type: "text/csv".into(), body: "42.5\n".into() })
    }

    fn blocks(&self) -> bool {
        false
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(CALLS)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let backend = LocalBackend::builder().engine(Instantly).build();
    let session = Session::with_backend(&backend);
    session.ensure_bucket().await?;
    let data = session.default_uri("data").await?;
    session.upload_bytes("1", &data, &ContentType::TEXT).await?;
    let compute = || Compute::instances("ml.m5.xlarge", 1);
    let estimator = ContainerEstimator::builder("instantly").compute(compute()).build()?;
    let job = estimator.fit(&session, TrainingInput::new(data)).await?;
    let model = estimator.model(&session, &job.wait().await?).await?;
    let endpoint = model.deploy(compute()).await?;

    let row = [1.0, 12.0, 311.0, 8.0, 0.0, 1.0, 1.0, 2.0, 0.34, 0.3182, 0.71, 0.1642];
    let predictor = endpoint.predictor(Csv::rows(), Csv::floats());
    let runtime = session.aws().runtime();
    let (mut ours, mut floor, mut describe) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..CALLS {
            assert_eq!(predictor.predict(&row).await?, [42.5]);
        }
        ours.push(started.elapsed());

        let started = Instant::now();
        for _ in 0..CALLS {
            let request =
                runtime.invoke_endpoint().endpoint_name(endpoint.name()).content_type("text/csv").accept("text/csv");
            let body = Blob::new("1.0,12.0,311.0,8.0,0.0,1.0,1.0,2.0,0.34,0.3182,0.71,0.1642");
            let answer = request.body(body).send().await.expect("an answer");
            assert_eq!(answer.body.expect("a body").as_ref(), b"42.5\n");
        }
        floor.push(started.elapsed());

        let started = Instant::now();
        for _ in 0..CALLS {
            job.describe().await?;
        }
        describe.push(started.elapsed());
    }
    let (ours, floor, describe) = (median(&mut ours), median(&mut floor), median(&mut describe));
    println!("predict, one row of 12 numbers, median of {ROUNDS} rounds of {CALLS} calls:");
    println!("  aws-sdk-sagemakerruntime alone  {:8.1} us", micros(floor));
    println!(
        "  Predictor                       {:8.1} us  {:.3} x",
        micros(ours),
        ours.as_secs_f64() / floor.as_secs_f64()
    );
    println!("describe a training job, in process: {:.1} us", micros(describe));
    Ok(())
}
