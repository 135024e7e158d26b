//! The program as a user starts it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// What says that a request is signed.
const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=0f\r\nx-amz-date: 20260102T030405Z\r\n";

struct Running {
    child: Child,
    url: String,
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sagemaker-local"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(arguments).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim_end().to_owned() }
    }

    /// Sends a request without a body; gives back the whole answer.
    fn ask(&self, method: &str, path: &str) -> String {
        let authority = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(authority).unwrap();
        // The routes that are nobody's but the backend's own need no signature.
        let signed = if path.starts_with("/_local/") || path == "/moto-api/reset" { "" } else { SIGNED };
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: {authority}\r\n{signed}connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn end(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_first_line_is_the_url_and_a_signal_ends_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Running::start(&["--port", "0", "--region", "eu-west-1", "--account", "000000000001"]);
        assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
        let health = server.ask("GET", "/_local/health");
        assert!(health.starts_with("HTTP/1.1 200 OK"), "{health}");
        assert!(health.contains(r#""status":"ok""#) && health.contains(r#""region":"eu-west-1""#), "{health}");
        assert!(health.contains(r#""account":"000000000001""#), "{health}");
        assert!(server.ask("POST", "/moto-api/reset").ends_with(r#"{"status":"ok"}"#));
        assert_eq!(server.end(signal), Some(0));
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, out, err) = run(&["--port", &port]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains(&port) && err.contains("in use"), "{err}");
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    for arguments in [&["--nonsense"][..], &["--port", "x"], &["--region"], &["extra"]] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.starts_with("sagemaker-local: ") && err.contains("--help"), "{err}");
    }
}

#[test]
fn help_and_version_are_printed() {
    let (code, out, _) = run(&["--help"]);
    assert!(code == Some(0) && out.contains("--time-scale") && out.contains("4566"), "{out}");
    let (code, out, _) = run(&["--version"]);
    assert_eq!((code, out.as_str()), (Some(0), concat!("sagemaker-local ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn faults_are_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.json");
    let name = file.to_str().unwrap();
    std::fs::write(&file, r#"{"faults": [{"fault": "throttle", "service": "s3", "times": 1}]}"#).unwrap();
    let server = Running::start(&["--port", "0", "--profile", "lenient", "--faults", name]);
    assert!(server.ask("GET", "/").starts_with("HTTP/1.1 503 "));
    assert!(server.ask("GET", "/").starts_with("HTTP/1.1 200 "));

    std::fs::write(&file, r#"{"faults": [{"fault": "throttle", "probability": 2}]}"#).unwrap();
    let (code, out, err) = run(&["--port", "0", "--faults", name]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("faults.json") && err.contains("faults[0].probability"), "{err}");
    let (code, _, err) = run(&["--faults", "no-such-file"]);
    assert!(code == Some(1) && err.contains("no-such-file"), "{err}");
}

/// Sends a request of SageMaker's; gives back the whole answer.
#[cfg(unix)]
fn call(running: &Running, operation: &str, body: &str) -> String {
    let authority = running.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {authority}\r\n{SIGNED}x-amz-target: SageMaker.{operation}\r\n\
         content-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn an_engine_of_the_command_line_trains_and_ends_with_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let (script, said) = (folder.path().join("app.sh"), folder.path().join("pid"));
    // It would go on whatever it is asked.
    let text =
        format!("trap '' TERM INT; echo $$ $1 > {0}.new; mv {0}.new {0}; while :; do sleep 1; done", said.display());
    std::fs::write(&script, text).unwrap();
    let engine = format!("my-image=/bin/sh {}", script.display());
    let running = Running::start(&["--port", "0", "--time-scale", "1000", "--engine", &engine]);
    assert!(running.ask("PUT", "/output-bucket").starts_with("HTTP/1.1 200"));
    let created = call(
        &running,
        "CreateTrainingJob",
        r#"{"TrainingJobName": "j", "RoleArn": "arn:aws:iam::123456789012:role/SageMakerRole",
            "AlgorithmSpecification": {"TrainingImage": "my-image", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://output-bucket/o"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400}}"#,
    );
    assert!(created.contains("TrainingJobArn"), "{created}");
    let pid = loop {
        match std::fs::read_to_string(&said) {
            Ok(text) => break text.strip_suffix(" train\n").unwrap().to_owned(),
            Err(_) => std::thread::yield_now(),
        }
    };
    let is_alive =
        || Command::new("/bin/sh").args(["-c", &format!("kill -0 {pid} 2>/dev/null")]).status().unwrap().success();
    assert!(is_alive());
    assert_eq!(running.end(Signal::TERM), Some(0));
    assert!(!is_alive());
}

#[test]
fn a_data_directory_keeps_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let arguments = ["--port", "0", "--data-dir", kept.to_str().unwrap()];
    let server = Running::start(&arguments);
    assert!(server.ask("PUT", "/data").starts_with("HTTP/1.1 200 "));
    // Two at a time would not see each other's changes.
    let (code, out, err) = run(&arguments);
    assert!(code == Some(1) && out.is_empty() && err.contains("kept"), "{err}");
    // Not even a chance to clean up.
    assert_eq!(server.end(Signal::KILL), None);
    let server = Running::start(&arguments);
    assert!(server.ask("GET", "/").contains("<Name>data</Name>"));
    assert_eq!(server.end(Signal::TERM), Some(0));
}
