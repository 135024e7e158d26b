use std::future::{Future, IntoFuture};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Session;
use crate::job::{StatusChange, sealed};
use crate::local::{LocalBackend, LocalClock};
use crate::types::ResourceName;

const SECOND: Duration = Duration::from_secs(1);

/// A job that changed last at the beginning of time.
#[derive(Debug, Clone)]
struct Described(JobStatus);

impl JobDescription for Described {
    fn status(&self) -> JobStatus {
        self.0.clone()
    }

    fn secondary_status(&self) -> Option<&str> {
        None
    }

    fn failure_reason(&self) -> Option<&str> {
        None
    }

    fn status_changes(&self) -> Vec<StatusChange> {
        Vec::new()
    }

    fn instance_count(&self) -> usize {
        1
    }

    fn modified_at(&self) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH)
    }

    fn ended_at(&self) -> Option<SystemTime> {
        None
    }

    fn time_limit(&self) -> Option<Duration> {
        None
    }
}

/// In an account where far more jobs have changed than a listing may tell, all of them within the last hour.
#[derive(Debug)]
struct Crowded;

static CROWDED_PAGES: AtomicUsize = AtomicUsize::new(0);
static CROWDED_DESCRIBED: AtomicUsize = AtomicUsize::new(0);
const HOUR: Duration = Duration::from_secs(60 * 60);

impl sealed::Sealed for Crowded {}

impl JobKind for Crowded {
    const NOUN: &'static str = "crowded job";
    const LOG_GROUP: &'static str = "/crowded";
    type Description = Described;

    async fn describe(_: &Session, _: &str) -> Result<Described> {
        CROWDED_DESCRIBED.fetch_add(1, Ordering::Relaxed);
        Ok(Described(JobStatus::InProgress))
    }

    async fn stop(_: &Session, _: &str) -> Result<()> {
        Ok(())
    }

    fn changed(
        session: &Session,
        after: SystemTime,
        _: Option<String>,
    ) -> impl Future<Output = Result<Option<Changed>>> + Send {
        CROWDED_PAGES.fetch_add(1, Ordering::Relaxed);
        let now = session.now();
        let next = (now.duration_since(after).unwrap_or_default() > HOUR).then(|| "more".to_owned());
        let jobs = vec![("somebody's".to_owned(), "Completed".to_owned(), Some(now))];
        std::future::ready(Ok(Some(Changed { jobs, next })))
    }
}

/// Whose listings never tell that a job has ended.
#[derive(Debug)]
struct Forgetful;

static FORGETFUL_HAS_ENDED: AtomicUsize = AtomicUsize::new(0);
static FORGETFUL_DESCRIBED: AtomicUsize = AtomicUsize::new(0);

impl sealed::Sealed for Forgetful {}

impl JobKind for Forgetful {
    const NOUN: &'static str = "forgetful job";
    const LOG_GROUP: &'static str = "/forgetful";
    type Description = Described;

    async fn describe(_: &Session, _: &str) -> Result<Described> {
        FORGETFUL_DESCRIBED.fetch_add(1, Ordering::Relaxed);
        let has_ended = FORGETFUL_HAS_ENDED.load(Ordering::Relaxed) > 0;
        Ok(Described(if has_ended { JobStatus::Completed } else { JobStatus::InProgress }))
    }

    async fn stop(_: &Session, _: &str) -> Result<()> {
        Ok(())
    }

    fn changed(_: &Session, _: SystemTime, _: Option<String>) -> impl Future<Output = Result<Option<Changed>>> + Send {
        std::future::ready(Ok(Some(Changed { jobs: Vec::new(), next: None })))
    }
}

const JOBS: usize = 50;

/// So many waits, half an hour later.
async fn waits<K: JobKind>(session: &Session, clock: &LocalClock) -> Vec<tokio::task::JoinHandle<Result<()>>> {
    let jobs = (0..JOBS).map(|number| {
        let job = Job::<K>::new(session.clone(), ResourceName::new(format!("job-{number}")).unwrap());
        tokio::spawn(async move { job.wait().into_future().await.map(drop) })
    });
    let waits: Vec<_> = jobs.collect();
    pass(clock, 30 * 60).await;
    waits
}

async fn pass(clock: &LocalClock, seconds: u32) {
    for _ in 0..seconds {
        clock.advance(SECOND);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

fn place() -> (LocalClock, Session) {
    let clock = LocalClock::manual();
    let backend = LocalBackend::builder().clock(clock.clone()).build();
    (clock, Session::with_backend(&backend))
}

#[tokio::test]
async fn a_listing_that_is_too_long_is_not_tried_at_every_poll() {
    let (clock, session) = place();
    let waits = waits::<Crowded>(&session, &clock).await;
    assert!(waits.iter().all(|wait| !wait.is_finished()));
    let (pages, described) = (CROWDED_PAGES.load(Ordering::Relaxed), CROWDED_DESCRIBED.load(Ordering::Relaxed));
    // One long listing; after five minutes without any they begin later, and are short. A poll comes every 30 s.
    assert!((MOST_PAGES + 40..MOST_PAGES + 400).contains(&pages), "{pages}");
    // In those five minutes each is asked for itself, and once or twice later.
    assert!((JOBS * 10..JOBS * 25).contains(&described), "{described}");
    waits.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn an_end_that_no_listing_tells_is_found_all_the_same() {
    let (clock, session) = place();
    let waits = waits::<Forgetful>(&session, &clock).await;
    assert!(waits.iter().all(|wait| !wait.is_finished()));
    let described = FORGETFUL_DESCRIBED.load(Ordering::Relaxed);
    assert!((JOBS * 2..JOBS * 5).contains(&described), "{described}");
    FORGETFUL_HAS_ENDED.store(1, Ordering::Relaxed);
    pass(&clock, 16 * 60).await;
    for wait in waits {
        assert!(wait.is_finished());
        wait.await.unwrap().unwrap();
    }
}
