//! Where a downloaded object may be written: keys come from outside and must not lead out of the folder.

use std::path::{Component, Path, PathBuf};

use crate::{Error, ErrorKind, Result};

/// The file for an object below `folder`; `relative` is its key without the prefix.
pub(super) fn file_for(folder: &Path, relative: &str) -> Result<PathBuf> {
    let refused = |why: &str| {
        let text = format!("the key {relative:?} {why}, so it cannot be written below {}", folder.display());
        Err(Error::new(ErrorKind::InvalidInput, text))
    };
    if relative.is_empty() || relative.contains('\0') || relative.contains('\\') {
        return refused("is no file name");
    }
    if !Path::new(relative).components().all(|part| matches!(part, Component::Normal(_))) {
        return refused("leads out of the folder");
    }
    Ok(folder.join(relative))
}

/// Makes the file's folder and checks that no link on the way leads out of `root`.
pub(super) async fn make_parent(root: &Path, file: &Path) -> Result<()> {
    let parent = file.parent().unwrap_or(root);
    // The nearest folder that is there already decides: whatever is made below it is no link.
    let mut there = parent;
    while tokio::fs::symlink_metadata(there).await.is_err() {
        match there.parent() {
            Some(above) => there = above,
            None => break,
        }
    }
    let outside = |real: &Path, real_root: &Path| !real.starts_with(real_root);
    tokio::fs::create_dir_all(root).await.map_err(|e| unwritable(root, e))?;
    let real_root = tokio::fs::canonicalize(root).await?;
    if there.starts_with(root) {
        let real = tokio::fs::canonicalize(there).await.map_err(|e| unwritable(there, e))?;
        if outside(&real, &real_root) {
            let text = format!("{} is a link that leads out of {}", there.display(), root.display());
            return Err(Error::new(ErrorKind::Io, text));
        }
    }
    tokio::fs::create_dir_all(parent).await.map_err(|e| unwritable(parent, e))
}

pub(super) fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_keys_are_refused() {
        let folder = Path::new("/data/out");
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a/./../../x", "a\\..\\x", "a\0b", ".."] {
            assert!(file_for(folder, bad).is_err(), "{bad:?}");
        }
        assert_eq!(file_for(folder, "a/b?#.csv").unwrap(), Path::new("/data/out/a/b?#.csv"));
    }

    proptest! {
        #[test]
        fn no_key_escapes(key in "\\PC{0,60}") {
            if let Ok(file) = file_for(Path::new("/data/out"), &key) {
                prop_assert!(file.starts_with("/data/out"));
                prop_assert!(!file.components().any(|part| part == Component::ParentDir));
            }
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_inside_the_folder_is_no_way_out() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("link")).unwrap();
        let file = file_for(root.path(), "link/x/y.csv").unwrap();
        assert!(make_parent(root.path(), &file).await.is_err());
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        let fine = file_for(root.path(), "a/b/y.csv").unwrap();
        make_parent(root.path(), &fine).await.unwrap();
        assert!(root.path().join("a/b").is_dir());
    }
}
