use std::fs::OpenOptions;
use std::io::ErrorKind::AlreadyExists;
use std::path::{Path, PathBuf};

use super::target::unwritable;
use crate::Result;

/// A file that is being downloaded, under a name of its own; removed when dropped before it is whole.
pub(super) struct Partial {
    path: PathBuf,
    kept: bool,
}

impl Partial {
    /// A new file in the folder of `file`. Its name is random and never one that is taken, not even by a link.
    pub(super) async fn beside(file: &Path) -> Result<Self> {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        // The guard is made where the file is, so that a dropped download leaves nothing.
        let made = tokio::task::spawn_blocking(move || create(&folder)).await;
        made.map_err(std::io::Error::other).flatten().map_err(|e| unwritable(file, e))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the whole file its real name, in place of what has that name.
    pub(super) async fn keep_as(mut self, file: &Path) -> Result<()> {
        tokio::fs::rename(&self.path, file).await.map_err(|e| unwritable(file, e))?;
        self.kept = true;
        Ok(())
    }
}

fn create(folder: &Path) -> std::io::Result<Partial> {
    let mut tries = 0;
    loop {
        // A short name, since that of the object may be as long as names can be.
        let path = folder.join(format!(".download-{:016x}.part", fastrand::u64(..)));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => return Ok(Partial { path, kept: false }),
            Err(error) if error.kind() == AlreadyExists && tries < 10 => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_partial_file_is_kept_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let count = || std::fs::read_dir(folder.path()).unwrap().count();
        let file = folder.path().join("n".repeat(255));
        let (one, two) = (Partial::beside(&file).await.unwrap(), Partial::beside(&file).await.unwrap());
        assert_ne!(one.path(), two.path());
        assert_eq!(count(), 2);
        std::fs::write(one.path(), "whole").unwrap();
        one.keep_as(&file).await.unwrap();
        drop(two);
        assert_eq!((std::fs::read_to_string(&file).unwrap().as_str(), count()), ("whole", 1));
        assert!(Partial::beside(&folder.path().join("no/x")).await.is_err());
    }
}
