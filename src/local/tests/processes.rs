//! Commands in the place of containers, through the API.

use std::io::Write as _;

use aws_sdk_sagemaker::types as sm;

use super::support::*;
use crate::local::LocalBackend;
use crate::local::engines::process::{ProcessEngine, has_python};

const TRAINING_LOGS: &str = "/aws/sagemaker/TrainingJobs";

fn shell(script: &str) -> ProcessEngine {
    ProcessEngine::for_image("mean").train_with(["/bin/sh", "-c", script])
}

fn aws(engine: ProcessEngine) -> Aws {
    let aws = Aws::of(LocalBackend::builder().engine(engine).build());
    aws.put("data", "train/a.csv", "1,2\n3\n");
    aws.put("data", "train/b.csv", "6\n");
    aws.backend.core().s3.create_bucket("out");
    aws
}

/// Blocks the test, not the backend, until a job has said something; gives back its lines.
async fn said(aws: &Aws, line: &str) -> Vec<String> {
    loop {
        let group = aws.logs.filter_log_events().log_group_name(TRAINING_LOGS).send().await;
        let events = group.map(|found| found.events.unwrap_or_default()).unwrap_or_default();
        let lines: Vec<String> = events.into_iter().filter_map(|event| event.message).collect();
        if lines.iter().any(|said| said.starts_with(line)) {
            return lines;
        }
        tokio::task::yield_now().await;
    }
}

fn is_alive(pid: &str) -> bool {
    let asked = std::process::Command::new("/bin/sh").args(["-c", &format!("kill -0 {pid} 2>/dev/null")]).status();
    asked.unwrap().success()
}

/// The number that a script says with `echo pid=$$`.
fn pid(lines: &[String]) -> String {
    lines.iter().rev().find_map(|line| line.strip_prefix("pid=")).unwrap().to_owned()
}

#[tokio::test]
async fn a_command_trains() {
    let script = r#"
        cat "$SM_CHANNEL_TRAIN"/*.csv > "$SM_MODEL_DIR/all.csv"
        echo "loss=0.25; $SM_CURRENT_HOST" >&2
    "#;
    let aws = aws(shell(script));
    let algorithm = sm::AlgorithmSpecification::builder()
        .training_image(IMAGE)
        .training_input_mode(sm::TrainingInputMode::Fastfile)
        .metric_definitions(sm::MetricDefinition::builder().name("loss").regex("loss=([0-9.]+);").build());
    let resources = sm::ResourceConfig::builder()
        .instance_count(2)
        .instance_type(sm::TrainingInstanceType::MlM5Large)
        .volume_size_in_gb(10)
        .build();
    let create = aws.train("job").algorithm_specification(algorithm.build()).resource_config(resources);
    create.send().await.unwrap();
    let job = aws.ended("job").await;
    assert_eq!((job.training_job_status().unwrap().as_str(), job.failure_reason()), ("Completed", None));
    assert_eq!(job.final_metric_data_list()[0].value(), Some(0.25));
    let packed = aws.backend.core().s3.get("out", "jobs/job/output/model.tar.gz").unwrap();
    let files = crate::local::archive::unpack(&packed).unwrap();
    assert_eq!((files[0].0.as_str(), &*files[0].1), ("all.csv", b"1,2\n3\n6\n".as_slice()));
    let mut lines = aws.lines(TRAINING_LOGS).await;
    lines.sort();
    assert_eq!(lines, ["loss=0.25; algo-1", "loss=0.25; algo-2"]);
    let streams = aws.logs.describe_log_streams().log_group_name(TRAINING_LOGS).send().await.unwrap();
    let streams: Vec<&str> = streams.log_streams().iter().filter_map(|stream| stream.log_stream_name()).collect();
    assert!(streams[0].starts_with("job/algo-1-") && streams[1].starts_with("job/algo-2-"), "{streams:?}");
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_command_reads_pipes() {
    // Both channels at a time, as real algorithms do.
    let script = r#"
        cd "$SAGEMAKER_LOCAL_OPT_ML/input/data"
        cat train_0 > "$SM_MODEL_DIR/train" & cat labels_0 > "$SM_MODEL_DIR/labels"; wait
        for epoch in 1 2 3 4 5; do cat train_$epoch; echo; done > "$SM_MODEL_DIR/epochs"
        cat code/setup.txt > "$SM_MODEL_DIR/setup"
    "#;
    let aws = aws(shell(script));
    let parts: Vec<String> = (0..8).map(|part| part.to_string()).collect();
    for part in &parts {
        aws.put("data", &format!("packed/{part}.gz"), gzipped(part));
    }
    aws.put("data", "images/one.jpg", "pixels");
    aws.put("data", "setup.txt", "file mode");
    let lines = [1, 2].map(|class| format!("{{\"source-ref\": \"s3://data/images/one.jpg\", \"class\": {class}}}"));
    aws.put("data", "labels.manifest", lines.join("\n"));
    let algorithm = sm::AlgorithmSpecification::builder()
        .training_image(IMAGE)
        .training_input_mode(sm::TrainingInputMode::Pipe)
        .build();
    let mut train = channel("train", "s3://data/packed", sm::S3DataType::S3Prefix);
    train.compression_type = Some(sm::CompressionType::Gzip);
    train.shuffle_config = Some(sm::ShuffleConfig::builder().seed(5).build());
    let mut labels = channel("labels", "s3://data/labels.manifest", sm::S3DataType::AugmentedManifestFile);
    labels.record_wrapper_type = Some(sm::RecordWrapper::Recordio);
    let source = labels.data_source.as_mut().and_then(|source| source.s3_data_source.as_mut()).unwrap();
    source.attribute_names = Some(vec!["source-ref".to_owned(), "class".to_owned()]);
    let mut code = channel("code", "s3://data/setup.txt", sm::S3DataType::S3Prefix);
    code.input_mode = Some(sm::TrainingInputMode::File);
    let create = aws.train("job").algorithm_specification(algorithm);
    create.set_input_data_config(Some(vec![train, labels, code])).send().await.unwrap();
    let job = aws.ended("job").await;
    assert_eq!(job.failure_reason(), None, "{:?}", aws.lines(TRAINING_LOGS).await);
    let packed = aws.backend.core().s3.get("out", "jobs/job/output/model.tar.gz").unwrap();
    let files = crate::local::archive::unpack(&packed).unwrap();
    let file = |name: &str| files.iter().find(|(path, _)| path == name).map(|(_, content)| content.clone()).unwrap();
    let text = |name: &str| String::from_utf8(file(name).to_vec()).unwrap();
    let epochs = format!("{}\n{}", text("train"), text("epochs"));
    let epochs: Vec<&str> = epochs.lines().collect();
    assert_eq!(epochs.len(), 6);
    assert!(epochs.windows(2).all(|pair| pair[0] != pair[1]), "each epoch is shuffled anew: {epochs:?}");
    for epoch in epochs {
        let mut sorted: Vec<char> = epoch.chars().collect();
        sorted.sort_unstable();
        assert_eq!(sorted.into_iter().collect::<String>(), "01234567");
    }
    let records: Vec<_> = crate::codec::recordio::frames(file("labels")).map(|frame| frame.unwrap()).collect();
    assert_eq!(records, ["pixels", "1", "pixels", "2"]);
    assert_eq!(text("setup"), "file mode");
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    let aws = aws(shell("echo 'no data' > /opt/ml/output/failure; exit 3"));
    aws.train("job").send().await.unwrap();
    let job = aws.ended("job").await;
    assert_eq!(job.failure_reason(), Some("AlgorithmError: no data, exit code: 3"));
}

#[tokio::test]
async fn a_command_is_asked_to_stop() {
    let script = "trap 'echo late > $SM_MODEL_DIR/m; exit 0' TERM; echo pid=$$; while :; do sleep 0.01; done";
    let aws = aws(shell(script));
    aws.train("job").send().await.unwrap();
    let pid = pid(&said(&aws, "pid=").await);
    aws.sagemaker.stop_training_job().training_job_name("job").send().await.unwrap();
    let job = aws.ended("job").await;
    assert_eq!(job.training_job_status().unwrap().as_str(), "Stopped");
    assert!(aws.backend.core().s3.get("out", "jobs/job/output/model.tar.gz").is_some());
    assert!(!is_alive(&pid));
}

#[test]
fn a_command_ends_with_the_runtime() {
    let aws = aws(shell("trap '' TERM; echo pid=$$; while :; do sleep 0.01; done"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pid = runtime.block_on(async {
        aws.train("job").send().await.unwrap();
        pid(&said(&aws, "pid=").await)
    });
    assert!(is_alive(&pid));
    drop(runtime);
    assert!(!is_alive(&pid));
}

/// Answers the model's file; says its number.
const SERVER: &str = r#"
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mean = open(os.environ["SM_MODEL_DIR"] + "/mean.txt").read()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.say(200, b'{"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 3}')
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(3)
        if body == b"break":
            return self.say(503, b"broken")
        self.say(200, mean.encode())
    def log_message(self, *args):
        pass
print("pid=%d" % os.getpid())
ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"#;

#[tokio::test]
async fn a_command_serves_until_its_endpoint_or_the_backend_goes() {
    if !has_python() {
        return;
    }
    let aws = aws(ProcessEngine::for_image("mean").serve_with(["python3", "-c", SERVER]));
    let group = |endpoint: &str| format!("/aws/sagemaker/Endpoints/{endpoint}");
    aws.deploy("first", "42").await;
    let answer = aws.invoke("first", "x").send().await.unwrap();
    assert_eq!(answer.body().unwrap().as_ref(), b"42");
    let error = aws.invoke("first", "break").send().await.unwrap_err().into_service_error();
    assert!(error.is_model_error(), "{error:?}");
    assert!(error.to_string().contains("Received server error (503) from primary with message \"broken\""), "{error}");

    // What dies is started again.
    assert!(aws.invoke("first", "die").send().await.is_err());
    assert_eq!(aws.invoke("first", "x").send().await.unwrap().body().unwrap().as_ref(), b"42");
    let first = pid(&aws.lines(&group("first")).await);
    aws.sagemaker.delete_endpoint().endpoint_name("first").send().await.unwrap();
    aws.backend.clock().settle().await;
    while is_alive(&first) {
        tokio::task::yield_now().await;
    }

    aws.deploy("second", "42").await;
    let second = pid(&aws.lines(&group("second")).await);
    assert!(is_alive(&second));
    drop(aws);
    assert!(!is_alive(&second));
}

#[tokio::test]
async fn a_command_transforms() {
    if !has_python() {
        return;
    }
    let aws = aws(ProcessEngine::for_image("mean").serve_with(["python3", "-c", SERVER]));
    aws.model("m", "7").await;
    let source =
        sm::TransformS3DataSource::builder().s3_data_type(sm::S3DataType::S3Prefix).s3_uri("s3://data/train").build();
    let input = sm::TransformInput::builder()
        .data_source(sm::TransformDataSource::builder().s3_data_source(source).build())
        .content_type("text/csv");
    let resources =
        sm::TransformResources::builder().instance_count(1).instance_type(sm::TransformInstanceType::MlM5Large);
    let create = aws.sagemaker.create_transform_job().transform_job_name("t").model_name("m");
    let create = create.transform_input(input.build()).transform_resources(resources.build());
    create.transform_output(sm::TransformOutput::builder().s3_output_path("s3://out/t").build()).send().await.unwrap();
    aws.backend.clock().settle().await;
    assert_eq!(aws.get("out", "t/a.csv.out").as_deref(), Some("7"));
    assert_eq!(aws.get("out", "t/b.csv.out").as_deref(), Some("7"));
    // What the request leaves open, the container says.
    let lines = aws.lines("/aws/sagemaker/TransformJobs").await;
    let said = "MaxConcurrentTransforms=2, MaxPayloadInMB=3, BatchStrategy=SINGLE_RECORD";
    assert!(lines.iter().any(|line| line.ends_with(said)), "{lines:#?}");
}

#[tokio::test]
async fn a_server_that_does_not_come_up_fails_its_endpoint() {
    let aws = aws(ProcessEngine::for_image("mean").serve_with(["/bin/sh", "-c", "echo no weights; exit 4"]));
    aws.model("m", "1").await;
    aws.config("m", &[("AllTraffic", "m", 1.0)]).await;
    aws.create_endpoint("m", "m").await;
    aws.backend.clock().settle().await;
    let endpoint = aws.endpoint("m").await;
    assert_eq!(endpoint.endpoint_status().unwrap().as_str(), "Failed");
    let reason = endpoint.failure_reason().unwrap();
    assert!(
        reason.starts_with(
            "The primary container for production variant AllTraffic did not pass the ping health check. Please check \
             CloudWatch logs for this endpoint."
        ),
        "{reason}"
    );
    assert!(aws.lines("/aws/sagemaker/Endpoints/m").await.contains(&"no weights".to_owned()));
}

#[tokio::test]
async fn checkpoints_outlive_a_job() {
    let script = r#"
        cd "$SAGEMAKER_LOCAL_OPT_ML/checkpoints"
        [ -f epoch ] && read epoch < epoch
        echo $((epoch + 1)) > epoch
        cp epoch "$SM_MODEL_DIR"/
    "#;
    let aws = aws(shell(script));
    for name in ["first", "second"] {
        let checkpoints = sm::CheckpointConfig::builder().s3_uri("s3://out/checkpoints").build();
        aws.train(name).checkpoint_config(checkpoints).send().await.unwrap();
        assert_eq!(aws.ended(name).await.failure_reason(), None);
    }
    assert_eq!(aws.get("out", "checkpoints/epoch").as_deref(), Some("2\n"));
    assert!(aws.backend.ignored().iter().all(|field| !field.path.starts_with("CheckpointConfig")));
}

#[tokio::test]
async fn a_command_processes() {
    let engine = ProcessEngine::for_image("mean").process_with(["/bin/sh", "-c", "cat \"$0\"/* > \"$1\"/all.csv"]);
    let aws = aws(engine);
    let source = sm::ProcessingS3Input::builder()
        .s3_uri("s3://data/train")
        .local_path("/opt/ml/processing/in")
        .s3_data_type(sm::ProcessingS3DataType::S3Prefix)
        .s3_input_mode(sm::ProcessingS3InputMode::File)
        .build();
    let target = sm::ProcessingS3Output::builder()
        .s3_uri("s3://out/processed")
        .local_path("/opt/ml/processing/out")
        .s3_upload_mode(sm::ProcessingS3UploadMode::EndOfJob)
        .build();
    let cluster = sm::ProcessingClusterConfig::builder()
        .instance_count(1)
        .instance_type(sm::ProcessingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let application = sm::AppSpecification::builder()
        .image_uri(IMAGE)
        .container_arguments("/opt/ml/processing/in")
        .container_arguments("/opt/ml/processing/out")
        .build();
    let output = sm::ProcessingOutput::builder().output_name("out").s3_output(target).build();
    let create = aws.sagemaker.create_processing_job().processing_job_name("p").role_arn(aws.backend.role_arn());
    let create = create
        .app_specification(application)
        .processing_resources(sm::ProcessingResources::builder().cluster_config(cluster).build())
        .processing_inputs(sm::ProcessingInput::builder().input_name("in").s3_input(source).build())
        .processing_output_config(sm::ProcessingOutputConfig::builder().outputs(output).build());
    create.send().await.unwrap();
    aws.backend.clock().settle().await;
    let job = aws.sagemaker.describe_processing_job().processing_job_name("p").send().await.unwrap();
    assert_eq!(job.failure_reason(), None);
    assert_eq!(aws.get("out", "processed/all.csv").as_deref(), Some("1,2\n3\n6\n"));
}

#[tokio::test]
async fn a_command_serves_the_models_of_a_multi_model_endpoint() {
    if !has_python() {
        return;
    }
    let aws = aws(ProcessEngine::for_image("mean").serve_with(["python3", "-c", SERVER]));
    let container = sm::ContainerDefinition::builder()
        .image(IMAGE)
        .mode(sm::ContainerMode::MultiModel)
        .model_data_url("s3://out/models/")
        .build();
    aws.sagemaker.create_model().model_name("many").primary_container(container).send().await.unwrap();
    aws.config("many", &[("AllTraffic", "many", 1.0)]).await;
    aws.up("many", "many").await;
    // Long after the endpoint came up.
    aws.model("one", "1").await;
    aws.model("two", "2").await;
    for (target, mean) in [("one.tar.gz", b"1"), ("two.tar.gz", b"2"), ("one.tar.gz", b"1")] {
        let answer = aws.invoke("many", "x").target_model(target).send().await.unwrap();
        assert_eq!(answer.body().unwrap().as_ref(), mean);
    }
}
