use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a transfer has come.
///
/// ```
/// # #[cfg(feature = "local")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// # use std::sync::{Arc, Mutex};
/// # let session = sagemaker::Session::local();
/// # session.ensure_bucket().await?;
/// let target = session.default_uri("bike/train.csv").await?;
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let notes = seen.clone();
/// session
///     .upload_bytes("1,2\n", &target, &sagemaker::types::ContentType::CSV)
///     .progress(move |progress| notes.lock().unwrap().push((progress.bytes, progress.total_bytes)))
///     .await?;
/// assert_eq!(*seen.lock().unwrap(), [(4, 4)]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "local"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Files that are complete.
    pub files: u64,
    /// Files in all.
    pub total_files: u64,
}

impl Progress {
    /// The part that is done, from 0 to 1; of nothing, all is done.
    pub fn fraction(&self) -> f64 {
        if self.total_bytes == 0 { 1.0 } else { self.bytes as f64 / self.total_bytes as f64 }
    }
}

type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// Counts what arrives, and tells who listens.
#[derive(Clone, Default)]
pub(super) struct Tracker {
    listener: Option<Listener>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    total_bytes: AtomicU64,
    files: AtomicU64,
    total_files: AtomicU64,
}

impl Tracker {
    pub(super) fn listen(&mut self, listener: impl Fn(Progress) + Send + Sync + 'static) {
        self.listener = Some(Arc::new(listener));
    }

    pub(super) fn expect(&self, files: u64, bytes: u64) {
        self.counts.total_files.store(files, Ordering::Relaxed);
        self.counts.total_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Bytes have arrived.
    pub(super) fn bytes(&self, bytes: u64) {
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    /// Bytes that had arrived are fetched anew.
    pub(super) fn lost(&self, bytes: u64) {
        self.counts.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A file is complete, with its last bytes.
    pub(super) fn file(&self, last_bytes: u64) {
        self.counts.files.fetch_add(1, Ordering::Relaxed);
        self.bytes(last_bytes);
    }

    fn tell(&self) {
        let Some(listener) = &self.listener else { return };
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        listener(Progress {
            bytes: read(&self.counts.bytes),
            total_bytes: read(&self.counts.total_bytes),
            files: read(&self.counts.files),
            total_files: read(&self.counts.total_files),
        });
    }
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").field("listens", &self.listener.is_some()).finish()
    }
}
