//! Serving by a command that listens on a port.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{Method, Request, Response};
use serde_json::Value;

use super::client::{Client, NoAnswer, Parts};
use super::environment;
use super::folder::OptMl;
use super::group::{Group, Pause, exit_code};
use super::output::Output;
use super::run::spawn;
use super::{Launch, Processes};
use crate::local::engines::{
    EngineFailure, ExecutionParameters, Invocation, InvocationFailure, LoadedModel, ModelFiles, Reply, ServedReply,
};

/// How long an answer to `GET /ping` may take.
const PING_ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// What a serving container gets between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(30);

/// What the headers begin with that a container sees and may send.
const HEADERS: &str = "x-amzn-sagemaker-";

/// How long a command that closed its connections may take to end.
const LAST_BREATH: Duration = Duration::from_millis(100);

/// A model behind a command.
pub(super) struct Server {
    processes: Arc<Processes>,
    launch: Launch,
    model: ModelFiles,
    /// Until this is dropped.
    folder: Option<OptMl>,
    running: Mutex<Option<Running>>,
}

/// The command as it runs.
struct Running {
    group: Arc<Group>,
    client: Client,
    /// Kept open for as long as the command runs; the thread behind it ends with the command.
    _output: Output,
}

impl Server {
    /// Unpacks the model, starts the command and waits until it answers.
    pub(super) fn start(processes: Arc<Processes>, launch: Launch, model: &ModelFiles) -> Result<Self, EngineFailure> {
        let folder = OptMl::new().map_err(|why| format!("a folder for the model cannot be written: {why}"));
        let folder = folder.and_then(|folder| {
            folder.write("model", &model.files)?;
            folder.write("code", &launch.code)?;
            Ok(folder)
        });
        let folder = folder.map_err(EngineFailure::client)?;
        // Its files are on disk now.
        let of_server = ModelFiles { files: Vec::new(), ..model.clone() };
        let server = Self { processes, launch, model: of_server, folder: Some(folder), running: Mutex::default() };
        let up = server.up(&*model.stopping).map_err(EngineFailure::algorithm)?;
        *server.running() = Some(up);
        Ok(server)
    }

    /// Starts the command on a free port, and waits until it answers `GET /ping` with 200 or nobody wants it any more.
    fn up(&self, unwanted: &dyn Fn() -> bool) -> Result<Running, String> {
        let folder = self.folder.as_ref().ok_or("the model is gone")?;
        let port = free_port().map_err(|error| format!("there is no free port: {error}"))?;
        let variables = environment::serving(folder, &self.model, port, &self.launch.setting.environment);
        let spawned = spawn(&self.processes, &self.launch, folder.root(), variables, self.model.log.clone());
        let (group, output) = spawned.map_err(|why| self.launch.cannot_start(&why))?;
        let running = Running { group, client: Client::new(port), _output: output };
        let limit = self.launch.setting.ping_limit.unwrap_or(self.model.startup_limit);
        let mut pause = Pause::default();
        while !self.answers(&running)? {
            if let Some(status) = running.group.ended() {
                let code = exit_code(status);
                return Err(format!("it ended with exit code {code} before it answered GET /ping"));
            }
            if unwanted() {
                return Err("it is not needed any more".to_owned());
            }
            if pause.total > limit {
                let seconds = limit.as_secs();
                return Err(format!("it did not answer GET /ping with 200 within {seconds} seconds"));
            }
            pause.take();
        }
        Ok(running)
    }

    fn answers(&self, running: &Running) -> Result<bool, String> {
        let request = request(Method::GET, "/ping", Bytes::new())?;
        let answered = running.client.ask(self.processes.io()?, request, PING_ANSWER_LIMIT);
        Ok(answered.is_ok_and(|answer| answer.status() == http::StatusCode::OK))
    }

    /// The connections to the command; one that has ended is started again, as AWS does.
    fn client(&self) -> Result<Client, String> {
        let mut running = self.running();
        if let Some(up) = running.as_ref() {
            let Some(status) = up.group.ended() else { return Ok(up.client.clone()) };
            let code = exit_code(status);
            (self.model.log)(&format!("[sagemaker-local] the server ended with exit code {code} and is started again"));
        }
        *running = None;
        let up = running.insert(self.up(&|| false)?);
        Ok(up.client.clone())
    }

    fn ask(&self, request: Request<Bytes>) -> Result<Response<Parts>, InvocationFailure> {
        let ended = |why: String| InvocationFailure::new(500, format!("the container's server is not up: {why}"));
        let client = self.client().map_err(ended)?;
        let limit = self.launch.setting.answer_limit;
        client.ask(self.processes.io().map_err(ended)?, request, limit).map_err(|why| {
            if matches!(why, NoAnswer::Broken(_)) {
                self.wait_for_end();
            }
            failure(why)
        })
    }

    /// A connection broke: if the command is about to end, its end is seen by the next request.
    fn wait_for_end(&self) {
        let running = self.running();
        let Some(up) = running.as_ref() else { return };
        let mut pause = Pause::default();
        while up.group.ended().is_none() && pause.total < LAST_BREATH {
            pause.take();
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoadedModel for Server {
    fn execution_parameters(&self) -> Option<ExecutionParameters> {
        let (head, parts) =
            self.ask(request(Method::GET, "/execution-parameters", Bytes::new()).ok()?).ok()?.into_parts();
        if !head.status.is_success() {
            return None;
        }
        let mut body = BytesMut::new();
        for part in parts {
            body.extend_from_slice(&part.ok()?);
        }
        let said: Value = serde_json::from_slice(&body).ok()?;
        // Containers send numbers as numbers or as text.
        let number = |name: &str| {
            let value = said.get(name)?;
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            u32::try_from(number).ok()
        };
        Some(ExecutionParameters {
            max_concurrent_transforms: number("MaxConcurrentTransforms"),
            multi_record: said.get("BatchStrategy").and_then(Value::as_str).map(|strategy| strategy == "MULTI_RECORD"),
            max_payload_in_mb: number("MaxPayloadInMB"),
        })
    }

    fn invoke(&self, invocation: &Invocation) -> Result<Reply, InvocationFailure> {
        let served = self.serve(invocation, &BTreeMap::new())?;
        let mut body = BytesMut::new();
        for part in served.parts {
            body.extend_from_slice(&part?);
        }
        Ok(Reply::new(served.content_type, body.freeze()))
    }

    fn serve(
        &self,
        invocation: &Invocation,
        headers: &BTreeMap<String, String>,
    ) -> Result<ServedReply, InvocationFailure> {
        let request = invocation_request(invocation, headers).map_err(|why| InvocationFailure::new(400, why))?;
        let (head, parts) = self.ask(request)?.into_parts();
        let mut parts = parts.map(|part| part.map_err(failure));
        if !head.status.is_success() {
            let body = parts.try_fold(BytesMut::new(), |mut body, part| {
                body.extend_from_slice(&part?);
                Ok::<_, InvocationFailure>(body)
            })?;
            return Err(InvocationFailure::new(head.status.as_u16(), String::from_utf8_lossy(&body).into_owned()));
        }
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut reply = ServedReply::new(content_type.unwrap_or("application/octet-stream"), parts);
        let said = head.headers.iter().filter(|(name, _)| name.as_str().starts_with(HEADERS));
        reply.headers =
            said.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
        Ok(reply)
    }
}

fn failure(why: NoAnswer) -> InvocationFailure {
    match why {
        NoAnswer::TimedOut => InvocationFailure::new(
            0,
            "Your invocation timed out while waiting for a response from container primary. Review the latency metrics \
             for each container in Amazon CloudWatch, resolve the issue, and try again.",
        ),
        NoAnswer::Broken(why) => InvocationFailure::new(500, format!("the container did not answer: {why}")),
    }
}

impl Drop for Server {
    /// Asks the command to end, and ends it after 30 s. Does not block: the last to let go of a model may be anyone.
    fn drop(&mut self) {
        let Some(Running { group, .. }) = self.running().take() else { return };
        if let Some(folder) = self.folder.take() {
            group.leave(folder);
        }
        if group.ended().is_some() {
            return;
        }
        group.terminate();
        let of_thread = group.clone();
        let stop = std::thread::Builder::new().name("sagemaker-local-stop".to_owned());
        let stop = stop.spawn(move || of_thread.stop(GRACE));
        if stop.is_err() {
            group.kill();
        }
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Bytes>, String> {
    Request::builder().method(method).uri(path).body(body).map_err(|error| error.to_string())
}

fn invocation_request(invocation: &Invocation, headers: &BTreeMap<String, String>) -> Result<Request<Bytes>, String> {
    let mut request = request(Method::POST, "/invocations", invocation.body.clone())?;
    for (name, value) in [(CONTENT_TYPE, &invocation.content_type), (ACCEPT, &invocation.accept)] {
        if !value.is_empty() {
            let value = value.parse().map_err(|_| format!("the header {name} is invalid"))?;
            request.headers_mut().insert(name, value);
        }
    }
    for (name, value) in headers {
        let invalid = || format!("the header {name} is invalid");
        let name: HeaderName = name.parse().map_err(|_| invalid())?;
        let value = value.parse().map_err(|_| invalid())?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// A port that nobody listens on. The contract says 8080, but containers share this machine.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
