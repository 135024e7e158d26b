//! Large contents: each in a file of its own that is written once.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::Disk;

/// A file of the data directory. It is deleted once nothing refers to it.
#[derive(Debug)]
pub(in crate::local) struct Blob {
    id: u64,
    len: u64,
    disk: Arc<Disk>,
}

impl Blob {
    /// Written under a name that no reader looks for, made safe, and only then given its own.
    pub(super) fn write(disk: &Arc<Disk>, bytes: &[Bytes]) -> io::Result<Self> {
        let id = disk.next_blob();
        let path = disk.blob_path(id);
        let folder = path.parent().unwrap_or(&path);
        let temporary = path.with_extension("new");
        let write = || -> io::Result<u64> {
            make_folder(folder)?;
            let mut file = File::create_new(&temporary)?;
            for piece in bytes {
                file.write_all(piece)?;
            }
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            // The file's name is safe with its folder.
            File::open(folder)?.sync_all()?;
            Ok(bytes.iter().map(|piece| piece.len() as u64).sum())
        };
        match write() {
            Ok(len) => Ok(Self { id, len, disk: disk.clone() }),
            Err(error) => {
                let _ = fs::remove_file(&temporary);
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }

    pub(super) fn found(disk: &Arc<Disk>, id: u64, len: u64) -> Option<Self> {
        let metadata = fs::metadata(disk.blob_path(id)).ok()?;
        (metadata.len() == len).then(|| Self { id, len, disk: disk.clone() })
    }

    pub(in crate::local) fn id(&self) -> u64 {
        self.id
    }

    pub(in crate::local) fn len(&self) -> u64 {
        self.len
    }

    /// A range, which must lie within. Blocks.
    pub(in crate::local) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let mut file = File::open(self.disk.blob_path(self.id))?;
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Makes a folder whose name is safe, unless it is there.
fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        self.disk.blob_dropped(self.id);
    }
}
