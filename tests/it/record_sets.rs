//! Rows of numbers to shards and a manifest in S3, and nothing left of them after a failure.

use sagemaker::algorithms::kmeans::{ClosestCluster, KMeans};
use sagemaker::codec::{Csv, Deserializer, RecordIo};
use sagemaker::estimator::EstimatorExt;
use sagemaker::local::{Fault, LocalBackend};
use sagemaker::training::{Channels, FileSystemInput, RecordSet};
use sagemaker::types::{Compute, ContentType, S3Uri, VpcConfig};
use sagemaker::{ErrorKind, Session};
use serde_json::{Value, json};

fn kmeans(count: u32) -> KMeans {
    KMeans::builder(2).compute(Compute::instances("ml.c5.xlarge", count)).build().unwrap()
}

fn manifest_of(records: &RecordSet) -> S3Uri {
    records.input().as_s3().unwrap().uri().parse().unwrap()
}

async fn bytes(session: &Session, uri: &S3Uri) -> Vec<u8> {
    let object = session.aws().s3().get_object().bucket(uri.bucket()).key(uri.key()).send().await.unwrap();
    object.body.collect().await.unwrap().to_vec()
}

#[tokio::test]
async fn shards_hold_every_row_once_and_the_manifest_lists_them() {
    let session = Session::local();
    let bucket = session.ensure_bucket().await.unwrap();
    let rows: Vec<[f32; 2]> = (0_u8..25).map(|index| [f32::from(index), 0.5]).collect();
    let labels: Vec<i64> = (0..25).collect();
    let records = kmeans(12).record_set(&session, &rows).labels(&labels).channel("test").await.unwrap();
    assert_eq!((records.num_records(), records.feature_dim(), records.channel_name()), (25, 2, "test"));

    let uri = manifest_of(&records);
    assert!(uri.key().starts_with("sagemaker-record-sets/KMeans-"), "{uri}");
    let manifest: Value = serde_json::from_slice(&bytes(&session, &uri).await).unwrap();
    let prefix = uri.to_string().replace(".amazon.manifest", "");
    let names: Vec<String> = (0..12).map(|shard| format!("matrix_{shard:02}.pbr")).collect();
    let expected = [vec![json!({ "prefix": prefix })], names.iter().map(|name| json!(name)).collect()].concat();
    assert_eq!(manifest, Value::from(expected));

    let mut seen = Vec::new();
    for (shard, name) in names.iter().enumerate() {
        let key = format!("{}{name}", prefix.strip_prefix(&format!("s3://{bucket}/")).unwrap());
        let body = bytes(&session, &S3Uri::new(&bucket, key).unwrap()).await;
        let read = RecordIo::records().deserialize(body.into(), &ContentType::RECORDIO_PROTOBUF).unwrap();
        assert_eq!(read.len(), if shard == 11 { 3 } else { 2 }, "the last takes the rest");
        for record in read {
            assert_eq!(record.feature("values").unwrap().to_f64()[0], record.scalar("values").unwrap());
            seen.push(record.scalar("values").unwrap());
        }
    }
    assert_eq!(seen, (0_u8..25).map(f64::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_left_of_a_failed_upload() {
    for (skip, operation) in [(2, "PutObject"), (5, "PutObject")] {
        let backend = LocalBackend::new();
        let session = Session::with_backend(&backend);
        let bucket = session.ensure_bucket().await.unwrap();
        // The sixth is the manifest.
        backend.faults().add(Fault::refuse(403, "AccessDenied", "Access Denied").on(operation).skip(skip));
        let rows: Vec<[f64; 1]> = (0_u8..10).map(|index| [f64::from(index)]).collect();
        let error = kmeans(5).record_set(&session, &rows).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        let left = session.aws().s3().list_objects_v2().bucket(&bucket).send().await.unwrap();
        assert!(left.contents().is_empty(), "{skip}: {:?}", left.contents());
    }
}

#[tokio::test]
async fn what_cannot_be_uploaded_is_refused_before_anything_is_sent() {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    session.ensure_bucket().await.unwrap();
    let before = backend.requests().len();
    let few = kmeans(3).record_set(&session, &[[1.0_f32], [2.0]]).labels(&[1.0_f32]).await.unwrap_err();
    let fields: Vec<&str> = few.invalid_values().iter().map(|value| value.field.as_str()).collect();
    assert_eq!(fields, ["rows", "labels"]);
    let elsewhere =
        KMeans::builder(2).compute(Compute::instances("ml.c5.xlarge", 1)).data_location("/data/").build().unwrap();
    let error = elsewhere.record_set(&session, &[[1.0_f32]]).await.unwrap_err();
    assert!(error.invalid_values()[0].field.starts_with("data_location"), "{error}");
    assert_eq!(backend.requests().len(), before);

    let ragged = kmeans(1).record_set(&session, &vec![vec![1.0_f32], vec![]]).await.unwrap_err();
    assert_eq!(ragged.kind(), ErrorKind::Serialization);
}

#[tokio::test]
async fn objects_are_encrypted_where_that_is_asked_for() {
    let session = Session::local();
    session.ensure_bucket().await.unwrap();
    let records = kmeans(1).record_set(&session, &[[1.0_f32], [2.0]]).encrypt().await.unwrap();
    let uri = manifest_of(&records);
    let requests = session.backend().unwrap().requests();
    let puts: Vec<_> = requests.iter().filter(|request| request.operation == "PutObject").collect();
    let header = |name: &str| puts.iter().all(|put| put.headers.iter().any(|(header, _)| header == name));
    assert!(
        puts.len() == 2 && header("x-amz-server-side-encryption") && header("x-amz-expected-bucket-owner"),
        "{uri}"
    );
}

#[tokio::test]
async fn a_record_set_may_be_on_a_file_system() {
    let input = FileSystemInput::efs("fs-0123456789abcdef0", "/digits");
    let kmeans = KMeans::builder(2)
        .compute(Compute::instances("ml.c5.xlarge", 1))
        .vpc(VpcConfig::new(["subnet-0a1b2c3d"], ["sg-01234567"]))
        .build()
        .unwrap();
    let context = sagemaker::estimator::PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH);
    let channels = Channels::from(RecordSet::of(input, 100, 784));
    let plan = sagemaker::estimator::Estimator::plan(&kmeans, &context, &channels).unwrap();
    let request = plan.request();
    assert_eq!(request.get_hyper_parameters().as_ref().unwrap()["feature_dim"], "784");
    let channel = &request.get_input_data_config().as_ref().unwrap()[0];
    let source = channel.data_source().unwrap().file_system_data_source().unwrap();
    assert_eq!((channel.channel_name(), source.directory_path()), (Some("train"), Some("/digits")));
}

#[tokio::test]
async fn kmeans_trains_on_a_record_set_and_answers_in_records() {
    let session = Session::local();
    session.ensure_bucket().await.unwrap();
    let kmeans = kmeans(1);
    let rows = [[0.0_f32, 0.0], [0.0, 1.0], [10.0, 10.0], [10.0, 11.0]];
    let records = kmeans.record_set(&session, &rows).await.unwrap();
    let done = kmeans.fit(&session, records).await.unwrap().wait().await.unwrap();
    let model = kmeans.model(&session, &done).await.unwrap();
    let endpoint = model.deploy(Compute::instances("ml.m5.large", 1)).await.unwrap();
    let predictor = endpoint.predictor(RecordIo::rows(), RecordIo::of::<ClosestCluster>());
    let answers = predictor.predict(&[[0.0_f32, 0.5], [10.0, 10.5]]).await.unwrap();
    assert_ne!(answers[0].closest_cluster, answers[1].closest_cluster);
    assert!(answers.iter().all(|answer| (answer.distance_to_cluster - 0.0).abs() < 1e-3), "{answers:?}");
    let csv = endpoint.predictor(Csv::rows(), Csv::float_rows()).predict(&[[10.0, 10.5]]).await.unwrap();
    assert_eq!(csv[0][0], answers[1].closest_cluster);
}
