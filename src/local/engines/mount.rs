//! A folder of this machine that is a channel.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How deep folders are looked through.
const MAX_DEPTH: usize = 64;
const MAX_FILES: usize = 1_000_000;

/// A folder on this machine that is a channel: see
/// [`LocalBackendBuilder::file_system`](crate::local::LocalBackendBuilder::file_system).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The folder.
    pub folder: PathBuf,
    /// Whether the job may write there.
    pub writable: bool,
}

impl Mount {
    /// Calls with the path of each file below the folder, in order, and its place. Links to files below the folder are
    /// followed; links that lead elsewhere or to folders, pipes and devices are no files, as in a container that has only
    /// this folder.
    pub(in crate::local) fn visit(
        &self,
        each: &mut dyn FnMut(&str, &Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let root = self.folder.canonicalize().map_err(|error| format!("the folder cannot be read: {error}"))?;
        walk(&root, &root, "", MAX_DEPTH, &mut { MAX_FILES }, each)
    }
}

fn walk(
    root: &Path,
    folder: &Path,
    prefix: &str,
    depth: usize,
    left: &mut usize,
    each: &mut dyn FnMut(&str, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("{prefix:?} cannot be read: {error}");
    let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else {
            return Err(format!("a file below {prefix:?} has a name that is no text"));
        };
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if entry.file_type().map_err(failed)?.is_dir() {
            let depth = depth.checked_sub(1).ok_or_else(|| format!("{path:?} is too deep"))?;
            walk(root, &entry.path(), &path, depth, left, each)?;
            continue;
        }
        let Ok(target) = entry.path().canonicalize() else { continue };
        if !target.starts_with(root) || !target.is_file() {
            continue;
        }
        *left = left.checked_sub(1).ok_or_else(|| format!("there are more than {MAX_FILES} files"))?;
        each(&path, &target)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        let mount = Mount { folder: folder.to_owned(), writable: false };
        mount
            .visit(&mut |path, place| {
                assert!(place.is_file());
                names.push(path.to_owned());
                Ok(())
            })
            .unwrap();
        names
    }

    #[test]
    fn files_are_found_in_order_and_nothing_leads_out() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        for file in ["root/b.csv", "root/sub/c.csv", "root/a.csv", "secret"] {
            fs::write(place.path().join(file), "1").unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(place.path().join("secret"), root.join("secret")).unwrap();
            symlink("../secret", root.join("up")).unwrap();
            symlink("/dev/zero", root.join("zero")).unwrap();
            symlink("..", root.join("loop")).unwrap();
            symlink("../a.csv", root.join("sub/link.csv")).unwrap();
            assert_eq!(names(&root), ["a.csv", "b.csv", "sub/c.csv", "sub/link.csv"]);
        }
        #[cfg(not(unix))]
        assert_eq!(names(&root), ["a.csv", "b.csv", "sub/c.csv"]);
        let refused = Mount { folder: root.join("nothing"), writable: false }.visit(&mut |_, _| Ok(()));
        assert!(refused.unwrap_err().starts_with("the folder cannot be read"));
    }

    #[test]
    fn who_looks_may_end_it() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("a"), "1").unwrap();
        let mount = Mount { folder: place.path().to_owned(), writable: true };
        assert_eq!(mount.visit(&mut |path, _| Err(format!("no {path}"))), Err("no a".to_owned()));
    }
}
