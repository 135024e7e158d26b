//! Scenarios `session_*`: buckets, uploads and downloads.

use std::path::Path;

use sagemaker::algorithms::KMeans;
use sagemaker::aws::sagemaker::types::{
    AppSpecification, CaptureContentTypeHeader, CaptureMode, CaptureOption, DataCaptureConfig, ProcessingClusterConfig,
    ProcessingInput, ProcessingInstanceType, ProcessingOutput, ProcessingOutputConfig, ProcessingResources,
    ProcessingS3CompressionType, ProcessingS3DataDistributionType, ProcessingS3DataType, ProcessingS3Input,
    ProcessingS3InputMode, ProcessingS3Output, ProcessingS3UploadMode,
};
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::frameworks::FrameworkModel;
use sagemaker::training::TrainingInput;
use sagemaker::transform::TransformInput;
use sagemaker::types::{Compute, S3Uri};
use sagemaker::{Result, Session, images};

use super::support::{DATA, IMAGE, ROLE, WorkDir, below, scenarios};

scenarios![session_bucket_us_east_1, session_default_bucket_create, session_prefix_everything, session_upload_kms_dir,];

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

pub async fn session_prefix_everything(session: &Session) -> Result<()> {
    let session = &session.with_default_bucket("parity-own-bucket", Some("pre/fix"))?;
    let folder = WorkDir::new()?;
    let script = folder.write("p.py", "P = 1\n")?;
    process(session, &script).await?;

    let one = || Compute::instances("ml.m5.large", 1);
    let kmeans = KMeans::builder(2).role(ROLE).compute(one()).build()?;
    let records = kmeans.record_set(session, &[[0.0_f32, 0.0], [1.0, 1.0]]).await?;
    kmeans.fit(session, records).job_name("prefix-kmeans").await?;

    let model = FrameworkModel::sklearn("1.2-1")
        .source(script)
        .model_data("s3://parity-fixtures/model/model.tar.gz")
        .name("prefix-model");
    let model = model.create(session, "ml.m5.large").await?.role(ROLE).await?;
    let capture = capture(&session.default_uri("model-monitor/data-capture").await?);
    let deploy = model.deploy(one()).endpoint_name("prefix-endpoint");
    deploy.map_raw(move |request| request.data_capture_config(capture)).await?;

    let transformer = model.transformer(one()).build()?;
    transformer.transform(TransformInput::new(DATA)).job_name("prefix-transform").await?;
    Ok(())
}

/// A processing job of a script, by the raw client.
async fn process(session: &Session, script: &Path) -> Result<()> {
    let code = session.upload(script, "prefix-proc/input/code").await?;
    let input = ProcessingS3Input::builder()
        .s3_uri(code.to_string())
        .local_path("/opt/ml/processing/input/code")
        .s3_data_type(ProcessingS3DataType::S3Prefix)
        .s3_input_mode(ProcessingS3InputMode::File)
        .s3_data_distribution_type(ProcessingS3DataDistributionType::Fullyreplicated)
        .s3_compression_type(ProcessingS3CompressionType::None);
    let input = ProcessingInput::builder().input_name("code").app_managed(false).s3_input(input.build());
    let output = ProcessingS3Output::builder()
        .s3_uri(session.default_uri("prefix-proc/output/out").await?.to_string())
        .local_path("/opt/ml/processing/out")
        .s3_upload_mode(ProcessingS3UploadMode::EndOfJob);
    let output = ProcessingOutput::builder().output_name("out").app_managed(false).s3_output(output.build());
    let cluster = ProcessingClusterConfig::builder()
        .instance_type(ProcessingInstanceType::MlM5Large)
        .instance_count(1)
        .volume_size_in_gb(30);
    let program = AppSpecification::builder()
        .image_uri(IMAGE)
        .container_entrypoint("python3")
        .container_entrypoint("/opt/ml/processing/input/code/p.py");
    let started = session
        .aws()
        .sagemaker()
        .create_processing_job()
        .processing_job_name("prefix-proc")
        .role_arn(ROLE)
        .app_specification(program.build())
        .processing_inputs(input.build())
        .processing_output_config(ProcessingOutputConfig::builder().outputs(output.build()).build())
        .processing_resources(ProcessingResources::builder().cluster_config(cluster.build()).build());
    started.send().await.map_err(|error| std::io::Error::other(format!("{error:?}")))?;
    Ok(())
}

/// What the Python SDK captures by default.
fn capture(place: &S3Uri) -> DataCaptureConfig {
    let option = |mode| CaptureOption::builder().capture_mode(mode).build();
    let headers =
        CaptureContentTypeHeader::builder().csv_content_types("text/csv").json_content_types("application/json");
    DataCaptureConfig::builder()
        .enable_capture(true)
        .initial_sampling_percentage(20)
        .destination_s3_uri(place.to_string())
        .capture_options(option(CaptureMode::Input))
        .capture_options(option(CaptureMode::Output))
        .capture_content_type_header(headers.build())
        .build()
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
