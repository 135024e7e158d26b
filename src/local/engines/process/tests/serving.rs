use super::*;
use crate::local::engines::{ExecutionParameters, Invocation, InvocationFailure, Reply};

/// A server in Python's standard library, which keeps to the contract and misbehaves when asked.
const SERVER: &str = r#"
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
root = os.environ["SAGEMAKER_LOCAL_OPT_ML"]
weight = open(root + "/model/weight.txt").read()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def say(self, status, body, kind="text/csv"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/execution-parameters":
            said = b'{"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": "3"}'
            return self.say(200, said, "application/json")
        self.say(200 if self.path == "/ping" else 404, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(3)
        if body == b"slow":
            time.sleep(5)
        if body == b"refuse":
            return self.say(418, b"no tea", "text/plain")
        if body == b"stream":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", "seen " + self.headers["X-Amzn-SageMaker-Custom-Attributes"])
            self.end_headers()
            self.wfile.write(b"5\r\nfirst\r\n")
            while not os.path.exists(root + "/go"):
                time.sleep(0.01)
            self.wfile.write(b"4\r\nlast\r\n0\r\n\r\n")
            return
        kind, accept = self.headers["Content-Type"], self.headers["Accept"]
        self.say(200, ("%s %s %s %s" % (body.decode(), weight, kind, accept)).encode())
    def log_message(self, *args):
        pass
print("listening", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

fn model(log: &Arc<Mutex<Vec<String>>>) -> ModelFiles {
    let sink = log.clone();
    ModelFiles {
        files: vec![("weight.txt".to_owned(), Bytes::from("0.5"))],
        log: Arc::new(move |line| sink.lock().unwrap().push(line.to_owned())),
        ..ModelFiles::default()
    }
}

fn ask(model: &dyn LoadedModel, body: &str) -> std::result::Result<Reply, InvocationFailure> {
    model.invoke(&Invocation {
        content_type: "text/csv".to_owned(),
        accept: "*/*".to_owned(),
        body: Bytes::from(body.to_owned()),
    })
}

#[test]
fn a_server_answers_until_it_is_dropped() {
    if !has_python() {
        return;
    }
    let log = Arc::default();
    let engine =
        ProcessEngine::for_image("i").serve_with(["python3", "-c", SERVER]).answer_limit(Duration::from_secs(1));
    let served = engine.load(&model(&log)).unwrap();
    for _ in 0..3 {
        let reply = ask(&*served, "x").unwrap();
        assert_eq!((reply.content_type.as_str(), &*reply.body), ("text/csv", b"x 0.5 text/csv */*".as_slice()));
    }
    assert_eq!(ask(&*served, "refuse").unwrap_err(), InvocationFailure::new(418, "no tea"));
    let late = ask(&*served, "slow").unwrap_err();
    assert!(late.status == 0 && late.message.starts_with("Your invocation timed out"), "{late:?}");

    let wanted = ExecutionParameters {
        max_concurrent_transforms: Some(8),
        multi_record: Some(false),
        max_payload_in_mb: Some(3),
    };
    assert_eq!(served.execution_parameters(), Some(wanted));

    // A server that dies is started again.
    let died = ask(&*served, "die").unwrap_err();
    assert!(died.status == 500 && died.message.starts_with("the container did not answer"), "{died:?}");
    assert!(ask(&*served, "again").is_ok());
    let lines = log.lock().unwrap().clone();
    let restarted = "[sagemaker-local] the server ended with exit code 3 and is started again";
    assert_eq!(lines, ["listening", restarted, "listening"]);

    // With the engine, its processes go.
    drop(engine);
    let gone = ask(&*served, "x").unwrap_err();
    assert!(gone.message.contains("is not up"), "{gone:?}");
}

#[test]
fn many_ask_at_once() {
    if !has_python() {
        return;
    }
    let engine = ProcessEngine::for_image("i").serve_with(["python3", "-c", SERVER]);
    let served = engine.load(&model(&Arc::default())).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let served = &served;
            scope.spawn(move || {
                for number in 0..20 {
                    let body = format!("{thread}-{number}");
                    let reply = ask(&**served, &body).unwrap();
                    assert!(reply.body.starts_with(body.as_bytes()));
                }
            });
        }
    });
}

#[test]
fn what_does_not_come_up_says_why() {
    let ends = ProcessEngine::for_image("i").serve_with(["/bin/sh", "-c", "echo no weights; exit 4"]);
    let log = Arc::default();
    let failure = ends.load(&model(&log)).err().unwrap();
    assert_eq!(failure.message(), "it ended with exit code 4 before it answered GET /ping");

    let silent = ProcessEngine::for_image("i").serve_with(["/bin/sh", "-c", "sleep 600"]);
    let failure = silent.ping_limit(Duration::from_millis(50)).load(&model(&log)).err().unwrap();
    assert_eq!(failure.message(), "it did not answer GET /ping with 200 within 0 seconds");

    let silent = ProcessEngine::for_image("i").serve_with(["/bin/sh", "-c", "sleep 600"]);
    let unwanted = ModelFiles { stopping: Arc::new(|| true), ..model(&log) };
    assert_eq!(silent.load(&unwanted).err().unwrap().message(), "it is not needed any more");

    let hostile = ModelFiles { files: vec![("../x".to_owned(), Bytes::new())], ..model(&log) };
    assert!(silent.load(&hostile).err().unwrap().message().contains("leads out"));
}

#[test]
fn a_server_streams_and_hears_headers() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    // The server waits for a file beside its own.
    let server = SERVER.replace("root + \"/go\"", &format!("{:?}", go.display().to_string()));
    let engine = ProcessEngine::for_image("i").serve_with(["python3", "-c", &server]);
    let loaded = engine.load(&model(&Arc::default())).unwrap();
    let request = Invocation { content_type: "text/csv".into(), accept: "*/*".into(), body: Bytes::from("stream") };
    let headers = std::collections::BTreeMap::from([("x-amzn-sagemaker-custom-attributes".into(), "a=1".into())]);
    let mut reply = loaded.serve(&request, &headers).unwrap();
    assert_eq!(reply.headers["x-amzn-sagemaker-custom-attributes"], "seen a=1");
    assert_eq!(reply.parts.next().unwrap().unwrap(), "first", "before the last part is there");
    std::fs::write(&go, "").unwrap();
    let rest: Vec<u8> = reply.parts.flat_map(|part| part.unwrap()).collect();
    assert_eq!((reply.content_type.as_str(), rest.as_slice()), ("text/plain", b"last".as_slice()));
    assert!(ask(&*loaded, "again").is_ok(), "the connection is kept");
}
