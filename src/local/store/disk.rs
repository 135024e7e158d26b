//! A data directory: `backend.redb` for the records and `bodies/` for the blobs.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::watch;

use super::{Change, Corrupt, NotKept};
use crate::error::{Error, ErrorKind, Result};

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");

/// The format of the records. A change that older versions of this crate cannot read counts it up.
const FORMAT: u32 = 1;

/// What redb may hold of the file in memory: the records are read once, when the directory is opened.
const CACHE: usize = 16 << 20;

/// The open directory. Dropping it commits what is queued.
pub(super) struct Disk {
    directory: PathBuf,
    database: Arc<Database>,
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    runs: u64,
    next_blob: AtomicU64,
    closed: AtomicBool,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    /// How many changes are safe; `None` once one could not be made so.
    safe: watch::Sender<Option<u64>>,
}

#[derive(Default)]
struct Queue {
    changes: Vec<Change>,
    /// How many were ever queued.
    count: u64,
    ended: bool,
}

impl Disk {
    pub(super) fn open(directory: &Path, owner: &str) -> Result<Self> {
        let failed = |error: std::io::Error| cannot_open(directory, "it cannot be written").with_source(error);
        fs::create_dir_all(directory.join("bodies")).map_err(failed)?;
        let database = Database::builder()
            .set_cache_size(CACHE)
            .create(directory.join("backend.redb"))
            .map_err(|error| database_error(directory, error))?;
        let runs = begin_run(&database, directory, owner)?;
        // The file's own name is safe with its folder.
        fs::File::open(directory).and_then(|folder| folder.sync_all()).map_err(failed)?;
        let database = Arc::new(database);
        let shared =
            Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new(), safe: watch::Sender::new(Some(0)) });
        let (to_write, to_take, bodies) = (database.clone(), shared.clone(), directory.join("bodies"));
        let writer = thread::Builder::new()
            .name("local-backend-store".to_owned())
            .spawn(move || write(&to_write, &to_take, &bodies))
            .map_err(failed)?;
        Ok(Self {
            directory: directory.to_owned(),
            database,
            shared,
            writer: Some(writer),
            runs,
            next_blob: AtomicU64::new((runs << 40) + 1),
            closed: AtomicBool::new(false),
        })
    }

    pub(super) fn runs(&self) -> u64 {
        self.runs
    }

    pub(super) fn queue(&self, change: Change) {
        let mut queue = self.shared.queue();
        // What can no longer be kept is not gathered either.
        if self.shared.safe.borrow().is_some() {
            queue.changes.push(change);
            queue.count += 1;
            self.shared.filled.notify_one();
        }
    }

    pub(super) async fn committed(&self) -> std::result::Result<(), NotKept> {
        let count = self.shared.queue().count;
        if self.shared.safe.borrow().is_some_and(|safe| safe >= count) {
            return Ok(());
        }
        let mut safe = self.shared.safe.subscribe();
        match safe.wait_for(|safe| safe.is_none_or(|safe| safe >= count)).await {
            Ok(safe) if safe.is_some() => Ok(()),
            _ => Err(NotKept),
        }
    }

    pub(super) fn each(
        &self,
        table: u8,
        mut each: impl FnMut(&[u8], &[u8]) -> std::result::Result<(), Corrupt>,
    ) -> std::result::Result<(), Corrupt> {
        let unreadable = |_: redb::Error| Corrupt("the records");
        let transaction = self.database.begin_read().map_err(|error| unreadable(error.into()))?;
        let records = transaction.open_table(RECORDS).map_err(|error| unreadable(error.into()))?;
        let (from, to) = ([table], [table + 1]);
        let range = records.range(from.as_slice()..to.as_slice()).map_err(|error| unreadable(error.into()))?;
        for record in range {
            let (key, value) = record.map_err(|error| unreadable(error.into()))?;
            each(key.value(), value.value())?;
        }
        Ok(())
    }

    pub(super) fn next_blob(&self) -> u64 {
        self.next_blob.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn blob_path(&self, id: u64) -> PathBuf {
        blob_path(&self.directory.join("bodies"), id)
    }

    pub(super) fn blob_dropped(&self, id: u64) {
        if !self.closed.load(Ordering::Acquire) {
            self.queue(Change::Unlink(id));
        }
    }

    pub(super) fn sweep(&self, used: &BTreeSet<u64>) {
        let folders = fs::read_dir(self.directory.join("bodies")).into_iter().flatten().flatten();
        for file in folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten()) {
            let name = file.file_name();
            let id = name.to_str().and_then(|name| u64::from_str_radix(name, 16).ok());
            if id.is_none_or(|id| !used.contains(&id)) {
                // One that stays is tried again at the next start.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.shared.queue().ended = true;
        self.shared.filled.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two hexadecimal digits and sixteen: names that come from nowhere but a counter.
fn blob_path(bodies: &Path, id: u64) -> PathBuf {
    bodies.join(format!("{:02x}", id & 0xff)).join(format!("{id:016x}"))
}

/// Commits what has gathered, again and again, until the directory is closed and nothing is left.
fn write(database: &Database, shared: &Shared, bodies: &Path) {
    loop {
        let mut queue = shared.queue();
        while queue.changes.is_empty() && !queue.ended {
            queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.changes.is_empty() {
            return;
        }
        let (changes, count) = (std::mem::take(&mut queue.changes), queue.count);
        drop(queue);
        match commit(database, &changes) {
            Ok(()) => shared.safe.send_replace(Some(count)),
            Err(error) => {
                tracing::error!(%error, "the data directory can no longer be written");
                shared.safe.send_replace(None);
                return;
            }
        };
        for change in &changes {
            if let Change::Unlink(id) = change {
                // One that stays is found when the directory is opened again.
                let _ = fs::remove_file(blob_path(bodies, *id));
            }
        }
    }
}

fn commit(database: &Database, changes: &[Change]) -> std::result::Result<(), redb::Error> {
    if changes.iter().all(|change| matches!(change, Change::Unlink(_))) {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    records.insert(key.as_slice(), value.as_slice())?;
                }
                Change::Remove(key) => {
                    records.remove(key.as_slice())?;
                }
                Change::RemoveAll(prefix) => {
                    let end = after(prefix);
                    records.retain_in(prefix.as_slice()..end.as_slice(), |_, _| false)?;
                }
                Change::Unlink(_) => {}
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// The first key behind all that begin with a prefix. The first byte is that of a table and never the last there is.
fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while end.pop_if(|last| *last == u8::MAX).is_some() {}
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// Checks that the directory is one of ours, and counts the runs.
fn begin_run(database: &Database, directory: &Path, owner: &str) -> Result<u64> {
    let read = || -> std::result::Result<[Option<String>; 3], redb::Error> {
        let transaction = database.begin_write()?;
        let about = transaction.open_table(ABOUT)?;
        let text = |name: &str| about.get(name).map(|found| found.map(|text| text.value().to_owned()));
        Ok([text("format")?, text("owner")?, text("runs")?])
    };
    let unreadable = |error: redb::Error| cannot_open(directory, "its records cannot be read").with_source(error);
    let [format, found, runs] = read().map_err(unreadable)?;
    match format.as_deref().map(str::parse::<u32>) {
        None => {}
        Some(Ok(format)) if format <= FORMAT => {}
        Some(Ok(format)) => {
            let why = format!(
                "it is of format {format}, and this version reads up to format {FORMAT}: use the version that wrote \
                 it, or a newer one"
            );
            return Err(cannot_open(directory, &why));
        }
        Some(Err(_)) => return Err(cannot_open(directory, "its format cannot be read")),
    }
    if let Some(found) = found.filter(|found| found != owner) {
        return Err(cannot_open(directory, &format!("it belongs to {found}, not to {owner}")));
    }
    let runs = runs.and_then(|runs| runs.parse::<u64>().ok()).unwrap_or(0) + 1;
    let write = || -> std::result::Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        {
            let mut about = transaction.open_table(ABOUT)?;
            about.insert("format", FORMAT.to_string().as_str())?;
            about.insert("owner", owner)?;
            about.insert("runs", runs.to_string().as_str())?;
            transaction.open_table(RECORDS)?;
        }
        transaction.commit()?;
        Ok(())
    };
    write().map_err(|error| cannot_open(directory, "it cannot be written").with_source(error))?;
    Ok(runs)
}

fn database_error(directory: &Path, error: DatabaseError) -> Error {
    let why = match &error {
        DatabaseError::DatabaseAlreadyOpen => "another process uses it",
        DatabaseError::UpgradeRequired(_) => "a version of this crate that is too old wrote it",
        _ => "its records cannot be read",
    };
    cannot_open(directory, why).with_source(error)
}

fn cannot_open(directory: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Io, format!("the data directory {} cannot be used: {why}", directory.display()))
}

/// Sets the number of the format, as a version of this crate that is yet to come might.
#[cfg(test)]
pub(super) fn write_format(directory: &Path, format: &str) {
    let database = Database::create(directory.join("backend.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(ABOUT).unwrap().insert("format", format).unwrap();
    transaction.commit().unwrap();
}
