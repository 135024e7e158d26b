//! Requests a second that the Rust clients get from a server at `SERVER_URL`: `benches/server/compare.py` runs this
//! against `sagemaker-local` and against `moto_server`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark is a program")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

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
    let jobs = rate(async |i| {
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
    });
    println!("job {:.1}", jobs.await);
    let objects = rate(async |i| {
        let key = format!("rust-{i}");
        s3.put_object().bucket(BUCKET).key(&key).body(body.clone().into()).send().await.unwrap();
        let got = s3.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().to_vec(), body);
    });
    println!("object {:.1}", objects.await);
    Ok(())
}

/// Times that `action` is done in a second.
async fn rate(mut action: impl AsyncFnMut(u32)) -> f64 {
    for i in 0..WARM_UP {
        action(i).await;
    }
    let (mut count, began) = (0, Instant::now());
    while began.elapsed() < TIME {
        action(WARM_UP + count).await;
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}
