//! A local backend as a scenario finds it, and what it saw.

use std::collections::BTreeMap;
use std::io::Write;

use aws_smithy_types::base64;
use sagemaker::aws::s3::primitives::ByteStream;
use sagemaker::aws::s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use sagemaker::local::engines::{FnEngine, InvocationFailure, Reply, TrainingOutput};
use sagemaker::local::{LocalBackend, RecordedRequest};
use sagemaker::{Result, Session};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

const FIXTURES: &str = "parity-fixtures";
const HOME_REGION: &str = "us-west-2";

/// Jobs that do not end by themselves.
const LASTING: [&str; 3] = ["profiled-job", "retry-job", "stop-job"];

/// Operations that change nothing.
const READS: [&str; 12] = [
    "Describe",
    "List",
    "Get",
    "Head",
    "Search",
    "BatchGet",
    "BatchDescribe",
    "Query",
    "Lookup",
    "Filter",
    "Render",
    "SelectObjectContent",
];

/// Headers that change what a request to S3 does.
const S3_HEADERS: [&str; 10] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-acl",
    "x-amz-tagging",
    "x-amz-storage-class",
    "x-amz-copy-source",
    "x-amz-expected-bucket-owner",
    "x-amz-source-expected-bucket-owner",
    "x-amz-metadata-directive",
    "x-amz-bucket-object-lock-enabled",
];

/// What is there before a scenario begins, where it differs from most.
struct SetUp {
    region: &'static str,
    has_default_bucket: bool,
    buckets: &'static [&'static str],
    /// Copies of `model/model.tar.gz`: bucket, key.
    models: &'static [(&'static str, &'static str)],
    /// More objects in the bucket of the fixtures: a mock takes a missing manifest, AWS and the local backend do not.
    manifests: &'static [(&'static str, &'static str)],
}

fn set_up(scenario: &str) -> SetUp {
    let usual = SetUp { region: HOME_REGION, has_default_bucket: true, buckets: &[], models: &[], manifests: &[] };
    match scenario {
        "session_bucket_us_east_1" => SetUp { region: "us-east-1", has_default_bucket: false, ..usual },
        "session_default_bucket_create" => SetUp { has_default_bucket: false, ..usual },
        "session_prefix_everything" | "more_prefix" => SetUp { buckets: &["parity-own-bucket"], ..usual },
        "train_input_modes" => SetUp {
            manifests: &[
                ("data/list.manifest", r#"[{"prefix": "s3://parity-fixtures/data/"}, "train.csv"]"#),
                ("data/list.augmented", r#"{"source-ref": "s3://parity-fixtures/data/train.csv", "label": 1}"#),
            ],
            ..usual
        },
        "train_attach_script" => SetUp {
            models: &[("sagemaker-us-west-2-123456789012", "attach-script/attach-script-source/output/model.tar.gz")],
            ..usual
        },
        _ => usual,
    }
}

/// A backend with the fixtures, and a session on it.
pub struct Place {
    pub session: Session,
    backend: LocalBackend,
    /// Requests that were made to prepare it.
    before: usize,
}

impl Place {
    pub async fn of(scenario: &str) -> Self {
        let set_up = set_up(scenario);
        let backend = LocalBackend::builder().region(set_up.region).engine(any_container()).build();
        let session = Session::with_backend(&backend);
        prepare(&session, &set_up).await.unwrap();
        if scenario == "train_algorithm_hosting" {
            register_algorithm(&session).await;
        }
        let before = backend.requests().len();
        Self { session, backend, before }
    }

    /// Each request that changed something, as the traces have it.
    pub async fn changes(&self) -> Vec<Value> {
        let requests: Vec<RecordedRequest> = self.backend.requests().split_off(self.before);
        let mut changes = Vec::new();
        let mut begun = BTreeMap::new();
        for request in requests.iter().filter(|request| !READS.iter().any(|read| request.operation.starts_with(read))) {
            match (request.service.as_str(), request.operation.as_str()) {
                ("s3", "UploadPart") => {}
                ("s3", "CreateMultipartUpload") => {
                    begun.insert(place_of(request), headers(request, |name| S3_HEADERS.contains(&name)));
                }
                ("s3", operation) => {
                    let mut change = self.s3_change(request).await;
                    if operation == "CompleteMultipartUpload" {
                        change.insert("op".into(), "s3.PutObject".into());
                        change.insert("headers".into(), begun.remove(&place_of(request)).unwrap_or_default());
                    }
                    changes.push(change);
                }
                ("sagemaker-runtime", _) => changes.push(invocation(request)),
                _ => changes.push(call(request)),
            }
        }
        let told = |(_, value): &(String, Value)| !value.is_null() && *value != json!({});
        changes.into_iter().map(|change| change.into_iter().filter(told).collect()).collect()
    }

    async fn s3_change(&self, request: &RecordedRequest) -> Map<String, Value> {
        let (bucket, key) = place_of(request);
        let mut change = Map::new();
        change.insert("op".into(), format!("s3.{}", request.operation).into());
        change.insert("headers".into(), headers(request, |name| S3_HEADERS.contains(&name)));
        let s3 = self.session.aws().s3();
        if matches!(request.operation.as_str(), "PutObject" | "CompleteMultipartUpload") {
            let object = s3.get_object().bucket(&bucket).key(&key).send().await.unwrap();
            change.insert("content".into(), content(&object.body.collect().await.unwrap().to_vec()));
        }
        if request.operation == "CreateBucket" {
            let location = s3.get_bucket_location().bucket(&bucket).send().await.unwrap();
            let location =
                location.location_constraint().map(BucketLocationConstraint::as_str).filter(|it| !it.is_empty());
            change.insert("location".into(), json!(location));
        }
        change.insert("bucket".into(), bucket.into());
        if !key.is_empty() {
            change.insert("key".into(), key.into());
        }
        change
    }
}

/// Stands in for every image: what is compared is what is sent, not what is learnt.
fn any_container() -> FnEngine {
    FnEngine::for_image("*")
        .train_with(|job| {
            // These are changed or stopped while they run.
            while LASTING.contains(&job.job_name.as_str()) && !job.is_stopping() && !job.is_killed() {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Ok(TrainingOutput::default().model_file("model.txt", "weights\n"))
        })
        .process_with(|_| Ok(()))
        .load_with(|_| Ok(|_: &_| Ok::<_, InvocationFailure>(Reply::new("application/json", "[0]"))))
}

async fn prepare(session: &Session, set_up: &SetUp) -> Result<()> {
    let mut buckets = vec![FIXTURES.to_owned()];
    buckets.extend(set_up.buckets.iter().map(ToString::to_string));
    if set_up.has_default_bucket {
        buckets.push(session.default_bucket().await?);
    }
    let s3 = session.aws().s3();
    for bucket in buckets {
        let location = (set_up.region != "us-east-1").then(|| {
            let location = BucketLocationConstraint::from(set_up.region);
            CreateBucketConfiguration::builder().location_constraint(location).build()
        });
        s3.create_bucket().bucket(bucket).set_create_bucket_configuration(location).send().await.unwrap();
    }
    let inference = ("code/inference.py", "def model_fn(model_dir):\n    return model_dir\n");
    let model = archive(&[("model.txt", "weights\n")]);
    let objects = [
        ("model/model.tar.gz", model.clone()),
        ("model/with-code.tar.gz", archive(&[("model.txt", "weights\n"), inference])),
        ("model/second.tar.gz", archive(&[("model.txt", "other weights\n")])),
        ("source/sourcedir.tar.gz", archive(&[("train.py", "print('train')\n")])),
        ("data/train.csv", b"1,2,3\n0,4,5\n".to_vec()),
        // Moto does not look whether these are there, AWS does.
        ("data/ip.csv", b"user_1,10.0.0.1\n".to_vec()),
        ("data/ntm/part", b"1,0\n".to_vec()),
        ("data/pairs.jsonl", b"{}\n".to_vec()),
        ("data/r/part", b"1,0\n".to_vec()),
        ("baseline/constraints.json", br#"{"version": 0, "features": []}"#.to_vec()),
        ("baseline/statistics.json", br#"{"version": 0, "features": []}"#.to_vec()),
    ];
    let manifests = set_up.manifests.iter().map(|(key, text)| (FIXTURES, *key, text.as_bytes().to_vec()));
    let copies = set_up.models.iter().map(|(bucket, key)| (*bucket, *key, model.clone()));
    for (bucket, key, content) in
        objects.into_iter().map(|(key, content)| (FIXTURES, key, content)).chain(copies).chain(manifests)
    {
        s3.put_object().bucket(bucket).key(key).body(ByteStream::from(content)).send().await.unwrap();
    }
    Ok(())
}

/// `parity-algorithm`, as the scenarios have it.
async fn register_algorithm(session: &Session) {
    use sagemaker::aws::sagemaker::types::{
        ChannelSpecification, ContinuousParameterRangeSpecification, HyperParameterSpecification,
        InferenceSpecification, IntegerParameterRangeSpecification, ModelPackageContainerDefinition, ParameterRange,
        ParameterType, ProductionVariantInstanceType, TrainingInputMode, TrainingInstanceType, TrainingSpecification,
    };
    const IMAGE: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com/parity-algorithm:1";
    let depth = IntegerParameterRangeSpecification::builder().min_value("1").max_value("10").build();
    let depth = ParameterRange::builder().integer_parameter_range_specification(depth).build();
    let depth = HyperParameterSpecification::builder().name("depth").r#type(ParameterType::Integer).range(depth);
    let rate = ContinuousParameterRangeSpecification::builder().min_value("0.0").max_value("1.0").build();
    let rate = ParameterRange::builder().continuous_parameter_range_specification(rate).build();
    let rate = HyperParameterSpecification::builder().name("rate").r#type(ParameterType::Continuous).range(rate);
    let channel = ChannelSpecification::builder()
        .name("training")
        .is_required(true)
        .supported_content_types("text/csv")
        .supported_input_modes(TrainingInputMode::File);
    let training = TrainingSpecification::builder()
        .training_image(IMAGE)
        .supported_hyper_parameters(depth.is_tunable(true).is_required(true).build())
        .supported_hyper_parameters(rate.is_tunable(true).default_value("0.5").build())
        .supported_training_instance_types(TrainingInstanceType::MlM5Xlarge)
        .supports_distributed_training(true)
        .training_channels(channel.build());
    let inference = InferenceSpecification::builder()
        .containers(ModelPackageContainerDefinition::builder().image(IMAGE).build())
        .supported_realtime_inference_instance_types(ProductionVariantInstanceType::MlM5Xlarge)
        .supported_content_types("text/csv")
        .supported_response_mime_types("text/csv");
    let algorithm = session.aws().sagemaker().create_algorithm().algorithm_name("parity-algorithm");
    let algorithm = algorithm.training_specification(training.build()).inference_specification(inference.build());
    algorithm.send().await.unwrap();
}

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, text) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    let mut packed = tar.into_inner().unwrap();
    packed.flush().unwrap();
    packed.finish().unwrap()
}

fn headers(request: &RecordedRequest, kept: impl Fn(&str) -> bool) -> Value {
    let kept = request.headers.iter().filter(|(name, _)| kept(name));
    kept.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
}

/// A request to a control plane: its name and its body.
fn call(request: &RecordedRequest) -> Map<String, Value> {
    let mut change = Map::new();
    change.insert("op".into(), format!("{}.{}", request.service, request.operation).into());
    change.insert("body".into(), request.body.clone());
    if let Some(region) = request.host.split('.').find(|part| part.ends_with("-1") || part.ends_with("-2"))
        && region != HOME_REGION
    {
        change.insert("region".into(), region.into());
    }
    change
}

/// The recorder keeps no payload of the runtime.
fn invocation(request: &RecordedRequest) -> Map<String, Value> {
    let kept = |name: &str| matches!(name, "content-type" | "accept") || name.starts_with("x-amzn-sagemaker-");
    let endpoint = request.path.split('/').nth(2).unwrap_or_default();
    let mut change = Map::new();
    change.insert("op".into(), format!("{}.{}", request.service, request.operation).into());
    change.insert("path".into(), json!({ "EndpointName": endpoint }));
    change.insert("headers".into(), headers(request, kept));
    change
}

/// Bucket and key; the bucket is in the host or is the first segment of the path.
fn place_of(request: &RecordedRequest) -> (String, String) {
    let path = request.path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let (bucket, key) = match request.host.split_once(".s3.") {
        Some((bucket, _)) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    (bucket.to_owned(), decoded(key))
}

/// Without percent-encoding.
fn decoded(key: &str) -> String {
    let mut bytes = key.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let code = (byte == b'%').then(|| [bytes.next(), bytes.next()].into_iter().flatten().collect::<Vec<u8>>());
        out.push(match code {
            Some(code) => u8::from_str_radix(std::str::from_utf8(&code).unwrap(), 16).unwrap(),
            None => byte,
        });
    }
    String::from_utf8(out).unwrap()
}

/// An object as the traces have it: the members of an archive, JSON, text, or what tells bytes apart.
fn content(bytes: &[u8]) -> Value {
    if bytes.starts_with(&[0x1f, 0x8b])
        && let Ok(members) = members(bytes)
    {
        return json!({ "tar": members });
    }
    if matches!(bytes.first(), Some(b'{' | b'['))
        && let Ok(json) = serde_json::from_slice::<Value>(bytes)
    {
        return json!({ "json": json });
    }
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(|c| c >= ' ' || "\t\r\n".contains(c)));
    match text {
        Some(text) if bytes.len() <= 16 * 1024 => json!({ "text": text }),
        None if bytes.len() <= 1024 => json!({ "base64": base64::encode(bytes) }),
        _ => json!({ "length": bytes.len(), "sha256": digest(bytes) }),
    }
}

fn members(bytes: &[u8]) -> std::io::Result<Vec<Value>> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(bytes)).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content)?;
            let member = json!({ "name": name, "size": content.len(), "sha256": digest(&content) });
            members.insert(name, member);
        }
    }
    Ok(members.into_values().collect())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
