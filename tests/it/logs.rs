//! Every log line once and in order, whatever CloudWatch does; waits and streams that end, whatever does not answer.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use futures_util::{StreamExt, TryStreamExt};
use sagemaker::aws::cloudwatchlogs::types::InputLogEvent;
use sagemaker::aws::config::retry::RetryConfig;
use sagemaker::aws::config::{BehaviorVersion, Region, SdkConfig};
use sagemaker::aws::sagemaker::config::{Credentials, SharedCredentialsProvider};
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::job::{JobEvent, JobStatus, Outcome};
use sagemaker::local::engines::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};
use sagemaker::local::{LocalBackend, LocalClock};
use sagemaker::logs::LogEvent;
use sagemaker::poll::{Clock, PollPolicy};
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::transform::TransformInput;
use sagemaker::types::Compute;
use sagemaker::{Error, ErrorKind, Result, Session};
use serde_json::{Value, json};

use crate::fixture::{model, one, put};

const GROUP: &str = "/aws/sagemaker/TrainingJobs";

/// What becomes of a call.
enum Act {
    Pass,
    Refuse(&'static str),
    Hang,
    Answer(Value),
    /// The backend answers, and the answer is changed.
    Edit(fn(&mut Value)),
}

type Script = dyn Fn(&str, &mut Value) -> Act + Send + Sync;

/// The backend behind a network that follows a script: it sees each operation with its JSON body, which it may change.
#[derive(Clone)]
struct Net {
    backend: LocalBackend,
    script: Arc<Script>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

impl HttpClient for Net {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Net {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let net = self.clone();
        HttpConnectorFuture::new(async move {
            let (mut head, body) = request.try_into_http1x().unwrap().into_parts();
            let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let parsed = body.bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
            let (act, body) = match parsed {
                Some(mut value) => {
                    let act = (net.script)(&operation, &mut value);
                    head.headers.remove("content-length");
                    (act, SdkBody::from(value.to_string()))
                }
                None => (Act::Pass, body),
            };
            let json = |status: u16, body: Value| {
                http::Response::builder().status(status).body(SdkBody::from(body.to_string())).unwrap()
            };
            let answer = match act {
                Act::Hang => std::future::pending().await,
                Act::Refuse(code) => json(400, json!({"__type": code, "message": "as the test wants it"})),
                Act::Answer(answer) => json(200, answer),
                Act::Pass => net.backend.handle(http::Request::from_parts(head, body)).await,
                Act::Edit(edit) => {
                    let answer = net.backend.handle(http::Request::from_parts(head, body)).await;
                    let mut value = serde_json::from_slice(answer.body().bytes().unwrap()).unwrap();
                    edit(&mut value);
                    json(200, value)
                }
            };
            Ok(HttpResponse::try_from(answer).unwrap())
        })
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The backend's clock; something may happen at the beginning of each pause.
#[derive(Clone)]
struct Watch {
    clock: LocalClock,
    at_pause: Arc<dyn Fn(Duration) -> Option<Work> + Send + Sync>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Clock for Watch {
    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (clock, work) = (self.clock.clone(), (self.at_pause)(duration));
        Box::pin(async move {
            if let Some(work) = work {
                work.await;
            }
            clock.pause(duration).await;
        })
    }
}

impl AsyncSleep for Watch {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clock.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

fn nothing(_: Duration) -> Option<Work> {
    None
}

/// A session over the scripted network, without retries of the AWS client.
async fn session(
    backend: &LocalBackend,
    at_pause: impl Fn(Duration) -> Option<Work> + Send + Sync + 'static,
    script: impl Fn(&str, &mut Value) -> Act + Send + Sync + 'static,
) -> Session {
    let clock = Watch { clock: backend.clock().clone(), at_pause: Arc::new(at_pause) };
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(backend.region().to_owned()))
        .http_client(Net { backend: backend.clone(), script: Arc::new(script) })
        .sleep_impl(SharedAsyncSleep::new(clock.clone()))
        // Its timers would sleep on the backend's clock, which leaps from one to the next.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(RetryConfig::disabled())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .build();
    // Real time passes while an engine works: pauses are short.
    let poll = PollPolicy::new(Duration::from_millis(1), Duration::from_millis(5)).unwrap();
    Session::builder().sdk_config(config).clock(clock).poll(poll).build().await.unwrap()
}

/// Does what the test tells it; each order is a line to log, the end of the orders is the end of the training.
struct Obedient(Mutex<Receiver<String>>);

impl Obedient {
    fn backend() -> (LocalBackend, Sender<String>) {
        let (orders, engine) = mpsc::channel();
        (LocalBackend::builder().engine(Self(Mutex::new(engine))).build(), orders)
    }
}

impl Engine for Obedient {
    fn runs(&self, image: &str) -> bool {
        image.contains("obedient")
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        let orders = self.0.lock().unwrap();
        while let Ok(line) = orders.recv() {
            if line == "fail" {
                return Err(EngineFailure::algorithm("as ordered"));
            }
            job.log(line);
        }
        Ok(TrainingOutput { model: vec![("weights".into(), "1".into())], ..TrainingOutput::default() })
    }

    fn load(&self, _: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Err(EngineFailure::algorithm("this image does not serve"))
    }
}

async fn start(session: &Session, instances: u32) -> Result<TrainingJob> {
    let data = put(session, "l/train.csv", "1,2\n").await?;
    let estimator = ContainerEstimator::builder("1.dkr.ecr.us-east-1.amazonaws.com/obedient:1");
    let estimator = estimator.compute(Compute::instances("ml.m5.xlarge", instances)).build()?;
    estimator.fit(session, TrainingInput::csv(data)).job_name("watched").await
}

/// Writes to a stream of its own, as a further instance does.
async fn write(session: &Session, stream: &str, lines: impl IntoIterator<Item = (SystemTime, String)>) {
    let logs = session.aws().logs();
    let _ = logs.create_log_group().log_group_name(GROUP).send().await;
    let _ = logs.create_log_stream().log_group_name(GROUP).log_stream_name(stream).send().await;
    let mut request = logs.put_log_events().log_group_name(GROUP).log_stream_name(stream);
    for (at, message) in lines {
        let millis = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let event = InputLogEvent::builder().timestamp(i64::try_from(millis).unwrap()).message(message);
        request = request.log_events(event.build().unwrap());
    }
    request.send().await.unwrap();
}

async fn next_line(events: &mut (impl futures_util::Stream<Item = Result<JobEvent>> + Unpin)) -> Result<LogEvent> {
    loop {
        if let JobEvent::Log(line) = events.try_next().await?.unwrap() {
            return Ok(line);
        }
    }
}

fn calls(backend: &LocalBackend, operation: &str) -> usize {
    backend.requests().iter().filter(|request| request.operation == operation).count()
}

/// Three of ten are unlucky, always the same ones.
fn unlucky(number: usize) -> bool {
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32 & 0xffff_ffff < (1 << 32) / 10 * 3
}

/// Throttles, keeps pages small, and puts an empty page before every third: its token leads to the page itself.
fn unfriendly() -> impl Fn(&str, &mut Value) -> Act + Send + Sync + 'static {
    let (logs, pages) = (AtomicUsize::new(0), AtomicUsize::new(0));
    move |operation, body| {
        if !matches!(operation, "GetLogEvents" | "DescribeLogStreams") {
            return Act::Pass;
        }
        if unlucky(logs.fetch_add(1, Ordering::Relaxed)) {
            return Act::Refuse("ThrottlingException");
        }
        if operation == "GetLogEvents" {
            let token = body["nextToken"].as_str().unwrap_or_default().to_owned();
            body["limit"] = json!(3);
            if let Some(real) = token.strip_prefix("empty:") {
                body["nextToken"] = if real.is_empty() { Value::Null } else { json!(real) };
            } else if pages.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
                let token = format!("empty:{token}");
                return Act::Answer(json!({"events": [], "nextForwardToken": token, "nextBackwardToken": token}));
            }
        }
        Act::Pass
    }
}

#[tokio::test]
async fn lines_of_120_instances_come_once_and_in_order() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let others = Session::with_backend(&backend);
    // Lines that are late, one of them older than all others, come while the last ones are waited for.
    let late = {
        let (others, done) = (others.clone(), AtomicBool::new(false));
        move |pause: Duration| -> Option<Work> {
            let others = others.clone();
            let now = pause >= Duration::from_secs(1) && !done.swap(true, Ordering::Relaxed);
            now.then(|| -> Work {
                Box::pin(async move {
                    let (now, hour) = (others.now(), Duration::from_secs(3600));
                    write(&others, "watched/algo-7-1", [(now - hour, "late and old".into())]).await;
                    write(&others, "watched/algo-1-9999999999", [(now, "late and new".into())]).await;
                })
            })
        }
    };
    let session = session(&backend, late, unfriendly()).await;
    let job = start(&session, 120).await?;
    let mut events = job.events();
    orders.send("first".into()).unwrap();
    let first = next_line(&mut events).await?;
    for instance in 2..=120 {
        let line = |i: u32| (first.timestamp + Duration::from_millis(u64::from(i) / 2), format!("{instance}: {i}"));
        write(&others, &format!("watched/algo-{instance}-1"), (0..10).map(line)).await;
    }
    orders.send("last".into()).unwrap();
    drop(orders);
    let events: Vec<JobEvent> = events.try_collect().await?;

    let mut lines: Vec<&LogEvent> = Vec::new();
    for event in &events {
        match event {
            JobEvent::Log(line) => lines.push(line),
            JobEvent::Status(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let (late, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.message.starts_with("late"));
    let late: Vec<_> = late.iter().map(|line| (line.instance.as_str(), line.message.as_str())).collect();
    assert_eq!(late, [("algo-7-1", "late and old"), ("algo-1-9999999999", "late and new")]);
    assert_eq!(lines.len(), 119 * 10 + 1, "every line once");
    let out_of_order = lines.windows(2).find(|pair| pair[0].timestamp > pair[1].timestamp);
    assert!(out_of_order.is_none(), "in order of time across the streams, not {out_of_order:?}");
    let mut streams: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &lines {
        streams.entry(&line.instance).or_default().push(&line.message);
    }
    for instance in 2..=120 {
        let expected: Vec<_> = (0..10).map(|i| format!("{instance}: {i}")).collect();
        assert_eq!(streams[format!("algo-{instance}-1").as_str()], expected, "in order within each stream");
    }
    assert!(
        matches!(events.last(), Some(JobEvent::Log(line)) if line.message == "late and new"),
        "{:?}",
        events.last()
    );
    Ok(())
}

#[tokio::test]
async fn streams_are_not_listed_at_every_poll() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let session = session(&backend, nothing, |_, _| Act::Pass).await;
    let job = start(&session, 1).await?;
    let mut logs = job.logs();
    let (mut before, mut read) = (0, 0);
    for i in 0..200 {
        orders.send(format!("{i}")).unwrap();
        assert_eq!(logs.try_next().await?.unwrap().message, format!("{i}"));
        if i == 20 {
            (before, read) = (calls(&backend, "DescribeLogStreams"), calls(&backend, "GetLogEvents"));
        }
    }
    assert!(calls(&backend, "GetLogEvents") >= read + 179, "there were many polls");
    assert_eq!(calls(&backend, "DescribeLogStreams"), before, "and nothing new to look for");
    drop(orders);
    assert_eq!(logs.try_collect::<Vec<_>>().await?, []);
    Ok(())
}

#[tokio::test]
async fn instances_that_were_replaced_log_on() -> Result<()> {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    let (backend, orders) = Obedient::backend();
    let session = session(&backend, nothing, |operation, _| match operation {
        "DescribeTrainingJob" if INTERRUPTED.load(Ordering::Relaxed) => Act::Edit(|answer| {
            let transitions = answer["SecondaryStatusTransitions"].as_array_mut().unwrap();
            let mut interrupted = transitions.last().unwrap().clone();
            interrupted["Status"] = json!("Interrupted");
            transitions.push(interrupted);
        }),
        _ => Act::Pass,
    })
    .await;
    let job = start(&session, 1).await?;
    let mut events = job.events();
    orders.send("first life".into()).unwrap();
    assert_eq!(next_line(&mut events).await?.message, "first life");
    // Long after that, the instance is taken away; its successor has a stream of its own.
    for i in 0..20 {
        orders.send(format!("{i}")).unwrap();
        next_line(&mut events).await?;
    }
    INTERRUPTED.store(true, Ordering::Relaxed);
    write(&session, "watched/algo-1-9999999999", [(session.now(), "second life".into())]).await;
    let line = next_line(&mut events).await?;
    assert_eq!((line.message.as_str(), line.instance.as_str()), ("second life", "algo-1-9999999999"));
    drop(orders);
    assert_eq!(events.try_collect::<Vec<_>>().await?.iter().filter(|e| matches!(e, JobEvent::Log(_))).count(), 0);
    Ok(())
}

#[tokio::test]
async fn both_streams_of_a_transform_job_are_read() -> Result<()> {
    let session = Session::local();
    let model = model(&session).await?;
    let rows = put(&session, "rows/a.csv", "1,2\n").await?;
    let job = model.transformer(one()).build()?.transform(TransformInput::csv(rows)).await?;
    let lines: Vec<LogEvent> = job.logs().try_collect().await?;
    assert!(lines.iter().any(|line| line.instance.ends_with("/data-log")), "{lines:?}");
    assert!(lines.iter().any(|line| !line.instance.contains('/')), "{lines:?}");
    Ok(())
}

/// All events up to the end, and the error that ended them.
async fn until_error(job: &TrainingJob) -> (Vec<JobEvent>, Error) {
    let mut events = job.events();
    let mut seen = Vec::new();
    loop {
        match events.next().await {
            Some(Ok(event)) => seen.push(event),
            Some(Err(error)) => {
                assert!(events.next().await.is_none(), "an error is the end");
                return (seen, error);
            }
            None => panic!("no error after {seen:?}"),
        }
    }
}

#[tokio::test]
async fn without_cloudwatch_the_statuses_come_and_then_the_error() -> Result<()> {
    for (code, kind) in
        [("ThrottlingException", ErrorKind::Throttled), ("AccessDeniedException", ErrorKind::AccessDenied)]
    {
        for failing in ["DescribeLogStreams", "GetLogEvents"] {
            let (backend, orders) = Obedient::backend();
            let session = session(&backend, nothing, move |operation, _| match operation {
                operation if operation == failing => Act::Refuse(code),
                _ => Act::Pass,
            })
            .await;
            let job = start(&session, 1).await?;
            orders.send("unread".into()).unwrap();
            drop(orders);
            if kind == ErrorKind::AccessDenied {
                job.wait().await?;
            }
            let (events, error) = until_error(&job).await;
            assert_eq!((error.kind(), error.operation()), (kind, Some(failing)), "{error}");
            let Some(JobEvent::Status(last)) = events.last() else { panic!("{events:?}") };
            assert_eq!(last.status, "Completed", "{code} from {failing}");
            let starting = events.iter().filter(|e| matches!(e, JobEvent::Status(s) if s.status == "Starting")).count();
            assert_eq!(starting, 1);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_was_read_is_given_before_the_error() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let session = session(&backend, nothing, |operation, body| match operation {
        "GetLogEvents" if body["logStreamName"] == "watched/algo-2-1" => Act::Refuse("AccessDeniedException"),
        _ => Act::Pass,
    })
    .await;
    let job = start(&session, 2).await?;
    orders.send("a line".into()).unwrap();
    drop(orders);
    job.wait().await?;
    write(&session, "watched/algo-2-1", [(session.now(), "never read".into())]).await;
    let (events, error) = until_error(&job).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(events.iter().any(|event| matches!(event, JobEvent::Log(line) if line.message == "a line")), "{events:?}");
    Ok(())
}

#[tokio::test]
async fn a_long_log_is_read_without_a_pause_and_in_order() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let session = Session::with_backend(&backend);
    let job = start(&session, 2).await?;
    drop(orders);
    job.wait().await?;
    // More than one round takes; the second stream reaches further with each page.
    let began = job.describe().await?.raw().creation_time().unwrap().as_secs_f64();
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(began);
    let long = "x".repeat(400_000);
    for (instance, step) in [(1, 100), (2, 1000)] {
        for batch in 0..24 {
            let line = |i: u64| (began + Duration::from_millis((2 * batch + i) * step), format!("{i} {long}"));
            write(&session, &format!("watched/algo-{instance}-1"), (0..2).map(line)).await;
        }
    }
    let slow = PollPolicy::new(Duration::from_secs(1000), Duration::from_secs(1000))?;
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(backend.region().to_owned()))
        .http_client(backend.http_client())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")));
    let clock = Watch { clock: backend.clock().clone(), at_pause: Arc::new(nothing) };
    let session = Session::builder().sdk_config(config.build()).clock(clock).poll(slow).build().await?;
    let before = session.now();
    let job = TrainingJob::attach(&session, job.name()).await?;
    let events: Vec<JobEvent> = job.events().try_collect().await?;
    let took = session.now().duration_since(before).unwrap();
    assert!(took < Duration::from_secs(1000), "{took:?}");
    assert!(events.is_sorted_by_key(JobEvent::timestamp), "statuses too");
    assert_eq!(events.iter().filter(|event| matches!(event, JobEvent::Log(_))).count(), 96);
    Ok(())
}

#[tokio::test]
async fn a_describe_that_hangs_does_not_outlast_the_deadline() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let session = session(&backend, nothing, move |operation, _| match operation {
        "DescribeTrainingJob" if count.fetch_add(1, Ordering::Relaxed) >= 3 => Act::Hang,
        _ => Act::Pass,
    })
    .await;
    let job = start(&session, 1).await?;
    drop(orders);
    let error = job.wait().timeout(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.to_string().contains("after 60 s"), "{error}");
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    Ok(())
}

#[tokio::test]
async fn a_wait_does_not_make_the_clock_leap_beyond_the_job() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    drop(orders);
    let session = Session::with_backend(&backend);
    let before = session.now();
    start(&session, 1).await?.wait().await?;
    assert!(session.now().duration_since(before).unwrap() < Duration::from_secs(120));
    Ok(())
}

#[tokio::test]
async fn last_lines_that_can_be_read_are_told_and_what_is_missing_too() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let others = Session::with_backend(&backend);
    let session = session(&backend, nothing, |operation, body| {
        let token = body["nextToken"].as_str().unwrap_or_default().to_owned();
        match (operation, body["logStreamName"].as_str().unwrap_or_default()) {
            ("GetLogEvents", "watched/algo-2-1") => Act::Refuse("ThrottlingException"),
            // Two empty pages, then the real one.
            ("GetLogEvents", "watched/algo-3-1") if token.len() < 2 => {
                Act::Answer(json!({"events": [], "nextForwardToken": "f", "nextBackwardToken": format!("{token}b")}))
            }
            ("GetLogEvents", "watched/algo-3-1") => {
                body["nextToken"] = Value::Null;
                Act::Pass
            }
            _ => Act::Pass,
        }
    })
    .await;
    let job = start(&session, 3).await?;
    for instance in [2, 3] {
        let lines = (0..30).map(|i| (others.now(), format!("{instance}: {i}")));
        write(&others, &format!("watched/algo-{instance}-1"), lines).await;
    }
    orders.send("the reason".into()).unwrap();
    orders.send("fail".into()).unwrap();
    let error = job.wait().await.unwrap_err();
    let failure = error.job_failure().unwrap();
    assert_eq!(failure.last_log_lines.len(), 20);
    assert_eq!(failure.last_log_lines.last().map(String::as_str), Some("the reason"), "{failure:?}");
    assert_eq!(failure.last_log_lines[18], "3: 29");
    let missing = failure.logs_error.as_deref().unwrap();
    assert!(missing.contains("GetLogEvents"), "{missing}");
    assert!(error.to_string().contains("log lines are missing: "), "{error}");
    assert!(failure.see_more.starts_with("aws logs tail /aws/sagemaker/TrainingJobs "), "{failure:?}");

    let (backend, orders) = Obedient::backend();
    let local = Session::with_backend(&backend);
    let job = start(&local, 1).await?;
    orders.send("fail".into()).unwrap();
    let error = job.wait().await.unwrap_err();
    let failure = error.job_failure().unwrap();
    assert_eq!(failure.logs_error, None, "there are none to read");
    assert!(failure.see_more.contains("job.logs()") && !failure.see_more.contains("aws logs"), "{failure:?}");
    Ok(())
}

#[tokio::test]
async fn the_reason_is_told_without_cloudwatch() -> Result<()> {
    for act in ["throttle", "hang"] {
        let (backend, orders) = Obedient::backend();
        let session = session(&backend, nothing, move |operation, _| match (operation, act) {
            ("DescribeLogStreams", "hang") => Act::Hang,
            ("DescribeLogStreams" | "GetLogEvents", _) => Act::Refuse("ThrottlingException"),
            _ => Act::Pass,
        })
        .await;
        let job = start(&session, 1).await?;
        orders.send("fail".into()).unwrap();
        let error = job.wait().await.unwrap_err();
        let failure = error.job_failure().unwrap();
        assert_eq!(error.kind(), ErrorKind::JobFailed);
        assert!(failure.reason.as_deref().unwrap().contains("as ordered"));
        assert!(failure.last_log_lines.is_empty() && failure.logs_error.is_some(), "{failure:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_status_that_is_not_known_is_the_end_if_there_is_an_end_time() -> Result<()> {
    let (backend, orders) = Obedient::backend();
    let session = session(&backend, nothing, |operation, _| match operation {
        "DescribeTrainingJob" => Act::Edit(|answer| {
            answer["TrainingJobStatus"] = json!("Archived");
            answer["SecondaryStatus"] = json!("Archived");
        }),
        _ => Act::Pass,
    })
    .await;
    let job = start(&session, 1).await?;
    orders.send("a line".into()).unwrap();
    drop(orders);
    let events: Vec<JobEvent> = job.events().try_collect().await?;
    assert!(events.iter().any(|event| matches!(event, JobEvent::Log(line) if line.message == "a line")), "{events:?}");
    let Outcome::Failed(failure) = job.wait().outcome().await? else { panic!("it did not complete") };
    assert_eq!(failure.status, "Archived");
    assert_eq!(sagemaker::job::JobDescription::status(&job.describe().await?), JobStatus::Other("Archived".into()));
    Ok(())
}

#[tokio::test]
async fn a_wait_lasts_as_long_as_the_job_may() -> Result<()> {
    let clock = LocalClock::manual();
    let (orders, engine) = mpsc::channel();
    let backend = LocalBackend::builder().engine(Obedient(Mutex::new(engine))).clock(clock.clone()).build();
    let session = Session::with_backend(&backend);
    let data = put(&session, "l/train.csv", "1,2\n").await?;
    let estimator = ContainerEstimator::builder("1.dkr.ecr.us-east-1.amazonaws.com/obedient:1").compute(one());
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let estimator = estimator.max_run(hours(100)).build()?;
    let job = estimator.fit(&session, TrainingInput::csv(data)).await?;
    let wait = tokio::spawn(job.wait().into_future());
    // Three days later it still trains, and is still waited for.
    for _ in 0..72 {
        clock.advance(hours(1));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(!wait.is_finished(), "{:?}", wait.await);
    }
    drop(orders);
    while !wait.is_finished() {
        clock.advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    wait.await.unwrap().map(drop)
}
