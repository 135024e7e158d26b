use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::CONCURRENCY;
use crate::{Error, ErrorKind, Result};

/// Transfers that fail together: after the first error none is begun, but those under way come to their end.
///
/// Dropped instead, an upload could not remove the parts that it has sent.
#[derive(Default)]
pub(super) struct Group<'a> {
    failed: AtomicBool,
    above: Option<&'a Group<'a>>,
}

impl Group<'_> {
    /// A group that ends early when this one has failed.
    pub(super) fn within(&self) -> Group<'_> {
        Group { failed: AtomicBool::new(false), above: Some(self) }
    }

    /// An error once the group has failed: for a task that had to wait before it could begin. It is never the first.
    pub(super) fn check(&self) -> Result<()> {
        if self.has_failed() { Err(Error::new(ErrorKind::Transport, "another transfer failed before")) } else { Ok(()) }
    }

    /// Runs the tasks, several at once, and gives their results in the order in which they came to an end.
    pub(super) async fn run<T, F>(&self, tasks: impl IntoIterator<Item = F>) -> Result<Vec<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let mut tasks = tasks.into_iter().fuse();
        let mut running = FuturesUnordered::new();
        let (mut done, mut failed) = (Vec::new(), None);
        loop {
            while running.len() < CONCURRENCY && !self.has_failed() {
                let Some(task) = tasks.next() else { break };
                running.push(task);
            }
            match running.next().await {
                Some(Ok(value)) => done.push(value),
                Some(Err(error)) => {
                    self.failed.store(true, Ordering::Relaxed);
                    failed.get_or_insert(error);
                }
                None => break,
            }
        }
        match failed {
            Some(error) => Err(error),
            None if tasks.next().is_some() => self.check().map(|()| done),
            None => Ok(done),
        }
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.above.is_some_and(Group::has_failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn every_task_is_run_and_few_at_once() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let (now, most) = (&now, &most);
        let tasks = (0..30).map(|i| async move {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            tokio::task::yield_now().await;
            now.set(now.get() - 1);
            Ok(i)
        });
        let mut done = Group::default().run(tasks).await.unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..30).collect::<Vec<_>>());
        assert_eq!(most.get(), CONCURRENCY);
    }

    #[tokio::test]
    async fn after_an_error_those_under_way_end_and_no_other_begins() {
        let (begun, ended) = (Cell::new(0), Cell::new(0));
        let (begun, ended) = (&begun, &ended);
        let tasks = (0..30).map(|i| async move {
            begun.set(begun.get() + 1);
            for _ in 0..i * 10 {
                tokio::task::yield_now().await;
            }
            ended.set(ended.get() + 1);
            if i < 3 { Err::<(), _>(Error::new(ErrorKind::Io, i.to_string())) } else { Ok(()) }
        });
        let group = Group::default();
        let error = group.run(tasks).await.unwrap_err();
        assert_eq!(error.to_string(), Error::new(ErrorKind::Io, "0").to_string(), "the first error is told");
        assert_eq!((begun.get(), ended.get()), (CONCURRENCY, CONCURRENCY));
        assert!(group.check().is_err());
    }

    #[tokio::test]
    async fn a_group_within_ends_early_but_does_not_fail_the_one_above() {
        let above = Group::default();
        let begun = Cell::new(0);
        let (above, begun) = (&above, &begun);
        let inner = above.within();
        assert!(inner.run([async { Err::<(), _>(Error::new(ErrorKind::Io, "x")) }]).await.is_err());
        assert!(above.check().is_ok());
        let inner = above.within();
        let tasks = (0..30).map(|_| async move {
            begun.set(begun.get() + 1);
            tokio::task::yield_now().await;
            above.failed.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert!(inner.run(tasks).await.is_err());
        assert_eq!(begun.get(), CONCURRENCY);
    }
}
