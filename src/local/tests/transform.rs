use aws_sdk_sagemaker::operation::create_transform_job::builders::CreateTransformJobFluentBuilder;
use aws_sdk_sagemaker::operation::describe_transform_job::DescribeTransformJobOutput;
use aws_sdk_sagemaker::types as sm;

use super::support::{Aws, refusal, validation};
use crate::local::LocalClock;

fn input(uri: &str, split: sm::SplitType) -> sm::TransformInput {
    let source = sm::TransformS3DataSource::builder().s3_data_type(sm::S3DataType::S3Prefix).s3_uri(uri).build();
    sm::TransformInput::builder()
        .data_source(sm::TransformDataSource::builder().s3_data_source(source).build())
        .content_type("text/csv")
        .split_type(split)
        .build()
}

fn output(assemble: sm::AssemblyType) -> sm::TransformOutput {
    sm::TransformOutput::builder().s3_output_path("s3://out/batch").assemble_with(assemble).build()
}

fn transform(aws: &Aws, name: &str) -> CreateTransformJobFluentBuilder {
    let resources =
        sm::TransformResources::builder().instance_type(sm::TransformInstanceType::MlM5Large).instance_count(1).build();
    aws.sagemaker
        .create_transform_job()
        .transform_job_name(name)
        .model_name("m")
        .transform_input(input("s3://data/in/", sm::SplitType::Line))
        .transform_output(output(sm::AssemblyType::Line))
        .transform_resources(resources)
}

/// A backend with the model `m` (its mean is 5) and input in `s3://data/in/`.
async fn backend(clock: LocalClock) -> Aws {
    let aws = Aws::with_clock(clock);
    aws.model("m", "5").await;
    aws.put("data", "in/a.csv", "1\n2\n3\n");
    aws.put("data", "in/sub/b.csv", "1");
    aws.put("data", "in/", "");
    aws
}

async fn run(aws: &Aws, job: CreateTransformJobFluentBuilder) -> DescribeTransformJobOutput {
    let name = job.get_transform_job_name().clone().unwrap();
    job.send().await.unwrap();
    aws.backend.clock().settle().await;
    aws.sagemaker.describe_transform_job().transform_job_name(name).send().await.unwrap()
}

#[tokio::test]
async fn each_object_comes_out_as_one() {
    let aws = backend(LocalClock::instant()).await;
    let job = run(&aws, transform(&aws, "batch")).await;
    assert_eq!(job.transform_job_status(), Some(&sm::TransformJobStatus::Completed), "{:?}", job.failure_reason());
    assert_eq!(job.transform_job_arn(), Some("arn:aws:sagemaker:us-east-1:123456789012:transform-job/batch"));
    assert!(job.transform_end_time() >= job.transform_start_time());
    assert!(job.transform_start_time() > job.creation_time());
    assert_eq!(aws.get("out", "batch/a.csv.out").unwrap(), "5\n5\n5\n");
    assert_eq!(aws.get("out", "batch/sub/b.csv.out").unwrap(), "5\n");
    assert_eq!(aws.get("out", "batch/.out"), None);
    let log = aws.lines("/aws/sagemaker/TransformJobs").await;
    assert!(
        log[1].ends_with(":[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"),
        "{log:?}"
    );
}

#[tokio::test]
async fn records_are_split_and_assembled_as_asked() {
    let aws = backend(LocalClock::instant()).await;
    let single = transform(&aws, "single").batch_strategy(sm::BatchStrategy::SingleRecord);
    run(&aws, single.transform_output(output(sm::AssemblyType::None))).await;
    assert_eq!(aws.get("out", "batch/a.csv.out").unwrap(), "555");

    let whole = transform(&aws, "whole").transform_input(input("s3://data/in/a.csv", sm::SplitType::None));
    run(&aws, whole.transform_output(output(sm::AssemblyType::None))).await;
    assert_eq!(aws.get("out", "batch/a.csv.out").unwrap(), "5\n5\n5");

    let scaled = transform(&aws, "scaled")
        .environment("SCALE", "2")
        .transform_input(input("s3://data/in/sub/b.csv", sm::SplitType::Line));
    run(&aws, scaled).await;
    assert_eq!(aws.get("out", "batch/b.csv.out").unwrap(), "10\n");
}

#[tokio::test]
async fn a_failing_record_fails_the_job() {
    let aws = backend(LocalClock::instant()).await;
    aws.put("data", "in/c.csv", "1\nbreak\n");
    let job = run(&aws, transform(&aws, "breaks").batch_strategy(sm::BatchStrategy::SingleRecord)).await;
    assert_eq!(job.transform_job_status(), Some(&sm::TransformJobStatus::Failed));
    assert_eq!(job.failure_reason(), Some("AlgorithmError: See job logs for more information"));
    let log = aws.lines("/aws/sagemaker/TransformJobs").await;
    assert!(log.iter().any(|line| line.ends_with("data/in/c.csv: AlgorithmError: 500")), "{log:?}");
    assert!(log.iter().any(|line| line.ends_with("data/in/c.csv: broken")), "{log:?}");
    assert_eq!(aws.get("out", "batch/a.csv.out"), None);

    let mut images = input("s3://data/in/a.csv", sm::SplitType::Line);
    images.content_type = Some("image/png".to_owned());
    let job = run(&aws, transform(&aws, "images").transform_input(images)).await;
    assert_eq!(job.failure_reason(), Some("ClientError: See job logs for more information"));

    aws.put("data", "large/x.csv", "9".repeat((1 << 20) + 1));
    let large =
        transform(&aws, "large").max_payload_in_mb(1).transform_input(input("s3://data/large/", sm::SplitType::None));
    let reason = run(&aws, large).await.failure_reason().unwrap().to_owned();
    assert!(reason.contains("larger than MaxPayloadInMB allows"), "{reason}");
}

#[tokio::test]
async fn a_stopped_job_leaves_nothing() {
    let aws = backend(LocalClock::manual()).await;
    transform(&aws, "stops").send().await.unwrap();
    let stop = || aws.sagemaker.stop_transform_job().transform_job_name("stops").send();
    stop().await.unwrap();
    aws.backend.clock().advance(std::time::Duration::from_secs(100));
    aws.backend.clock().settle().await;
    let job = aws.sagemaker.describe_transform_job().transform_job_name("stops").send().await.unwrap();
    assert_eq!(job.transform_job_status(), Some(&sm::TransformJobStatus::Stopped));
    assert_eq!(aws.get("out", "batch/a.csv.out"), None);
    assert_eq!(
        refusal(stop().await),
        validation("The request was rejected because the transform job is in status Stopped.")
    );
}

#[tokio::test]
async fn a_bad_request_is_refused() {
    let aws = backend(LocalClock::instant()).await;
    let missing = transform(&aws, "t").model_name("no").send().await;
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:model/no";
    assert_eq!(refusal(missing), validation(&format!("Could not find model \"{arn}\".")));
    let empty = transform(&aws, "t").transform_input(input("s3://data/no/", sm::SplitType::Line)).send().await;
    assert!(refusal(empty).1.starts_with("No S3 objects found under S3 URL \"s3://data/no/\""));
    let filter = |filter: &str| sm::DataProcessing::builder().input_filter(filter).build();
    let filtered = transform(&aws, "t").data_processing(filter("$..x")).send().await;
    let text = "The InputFilter \"$..x\" is not a valid JSONPath: the operator . is not supported.";
    assert_eq!(refusal(filtered), validation(text));
    let mut images = input("s3://data/in/", sm::SplitType::Line);
    images.content_type = Some("image/png".to_owned());
    let filtered = transform(&aws, "t").transform_input(images).data_processing(filter("$[1:]")).send().await;
    assert!(refusal(filtered).1.starts_with("DataProcessing is only supported for the content types text/csv"));
    let harmless = sm::DataProcessing::builder().input_filter("$").join_source(sm::JoinSource::None).build();
    run(&aws, transform(&aws, "t").data_processing(harmless)).await;
    let again = transform(&aws, "t").send().await;
    let text = "Job name must be unique within an AWS account and region, and a job with this name already exists \
                (arn:aws:sagemaker:us-east-1:123456789012:transform-job/t)";
    assert_eq!(refusal(again), ("ResourceInUse".to_owned(), text.to_owned()));
    let unknown = aws.sagemaker.describe_transform_job().transform_job_name("no").send().await;
    assert_eq!(refusal(unknown), validation("Could not find requested job with name: no"));
    let delete = status_of_delete(&aws).await;
    assert_eq!(delete, 400);
}

/// `DeleteTransformJob` does not exist, although the table of kinds could answer it.
async fn status_of_delete(aws: &Aws) -> u16 {
    let request = crate::local::signature::sign(http::Request::post("https://api.sagemaker.us-east-1.amazonaws.com/"))
        .header("x-amz-target", "SageMaker.DeleteTransformJob")
        .body(aws_smithy_types::body::SdkBody::from(r#"{"TransformJobName": "t"}"#))
        .unwrap();
    aws.backend.handle(request).await.status().as_u16()
}

#[tokio::test]
async fn jobs_are_listed_by_when_they_last_changed() {
    let aws = backend(LocalClock::instant()).await;
    run(&aws, transform(&aws, "t")).await;
    let list = || aws.sagemaker.list_transform_jobs();
    let page = list().send().await.unwrap();
    let modified = page.transform_job_summaries()[0].last_modified_time().copied().unwrap();
    assert_eq!(Some(&modified), page.transform_job_summaries()[0].transform_end_time());
    let after = list().last_modified_time_after(modified).send().await.unwrap();
    assert_eq!(after.transform_job_summaries().len(), 1);
    let before = aws_sdk_sagemaker::primitives::DateTime::from_secs(1);
    assert!(list().last_modified_time_before(before).send().await.unwrap().transform_job_summaries().is_empty());
}

#[tokio::test]
async fn records_are_filtered_and_joined() {
    let aws = backend(LocalClock::instant()).await;
    aws.put("data", "joined/a.csv", "id1,1\nid2,2\n");
    let processing = sm::DataProcessing::builder()
        .input_filter("$[1:]")
        .join_source(sm::JoinSource::Input)
        .output_filter("$[0,-1]")
        .build();
    let job = transform(&aws, "join").transform_input(input("s3://data/joined/", sm::SplitType::Line));
    let job = run(&aws, job.data_processing(processing)).await;
    assert_eq!(job.failure_reason(), None);
    assert_eq!(aws.get("out", "batch/a.csv.out").unwrap(), "id1,5\nid2,5\n");
    assert_eq!(job.data_processing().unwrap().input_filter(), Some("$[1:]"));
}

#[tokio::test]
async fn payloads_go_out_together_and_come_back_in_order() {
    let aws = backend(LocalClock::instant()).await;
    let rows: String = (0..40).map(|row| format!("{row}\n")).collect();
    aws.put("data", "many/a.csv", rows);
    let job = transform(&aws, "many")
        .transform_input(input("s3://data/many/", sm::SplitType::Line))
        .batch_strategy(sm::BatchStrategy::SingleRecord)
        .max_concurrent_transforms(8)
        .max_payload_in_mb(1);
    assert_eq!(run(&aws, job).await.failure_reason(), None);
    assert_eq!(aws.get("out", "batch/a.csv.out").unwrap(), "5\n".repeat(40));
    let log = aws.lines("/aws/sagemaker/TransformJobs").await;
    assert!(log[1].contains("MaxConcurrentTransforms=8, MaxPayloadInMB=1, BatchStrategy=SINGLE_RECORD"), "{log:?}");
}

#[tokio::test]
async fn framed_records_are_split() {
    let aws = backend(LocalClock::instant()).await;
    let record = |content: &str| {
        let length = (content.len() as u64).to_le_bytes();
        [&length[..], &[0; 4], content.as_bytes(), &[0; 4]].concat()
    };
    aws.put("data", "tf/a", [record("1"), record("2")].concat());
    let job = transform(&aws, "tf")
        .transform_input(input("s3://data/tf/", sm::SplitType::Tfrecord))
        .batch_strategy(sm::BatchStrategy::SingleRecord);
    assert_eq!(run(&aws, job).await.failure_reason(), None);
    assert_eq!(aws.get("out", "batch/a.out").unwrap(), "5\n5\n");
    aws.put("data", "broken/a", "this is no TFRecord file");
    let broken = transform(&aws, "broken").transform_input(input("s3://data/broken/", sm::SplitType::Tfrecord));
    let reason = run(&aws, broken).await.failure_reason().unwrap().to_owned();
    assert_eq!(reason, "ClientError: s3://data/broken/a: the object is no valid TFRecord file");
}

#[tokio::test]
async fn a_slow_model_is_asked_again_and_given_up() {
    let aws = Aws::with_clock(LocalClock::scaled(100.0));
    aws.model("m", "5").await;
    aws.put("data", "slow/a.csv", "slow");
    // The model takes 0.3 seconds, which are 30 of the clock's.
    let client = |seconds| {
        sm::ModelClientConfig::builder().invocations_timeout_in_seconds(seconds).invocations_max_retries(1).build()
    };
    for (seconds, failure) in [(5, Some("AlgorithmError: See job logs for more information")), (600, None)] {
        let name = format!("slow-{seconds}");
        let job = transform(&aws, &name).transform_input(input("s3://data/slow/", sm::SplitType::None));
        let job = run(&aws, job.model_client_config(client(seconds))).await;
        assert_eq!(job.failure_reason(), failure);
    }
    let log = aws.lines("/aws/sagemaker/TransformJobs").await;
    assert!(log.iter().any(|line| line.ends_with("The model did not answer within 5 seconds")), "{log:?}");
}
