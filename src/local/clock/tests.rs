use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Sleeps in many tasks and returns the order in which they woke.
async fn order_of(clock: &LocalClock, hours: &[u32]) -> Vec<u32> {
    let woke = Arc::new(Mutex::new(Vec::new()));
    let hold = clock.busy(); // everyone is queued before the first is woken
    let tasks: Vec<_> = hours
        .iter()
        .map(|&h| {
            let (clock, woke) = (clock.clone(), woke.clone());
            tokio::spawn(async move {
                let step = clock.rest(HOUR * h, None).await;
                woke.lock().unwrap().push(h);
                drop(step);
            })
        })
        .collect();
    while clock.state().sleepers.len() < hours.len() {
        tokio::task::yield_now().await;
    }
    drop(hold);
    for task in tasks {
        task.await.unwrap();
    }
    let woke = woke.lock().unwrap();
    woke.clone()
}

#[tokio::test]
async fn instant_sleepers_wake_in_order() {
    let hours: Vec<u32> = (0..100).map(|i| (i * 37) % 100 + 1).collect();
    let sorted: Vec<u32> = (1..=100).collect();
    assert_eq!(order_of(&LocalClock::instant(), &hours).await, sorted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instant_sleepers_wake_in_order_on_many_threads() {
    let hours: Vec<u32> = (0..100).map(|i| (i * 37) % 100 + 1).collect();
    let sorted: Vec<u32> = (1..=100).collect();
    for _ in 0..20 {
        assert_eq!(order_of(&LocalClock::instant(), &hours).await, sorted);
    }
}

#[tokio::test]
async fn time_goes_to_each_deadline_and_not_past_it() {
    let clock = LocalClock::instant();
    let start = clock.now();
    clock.sleep(HOUR).await;
    let passed = clock.now().duration_since(start).unwrap();
    assert!(passed >= HOUR && passed < HOUR + Duration::from_secs(60), "{passed:?}");
}

#[tokio::test]
async fn busy_keeps_time_from_jumping() {
    let clock = LocalClock::instant();
    let guard = clock.busy();
    let sleep = clock.sleep(HOUR);
    tokio::pin!(sleep);
    assert!(poll_once(sleep.as_mut()).is_pending());
    assert!(clock.now() < clock.0.origin + HOUR);
    drop(guard);
    assert!(clock.now() >= clock.0.origin + HOUR, "the last guard makes the jump");
    sleep.await;
}

#[tokio::test]
async fn real_time_passes_while_busy() {
    let clock = LocalClock::instant();
    let _guard = clock.busy();
    let before = clock.now();
    clock.sleep(Duration::from_millis(5)).await;
    assert!(clock.now() >= before + Duration::from_millis(5));
}

#[tokio::test(start_paused = true)]
async fn a_runtime_with_paused_time_takes_virtual_time_along() {
    let clock = LocalClock::instant();
    let _guard = clock.busy();
    clock.sleep(HOUR).await;
    assert!(clock.now() >= clock.0.origin + HOUR);
}

#[tokio::test]
async fn a_change_ends_a_pause_but_not_a_sleep() {
    let clock = LocalClock::manual();
    let (pause, sleep) = (clock.pause(HOUR), clock.sleep(HOUR));
    tokio::pin!(pause, sleep);
    assert!(poll_once(pause.as_mut()).is_pending());
    assert!(poll_once(sleep.as_mut()).is_pending());
    clock.changed();
    assert!(poll_once(pause.as_mut()).is_ready());
    assert!(poll_once(sleep.as_mut()).is_pending());
}

#[tokio::test]
async fn no_change_is_missed_between_asking_and_pausing() {
    let clock = LocalClock::manual();
    let seen = clock.changes();
    clock.changed();
    clock.pause_since(seen, HOUR).await;
}

#[tokio::test]
async fn a_manual_clock_stands_still_until_it_is_advanced() {
    let clock = LocalClock::manual();
    let start = clock.now();
    let sleep = clock.sleep(HOUR);
    tokio::pin!(sleep);
    assert!(poll_once(sleep.as_mut()).is_pending());
    clock.advance(HOUR / 2);
    assert!(poll_once(sleep.as_mut()).is_pending());
    assert_eq!(clock.now(), start + HOUR / 2);
    clock.advance(HOUR);
    assert_eq!(clock.now(), start + HOUR, "stops where someone is to wake");
    assert!(poll_once(sleep.as_mut()).is_ready());
    clock.settle().await;
    assert_eq!(clock.now(), start + HOUR * 3 / 2);
}

#[tokio::test]
async fn an_advance_walks_through_sleeps_that_follow_each_other() {
    let clock = LocalClock::manual();
    let start = clock.now();
    let guard = clock.busy();
    let inner = clock.clone();
    let task = tokio::spawn(async move {
        let mut guard = guard;
        let mut at = Vec::new();
        for _ in 0..3 {
            guard = inner.rest(HOUR, Some(guard)).await;
            at.push(inner.now().duration_since(start).unwrap());
        }
        drop(guard);
        at
    });
    clock.advance(HOUR * 10);
    clock.settle().await;
    assert!(task.is_finished());
    assert_eq!(task.await.unwrap(), [HOUR, HOUR * 2, HOUR * 3]);
    assert_eq!(clock.now(), start + HOUR * 10);
}

#[tokio::test]
async fn a_dropped_sleep_leaves_no_trace() {
    let clock = LocalClock::manual();
    {
        let sleep = clock.sleep(HOUR);
        tokio::pin!(sleep);
        assert!(poll_once(sleep.as_mut()).is_pending());
        assert_eq!(clock.state().sleepers.len(), 1);
    }
    assert!(clock.state().sleepers.is_empty());
    // Dropped after it was woken, before it noticed: the next one must not wait for it.
    let mut first = Box::pin(clock.sleep(HOUR));
    let mut second = Box::pin(clock.sleep(HOUR));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    clock.advance(HOUR);
    assert!(poll_once(second.as_mut()).is_pending(), "one at a time");
    drop(first);
    assert!(poll_once(second.as_mut()).is_ready());
    assert_eq!(clock.state().busy, 0);
}

#[tokio::test]
async fn scaled_time_runs_faster() {
    let clock = LocalClock::scaled(100_000.0);
    let before = clock.now();
    clock.sleep(HOUR / 4).await; // 9 ms
    assert!(clock.now() >= before + HOUR / 4);
}

#[test]
#[should_panic(expected = "finite and above zero")]
fn a_scale_of_zero_is_refused() {
    let _ = LocalClock::scaled(0.0);
}

#[test]
fn a_runtime_that_ends_takes_its_sleepers_along() {
    let clock = LocalClock::instant();
    let hold = clock.busy();
    let ended = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sleeping, guard) = (clock.clone(), clock.busy());
    ended.block_on(async {
        tokio::spawn(async move { sleeping.rest(HOUR, Some(guard)).await });
        tokio::task::yield_now().await;
    });
    assert_eq!(clock.state().sleepers.len(), 1);
    drop(ended);
    assert!(clock.state().sleepers.is_empty());
    drop(hold);
    assert_eq!(clock.state().busy, 0);
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    other.block_on(clock.sleep(HOUR));
}

#[test]
fn several_runtimes_share_a_clock() {
    let clock = LocalClock::instant();
    let woke = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    for _ in 0..200 {
                        clock.sleep(HOUR).await;
                        woke.fetch_add(1, Ordering::Relaxed);
                    }
                });
            });
        }
    });
    assert_eq!(woke.load(Ordering::Relaxed), 800);
    assert_eq!(clock.state().busy, 0);
}

#[tokio::test]
async fn a_burst_of_log_lines_wakes_a_poller_once() {
    let clock = LocalClock::scaled(1.0);
    let seen = clock.changes();
    clock.logged();
    clock.logged();
    assert_ne!(clock.changes(), seen);
    let pause = clock.pause_since(seen, Duration::from_secs(3600));
    tokio::pin!(pause);
    let at_once = tokio::select! { biased; () = &mut pause => true, () = std::future::ready(()) => false };
    assert!(!at_once, "more lines may follow");
    clock.changed();
    tokio::select! { biased; () = &mut pause => {}, () = std::future::ready(()) => panic!("a change wakes at once") }

    let seen = clock.changes();
    clock.logged();
    clock.pause_since(seen, Duration::from_secs(3600)).await;
}
