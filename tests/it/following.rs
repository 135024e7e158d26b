//! How many calls it takes to follow jobs, on a clock that only the test moves.

use std::future::{Future, IntoFuture};
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use sagemaker::aws::cloudwatchlogs::types::InputLogEvent;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::job::Outcome;
use sagemaker::local::engines::{FnEngine, TrainingOutput};
use sagemaker::local::{Fault, LocalBackend, LocalClock};
use sagemaker::logs::LogEvent;
use sagemaker::poll::Clock;
use sagemaker::progress::JobView;
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::types::Compute;
use sagemaker::{Result, Session};

use crate::fixture::put;

const GROUP: &str = "/aws/sagemaker/TrainingJobs";
const SECOND: Duration = Duration::from_secs(1);

/// Pauses for as long as it was told, as the machine's clock does: nothing wakes it.
#[derive(Debug)]
struct Patient(LocalClock);

impl Clock for Patient {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.0.clone();
        Box::pin(async move { clock.sleep(duration).await })
    }
}

async fn place() -> Result<(LocalBackend, LocalClock, Session)> {
    let clock = LocalClock::manual();
    let engine = FnEngine::for_image("stand-in").train_with(|_| Ok(TrainingOutput::default()));
    let backend = LocalBackend::builder().engine(engine).clock(clock.clone()).build();
    backend.faults().add(Fault::stuck_in("Training"));
    let session = Session::builder().local(&backend).clock(Patient(clock.clone())).build().await?;
    Ok((backend, clock, session))
}

async fn start(session: &Session, name: &str, instances: u32) -> Result<TrainingJob> {
    let data = put(session, "l/train.csv", "1,2\n").await?;
    let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1");
    let estimator = estimator.compute(Compute::instances("ml.m5.xlarge", instances)).build()?;
    estimator.fit(session, TrainingInput::csv(data)).job_name(name).await
}

/// Lets everything come to rest that the moved clock has woken.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

fn calls(backend: &LocalBackend, operation: &str) -> usize {
    backend.requests().iter().filter(|request| request.operation == operation).count()
}

async fn write(session: &Session, stream: &str, text: String) {
    let now = session.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let event = InputLogEvent::builder().timestamp(i64::try_from(now).unwrap()).message(text).build().unwrap();
    let request = session.aws().logs().put_log_events().log_group_name(GROUP).log_stream_name(stream);
    request.log_events(event).send().await.unwrap();
}

/// What the Python SDK's loop costs for as many streams with a line each now and then: it lists the streams at every poll,
/// reads each until an empty page comes, polls every 10 s and describes the job every 30 s.
fn calls_of_python(seconds: u64, streams: usize, line_every: u64) -> usize {
    let pages = streams.div_ceil(50);
    let mut calls = 1;
    for poll in 0..=seconds / 10 + 1 {
        let news = poll > 0 && (poll * 10) / line_every > ((poll - 1) * 10) / line_every;
        calls += pages + streams + if news { streams } else { 0 };
        calls += usize::from(poll % 3 == 0);
    }
    calls
}

#[tokio::test]
async fn many_streams_cost_fewer_calls_than_the_python_sdk_makes() -> Result<()> {
    const STREAMS: usize = 120;
    const TIME: u64 = 300;
    const LINE_EVERY: u64 = 30;
    let (backend, clock, session) = place().await?;
    let job = start(&session, "watched", 120).await?;
    let logs = session.aws().logs();
    let _ = logs.create_log_group().log_group_name(GROUP).send().await;
    let streams: Vec<String> = (1..=STREAMS).map(|i| format!("watched/algo-{i}-1")).collect();
    for stream in &streams {
        let _ = logs.create_log_stream().log_group_name(GROUP).log_stream_name(stream).send().await;
    }
    let follow = tokio::spawn(job.logs().try_collect::<Vec<LogEvent>>());
    for second in 0..TIME {
        if second % LINE_EVERY == 0 {
            for stream in &streams {
                write(&session, stream, format!("{second}")).await;
            }
        }
        clock.advance(SECOND);
        settle().await;
    }
    let made =
        ["DescribeLogStreams", "GetLogEvents", "DescribeTrainingJob"].map(|operation| calls(&backend, operation));
    let (ours, python) = (made.iter().sum::<usize>(), calls_of_python(TIME, STREAMS, LINE_EVERY));
    assert!(ours < python, "{made:?} against {python} in five minutes");

    backend.faults().clear();
    while !follow.is_finished() {
        clock.advance(SECOND);
        settle().await;
    }
    let lines = follow.await.unwrap()?;
    let own: Vec<_> = lines.iter().filter(|line| line.instance.ends_with("-1")).collect();
    assert_eq!(own.len(), STREAMS * usize::try_from(TIME / LINE_EVERY).unwrap(), "every line once");
    assert!(own.is_sorted_by_key(|line| line.timestamp), "in order");
    Ok(())
}

/// A terminal that can be read while it is written to.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_clock_at_the_terminal_moves_while_nothing_happens() -> Result<()> {
    let (backend, clock, session) = place().await?;
    let job = start(&session, "silent", 1).await?;
    let screen = Screen::default();
    let view = JobView::new(screen.clone()).terminal(true);
    let follow = tokio::spawn(async move { view.follow(&job).await });
    let pass = async |seconds: u64| {
        for _ in 0..seconds {
            clock.advance(SECOND);
            settle().await;
        }
    };
    pass(120).await;
    let drawn = || String::from_utf8(screen.0.lock().unwrap().clone()).unwrap().matches("\r\x1b[2K").count();
    let before = drawn();
    pass(60).await;
    let ticks = drawn() - before;
    assert!((50..=70).contains(&ticks), "{ticks}");
    backend.faults().clear();
    while !follow.is_finished() {
        pass(1).await;
    }
    assert!(matches!(follow.await.unwrap()?, Outcome::Completed(_)));
    Ok(())
}

/// Calls that waiting for so many jobs for ten minutes takes: describing and listing; and those till all have ended.
async fn waiting_for(jobs: usize) -> Result<[usize; 3]> {
    let (backend, clock, session) = place().await?;
    let mut waits = Vec::new();
    for number in 0..jobs {
        let job = start(&session, &format!("job-{number}"), 1).await?;
        waits.push(tokio::spawn(job.wait().into_future()));
    }
    for _ in 0..600 {
        clock.advance(SECOND);
        settle().await;
    }
    assert!(waits.iter().all(|wait| !wait.is_finished()));
    let (described, listed) = (calls(&backend, "DescribeTrainingJob"), calls(&backend, "ListTrainingJobs"));
    backend.faults().clear();
    while waits.iter().any(|wait| !wait.is_finished()) {
        clock.advance(SECOND);
        settle().await;
    }
    for wait in waits {
        wait.await.unwrap()?;
    }
    Ok([described, listed, calls(&backend, "DescribeTrainingJob") + calls(&backend, "ListTrainingJobs")])
}

#[tokio::test]
async fn two_hundred_waits_ask_with_one_question() -> Result<()> {
    let [described, listed, all] = waiting_for(200).await?;
    // Each wait asks for its own job once; one that began alone or almost so, a few times more.
    assert!((200..=210).contains(&described), "{described} of {listed}");
    // Two pages a listing, at most one listing in each half of the shortest pause.
    assert!((20..=250).contains(&listed), "{listed}");
    assert!(all <= described + listed + 200 + 100, "{all}");
    Ok(())
}

#[tokio::test]
async fn few_waits_ask_for_their_own_jobs() -> Result<()> {
    let [described, listed, _] = waiting_for(2).await?;
    assert!(listed == 0 && described >= 40, "{described} {listed}");
    Ok(())
}

#[tokio::test]
async fn who_may_not_list_asks_for_each_job() -> Result<()> {
    let (backend, clock, session) = place().await?;
    backend.faults().add(Fault::refuse(400, "AccessDeniedException", "not you").on("ListTrainingJobs"));
    let mut waits = Vec::new();
    for number in 0..5 {
        let job = start(&session, &format!("job-{number}"), 1).await?;
        waits.push(tokio::spawn(job.wait().into_future()));
    }
    for second in 0.. {
        if second == 60 {
            backend.faults().clear();
        }
        if waits.iter().all(tokio::task::JoinHandle::is_finished) {
            break;
        }
        clock.advance(SECOND);
        settle().await;
    }
    for wait in waits {
        wait.await.unwrap()?;
    }
    assert_eq!(calls(&backend, "ListTrainingJobs"), 1, "it is not tried again");
    Ok(())
}
