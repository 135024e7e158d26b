use std::fs;
use std::time::Duration;

use aws_sdk_sagemaker::operation::create_processing_job::builders::CreateProcessingJobFluentBuilder as Create;
use aws_sdk_sagemaker::operation::describe_processing_job::DescribeProcessingJobOutput as Described;
use aws_sdk_sagemaker::types as sm;

use super::support::{Aws, IMAGE, refusal, validation};
use crate::local::LocalClock;

fn input(name: &str, uri: &str, folder: &str) -> sm::ProcessingInput {
    let source = sm::ProcessingS3Input::builder()
        .s3_uri(uri)
        .local_path(format!("/opt/ml/processing/{folder}"))
        .s3_data_type(sm::ProcessingS3DataType::S3Prefix)
        .s3_input_mode(sm::ProcessingS3InputMode::File)
        .build();
    sm::ProcessingInput::builder().input_name(name).s3_input(source).build()
}

fn output(name: &str, uri: &str, folder: &str, mode: sm::ProcessingS3UploadMode) -> sm::ProcessingOutput {
    let target = sm::ProcessingS3Output::builder()
        .s3_uri(uri)
        .local_path(format!("/opt/ml/processing/{folder}"))
        .s3_upload_mode(mode)
        .build();
    sm::ProcessingOutput::builder().output_name(name).s3_output(target).build()
}

fn process(aws: &Aws, name: &str) -> Create {
    let cluster = sm::ProcessingClusterConfig::builder()
        .instance_count(1)
        .instance_type(sm::ProcessingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let outputs = sm::ProcessingOutputConfig::builder()
        .outputs(output("sums", "s3://out/sums", "sums", sm::ProcessingS3UploadMode::EndOfJob))
        .outputs(output("live", "s3://out/live", "live", sm::ProcessingS3UploadMode::Continuous))
        .build();
    aws.sagemaker
        .create_processing_job()
        .processing_job_name(name)
        .role_arn(aws.backend.role_arn())
        .app_specification(sm::AppSpecification::builder().image_uri(IMAGE).container_arguments("sum").build())
        .processing_resources(sm::ProcessingResources::builder().cluster_config(cluster).build())
        .processing_inputs(input("numbers", "s3://data/train", "input/numbers"))
        .processing_output_config(outputs)
}

async fn run(aws: &Aws, job: Create) -> Described {
    let name = job.get_processing_job_name().clone().unwrap();
    job.send().await.unwrap();
    aws.backend.clock().settle().await;
    aws.sagemaker.describe_processing_job().processing_job_name(name).send().await.unwrap()
}

#[tokio::test]
async fn a_job_processes_and_tells_how() {
    let aws = Aws::new();
    let experiment = sm::ExperimentConfig::builder().experiment_name("e").build();
    let job = run(&aws, process(&aws, "sum").environment("FACTOR", "2").experiment_config(experiment)).await;
    assert_eq!(job.processing_job_status().unwrap().as_str(), "Completed", "{:?}", job.failure_reason());
    assert_eq!(job.processing_job_arn(), Some("arn:aws:sagemaker:us-east-1:123456789012:processing-job/sum"));
    assert!(job.processing_start_time() > job.creation_time());
    assert!(job.processing_end_time() > job.processing_start_time());
    assert_eq!(job.exit_message(), Some("summed 2 files"));
    assert_eq!(job.failure_reason(), None);
    assert_eq!(job.experiment_config().unwrap().experiment_name(), Some("e"));
    assert_eq!(aws.get("out", "sums/total.txt").unwrap(), "24");
    assert_eq!(aws.get("out", "sums/by/a.csv").unwrap(), "12");
    assert_eq!(aws.lines("/aws/sagemaker/ProcessingJobs").await, ["reading a.csv", "reading b.csv"]);
}

#[tokio::test]
async fn a_failure_keeps_what_is_uploaded_all_the_time() {
    let aws = Aws::new();
    let job = run(&aws, process(&aws, "fails").environment("MODE", "fail")).await;
    assert_eq!(job.processing_job_status().unwrap().as_str(), "Failed");
    assert_eq!(job.failure_reason(), Some("AlgorithmError: cannot sum, exit code: 4"));
    assert_eq!(aws.get("out", "live/progress.txt").unwrap(), "begun");
    assert!(aws.backend.core().s3.list("out", "sums/").is_empty());
    let panics = run(&aws, process(&aws, "panics").environment("MODE", "panic")).await;
    assert_eq!(panics.failure_reason(), Some("AlgorithmError: the engine panicked: oh dear, exit code: 1"));
}

#[tokio::test]
async fn a_job_stops() {
    let aws = Aws::with_clock(LocalClock::manual());
    process(&aws, "early").send().await.unwrap();
    let stop = || aws.sagemaker.stop_processing_job().processing_job_name("early").send();
    let delete = || aws.sagemaker.delete_processing_job().processing_job_name("early").send();
    let text = "The request was rejected because the processing job is in status InProgress.";
    assert_eq!(refusal(delete().await), ("ResourceInUse".to_owned(), text.to_owned()));
    stop().await.unwrap();
    aws.backend.clock().advance(Duration::from_secs(60));
    aws.backend.clock().settle().await;
    let job = aws.sagemaker.describe_processing_job().processing_job_name("early").send().await.unwrap();
    assert_eq!(job.processing_job_status().unwrap().as_str(), "Stopped");
    let text = "The request was rejected because the processing job is in status Stopped.";
    assert_eq!(refusal(stop().await), validation(text));
    delete().await.unwrap();
    assert_eq!(refusal(delete().await), validation("Could not find requested job with name: early"));
}

#[tokio::test]
async fn a_job_that_runs_too_long_is_stopped() {
    let aws = Aws::with_clock(LocalClock::scaled(2000.0));
    let limit = sm::ProcessingStoppingCondition::builder().max_runtime_in_seconds(60).build();
    process(&aws, "long").environment("MODE", "wait").stopping_condition(limit).send().await.unwrap();
    loop {
        let job = aws.sagemaker.describe_processing_job().processing_job_name("long").send().await.unwrap();
        if !matches!(job.processing_job_status().unwrap().as_str(), "InProgress" | "Stopping") {
            assert_eq!(job.processing_job_status().unwrap().as_str(), "Stopped");
            return;
        }
        aws.backend.clock().pause(Duration::from_secs(30)).await;
    }
}

#[tokio::test]
async fn keys_that_lead_elsewhere_are_refused() {
    let aws = Aws::new();
    let outside = std::env::temp_dir().join("stolen-by-a-key");
    aws.put("data", "evil/../../../../../../stolen-by-a-key", "x");
    let job =
        run(&aws, process(&aws, "evil").set_processing_inputs(Some(vec![input("in", "s3://data/evil/", "in")]))).await;
    let reason = job.failure_reason().unwrap();
    assert!(reason.starts_with("ClientError: Data download failed: ") && reason.contains("leads out"), "{reason}");
    assert!(!outside.exists() && fs::metadata("/stolen-by-a-key").is_err());
}

#[tokio::test]
async fn a_bad_request_is_refused() {
    let aws = Aws::new();
    let refused = async |job: Create| refusal(job.send().await).1;
    let inputs = |input: sm::ProcessingInput| process(&aws, "bad").set_processing_inputs(Some(vec![input]));
    let text = refused(inputs(input("x", "s3://data/nothing", "in"))).await;
    assert!(text.starts_with("No S3 objects found under S3 URL \"s3://data/nothing\""), "{text}");
    let mut elsewhere = input("x", "s3://data/train", "in");
    elsewhere.s3_input.as_mut().unwrap().local_path = Some("/opt/ml/processing/../../etc".to_owned());
    let text = "The LocalPath \"/opt/ml/processing/../../etc\" of \"x\" must be below /opt/ml/processing.";
    assert_eq!(refused(inputs(elsewhere)).await, text);
    let twice = input("numbers", "s3://data/train", "again");
    assert_eq!(
        refused(process(&aws, "bad").processing_inputs(twice)).await,
        "The InputName \"numbers\" is used more than once."
    );
    let nowhere = output("o", "s3://nowhere/x", "o", sm::ProcessingS3UploadMode::EndOfJob);
    let nowhere = sm::ProcessingOutputConfig::builder().outputs(nowhere).build();
    let text = refused(process(&aws, "bad").processing_output_config(nowhere)).await;
    assert!(text.starts_with("Could not find the output S3 bucket \"nowhere\""), "{text}");
    let athena = sm::AthenaDatasetDefinition::builder()
        .catalog("c")
        .database("d")
        .query_string("select 1")
        .output_s3_uri("s3://out/x")
        .output_format(sm::AthenaResultFormat::Textfile)
        .build();
    let dataset = sm::DatasetDefinition::builder().athena_dataset_definition(athena).build();
    let dataset = sm::ProcessingInput::builder().input_name("x").dataset_definition(dataset).build();
    assert!(refused(inputs(dataset)).await.contains("does not support the DatasetDefinition"));
    run(&aws, process(&aws, "one")).await;
    let again = refusal(process(&aws, "one").send().await);
    assert_eq!(again.0, "ResourceInUse");
    let list = aws.sagemaker.list_processing_jobs().send().await.unwrap();
    assert_eq!(list.processing_job_summaries().len(), 1);
    assert_eq!(list.processing_job_summaries()[0].exit_message(), Some("summed 2 files"));
}
