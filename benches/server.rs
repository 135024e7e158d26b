//! Requests a second that the Rust clients get from a server at `SERVER_URL`, one at a time and several at once:
//! `benches/server/compare.py` runs this against `sagemaker-local` and against `moto_server`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark is a program")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use sagemaker::aws::sagemaker::types::{
    AlgorithmSpecification, OutputDataConfig, ResourceConfig, StoppingCondition, TrainingInputMode,
    TrainingInstanceType,
};
use sagemaker::{Result, Session};

const WARM_UP: u32 = 50;
/// Requests under way at once.
const AT_ONCE: [usize; 2] = [1, 16];
const TIME: Duration = Duration::from_secs(4);
const BUCKET: &str = "bench";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // Cargo runs benches without the variable as well: there is nothing to measure then.
    let Ok(url) = std::env::var("SERVER_URL") else { return Ok(()) };
    let credentials = SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "bench"));
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .build();
    let session = Session::builder().sdk_config(config).endpoint_url(url).build().await?;
    let (s3, sagemaker) = (session.aws().s3(), session.aws().sagemaker());
    let _ = s3.create_bucket().bucket(BUCKET).send().await;

    let body = vec![7; 1024];
    let job = async |i| {
        let name = format!("rust-{i}");
        let algorithm = AlgorithmSpecification::builder()
            .training_image("123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1")
            .training_input_mode(TrainingInputMode::File)
            .build();
        let resources = ResourceConfig::builder()
            .instance_type(TrainingInstanceType::MlM5Large)
            .instance_count(1)
            .volume_size_in_gb(1)
            .build();
        sagemaker
            .create_training_job()
            .training_job_name(&name)
            .algorithm_specification(algorithm)
            .role_arn("arn:aws:iam::123456789012:role/SageMakerRole")
            .output_data_config(OutputDataConfig::builder().s3_output_path(format!("s3://{BUCKET}/out")).build())
            .resource_config(resources)
            .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(60).build())
            .send()
            .await
            .unwrap();
        sagemaker.describe_training_job().training_job_name(&name).send().await.unwrap();
    };
    let object = async |i| {
        let key = format!("rust-{i}");
        s3.put_object().bucket(BUCKET).key(&key).body(body.clone().into()).send().await.unwrap();
        let got = s3.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().to_vec(), body);
    };
    let next = Cell::new(0);
    for at_once in AT_ONCE {
        println!("job {at_once} {:.1}", rate(at_once, &next, &job).await);
        println!("object {at_once} {:.1}", rate(at_once, &next, &object).await);
    }
    Ok(())
}

/// Times that `action` is done in a second, by so many at once; each time it is given a number of its own.
async fn rate(at_once: usize, next: &Cell<u32>, action: &impl AsyncFn(u32)) -> f64 {
    let act = async || action(next.replace(next.get() + 1)).await;
    for _ in 0..WARM_UP {
        act().await;
    }
    let (count, began) = (Cell::new(0), Instant::now());
    let act_on = async || {
        while began.elapsed() < TIME {
            act().await;
            count.set(count.get() + 1);
        }
    };
    futures_util::future::join_all((0..at_once).map(|_| act_on())).await;
    f64::from(count.get()) / began.elapsed().as_secs_f64()
}
