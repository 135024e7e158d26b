//! Writes what each target begins with into `corpus/`, from valid requests and files.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use libfuzzer_sys as _;
use sagemaker::codec::recordio::SparseMatrix;
use sagemaker::codec::{Csv, Json, LibSvm, Npy, RecordIo, Serializer};
use sagemaker::local::engines::{Channel, Engine, TrainingTask};
use sagemaker::local::engines::{
    factorization_machines::FactorizationMachinesEngine, kmeans::KMeansEngine, knn::KnnEngine,
    linear_learner::LinearLearnerEngine, pca::PcaEngine, random_cut_forest::RandomCutForestEngine,
    xgboost::XGBoostEngine,
};
use serde_json::Value;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = |target: &str, seeds: Vec<Vec<u8>>| {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder).expect("a folder");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a file");
        }
        println!("{target}: {} seeds", seeds.len());
    };
    write("handler", requests(root));
    write("connection", connections());
    write("bodies", bodies());
    write("codecs", codecs());
    write("files", files());
    write("models", models(root));
    write("training", training());
}

/// What the Python SDK sends, and a call of each service.
fn requests(root: &Path) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let golden = root.join("../tests/it/parity/golden");
    let mut files: Vec<_> =
        fs::read_dir(golden).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for file in files {
        let scenario: Value = serde_json::from_slice(&fs::read(file).expect("a file")).expect("JSON");
        for request in scenario["requests"].as_array().into_iter().flatten() {
            let Some(operation) = request["op"].as_str().and_then(|op| op.strip_prefix("sagemaker.")) else { continue };
            let body = request["body"].to_string().replace("parity-image", "echo");
            seeds.push(format!("POST /\nx-amz-target: SageMaker.{operation}\n\n{body}"));
        }
    }
    let document = fs::read_to_string(root.join("../docs/src/supported-operations.md")).unwrap_or_default();
    for word in document.split(['`', '|', ' ', ',']).filter(|word| word.len() > 6 && word.is_ascii()) {
        if ["Create", "Describe", "List", "Update", "Delete", "Stop"].iter().any(|verb| word.starts_with(verb)) {
            seeds.push(format!("POST /\nx-amz-target: SageMaker.{word}\n\n{{\"MaxResults\":2,\"SortBy\":\"Name\"}}"));
        }
    }
    let scope = |service: &str| {
        format!(
            "authorization: AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        )
    };
    let (sts, iam, metrics) = (scope("sts"), scope("iam"), scope("monitoring"));
    seeds.extend([
        format!("POST /\n{sts}\n\nAction=GetCallerIdentity&Version=2011-06-15"),
        format!("POST /\n{sts}\n\nAction=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/SageMakerRole&RoleSessionName=s"),
        format!("POST /\n{iam}\n\nAction=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%7D"),
        format!("POST /\n{iam}\n\nAction=GetRole&RoleName=SageMakerRole"),
        format!("POST /\n{metrics}\n\nAction=PutMetricData&Namespace=N&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1"),
    ]);
    seeds.extend(
        [
            "GET /\n\n",
            "GET /bucket?list-type=2&prefix=f&delimiter=%2F&max-keys=2&start-after=a&encoding-type=url\n\n",
            "GET /bucket?versions&key-marker=k\n\n",
            "GET /bucket/key?partNumber=1\nrange: bytes=0-3\nif-match: \"a\"\n\n",
            "HEAD /bucket/key\nx-amz-checksum-mode: ENABLED\n\n",
            "PUT /bucket/key\ncontent-md5: XrY7u+Ae7tCTyyK7j1rNww==\nx-amz-tagging: a=b\nx-amz-meta-a: b\n\nhello",
            "PUT /bucket/copy\nx-amz-copy-source: /bucket/key\nx-amz-metadata-directive: REPLACE\n\n",
            "PUT /bucket?versioning\n\n<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
            "POST /bucket/big?uploads\n\n",
            "PUT /bucket/big?partNumber=1&uploadId=1\n\npart",
            "DELETE /bucket/key?versionId=null\n\n",
            "POST /bucket?delete\n\n<Delete><Object><Key>key</Key></Object><Quiet>true</Quiet></Delete>",
            "GET /bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00\nauthorization:\n\n",
            "GET /bucket/key\nhost: bucket.s3.eu-west-1.amazonaws.com\n\n",
            "POST /endpoints/e/invocations\ncontent-type: text/csv\nx-amzn-sagemaker-target-variant: v\n\n1,2",
            "POST /endpoints/e/async-invocations\nx-amzn-sagemaker-inputlocation: s3://bucket/key\n\n",
            "POST /endpoints/e/invocations-response-stream\n\nwords and words",
            "POST /\nx-amz-target: Logs_20140328.CreateLogGroup\n\n{\"logGroupName\":\"g\"}",
            "POST /\nx-amz-target: Logs_20140328.FilterLogEvents\n\n{\"logGroupName\":\"g\",\"filterPattern\":\"{$.a=1}\"}",
            "POST /\nx-amz-target: Logs_20140328.StartQuery\n\n{\"logGroupName\":\"g\",\"startTime\":0,\"endTime\":1,\"queryString\":\"fields @message | filter a like /b/ | stats count() by bin(1m)\"}",
            "POST /\nx-amz-target: SageMaker.Search\n\n{\"Resource\":\"TrainingJob\",\"SearchExpression\":{\"Filters\":[{\"Name\":\"TrainingJobName\",\"Operator\":\"Contains\",\"Value\":\"a\"}]}}",
            "GET /_local/requests?service=s3\n\n",
        ]
        .map(str::to_owned),
    );
    seeds.into_iter().map(String::into_bytes).collect()
}

fn connections() -> Vec<Vec<u8>> {
    [
        "GET /_local/health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /_local/health HTTP/1.0\r\n\r\n",
        "PUT /b HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: 1\r\n\r\n",
        "PUT /b HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: SageMaker.ListModels\r\ncontent-length: 2\r\n\r\n{}",
        "HEAD /b/k HTTP/1.1\r\nhost: [::1]:1\r\norigin: http://localhost\r\nconnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\nhost: localhost:1\r\n\r\n",
        "GET http://localhost/ HTTP/1.1\r\nhost: localhost\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// The first byte is the number of a head in the target.
fn bodies() -> Vec<Vec<u8>> {
    let form = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nup/${filename}\r\n--b\r\nContent-Disposition: \
                form-data; name=\"success_action_status\"\r\n\r\n201\r\n--b\r\nContent-Disposition: form-data; \
                name=\"file\"; filename=\"a\"\r\n\r\nhello\r\n--b--\r\n";
    let mut seeds: Vec<Vec<u8>> = [
        (0, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"),
        (1, "5;chunk-signature=0af1\r\nhello\r\n0;chunk-signature=0af1\r\n\r\n"),
        (2, form),
        (3, "<Delete><Object><Key>key</Key><VersionId>null</VersionId></Object></Delete>"),
        (4, "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
        (5, "<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"),
        (6, "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"),
        (7, r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}"#),
        (8, "<AccessControlPolicy><Owner><ID>a</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>a</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"),
        (9, "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>"),
        (10, "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"),
        (11, "<Tagging><TagSet></TagSet></Tagging>"),
        (12, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part></CompleteMultipartUpload>"),
        (13, "<RestoreRequest><Days>1</Days></RestoreRequest>"),
        (16, "Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=m&MetricData.member.1.Dimensions.member.1.Name=a"),
        (17, "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/SageMakerRole&RoleSessionName=ss"),
        (18, "Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B%22Statement%22%3A%5B%5D%7D&Tags.member.1.Key=a"),
        (19, r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}"#),
        (20, r#"{"logGroupName":"g","filterPattern":"?a -b %c.*%"}"#),
        (21, r#"{"TrainingJobName":"j","AlgorithmSpecification":{"TrainingImage":"echo:1","TrainingInputMode":"File"},"RoleArn":"arn:aws:iam::123456789012:role/SageMakerRole","OutputDataConfig":{"S3OutputPath":"s3://bucket/o"},"ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":1},"StoppingCondition":{"MaxRuntimeInSeconds":60}}"#),
        (22, "words and words"),
    ]
    .map(|(number, text)| [&[number], text.as_bytes()].concat())
    .into();
    let metrics = serde_json::json!({
        "Namespace": "N",
        "MetricData": [{"MetricName": "m", "Value": 1.5, "Dimensions": [{"Name": "a", "Value": "b"}]}],
    });
    let mut cbor = vec![14];
    ciborium::into_writer(&metrics, &mut cbor).expect("memory");
    seeds.push(cbor);
    seeds
}

fn codecs() -> Vec<Vec<u8>> {
    let rows = [[1.5_f32, -2.0], [0.25, 1e9]];
    let sparse = SparseMatrix::new(3, &[0, 1, 1], &[1], &[1.5_f32]).expect("a matrix");
    let bodies = [
        Csv::rows().serialize(&rows).expect("CSV"),
        Json::value().serialize(&rows).expect("JSON"),
        LibSvm::rows().serialize(&rows).expect("LibSVM"),
        Npy::array().serialize(&rows).expect("npy"),
        Npy::array().serialize(&[[1, 2], [3, 4]]).expect("npy"),
        RecordIo::rows().serialize(&rows).expect("records"),
        RecordIo::labelled_rows().serialize(&(rows, [0.0_f32, 1.0])).expect("records"),
        RecordIo::sparse_rows().serialize(&sparse).expect("records"),
        Bytes::from("\"a \"\"quoted\"\" field\",2\r\n3,4\n"),
        Bytes::from("{\"a\":[1,null,1e309]}\n{\"a\":\"\\ud83d\\ude00\"}\n"),
        Bytes::from("1 qid:2 1:0.5 3:1e-3 # comment\n-1 2:nan\n"),
    ];
    bodies.into_iter().map(|body| body.to_vec()).collect()
}

fn files() -> Vec<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [("xgboost-model", "content"), ("code/inference.py", "print()")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes()).expect("memory");
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    builder.append_data(&mut header, "long/".repeat(60), &b"x"[..]).expect("memory");
    let plain = builder.into_inner().expect("memory");
    let gzip = |bytes: &[u8]| {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(bytes).expect("memory");
        packed.finish().expect("memory")
    };
    let record = [&0xced7_230a_u32.to_le_bytes()[..], &3_u32.to_le_bytes()[..], b"abc\0"].concat();
    let texts = [
        "$.a[0:2]['b','c']",
        "$[-1:]",
        "{ ($.a = 1 && $.b != \"x*\") || $.c IS NULL }",
        "?ERROR -WARN \"a b\" %[0-9]{2}%",
        "fields @timestamp, @message | filter a like /b.*/ and c > 1 | parse @message \"* x *\" as d, e | stats avg(a), count(*) by bin(5m) | sort d desc | limit 3",
    ];
    let mut seeds = vec![
        [&[0], &gzip(&plain)[..]].concat(),
        [&[1], &plain[..]].concat(),
        [&[2], &gzip(b"1,2\n")[..]].concat(),
        [&[3], &br#"[{"prefix":"s3://bucket/in/"},"a.csv","x/b.csv"]"#[..]].concat(),
        [&[4], &record[..]].concat(),
    ];
    seeds.extend(texts.iter().map(|text| [&[5], text.as_bytes()].concat()));
    seeds
}

/// The engines in the order of the targets, each with what it needs to be told.
fn engines() -> [(Box<dyn Engine>, &'static str, &'static [(&'static str, &'static str)]); 7] {
    [
        (
            Box::new(FactorizationMachinesEngine::new()),
            "factorization-machines:1",
            &[("feature_dim", "2"), ("num_factors", "2"), ("predictor_type", "regressor")],
        ),
        (Box::new(KMeansEngine::new()), "kmeans:1", &[("feature_dim", "2"), ("k", "2")]),
        (
            Box::new(KnnEngine::new()),
            "knn:1",
            &[("feature_dim", "2"), ("k", "1"), ("sample_size", "4"), ("predictor_type", "regressor")],
        ),
        (
            Box::new(LinearLearnerEngine::new()),
            "linear-learner:1",
            &[("predictor_type", "regressor"), ("num_models", "1"), ("mini_batch_size", "1")],
        ),
        (
            Box::new(PcaEngine::new()),
            "pca:1",
            &[("feature_dim", "2"), ("num_components", "1"), ("mini_batch_size", "2")],
        ),
        (
            Box::new(RandomCutForestEngine::new()),
            "randomcutforest:1",
            &[("feature_dim", "2"), ("num_trees", "50"), ("num_samples_per_tree", "1")],
        ),
        (Box::new(XGBoostEngine::new()), "sagemaker-xgboost:1.7-1", &[("num_round", "2")]),
    ]
}

const LABELLED: &str = "1,0.5,2\n2,1.5,3\n3,2.5,1\n4,3.5,0\n";

fn models(root: &Path) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, (engine, image, settings)) in (0_u8..).zip(engines()) {
        let clusters = matches!(number, 1 | 4 | 5);
        let (content_type, data) = match clusters {
            true => ("text/csv;label_size=0", LABELLED.lines().map(|line| &line[2..]).collect::<Vec<_>>().join("\n")),
            false if number == 6 => ("text/csv", LABELLED.to_owned()),
            false => ("text/csv;label_size=1", LABELLED.to_owned()),
        };
        let labels = [1.0_f32, 2.0, 3.0, 4.0];
        let records =
            RecordIo::labelled_rows().serialize(&([[0.5_f32, 2.0], [1.5, 3.0], [2.5, 1.0], [3.5, 0.0]], labels));
        let (content_type, data) = match number {
            // It takes nothing else.
            0 => ("application/x-recordio-protobuf", records.expect("records")),
            _ => (content_type, Bytes::from(data)),
        };
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let channel = Channel {
            name: "train".to_owned(),
            content_type: Some(content_type.to_owned()),
            files: vec![("data".to_owned(), data)],
            ..Channel::default()
        };
        let task = TrainingTask {
            image: image.to_owned(),
            hyperparameters: settings.iter().map(pair).collect(),
            channels: vec![channel],
            ..TrainingTask::default()
        };
        match engine.train(&task) {
            Ok(output) => seeds.extend(output.model.iter().map(|(_, file)| [&[number], &file[..]].concat())),
            Err(failure) => eprintln!("{image}: {failure}"),
        }
    }
    let tests = root.join("../src/local/engines/xgboost/tests");
    for (number, file) in [(6, "python-gbtree.ubj"), (7, "python-dart.json")] {
        seeds.push([&[number], &fs::read(tests.join(file)).expect("a file")[..]].concat());
    }
    seeds
}

/// The first byte is the number of an engine, and seven times that of a content type.
fn training() -> Vec<Vec<u8>> {
    let rows = [[1.5_f32, -2.0], [0.25, 3.0], [1.0, 1.0]];
    let sparse = SparseMatrix::new(2, &[0, 1, 1], &[1], &[1.5_f32]).expect("a matrix");
    let records = [
        RecordIo::rows().serialize(&rows).expect("records"),
        RecordIo::labelled_rows().serialize(&(rows, [0.0_f32, 1.0, 2.0])).expect("records"),
        RecordIo::sparse_rows().serialize(&sparse).expect("records"),
    ];
    let mut seeds = Vec::new();
    for engine in 0..7 {
        seeds.push([&[engine], LABELLED.as_bytes()].concat());
        seeds.push([&[engine + 7], &b"0.5,2\n1.5,3\n2.5,1\n"[..]].concat());
        seeds.push([&[engine + 14], &b"1 1:0.5 2:2\n0 2:1e-3\n"[..]].concat());
        seeds.extend(records.iter().map(|body| [&[engine + 21], &body[..]].concat()));
    }
    seeds
}
