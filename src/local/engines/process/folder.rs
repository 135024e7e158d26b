//! A private `/opt/ml`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;

use crate::local::archive;
use crate::local::engines::Mount;

/// What is read back of a folder in all, in bytes: as much as an archive may unpack to.
const MAX_BYTES: u64 = 2 << 30;
const MAX_FILES: usize = 100_000;

/// Length and time of files by their path.
pub(super) type Seen = BTreeMap<String, (u64, Option<SystemTime>)>;

/// A folder in the place of `/opt/ml`, deleted when this is dropped.
pub(in crate::local::engines) struct OptMl {
    /// Kept for its drop.
    _temporary: TempDir,
    root: PathBuf,
}

impl OptMl {
    /// An empty one, with the folders that a container finds.
    pub(super) fn new() -> io::Result<Self> {
        let temporary = tempfile::Builder::new().prefix("sagemaker-local-").tempdir()?;
        // Without symbolic links, so that what compares paths finds them equal.
        let root = temporary.path().canonicalize()?.join("opt/ml");
        for folder in ["input/config", "input/data", "model", "output/data", "checkpoints", "code"] {
            fs::create_dir_all(root.join(folder))?;
        }
        Ok(Self { _temporary: temporary, root })
    }

    pub(in crate::local::engines) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root, such as `input/config`.
    pub(in crate::local::engines) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes files below a folder. Refuses paths that lead out of it.
    pub(in crate::local::engines) fn write<'a>(
        &self,
        folder: &str,
        files: impl IntoIterator<Item = &'a (String, Bytes)>,
    ) -> Result<(), String> {
        let folder = self.path(folder);
        for (path, content) in files {
            let place = folder.join(archive::plain_path(Path::new(path)).map_err(|why| why.to_string())?);
            let parent = place.parent().unwrap_or(&folder);
            let written = fs::create_dir_all(parent).and_then(|()| fs::write(&place, content));
            written.map_err(|error| format!("{path:?} cannot be written: {error}"))?;
        }
        Ok(())
    }

    /// Copies the files of a file system to a folder, read-only. The folders stay writable, or they could not be deleted.
    pub(super) fn copy(&self, folder: &str, mount: &Mount) -> Result<(), String> {
        let folder = self.path(folder);
        let failed = |path: &str| {
            let path = path.to_owned();
            move |error: io::Error| format!("{path:?} cannot be copied: {error}")
        };
        fs::create_dir_all(&folder).map_err(failed(""))?;
        mount.visit(&mut |path, place| {
            let copy = folder.join(path);
            fs::create_dir_all(copy.parent().unwrap_or(&folder)).map_err(failed(path))?;
            fs::copy(place, &copy).map_err(failed(path))?;
            let mut permissions = fs::metadata(&copy).map_err(failed(path))?.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&copy, permissions).map_err(failed(path))
        })
    }

    pub(super) fn write_json(&self, path: &str, value: &Value) -> io::Result<()> {
        fs::write(self.path(path), value.to_string())
    }

    /// Reads all files below a folder. Links to files are followed; links to folders, pipes and devices are no files.
    pub(super) fn read(&self, folder: &str) -> Result<Vec<(String, Bytes)>, String> {
        let mut files = Vec::new();
        collect(&self.path(folder), "", &mut |_, _| true, &mut files, &mut { MAX_BYTES })?;
        Ok(files)
    }

    /// Reads those files below a folder that are new, or not as they were `seen`.
    pub(super) fn read_changed(&self, folder: &str, seen: &mut Seen) -> Result<Vec<(String, Bytes)>, String> {
        let mut files = Vec::new();
        let mut is_new = |path: &str, found: &fs::Metadata| {
            let mark = (found.len(), found.modified().ok());
            seen.insert(path.to_owned(), mark) != Some(mark)
        };
        collect(&self.path(folder), "", &mut is_new, &mut files, &mut { MAX_BYTES })?;
        Ok(files)
    }

    /// The beginning of a text file, or nothing.
    pub(super) fn beginning(&self, path: &str, characters: usize) -> String {
        let mut bytes = Vec::new();
        let place = self.path(path);
        if fs::metadata(&place).is_ok_and(|found| found.is_file())
            && let Ok(file) = fs::File::open(&place)
        {
            // A character has at most four bytes.
            let _ = file.take(characters as u64 * 4).read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).chars().take(characters).collect()
    }
}

fn collect(
    folder: &Path,
    prefix: &str,
    wanted: &mut dyn FnMut(&str, &fs::Metadata) -> bool,
    files: &mut Vec<(String, Bytes)>,
    left: &mut u64,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("{prefix:?} cannot be read: {error}");
    let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else {
            return Err(format!("a file below {prefix:?} has a name that is no text"));
        };
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            collect(&entry.path(), &path, wanted, files, left)?;
            continue;
        }
        // Follows links. What is neither file nor link to one is left out: to read a pipe would take forever.
        if !fs::metadata(entry.path()).is_ok_and(|found| found.is_file() && wanted(&path, &found)) {
            continue;
        }
        let mut content = Vec::new();
        let file = fs::File::open(entry.path());
        let read = file.and_then(|file| file.take(*left + 1).read_to_end(&mut content));
        read.map_err(|error| format!("{path:?} cannot be read: {error}"))?;
        *left = left.checked_sub(content.len() as u64).filter(|_| files.len() < MAX_FILES).ok_or_else(|| {
            format!("more than {MAX_BYTES} bytes or {MAX_FILES} files, which is what the local backend allows")
        })?;
        files.push((path, Bytes::from(content)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_and_nothing_else_does() {
        let folder = OptMl::new().unwrap();
        let files = [("b/c.txt".to_owned(), Bytes::from("2")), ("a".to_owned(), Bytes::from("1"))];
        folder.write("model", &files).unwrap();
        let root = folder.path("model");
        std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.join("endless")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("broken")).unwrap();
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        let read = folder.read("model").unwrap();
        let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b/c.txt", "link"]);
    }

    #[test]
    fn nothing_is_written_outside() {
        let folder = OptMl::new().unwrap();
        for path in ["../x", "/tmp/x", "a/../../x", ""] {
            assert!(folder.write("model", &[(path.to_owned(), Bytes::new())]).is_err(), "{path}");
        }
        let refused = folder.write("model", &[("a".into(), Bytes::new()), ("a/b".into(), Bytes::new())]);
        assert!(refused.unwrap_err().starts_with("\"a/b\" cannot be written"));
    }

    #[test]
    fn what_was_seen_is_read_once() {
        let folder = OptMl::new().unwrap();
        let mut seen = Seen::new();
        let file = |text: &'static str| [("a".to_owned(), Bytes::from(text))];
        folder.write("checkpoints", &file("1")).unwrap();
        assert_eq!(folder.read_changed("checkpoints", &mut seen).unwrap(), file("1"));
        assert_eq!(folder.read_changed("checkpoints", &mut seen).unwrap(), []);
        folder.write("checkpoints", &file("22")).unwrap();
        assert_eq!(folder.read_changed("checkpoints", &mut seen).unwrap(), file("22"));
    }

    #[test]
    fn beginnings_are_short_and_text() {
        let folder = OptMl::new().unwrap();
        folder.write("output", &[("failure".to_owned(), Bytes::from("éa\u{FFFD}bcd"))]).unwrap();
        assert_eq!(folder.beginning("output/failure", 2), "éa");
        assert_eq!(folder.beginning("output/nothing", 2), "");
    }
}
