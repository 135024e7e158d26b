//! Defaults files: what they put into requests, and what a call's own values keep out.

use std::path::PathBuf;

use sagemaker::aws::s3::types::ServerSideEncryption;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt, RegistryAccess};
use sagemaker::local::LocalBackend;
use sagemaker::local::engines::{FnEngine, TrainingOutput};
use sagemaker::model::Model;
use sagemaker::training::{Channels, FileSystemInput, TrainingInput};
use sagemaker::types::{Compute, InstanceGroup, InstanceGroups, TrainingCompute, VpcConfig};
use sagemaker::{ErrorKind, Result, Session};
use serde_json::{Value, json};

use crate::fixture::{one, put};

const TEXT: &str = "
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      Session: {DefaultS3Bucket: team-bucket, DefaultS3ObjectKeyPrefix: team/a}
  TrainingJob:
    RoleArn: arn:aws:iam::123456789012:role/FromFile
    EnableNetworkIsolation: true
    EnableInterContainerTrafficEncryption: true
    Environment: {FROM: file}
    VpcConfig: {Subnets: [subnet-1], SecurityGroupIds: [sg-1]}
    OutputDataConfig: {KmsKeyId: output-key}
    ResourceConfig: {VolumeKmsKeyId: volume-key}
    ProfilerConfig: {DisableProfiler: true}
    Tags: [{Key: team, Value: file}, {Key: centre, Value: '42'}]
  Model:
    ExecutionRoleArn: arn:aws:iam::123456789012:role/Hosting
    EnableNetworkIsolation: true
    PrimaryContainer: {Environment: {LEVEL: info}}
  EndpointConfig: {KmsKeyId: endpoint-key, Tags: [{Key: of, Value: config}]}
  Endpoint: {Tags: [{Key: of, Value: endpoint}]}
  TransformJob:
    TransformOutput: {KmsKeyId: transform-key}
    TransformResources: {VolumeKmsKeyId: transform-volume}
    Environment: {BATCH: yes-please}
";

fn backend() -> LocalBackend {
    let engine = FnEngine::for_image("stand-in").train_with(|_| Ok(TrainingOutput::default()));
    LocalBackend::builder().engine(engine).profile(sagemaker::local::Profile::Lenient).build()
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn sent(backend: &LocalBackend, operation: &str) -> Value {
    let requests = backend.requests();
    requests.iter().rev().find(|request| request.operation == operation).unwrap().body.clone()
}

fn image() -> &'static str {
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1"
}

#[tokio::test]
async fn what_a_call_leaves_open_is_taken_from_the_file() -> Result<()> {
    let backend = backend();
    let (folder, _) = file(TEXT);
    // A folder stands for its config.yaml.
    let place = folder.path().to_str().unwrap();
    let session = Session::builder().local(&backend).config_file(place).build().await?;
    assert_eq!(session.defaults().sources(), [place]);
    assert_eq!((session.default_bucket().await?.as_str(), session.bucket_prefix()), ("team-bucket", Some("team/a")));
    session.aws().s3().create_bucket().bucket("team-bucket").send().await.unwrap();
    let data = put(&session, "in.csv", "1,2\n").await?;
    assert_eq!(data.to_string(), "s3://team-bucket/team/a/in.csv");

    let estimator = ContainerEstimator::builder(image()).compute(one()).build()?;
    estimator.fit(&session, TrainingInput::csv(&data)).job_name("open").await?;
    let request = sent(&backend, "CreateTrainingJob");
    for (pointer, value) in [
        ("/RoleArn", json!("arn:aws:iam::123456789012:role/FromFile")),
        ("/EnableNetworkIsolation", json!(true)),
        ("/EnableInterContainerTrafficEncryption", json!(true)),
        ("/Environment", json!({"FROM": "file"})),
        ("/VpcConfig", json!({"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})),
        ("/OutputDataConfig", json!({"KmsKeyId": "output-key", "S3OutputPath": "s3://team-bucket/team/a/"})),
        ("/ResourceConfig/VolumeKmsKeyId", json!("volume-key")),
        ("/Tags", json!([{"Key": "team", "Value": "file"}, {"Key": "centre", "Value": "42"}])),
    ] {
        assert_eq!(request.pointer(pointer), Some(&value), "{pointer}");
    }

    let estimator = ContainerEstimator::builder(image())
        .compute(Compute::instances("ml.g5.xlarge", 1))
        .role("arn:aws:iam::123456789012:role/Own")
        .environment("OWN", "1")
        .vpc(VpcConfig::new(["subnet-9"], ["sg-9"]))
        .output_kms_key("own-key")
        .output_path("s3://team-bucket/elsewhere")
        .tags([("team", "own")])
        .build()?;
    estimator.fit(&session, TrainingInput::csv(data)).job_name("own").await?;
    let request = sent(&backend, "CreateTrainingJob");
    for (pointer, value) in [
        ("/RoleArn", Some(json!("arn:aws:iam::123456789012:role/Own"))),
        ("/Environment", Some(json!({"OWN": "1"}))),
        ("/VpcConfig", Some(json!({"Subnets": ["subnet-9"], "SecurityGroupIds": ["sg-9"]}))),
        ("/OutputDataConfig/KmsKeyId", Some(json!("own-key"))),
        // It has no volume to encrypt.
        ("/ResourceConfig/VolumeKmsKeyId", None),
        ("/Tags", Some(json!([{"Key": "team", "Value": "own"}, {"Key": "centre", "Value": "42"}]))),
    ] {
        assert_eq!(request.pointer(pointer).cloned(), value, "{pointer}");
    }
    Ok(())
}

#[tokio::test]
async fn the_network_of_the_file_reaches_file_systems_and_registries() -> Result<()> {
    let backend = backend();
    let (_folder, path) = file(TEXT);
    let session = Session::builder().local(&backend).config_file(path.to_str().unwrap()).build().await?;
    session.aws().s3().create_bucket().bucket("team-bucket").send().await.unwrap();
    let lookup = || FileSystemInput::efs("fs-0123456789abcdef0", "/lookup");
    let estimator = ContainerEstimator::builder(image()).compute(one()).registry_access(RegistryAccess::Vpc).build()?;
    estimator.fit(&session, [("lookup", lookup())]).job_name("files").await?;
    let request = sent(&backend, "CreateTrainingJob");
    assert_eq!(
        request.pointer("/InputDataConfig/0/DataSource/FileSystemDataSource/FileSystemType"),
        Some(&json!("EFS"))
    );
    assert_eq!(request["VpcConfig"], json!({"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}));

    let without = Session::with_backend(&backend);
    let error = estimator.fit(&without, [("lookup", lookup())]).await.unwrap_err();
    let mut fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["inputs.lookup", "registry_access"]);
    Ok(())
}

#[tokio::test]
async fn volume_keys_are_sent_where_they_are_asked_for_or_fit() -> Result<()> {
    let backend = backend();
    let (_folder, path) = file(TEXT);
    let session = Session::builder().local(&backend).config_file(path.to_str().unwrap()).build().await?;
    session.aws().s3().create_bucket().bucket("team-bucket").send().await.unwrap();
    let key = || sent(&backend, "CreateTrainingJob")["ResourceConfig"]["VolumeKmsKeyId"].clone();
    let start = async |compute: TrainingCompute, own: Option<&str>| -> Result<Value> {
        let builder = ContainerEstimator::builder(image()).compute(compute);
        let builder = if let Some(own) = own { builder.volume_kms_key(own) } else { builder };
        builder.build()?.fit(&session, Channels::default()).await?;
        Ok(key())
    };
    let groups = |kinds: &[&str]| {
        let group = |kind: &&str| InstanceGroup::new(kind.replace('.', "-"), *kind, 1);
        TrainingCompute::from(InstanceGroups::new(kinds.iter().map(group)))
    };
    let without_volume = || TrainingCompute::from(Compute::instances("ml.g5.xlarge", 1));
    assert_eq!(start(without_volume(), Some("own-key")).await?, "own-key");
    assert_eq!(start(without_volume(), None).await?, Value::Null);
    assert_eq!(start(groups(&["ml.g5.xlarge", "ml.p4d.24xlarge"]), None).await?, Value::Null);
    assert_eq!(start(groups(&["ml.g5.xlarge", "ml.m5.xlarge"]), None).await?, "volume-key");
    Ok(())
}

#[tokio::test]
async fn models_endpoints_and_transforms_have_defaults_too() -> Result<()> {
    let backend = backend();
    let (_folder, path) = file(TEXT);
    let session = Session::builder().local(&backend).config_file(path.to_str().unwrap()).build().await?;
    session.aws().s3().create_bucket().bucket("team-bucket").send().await.unwrap();
    let data = put(&session, "in.csv", "1,2\n").await?;
    let model = Model::create(&session, image()).name("m").await?;
    let request = sent(&backend, "CreateModel");
    assert_eq!(request["ExecutionRoleArn"], "arn:aws:iam::123456789012:role/Hosting");
    assert_eq!(request["EnableNetworkIsolation"], true);
    assert_eq!(request["PrimaryContainer"]["Environment"], json!({"LEVEL": "info"}));

    model.deploy(one()).endpoint_name("e").no_wait().await?;
    let config = sent(&backend, "CreateEndpointConfig");
    assert_eq!(config["KmsKeyId"], "endpoint-key");
    assert_eq!(config["Tags"], json!([{"Key": "of", "Value": "config"}]));
    assert_eq!(sent(&backend, "CreateEndpoint")["Tags"], json!([{"Key": "of", "Value": "endpoint"}]));

    let transformer = model.transformer(one()).build()?;
    transformer.transform(sagemaker::transform::TransformInput::csv(data)).job_name("t").await?;
    let request = sent(&backend, "CreateTransformJob");
    assert_eq!(request["TransformOutput"]["KmsKeyId"], "transform-key");
    assert_eq!(request["TransformResources"]["VolumeKmsKeyId"], "transform-volume");
    assert_eq!(request["Environment"], json!({"BATCH": "yes-please"}));
    assert_eq!(request["TransformOutput"]["S3OutputPath"], "s3://team-bucket/team/a/t");
    Ok(())
}

#[tokio::test]
async fn files_in_s3_are_read_and_what_is_missing_or_wrong_is_named() -> Result<()> {
    let backend = backend();
    let admin = Session::with_backend(&backend);
    admin.aws().s3().create_bucket().bucket("config").send().await.unwrap();
    let object = "s3://config/team/config.yaml".parse()?;
    admin.upload_bytes(TEXT, &object, &sagemaker::types::ContentType::TEXT).await?;
    for place in ["s3://config/team/config.yaml", "s3://config/team", "s3://config/team/"] {
        let session = Session::builder().local(&backend).config_file(place).bucket("own").build().await?;
        assert_eq!(session.default_bucket().await?, "own", "a call's own value wins");
        assert_eq!(session.bucket_prefix(), Some("team/a"));
    }
    for place in ["s3://config/nothing", "/nowhere/config.yaml"] {
        let error = Session::builder().local(&backend).config_file(place).build().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(place), "{error}");
    }
    let (_folder, path) = file("SchemaVersion: '1.0'\nSageMaker: {TrainingJob: {RoleArn: 7}}");
    let place = path.to_str().unwrap();
    let error = Session::builder().local(&backend).config_file(place).build().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(place) && text.contains("SageMaker.TrainingJob.RoleArn"), "{text}");
    assert!(Session::with_backend(&backend).defaults().is_empty());
    Ok(())
}

#[tokio::test]
async fn the_sessions_own_role_wins_over_the_file() -> Result<()> {
    let backend = backend();
    let (_folder, path) = file(TEXT);
    let session = Session::builder().local(&backend).config_file(path.to_str().unwrap());
    let session = session.role("arn:aws:iam::123456789012:role/Session").build().await?;
    Model::create(&session, image()).name("m").await?;
    assert_eq!(sent(&backend, "CreateModel")["ExecutionRoleArn"], "arn:aws:iam::123456789012:role/Session");
    Ok(())
}

#[tokio::test]
async fn with_a_prefix_no_bucket_is_created() -> Result<()> {
    let session = Session::builder().local(&backend()).bucket_prefix("/team/a/").build().await?;
    let error = session.ensure_bucket().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("create it"), "{error}");
    let bucket = session.default_bucket().await?;
    session.aws().s3().create_bucket().bucket(&bucket).send().await.unwrap();
    assert_eq!(session.ensure_bucket().await?, bucket);
    let other = session.with_default_bucket("other", None)?;
    assert_eq!(other.default_uri("x").await?.to_string(), "s3://other/x");
    assert!(session.with_default_bucket("other", Some("//")).is_err());
    assert!(session.with_default_bucket("No Bucket", None).is_err());
    Ok(())
}

#[tokio::test]
async fn uploads_carry_their_settings_and_tell_how_far_they_are() -> Result<()> {
    use std::sync::{Arc, Mutex};

    let session = Session::local();
    session.ensure_bucket().await?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), vec![1; 1000]).unwrap();
    std::fs::write(folder.path().join("large"), vec![2; 20 << 20]).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let uri = session
        .upload(folder.path(), "data")
        .kms_key("arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555")
        .metadata("team", "forecast")
        .progress(move |progress| notes.lock().unwrap().push(progress))
        .await?;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let last = seen.last().unwrap();
    let all = (20 << 20) + 1000;
    assert_eq!((last.bytes, last.total_bytes, last.files, last.total_files), (all, all, 2, 2));
    assert!(seen.len() >= 4, "part by part: {seen:?}");
    for name in ["a", "large"] {
        let object = uri.join(name);
        let head = session.aws().s3().head_object().bucket(object.bucket()).key(object.key()).send().await.unwrap();
        assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms), "{name}");
        assert_eq!(head.metadata().unwrap()["team"], "forecast");
        assert!(head.ssekms_key_id().unwrap().ends_with("555555555555"));
    }

    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let into = tempfile::tempdir().unwrap();
    let download = session.download(&uri, into.path());
    let files = download.progress(move |progress| notes.lock().unwrap().push(progress)).await?;
    let last = *seen.lock().unwrap().last().unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!((last.bytes, last.total_bytes, last.files, last.total_files), (all, all, 2, 2));
    assert!((last.fraction() - 1.0).abs() < f64::EPSILON);
    Ok(())
}
