//! What survives the process: changes are queued as they are made, and committed before an answer tells of them.
//!
//! Who keeps state in memory says under its own lock, in the order of the changes, what it [puts](Store::put) and
//! [removes](Store::remove). One thread commits what has gathered in one transaction. The backend sends no answer before
//! everything that was queued until then is [committed](Store::committed): whatever a client was told is there after a
//! crash.

mod blob;
#[cfg(feature = "local-server")]
mod disk;
#[cfg(not(feature = "local-server"))]
mod no_disk;
#[cfg(feature = "local-server")]
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use bytes::Bytes;

pub(super) use blob::Blob;
#[cfg(feature = "local-server")]
use disk::Disk;
#[cfg(not(feature = "local-server"))]
use no_disk::Disk;

/// Where changes are kept: nowhere, or in a data directory. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Store(Option<Arc<Disk>>);

/// The kinds of records; the number is part of the format on disk and never given to another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Table {
    Bucket = 1,
    Object = 2,
    Upload = 3,
    Part = 4,
    Resource = 5,
    Role = 6,
    LogGroup = 7,
    LogStream = 8,
    LogEvent = 9,
    Document = 10,
    Metric = 11,
}

/// The data directory can no longer be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotKept;

/// A record that cannot be read.
#[derive(Debug)]
pub(super) struct Corrupt(pub(super) &'static str);

/// One change of the records.
#[derive(Debug)]
#[cfg_attr(not(feature = "local-server"), expect(dead_code, reason = "without a data directory nobody reads it"))]
enum Change {
    Put(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    /// Removes all records whose keys begin like this.
    RemoveAll(Vec<u8>),
    /// Deletes the file of a blob; what referred to it was removed before.
    Unlink(u64),
}

impl Store {
    /// Keeps nothing.
    pub(super) fn memory() -> Self {
        Self(None)
    }

    /// Opens a data directory, or makes it. `owner` says whose it is: only that owner may open it again.
    #[cfg(feature = "local-server")]
    pub(super) fn open(directory: &std::path::Path, owner: &str) -> crate::Result<Self> {
        Disk::open(directory, owner).map(|disk| Self(Some(Arc::new(disk))))
    }

    /// Whether anything is kept.
    pub(super) fn is_on_disk(&self) -> bool {
        self.0.is_some()
    }

    /// A number that is larger than those of all earlier runs, for what must not be confused with something of them.
    pub(super) fn first_number(&self) -> u64 {
        self.0.as_ref().map_or(1, |disk| (disk.runs() << 40) + 1)
    }

    /// Queues a record; one of the same key is replaced.
    pub(super) fn put(&self, table: Table, key: &[&[u8]], value: impl FnOnce() -> Vec<u8>) {
        if let Some(disk) = &self.0 {
            disk.queue(Change::Put(encode_key(table, key), value()));
        }
    }

    /// Queues the removal of a record, which need not exist.
    pub(super) fn remove(&self, table: Table, key: &[&[u8]]) {
        if let Some(disk) = &self.0 {
            disk.queue(Change::Remove(encode_key(table, key)));
        }
    }

    /// Queues the removal of all records whose keys begin with these parts; without any, of all of the table.
    pub(super) fn remove_all(&self, table: Table, key: &[&[u8]]) {
        if let Some(disk) = &self.0 {
            disk.queue(Change::RemoveAll(encode_key(table, key)));
        }
    }

    /// Completes when everything that was queued so far is safe.
    pub(super) async fn committed(&self) -> Result<(), NotKept> {
        match &self.0 {
            None => Ok(()),
            Some(disk) => disk.committed().await,
        }
    }

    /// Gives the records of a table to `each`, as they were when the directory was opened or committed last.
    pub(super) fn load(
        &self,
        table: Table,
        mut each: impl FnMut(&[&[u8]], &[u8]) -> Result<(), Corrupt>,
    ) -> Result<(), Corrupt> {
        let Some(disk) = &self.0 else { return Ok(()) };
        disk.each(table as u8, |key, value| {
            let parts = decode_key(key).ok_or(Corrupt("a key"))?;
            each(&parts, value)
        })
    }

    /// Writes bytes to a file of their own and makes sure that they are safe; `None` if nothing is kept. Blocks.
    pub(super) fn write_blob(&self, bytes: &[Bytes]) -> io::Result<Option<Blob>> {
        self.0.as_ref().map(|disk| Blob::write(disk, bytes)).transpose()
    }

    /// A blob that a record refers to; `None` if it is not there in that length.
    pub(super) fn blob(&self, id: u64, len: u64) -> Option<Blob> {
        Blob::found(self.0.as_ref()?, id, len)
    }

    /// Deletes the blobs that nothing refers to: a crash came between writing them and committing the record.
    pub(super) fn sweep(&self, used: &std::collections::BTreeSet<u64>) {
        if let Some(disk) = &self.0 {
            disk.sweep(used);
        }
    }

    /// From now on a blob that is dropped keeps its file: the backend ends, its objects do not.
    pub(super) fn close(&self) {
        if let Some(disk) = &self.0 {
            disk.close();
        }
    }
}

/// The table, then each part behind its length: any bytes may be in a part.
fn encode_key(table: Table, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len() + 4).sum::<usize>());
    key.push(table as u8);
    for part in parts {
        key.extend_from_slice(&(part.len() as u32).to_be_bytes());
        key.extend_from_slice(part);
    }
    key
}

fn decode_key(key: &[u8]) -> Option<Vec<&[u8]>> {
    let (_, mut rest) = key.split_first()?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (part, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        parts.push(part);
        rest = tail;
    }
    Some(parts)
}
