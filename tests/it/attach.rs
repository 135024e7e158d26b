//! Estimators that are made of jobs: nothing that the service tells is lost.

use std::time::Duration;

use sagemaker::aws::sagemaker::types as sdk;
use sagemaker::estimator::{
    Checkpoints, ContainerEstimator, Estimator, EstimatorExt, ExperimentConfig, PlanContext, RegistryAccess,
};
use sagemaker::local::LocalBackend;
use sagemaker::local::engines::{FnEngine, TrainingOutput};
use sagemaker::training::debugger::{BuiltinRule, DebuggerHook, DebuggerRule, TensorCollection};
use sagemaker::training::{Channels, DataDistribution, InputMode, TrainingInput};
use sagemaker::types::{Compute, Spot, VpcConfig};
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::put;

const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerRole";

fn session() -> Session {
    let engine = FnEngine::for_image("stand-in").train_with(|_| Ok(TrainingOutput::default()));
    Session::with_backend(&LocalBackend::builder().engine(engine).build())
}

fn image() -> &'static str {
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1"
}

#[tokio::test]
async fn a_job_gives_its_estimator_back() -> Result<()> {
    let session = session();
    let data = put(&session, "in/a.csv", "1,2\n").await?;
    let bucket = session.default_bucket().await?;
    let estimator = ContainerEstimator::builder(image())
        .compute(Compute::instances("ml.m5.xlarge", 2).volume_gb(50))
        .role(ROLE)
        .output_path(format!("s3://{bucket}/out"))
        .base_job_name("forecaster")
        .max_run(Duration::from_secs(3600))
        .spot(Spot::max_wait(Duration::from_secs(7200)))
        .checkpoints(Checkpoints::at(format!("s3://{bucket}/check")).local_path("/opt/ml/c"))
        .input_mode(InputMode::FastFile)
        .environment("LEVEL", "debug")
        .metric_definition("loss", "loss=([0-9.]+)")
        .vpc(VpcConfig::new(["subnet-1"], ["sg-1"]))
        .tags([("centre", "42"), ("team", "forecast")]) // the service sorts them
        .network_isolation()
        .encrypt_inter_container_traffic()
        .volume_kms_key("volume-key")
        .output_kms_key("output-key")
        .max_retries(3)
        .experiment(ExperimentConfig::new().experiment("e").trial("t"))
        .registry_access(RegistryAccess::Vpc)
        .debugger_hook(
            DebuggerHook::new().output_path(format!("s3://{bucket}/debug")).collection(TensorCollection::new("losses")),
        )
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::LossNotDecreasing))
        .hyperparameter("horizon", 24)
        .hyperparameter("kind", "deep")
        .hyperparameter("rates", vec![0.1, 0.2])
        .build()?;
    let channels = Channels::default()
        .with("train", TrainingInput::csv(&data).distribution(DataDistribution::ShardedByS3Key))
        .with("more", TrainingInput::new(&data).input_mode(InputMode::Pipe).gzip().record_io().shuffle(7));
    let job = estimator.fit(&session, channels.clone()).await?;

    let again = ContainerEstimator::attach(&session, job.name()).await?;
    let description = job.describe().await?;
    assert_eq!(description.channels()?, channels);
    let plan = |estimator: &ContainerEstimator, channels: &Channels| {
        let context = PlanContext::new(session.region(), session.now()).job_name("same");
        estimator.plan(&context, channels).map(|plan| plan.request().clone())
    };
    assert_eq!(plan(&again, &description.channels()?)?, plan(&estimator, &channels)?);
    // The name of the next job begins as that of this one.
    let next = again.plan(&PlanContext::new(session.region(), session.now()), &channels)?;
    assert!(next.job_name().starts_with("forecaster-"), "{}", next.job_name());

    let changed = again.edit().hyperparameter("horizon", 48).build()?;
    assert_eq!(changed.hyperparameters()["horizon"], "48");
    assert_eq!(changed.hyperparameters()["rates"], "[0.1, 0.2]");
    Ok(())
}

#[tokio::test]
async fn a_job_that_the_python_sdk_started_too() -> Result<()> {
    let session = session();
    let data = put(&session, "in/a.csv", "1,2\n").await?.to_string();
    let source = sdk::S3DataSource::builder()
        .s3_data_type(sdk::S3DataType::S3Prefix)
        .s3_uri(&data)
        .s3_data_distribution_type(sdk::S3DataDistribution::FullyReplicated);
    let source = sdk::DataSource::builder().s3_data_source(source.build()).build();
    let request = session
        .aws()
        .sagemaker()
        .create_training_job()
        .training_job_name("pytorch-training-2024-01-31-10-00-00-12")
        .role_arn(ROLE)
        .algorithm_specification(
            sdk::AlgorithmSpecification::builder()
                .training_image(image())
                .training_input_mode(sdk::TrainingInputMode::File)
                .build(),
        )
        .input_data_config(sdk::Channel::builder().channel_name("training").data_source(source).build())
        .output_data_config(sdk::OutputDataConfig::builder().s3_output_path(data.trim_end_matches("a.csv")).build())
        .resource_config(
            sdk::ResourceConfig::builder()
                .instance_type(sdk::TrainingInstanceType::MlM5Large)
                .instance_count(1)
                .volume_size_in_gb(30)
                .build(),
        )
        .stopping_condition(sdk::StoppingCondition::builder().max_runtime_in_seconds(86_400).build())
        .hyper_parameters("epochs", "3")
        .hyper_parameters("sagemaker_program", "\"train.py\"")
        .debug_hook_config(sdk::DebugHookConfig::builder().s3_output_path(&data).build())
        .profiler_config(sdk::ProfilerConfig::builder().s3_output_path(&data).disable_profiler(false).build());
    let asked = request.as_input().clone();
    request.send().await.unwrap();

    let estimator = ContainerEstimator::attach(&session, "pytorch-training-2024-01-31-10-00-00-12").await?;
    let channels = sagemaker::training::TrainingJob::attach(&session, "pytorch-training-2024-01-31-10-00-00-12")
        .await?
        .describe()
        .await?
        .channels()?;
    let context = PlanContext::new(session.region(), session.now());
    let plan = estimator.plan(&context.clone().job_name("pytorch-training-2024-01-31-10-00-00-12"), &channels)?;
    assert_eq!(*plan.request(), asked);
    assert!(estimator.plan(&context, &channels)?.job_name().starts_with("pytorch-training-2"));

    let error = ContainerEstimator::attach(&session, "nothing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}
