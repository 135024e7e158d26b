use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use super::*;
use crate::local::{LocalBackend, LocalClock};

const GROUP: &str = "/aws/sagemaker/TrainingJobs";

fn stream(name: &str, reached: Option<u64>, behind: bool, failures: u32) -> Stream {
    let reached = reached.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    Stream { name: name.to_owned(), token: None, reached, behind, failures }
}

fn line(seconds: i64) -> LogEvent {
    LogEvent::new("job/a", "job/", seconds * 1000, "text")
}

fn seconds(events: &[LogEvent]) -> Vec<u64> {
    let since = |event: &LogEvent| event.timestamp.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    events.iter().map(since).collect()
}

#[test]
fn lines_wait_for_the_stream_that_is_furthest_behind_but_not_for_ever() {
    let clock = LocalClock::manual();
    let backend = LocalBackend::builder().clock(clock.clone()).build();
    let mut tail = Tail::new(Session::with_backend(&backend), GROUP, "job");
    tail.streams =
        vec![stream("job/a", Some(9), true, 0), stream("job/b", Some(4), true, 0), stream("job/c", None, false, 0)];
    tail.held = [9, 3, 5, 4].map(line).to_vec();
    assert_eq!(seconds(&tail.release()), [3, 4]);
    assert_eq!(seconds(&tail.release()), [0_u64; 0]);
    clock.advance(Duration::from_secs(LONGEST_HOLD - 1));
    assert_eq!(seconds(&tail.release()), [0_u64; 0]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(seconds(&tail.release()), [5, 9], "the other stream may be down for long");

    tail.held = [7, 6].map(line).to_vec();
    assert_eq!(seconds(&tail.release()), [0_u64; 0], "a new wait begins");
    tail.round_bytes = line(1).memory();
    assert_eq!(seconds(&tail.release()), [6, 7], "no more memory than this");

    tail.held = [8, 7].map(line).to_vec();
    tail.streams.iter_mut().for_each(|stream| stream.behind = false);
    assert_eq!(seconds(&tail.release()), [7, 8], "nothing older can follow");
}

#[test]
fn a_stream_that_fails_does_not_keep_the_others() {
    let mut tail = Tail::new(Session::local(), GROUP, "job");
    tail.streams =
        vec![stream("job/a", None, true, 2), stream("job/b", Some(9), true, 0), stream("job/c", Some(4), true, 0)];
    assert_eq!(tail.furthest_behind(), Some(2));
    tail.streams[2].behind = false;
    assert_eq!(tail.furthest_behind(), Some(1));
    tail.streams[1].behind = false;
    assert_eq!(tail.furthest_behind(), Some(0));
}

#[tokio::test]
async fn a_round_reads_so_much_over_all_streams_together() {
    let session = Session::local();
    let logs = session.aws().logs();
    logs.create_log_group().log_group_name(GROUP).send().await.unwrap();
    let now = i64::try_from(session.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let text = "x".repeat(100_000);
    for name in ["job/a", "job/b", "job/c"] {
        logs.create_log_stream().log_group_name(GROUP).log_stream_name(name).send().await.unwrap();
        for batch in 0..4 {
            let mut request = logs.put_log_events().log_group_name(GROUP).log_stream_name(name);
            for i in 0..10 {
                let event = InputLogEvent::builder().timestamp(now + batch * 10 + i).message(&text).build().unwrap();
                request = request.log_events(event);
            }
            request.send().await.unwrap();
        }
    }
    let mut tail = Tail::new(session, GROUP, "job");
    tail.round_bytes = 4 << 20;
    let (mut all, mut rounds) = (Vec::new(), 0);
    loop {
        let round = tail.round(3).await;
        rounds += 1;
        let memory: usize = round.events.iter().chain(&tail.held).map(LogEvent::memory).sum();
        // What was held before, what a round reads, and the page that went beyond.
        assert!(memory <= 2 * tail.round_bytes + (1 << 20), "{memory} bytes in round {rounds}");
        all.extend(round.events);
        match round.end {
            RoundEnd::More => {}
            RoundEnd::CaughtUp => break,
            RoundEnd::Failed(error) => panic!("{error}"),
        }
    }
    assert!(rounds >= 3, "{rounds} rounds for 12 MB");
    assert_eq!(all.len(), 120);
    assert!(all.is_sorted_by_key(|event| event.timestamp));
    let again = tail.round(3).await;
    assert!(again.events.is_empty() && matches!(again.end, RoundEnd::CaughtUp), "each line once");
}

#[tokio::test]
async fn the_last_listing_begins_at_the_beginning() {
    let session = Session::local();
    let logs = session.aws().logs();
    let create = async |name: &str| {
        logs.create_log_stream().log_group_name(GROUP).log_stream_name(name).send().await.unwrap();
    };
    logs.create_log_group().log_group_name(GROUP).send().await.unwrap();
    for i in 100..160 {
        create(&format!("job/algo-{i}")).await;
    }
    // A listing that failed behind its first page; then a stream appears on that page.
    let page = logs.describe_log_streams().log_group_name(GROUP).send().await.unwrap();
    let mut tail = Tail::new(session.clone(), GROUP, "job");
    tail.listing = Some(page.next_token.unwrap());
    create("job/algo-1").await;
    tail.last_pass();
    assert!(matches!(tail.round(0).await.end, RoundEnd::CaughtUp));
    assert_eq!(tail.streams.len(), 61);
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_for_long_does_not_keep_the_others() {
    let clock = LocalClock::manual();
    let session = Session::with_backend(&LocalBackend::builder().clock(clock.clone()).build());
    let logs = session.aws().logs();
    logs.create_log_group().log_group_name(GROUP).send().await.unwrap();
    for name in ["job/a", "job/b"] {
        logs.create_log_stream().log_group_name(GROUP).log_stream_name(name).send().await.unwrap();
    }
    let write = async |text: &str| {
        let now = session.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let event = InputLogEvent::builder().timestamp(i64::try_from(now).unwrap()).message(text).build().unwrap();
        logs.put_log_events().log_group_name(GROUP).log_stream_name("job/b").log_events(event).send().await.unwrap();
    };
    let mut tail = Tail::new(session.clone(), GROUP, "job");
    assert!(matches!(tail.round(2).await.end, RoundEnd::CaughtUp));
    // The backend refuses this token: the stream fails from now on.
    tail.streams[0].token = Some("broken".to_owned());
    let mut seen = Vec::new();
    for minute in 0..10 {
        write(&format!("{minute}")).await;
        for _ in 0..6 {
            let round = tail.round(2).await;
            assert!(matches!(round.end, RoundEnd::Failed(_)));
            seen.extend(round.events.into_iter().map(|event| event.message));
            clock.advance(Duration::from_secs(10));
        }
    }
    assert!(seen.len() >= 8, "lines come while the other stream fails: {seen:?}");
    assert!(seen.iter().enumerate().all(|(i, text)| *text == i.to_string()), "{seen:?}");

    // The last pass is not begun anew: it must come to an end.
    tail.last_pass();
    assert!(tail.round(2).await.answered);
    for _ in 0..10 {
        assert!(!tail.round(2).await.answered);
    }
}
