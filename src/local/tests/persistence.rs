//! A data directory: what was acknowledged is there after any end of the process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_sagemaker::types as sm;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::support::{Aws, Mean};
use crate::local::signature::sign;
use crate::local::{LocalBackend, LocalClock};

/// Where the child of [`nothing_acknowledged_is_lost_on_kill`] keeps its data.
const CHILD: &str = "SAGEMAKER_TEST_PERSISTENCE_CHILD";

fn open(directory: &Path, clock: LocalClock) -> Aws {
    Aws::of(LocalBackend::builder().clock(clock).engine(Mean).data_dir(directory).try_build().unwrap())
}

async fn send(backend: &LocalBackend, method: &str, uri: &str, body: impl Into<SdkBody>) -> (u16, String, Vec<u8>) {
    let request = http::Request::builder().method(method).uri(format!("http://s3.localhost{uri}"));
    let (parts, body) = backend.handle(sign(request).body(body.into()).unwrap()).await.into_parts();
    let etag = parts.headers.get("etag").map(|etag| etag.to_str().unwrap().to_owned()).unwrap_or_default();
    (parts.status.as_u16(), etag, body.collect().await.unwrap().to_bytes().to_vec())
}

async fn ok(backend: &LocalBackend, method: &str, uri: &str, body: impl Into<SdkBody>) -> Vec<u8> {
    let (status, _, answer) = send(backend, method, uri, body).await;
    assert!(status < 300, "{method} {uri}: {status} {}", String::from_utf8_lossy(&answer));
    answer
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// Bytes that differ from place to place.
fn large(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

fn files(directory: &Path) -> usize {
    let folders = std::fs::read_dir(directory.join("bodies")).unwrap();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test]
async fn objects_are_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let big = large(6 << 20);
    let aws = open(directory.path(), LocalClock::instant());
    let s3 = &aws.backend;
    ok(s3, "PUT", "/data", "").await;
    ok(s3, "PUT", "/data?policy", r#"{"Statement":[]}"#).await;
    for key in ["..%2F..%2Fup", "a%2F", "%00%C3%BF", &"k".repeat(1024)] {
        ok(s3, "PUT", &format!("/data/{key}"), key.to_owned()).await;
    }
    ok(s3, "PUT", "/data/big", big.clone()).await;
    ok(s3, "PUT", "/data/gone", big.clone()).await;
    ok(s3, "DELETE", "/data/gone", "").await;
    ok(s3, "PUT", "/data/overwritten", big.clone()).await;
    ok(s3, "PUT", "/data/overwritten", "small").await;
    let request = http::Request::put("http://s3.localhost/data/copy").header("x-amz-copy-source", "data/big");
    assert_eq!(s3.handle(sign(request).body(SdkBody::empty()).unwrap()).await.status(), 200);
    let tagging = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    ok(s3, "PUT", "/data/big?tagging", tagging).await;

    // Versions, and an upload of which one part is there.
    ok(s3, "PUT", "/old", "").await;
    ok(s3, "PUT", "/old/key", "null").await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    ok(s3, "PUT", "/old?versioning", enabled).await;
    ok(s3, "PUT", "/old/key", "newer").await;
    ok(s3, "DELETE", "/old/key", "").await;
    let begun = String::from_utf8(ok(s3, "POST", "/data/joined?uploads", "").await).unwrap();
    let upload = between(&begun, "<UploadId>", "</UploadId>").to_owned();
    let (_, first, _) = send(s3, "PUT", &format!("/data/joined?partNumber=1&uploadId={upload}"), big.clone()).await;
    assert_eq!(files(directory.path()), 2, "a copy shares its file, and what is gone is gone");
    let listed = ok(s3, "GET", "/old?versions", "").await;
    drop(aws);

    let aws = open(directory.path(), LocalClock::instant());
    let s3 = &aws.backend;
    assert_eq!(files(directory.path()), 2);
    assert_eq!(ok(s3, "GET", "/data?policy", "").await, br#"{"Statement":[]}"#);
    for key in ["..%2F..%2Fup", "a%2F", "%00%C3%BF", &"k".repeat(1024)] {
        assert_eq!(ok(s3, "GET", &format!("/data/{key}"), "").await, key.as_bytes());
    }
    assert_eq!(ok(s3, "GET", "/data/big", "").await, big);
    assert_eq!(ok(s3, "GET", "/data/copy", "").await, big);
    let range = http::Request::get("http://s3.localhost/data/big").header("range", "bytes=3000000-3000009");
    let range = s3.handle(sign(range).body(SdkBody::empty()).unwrap()).await;
    assert_eq!(range.headers()["content-length"], "10");
    assert_eq!(range.into_body().collect().await.unwrap().to_bytes(), big[3_000_000..3_000_010]);
    assert_eq!(ok(s3, "GET", "/data/overwritten", "").await, b"small");
    assert_eq!(send(s3, "GET", "/data/gone", "").await.0, 404);
    let tags = String::from_utf8(ok(s3, "GET", "/data/big?tagging", "").await).unwrap();
    assert!(tags.contains("<Key>k</Key>"), "{tags}");
    assert_eq!(ok(s3, "GET", "/old?versions", "").await, listed, "with the same identifiers in the same order");
    assert_eq!(ok(s3, "GET", "/old/key?versionId=null", "").await, b"null");

    let (_, second, _) = send(s3, "PUT", &format!("/data/joined?partNumber=2&uploadId={upload}"), "tail").await;
    let part = |number: u32, etag: &str| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    let parts = format!("<CompleteMultipartUpload>{}{}</CompleteMultipartUpload>", part(1, &first), part(2, &second));
    ok(s3, "POST", &format!("/data/joined?uploadId={upload}"), parts).await;
    let whole = [big.as_slice(), b"tail"].concat();
    assert_eq!(ok(s3, "GET", "/data/joined", "").await, whole);
    drop(aws);

    let aws = open(directory.path(), LocalClock::instant());
    assert_eq!(ok(&aws.backend, "GET", "/data/joined", "").await, whole);
    assert_eq!(aws.get("data", "overwritten").as_deref(), Some("small"), "for jobs too");
    aws.backend.reset();
    drop(aws);
    let aws = open(directory.path(), LocalClock::instant());
    assert_eq!(send(&aws.backend, "GET", "/data/joined", "").await.0, 404);
    drop(aws);
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn resources_and_logs_are_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let aws = open(directory.path(), LocalClock::instant());
    aws.put("data", "train/a.csv", "1,2\n3\n");
    ok(&aws.backend, "PUT", "/out", "").await;
    aws.train("job").send().await.unwrap();
    let before = aws.ended("job").await;
    aws.deploy("up", "7").await;
    aws.deploy("gone", "7").await;
    aws.sagemaker.delete_endpoint().endpoint_name("gone").send().await.unwrap();
    aws.backend.clock().settle().await;
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"}}]}"#;
    aws.iam.create_role().role_name("mine").assume_role_policy_document(policy).send().await.unwrap();
    let arn = aws.endpoint("up").await.endpoint_arn().unwrap().to_owned();
    let tag = sm::Tag::builder().key("k").value("v").build();
    aws.sagemaker.add_tags().resource_arn(&arn).tags(tag).send().await.unwrap();
    let lines = aws.lines("/aws/sagemaker/TrainingJobs").await;
    assert!(!lines.is_empty());
    let end = aws.backend.clock().now();
    drop(aws);

    let aws = open(directory.path(), LocalClock::instant());
    let after = aws.job("job").await;
    assert_eq!(after.training_job_status(), Some(&sm::TrainingJobStatus::Completed));
    assert_eq!(after.training_end_time(), before.training_end_time());
    assert_eq!(after.secondary_status_transitions(), before.secondary_status_transitions());
    assert_eq!(after.final_metric_data_list(), before.final_metric_data_list());
    assert_eq!(aws.lines("/aws/sagemaker/TrainingJobs").await, lines);
    let late = end.duration_since(aws.backend.clock().now()).unwrap_or_default();
    assert!(late < Duration::from_secs(60), "time goes on where it was");
    let tags = aws.sagemaker.list_tags().resource_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags().len(), 1);
    aws.iam.get_role().role_name("mine").send().await.unwrap();
    let answer = aws.invoke("up", "1\n").send().await.unwrap();
    assert_eq!(answer.body().unwrap().as_ref(), b"7");
    let gone = aws.sagemaker.describe_endpoint().endpoint_name("gone").send().await;
    assert!(gone.is_err());
    let again = aws.train("job").send().await;
    assert!(again.is_err(), "its name is taken");
    aws.sagemaker.delete_model().model_name("up").send().await.unwrap();
    aws.logs.delete_log_group().log_group_name("/aws/sagemaker/TrainingJobs").send().await.unwrap();
    drop(aws);

    // Its model is gone: the endpoint cannot come up again.
    let aws = open(directory.path(), LocalClock::instant());
    let endpoint = aws.endpoint("up").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::Failed));
    assert!(endpoint.failure_reason().unwrap().contains("Could not find model"), "{endpoint:?}");
    assert!(aws.sagemaker.list_models().name_contains("up").send().await.unwrap().models().is_empty());
    let groups = aws.logs.describe_log_groups().send().await.unwrap();
    assert!(groups.log_groups().iter().all(|group| group.log_group_name() != Some("/aws/sagemaker/TrainingJobs")));
}

/// A call of one of the JSON protocols.
async fn call(backend: &LocalBackend, target: &str, body: serde_json::Value) -> serde_json::Value {
    let request = http::Request::post("http://localhost/").header("x-amz-target", target);
    let answer = backend.handle(sign(request).body(SdkBody::from(body.to_string())).unwrap()).await;
    let status = answer.status();
    let answer = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{target}: {}", String::from_utf8_lossy(&answer));
    serde_json::from_slice(&answer).unwrap_or_default()
}

async fn metrics(backend: &LocalBackend, operation: &str, body: serde_json::Value) -> serde_json::Value {
    call(backend, &format!("GraniteServiceVersion20100801.{operation}"), body).await
}

async fn logs(backend: &LocalBackend, operation: &str, body: serde_json::Value) -> serde_json::Value {
    call(backend, &format!("Logs_20140328.{operation}"), body).await
}

#[tokio::test]
async fn metrics_alarms_and_settings_are_there_after_a_restart() {
    use serde_json::json;
    let directory = tempfile::tempdir().unwrap();
    let aws = open(directory.path(), LocalClock::manual());
    let now = crate::local::time::epoch(aws.backend.clock().now());
    let datum = |value: f64, resolution: i64| json!({"MetricName": "m", "Value": value, "Timestamp": now, "StorageResolution": resolution, "Unit": "Count"});
    let data = json!({"Namespace": "N", "MetricData": [datum(1.0, 60), datum(9.0, 60), datum(4.0, 1)]});
    metrics(&aws.backend, "PutMetricData", data).await;
    let alarm = json!({
        "AlarmName": "a", "MetricName": "m", "Namespace": "N", "Statistic": "Maximum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold",
        "Tags": [{"Key": "k", "Value": "v"}],
    });
    metrics(&aws.backend, "PutMetricAlarm", alarm).await;
    metrics(&aws.backend, "PutDashboard", json!({"DashboardName": "d", "DashboardBody": "{}"})).await;
    metrics(&aws.backend, "PutDashboard", json!({"DashboardName": "gone", "DashboardBody": "{}"})).await;
    metrics(&aws.backend, "DeleteDashboards", json!({"DashboardNames": ["gone"]})).await;
    logs(&aws.backend, "CreateLogGroup", json!({"logGroupName": "g"})).await;
    let transformation = json!({"metricName": "lines", "metricNamespace": "L", "metricValue": "1"});
    let filter = json!({
        "logGroupName": "g", "filterName": "f", "filterPattern": "ERROR", "metricTransformations": [transformation],
    });
    logs(&aws.backend, "PutMetricFilter", filter).await;
    logs(&aws.backend, "PutQueryDefinition", json!({"name": "q", "queryString": "limit 1"})).await;
    let read = async |backend: &LocalBackend| {
        let mut request = json!({
            "Namespace": "N", "MetricName": "m", "StartTime": now - 60, "EndTime": now + 60, "Period": 300,
            "Statistics": ["Sum", "SampleCount"],
        });
        let statistics = metrics(backend, "GetMetricStatistics", request.clone()).await;
        request["ExtendedStatistics"] = json!(["p50"]);
        request.as_object_mut().unwrap().remove("Statistics");
        let percentiles = metrics(backend, "GetMetricStatistics", request).await;
        let alarms = metrics(backend, "DescribeAlarms", json!({})).await;
        let history = metrics(backend, "DescribeAlarmHistory", json!({})).await;
        let dashboards = metrics(backend, "ListDashboards", json!({})).await;
        let arn = alarms["MetricAlarms"][0]["AlarmArn"].clone();
        let tags = metrics(backend, "ListTagsForResource", json!({"ResourceARN": arn})).await;
        let filters = logs(backend, "DescribeMetricFilters", json!({})).await;
        let definitions = logs(backend, "DescribeQueryDefinitions", json!({})).await;
        [statistics, alarms, history, dashboards, tags, filters, definitions, percentiles]
    };
    let before = read(&aws.backend).await;
    assert_eq!(before[0]["Datapoints"][0]["Sum"], 14.0);
    assert_eq!(before[1]["MetricAlarms"][0]["StateValue"], "ALARM");
    assert_eq!(before[3]["DashboardEntries"].as_array().unwrap().len(), 1);
    drop(aws);

    let aws = open(directory.path(), LocalClock::manual());
    assert_eq!(read(&aws.backend).await, before);
    logs(&aws.backend, "CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    let at = crate::local::time::millis(aws.backend.clock().now());
    let events = json!([{"timestamp": at, "message": "an ERROR"}]);
    logs(&aws.backend, "PutLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events})).await;
    let listed = metrics(&aws.backend, "ListMetrics", json!({"Namespace": "L"})).await;
    assert_eq!(listed["Metrics"][0]["MetricName"], "lines", "the filter goes on");
    aws.backend.reset();
    drop(aws);
    let aws = open(directory.path(), LocalClock::manual());
    assert_eq!(metrics(&aws.backend, "ListMetrics", json!({})).await["Metrics"], json!([]));
    assert_eq!(metrics(&aws.backend, "DescribeAlarms", json!({})).await["MetricAlarms"], json!([]));
}

#[test]
#[should_panic(expected = "cannot be used")]
fn build_panics_where_try_build_says_why() {
    let file = tempfile::NamedTempFile::new().unwrap();
    LocalBackend::builder().data_dir(file.path()).build();
}

/// Writes until it is killed, and says on stdout what was answered with success. Does nothing unless it is the child.
#[test]
fn child() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let aws = open(Path::new(&directory), LocalClock::instant());
        let round = std::process::id();
        for bucket in ["data", "out"] {
            send(&aws.backend, "PUT", &format!("/{bucket}"), "").await;
        }
        aws.put("data", "train/a.csv", "1\n");
        if aws.sagemaker.describe_endpoint().endpoint_name("up").send().await.is_err() {
            aws.deploy("up", "7").await;
        }
        let mut wait = aws.train(&format!("wait-{round}"));
        wait = wait.hyper_parameters("mode", "wait");
        wait.send().await.unwrap();
        say(&format!("job wait-{round}"));
        let writers = (0..4).map(|writer| tokio::spawn(write(aws.clone(), format!("{round}-{writer}"))));
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

async fn write(aws: Aws, writer: String) {
    for number in 0_u32.. {
        let name = format!("{writer}-{number}");
        let body = if number.is_multiple_of(8) { large(100_000) } else { name.clone().into_bytes() };
        ok(&aws.backend, "PUT", &format!("/data/{name}"), body).await;
        say(&format!("object {name}"));
        if number.is_multiple_of(3) {
            ok(&aws.backend, "DELETE", &format!("/data/{name}"), "").await;
            say(&format!("deleted {name}"));
        }
        if number.is_multiple_of(4) {
            let datum = serde_json::json!({"MetricName": name, "Value": number});
            let data = serde_json::json!({"Namespace": "N", "MetricData": [datum]});
            metrics(&aws.backend, "PutMetricData", data).await;
            say(&format!("metric {name}"));
            let dashboard = serde_json::json!({"DashboardName": name, "DashboardBody": "{}"});
            metrics(&aws.backend, "PutDashboard", dashboard).await;
            say(&format!("dashboard {name}"));
        }
        if number.is_multiple_of(5) {
            let container = sm::ContainerDefinition::builder().image("1.dkr.ecr.us-east-1.amazonaws.com/a").build();
            let create = aws.sagemaker.create_model().model_name(&name).primary_container(container);
            create.execution_role_arn(aws.backend.role_arn()).send().await.unwrap();
            say(&format!("model {name}"));
        }
    }
}

/// One write for each line: a kill leaves no half of one that was acknowledged.
fn say(line: &str) {
    std::io::stdout().write_all(format!("\nack {line} .\n").as_bytes()).unwrap();
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_on_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut acknowledged: Vec<String> = Vec::new();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "local::tests::persistence::child", "--nocapture"])
            .env(CHILD, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (more, kill_after) = (acknowledged.len(), random.usize(20..120));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut acks = lines.filter_map(|line| Some(line.strip_prefix("ack ")?.strip_suffix(" .")?.to_owned()));
        acknowledged.extend(acks.by_ref().take(kill_after));
        assert_eq!(acknowledged.len(), more + kill_after, "the child ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(acks);
        check(directory.path(), &acknowledged).await;
    }
}

/// Everything that was acknowledged is there. A delete may have happened whose acknowledgement was not heard.
async fn check(directory: &Path, acknowledged: &[String]) {
    let aws = open(directory, LocalClock::instant());
    for line in acknowledged {
        let (what, name) = line.split_once(' ').unwrap();
        match what {
            "object" => {
                let (status, _, body) = send(&aws.backend, "GET", &format!("/data/{name}"), "").await;
                let number: u32 = name.rsplit('-').next().unwrap().parse().unwrap();
                if number.is_multiple_of(3) {
                    continue;
                }
                let expected = if number.is_multiple_of(8) { large(100_000) } else { name.as_bytes().to_vec() };
                assert_eq!((status, body == expected), (200, true), "{line}");
            }
            "deleted" => assert_eq!(send(&aws.backend, "GET", &format!("/data/{name}"), "").await.0, 404, "{line}"),
            "metric" => {
                let found = metrics(&aws.backend, "ListMetrics", serde_json::json!({"MetricName": name})).await;
                assert_eq!(found["Metrics"].as_array().unwrap().len(), 1, "{line}");
            }
            "dashboard" => {
                metrics(&aws.backend, "GetDashboard", serde_json::json!({"DashboardName": name})).await;
            }
            "model" => {
                aws.sagemaker.describe_model().model_name(name).send().await.unwrap();
            }
            "job" => {
                let job = aws.job(name).await;
                assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Failed), "{line}");
                let reason = job.failure_reason().unwrap();
                assert!(reason.starts_with("InternalServerError: the local backend was restarted"), "{reason}");
                assert_eq!(job.secondary_status(), Some(&sm::SecondaryStatus::Failed));
            }
            other => panic!("{other}"),
        }
    }
    let answer = aws.invoke("up", "1\n").send().await.unwrap();
    assert_eq!(answer.body().unwrap().as_ref(), b"7");
}
