//! Folders of this machine that stand for the account's file systems: Amazon EFS and FSx for Lustre.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use super::data::Budget;
use crate::{Error, ErrorKind, Result};

/// How long the identifier of a file system is, as the API has it.
const ID_LENGTH: std::ops::RangeInclusive<usize> = 11..=21;
/// How deep folders are looked through.
const MAX_DEPTH: usize = 64;
const MAX_FILES: usize = 1_000_000;

/// The file systems that the backend was told of, with the folders that they are.
#[derive(Debug, Default)]
pub(super) struct FileSystems(BTreeMap<String, PathBuf>);

/// What a `FileSystemDataSource` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) id: String,
    /// The first part of the path is the mount name.
    pub(super) lustre: bool,
    pub(super) path: String,
    pub(super) writable: bool,
}

/// A folder that was found, with the folder of its whole file system. Neither has a symbolic link in its path.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) folder: PathBuf,
    root: PathBuf,
}

impl FileSystems {
    /// Checks that there are such folders.
    pub(super) fn new(folders: &BTreeMap<String, PathBuf>) -> Result<Self> {
        let mut checked = BTreeMap::new();
        for (id, folder) in folders {
            if !id.starts_with("fs-") || !ID_LENGTH.contains(&id.len()) {
                return Err(Error::invalid(
                    "file_system",
                    format!("{id:?} is no identifier such as fs-0123456789abcdef0"),
                ));
            }
            let shown = folder.display();
            let failed = |why: &dyn std::fmt::Display| {
                Error::new(ErrorKind::Io, format!("the folder {shown} cannot be the file system {id}: {why}"))
            };
            let found = folder.canonicalize().map_err(|error| failed(&error))?;
            if !found.is_dir() {
                return Err(failed(&"it is no folder"));
            }
            checked.insert(id.clone(), found);
        }
        Ok(Self(checked))
    }

    /// The folder that a channel is; the text says why there is none.
    pub(super) fn find(&self, directory: &Directory) -> std::result::Result<Found, String> {
        let Directory { id, path, .. } = directory;
        let unable = format!("Unable to mount file system: {id} directory path: {path}.");
        let Some(root) = self.0.get(id) else {
            return Err(format!(
                "{unable} The local backend does not know this file system: say which folder it is with \
                 LocalBackend::builder().file_system(\"{id}\", folder) or sagemaker-local --file-system {id}=FOLDER."
            ));
        };
        let incorrect = || {
            format!("{unable} Incorrect mount path. Please ensure the mount path specified exists on the filesystem.")
        };
        let below = directory.below().ok_or_else(incorrect)?;
        // What was canonical when the backend was built may have been replaced since.
        let root = root.canonicalize().map_err(|_| incorrect())?;
        let folder = root.join(below).canonicalize().map_err(|_| incorrect())?;
        if !folder.is_dir() || !folder.starts_with(&root) {
            return Err(incorrect());
        }
        Ok(Found { folder, root })
    }
}

impl Directory {
    /// The path relative to the folder that stands for the file system; `None` if it leads elsewhere.
    fn below(&self) -> Option<PathBuf> {
        let path = self.path.strip_prefix('/')?;
        if path.contains('\0') {
            return None;
        }
        let mut parts = Path::new(path).components();
        if self.lustre {
            parts.next().filter(|name| matches!(name, Component::Normal(_)))?;
        }
        let below: PathBuf = parts.collect();
        below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)).then_some(below)
    }
}

impl Found {
    /// All files below the folder, by their paths. Links to files of the same file system are followed; links that lead
    /// elsewhere or to folders, pipes and devices are no files.
    pub(super) fn read(&self, budget: &mut Budget) -> std::result::Result<Vec<(String, Bytes)>, String> {
        let mut files = Vec::new();
        self.visit(&self.folder, "", MAX_DEPTH, budget, &mut files)?;
        Ok(files)
    }

    fn visit(
        &self,
        folder: &Path,
        prefix: &str,
        depth: usize,
        budget: &mut Budget,
        files: &mut Vec<(String, Bytes)>,
    ) -> std::result::Result<(), String> {
        let failed = |error: io::Error| format!("{prefix:?} cannot be read: {error}");
        let entries = fs::read_dir(folder).map_err(failed)?.collect::<io::Result<Vec<_>>>();
        let mut entries = entries.map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else {
                return Err(format!("a file below {prefix:?} has a name that is no text"));
            };
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if entry.file_type().map_err(failed)?.is_dir() {
                let depth = depth.checked_sub(1).ok_or_else(|| format!("{path:?} is too deep"))?;
                self.visit(&entry.path(), &path, depth, budget, files)?;
                continue;
            }
            let Ok(target) = entry.path().canonicalize() else { continue };
            if !target.starts_with(&self.root) || !target.is_file() {
                continue;
            }
            if files.len() == MAX_FILES {
                return Err(format!("there are more than {MAX_FILES} files"));
            }
            let content = budget.read_file(&target, &path)?;
            files.push((path, content));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "fs-0123456789abcdef0";

    fn at(path: &str) -> Directory {
        Directory { id: ID.to_owned(), lustre: false, path: path.to_owned(), writable: false }
    }

    /// A file system with `data/a.csv`, `data/sub/b.csv`, and a secret beside it.
    fn laid_out() -> (tempfile::TempDir, FileSystems) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir_all(root.join("data/sub")).unwrap();
        fs::write(root.join("data/a.csv"), "1").unwrap();
        fs::write(root.join("data/sub/b.csv"), "22").unwrap();
        fs::write(place.path().join("secret"), "x").unwrap();
        let systems = FileSystems::new(&BTreeMap::from([(ID.to_owned(), root)])).unwrap();
        (place, systems)
    }

    fn names(systems: &FileSystems, path: &str) -> Vec<String> {
        let files = systems.find(&at(path)).unwrap().read(&mut Budget::new(100)).unwrap();
        files.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn folders_are_found_and_read() {
        let (_place, systems) = laid_out();
        assert_eq!(names(&systems, "/data"), ["a.csv", "sub/b.csv"]);
        assert_eq!(names(&systems, "/data/sub/"), ["b.csv"]);
        assert_eq!(names(&systems, "/"), ["data/a.csv", "data/sub/b.csv"]);
        let lustre = |path: &str| systems.find(&Directory { lustre: true, ..at(path) });
        assert!(lustre("/fsx/data").unwrap().folder.ends_with("root/data"));
        assert!(lustre("/fsx").unwrap().folder.ends_with("root"));
        assert!(lustre("/").is_err());
        let refused = systems.find(&at("/data")).unwrap().read(&mut Budget::new(2)).unwrap_err();
        assert!(refused.contains("more than the 2 bytes"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_leads_out() {
        use std::os::unix::fs::symlink;
        let (place, systems) = laid_out();
        let root = place.path().join("root");
        symlink(place.path(), root.join("out")).unwrap();
        symlink(place.path().join("secret"), root.join("data/secret")).unwrap();
        symlink("/dev/zero", root.join("data/zero")).unwrap();
        symlink("..", root.join("data/loop")).unwrap();
        symlink("a.csv", root.join("data/link.csv")).unwrap();
        assert_eq!(names(&systems, "/data"), ["a.csv", "link.csv", "sub/b.csv"]);
        for path in ["/out", "/../secret", "/data/../..", "/data/a.csv", "/nothing", "data", "", "/a\0b"] {
            let refused = systems.find(&at(path)).unwrap_err();
            assert!(refused.contains("Incorrect mount path"), "{path:?}: {refused}");
        }
    }

    #[test]
    fn what_is_not_known_says_how_to_name_it() {
        let refused = FileSystems::default().find(&at("/data")).unwrap_err();
        assert!(refused.starts_with(&format!("Unable to mount file system: {ID} directory path: /data.")), "{refused}");
        assert!(refused.contains(".file_system(") && refused.contains("--file-system"), "{refused}");
    }

    #[test]
    fn what_cannot_be_a_file_system_is_refused() {
        let (place, _) = laid_out();
        let new = |id: &str, folder: PathBuf| FileSystems::new(&BTreeMap::from([(id.to_owned(), folder)]));
        for id in ["fs-1", "efs-0123456789", "fs-0123456789abcdef0123"] {
            assert_eq!(new(id, place.path().into()).unwrap_err().kind(), ErrorKind::InvalidInput, "{id}");
        }
        for folder in ["nothing", "secret"] {
            assert_eq!(new(ID, place.path().join(folder)).unwrap_err().kind(), ErrorKind::Io, "{folder}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_out(path in "[/.a-c\\\\]{0,12}", lustre: bool) {
            let below = Directory { lustre, ..at(&path) }.below();
            prop_assert!(below.is_none_or(|below| !below.is_absolute() && !below.components().any(|part| part == Component::ParentDir)));
        }
    }
}
