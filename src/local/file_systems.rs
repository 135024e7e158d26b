//! Folders of this machine that stand for the account's file systems: Amazon EFS and FSx for Lustre.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::engines::Mount;
use crate::{Error, ErrorKind, Result};

/// How long the identifier of a file system is, as the API has it.
const ID_LENGTH: std::ops::RangeInclusive<usize> = 11..=21;

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
    pub(super) fn find(&self, directory: &Directory) -> std::result::Result<Mount, String> {
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
        Ok(Mount { folder, writable: directory.writable })
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

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[test]
    fn folders_are_found() {
        let (_place, systems) = laid_out();
        let folder = |directory: &Directory| systems.find(directory).unwrap().folder;
        assert!(folder(&at("/data/sub/")).ends_with("root/data/sub"));
        assert!(folder(&at("/")).ends_with("root"));
        let lustre = |path: &str| Directory { lustre: true, ..at(path) };
        assert!(folder(&lustre("/fsx/data")).ends_with("root/data"));
        assert!(folder(&lustre("/fsx")).ends_with("root"));
        assert!(systems.find(&lustre("/")).is_err());
        assert!(systems.find(&Directory { writable: true, ..at("/data") }).unwrap().writable);
    }

    #[test]
    fn nothing_outside_is_found() {
        let (place, systems) = laid_out();
        #[cfg(unix)]
        std::os::unix::fs::symlink(place.path(), place.path().join("root/out")).unwrap();
        for path in ["/out", "/../secret", "/data/../..", "/data/a.csv", "/nothing", "data", "", "/a\0b"] {
            let refused = systems.find(&at(path)).unwrap_err();
            assert!(refused.contains("Incorrect mount path"), "{path:?}: {refused}");
        }
        drop(place);
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
