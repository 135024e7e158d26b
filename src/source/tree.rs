//! What is packed: every file and folder under its name in the archive, sorted.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::SourceCode;
use crate::error::Problems;
use crate::{Error, ErrorKind, Result};

/// Files and folders by their names in the archive. Of two with one name, the later counts.
#[derive(Debug, Default)]
pub(crate) struct Tree(BTreeMap<String, Node>);

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) is_folder: bool,
    pub(crate) is_executable: bool,
}

impl Node {
    fn new(path: PathBuf, metadata: &Metadata) -> Self {
        let is_folder = metadata.is_dir();
        let size = if is_folder { 0 } else { metadata.len() };
        Self { path, size, is_folder, is_executable: is_executable(metadata) }
    }
}

impl Tree {
    /// Looks at the files of code that is not in S3 already; what is missing is told all together.
    pub(crate) fn of(source: &SourceCode) -> Result<Self> {
        let (mut tree, mut problems) = (Self::default(), Problems::default());
        match &source.source_dir {
            Some(folder) => {
                let script = folder.join(&source.entry_point);
                if !folder.is_dir() {
                    problems.push("source_dir", format!("there is no folder {}", folder.display()));
                } else if !script.is_file() {
                    let text = format!("there is no file {} in {}", source.entry_point.display(), folder.display());
                    problems.push("entry_point", text);
                } else {
                    problems.check("source_dir", tree.add_folder(folder, ""));
                }
            }
            None if source.entry_point.is_file() => {
                problems.check("entry_point", tree.add(&source.entry_point, ""));
            }
            None => problems.push("entry_point", format!("there is no file {}", source.entry_point.display())),
        }
        for (index, path) in source.dependencies.iter().enumerate() {
            problems.check(&format!("dependencies[{index}]"), tree.add(path, ""));
        }
        problems.into_result()?;
        Ok(tree)
    }

    /// As [`of`](Self::of), but as model archives have it: below `code`, dependencies below `code/lib`.
    pub(crate) fn for_model(source: &SourceCode) -> Result<Self> {
        let plain = SourceCode { dependencies: Vec::new(), ..source.clone() };
        let code = Self::of(&plain)?;
        let mut tree = Self(code.0.into_iter().map(|(name, node)| (format!("code/{name}"), node)).collect());
        let mut problems = Problems::default();
        for (index, path) in source.dependencies.iter().enumerate() {
            problems.check(&format!("dependencies[{index}]"), tree.add(path, "code/lib"));
        }
        problems.into_result()?;
        Ok(tree)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// Bytes of all files.
    pub(crate) fn size(&self) -> u64 {
        self.0.values().map(|node| node.size).sum()
    }

    /// A file or folder under its own name.
    fn add(&mut self, path: &Path, above: &str) -> Result<()> {
        let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
        // The name of `.` or `..` is that of the folder itself.
        let named = if path.file_name().is_some() { path.to_owned() } else { std::fs::canonicalize(path)? };
        let name = joined(above, name_of(&named)?);
        self.0.insert(name.clone(), Node::new(path.to_owned(), &metadata));
        if metadata.is_dir() { self.add_folder(path, &name) } else { Ok(()) }
    }

    /// What is in a folder. Links may lead about in it, but not out of it, nor round in circles.
    fn add_folder(&mut self, root: &Path, name: &str) -> Result<()> {
        let real_root = std::fs::canonicalize(root).map_err(|error| unreadable(root, error))?;
        let mut folders = vec![(root.to_owned(), name.to_owned(), vec![real_root.clone()])];
        while let Some((folder, above, ancestors)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
                let path = entry?.path();
                let name = joined(&above, name_of(&path)?);
                let metadata = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
                let real = std::fs::canonicalize(&path).map_err(|error| unreadable(&path, error))?;
                if !real.starts_with(&real_root) {
                    return Err(refused(&path, "is a link that leads out of the folder"));
                }
                if metadata.is_dir() {
                    if ancestors.contains(&real) {
                        return Err(refused(&path, "is a link back to a folder above it"));
                    }
                    let mut ancestors = ancestors.clone();
                    ancestors.push(real);
                    folders.push((path.clone(), name.clone(), ancestors));
                } else if !metadata.is_file() {
                    return Err(refused(&path, "is neither a file nor a folder"));
                }
                self.0.insert(name, Node::new(path, &metadata));
            }
        }
        Ok(())
    }
}

fn joined(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") }
}

fn name_of(path: &Path) -> Result<&str> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.ok_or_else(|| refused(path, "has a name that is no Unicode text"))
}

fn refused(path: &Path, why: &str) -> Error {
    Error::invalid("", format!("{} {why}", path.display()))
}

pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read {}: {error}", path.display())).with_source(error)
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        folder
    }

    fn names(tree: &Tree) -> Vec<&str> {
        tree.iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_script_alone_and_a_folder_with_dependencies() {
        let root = folder(&["code/fit.py", "code/.git/HEAD", "code/pkg/a.py", "tools/t.py", "x.py"]);
        let at = |name: &str| root.path().join(name);
        let alone = Tree::of(&SourceCode::script(at("code/fit.py"))).unwrap();
        assert_eq!(names(&alone), ["fit.py"]);
        let source = SourceCode::script("fit.py").source_dir(at("code")).dependency(at("tools")).dependency(at("x.py"));
        let tree = Tree::of(&source).unwrap();
        let all = [".git", ".git/HEAD", "fit.py", "pkg", "pkg/a.py", "tools", "tools/t.py", "x.py"];
        assert_eq!(names(&tree), all);
        assert_eq!(
            tree.size(),
            ["code/.git/HEAD", "code/fit.py", "code/pkg/a.py", "tools/t.py", "x.py"].concat().len() as u64
        );
        let model = Tree::for_model(&source).unwrap();
        assert!(names(&model).contains(&"code/pkg/a.py") && names(&model).contains(&"code/lib/tools/t.py"));
    }

    #[test]
    fn what_is_missing_is_told_all_together() {
        let root = folder(&["code/fit.py"]);
        let source = SourceCode::script("other.py").source_dir(root.path().join("code")).dependency("/no/such/place");
        let error = Tree::of(&source).unwrap_err();
        let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
        assert_eq!(fields, ["entry_point", "dependencies[0]"]);
        let error = Tree::of(&SourceCode::script("fit.py").source_dir("/no/such/place")).unwrap_err();
        assert_eq!(error.invalid_values()[0].field, "source_dir");
    }

    #[cfg(unix)]
    #[test]
    fn links_may_lead_about_but_not_out_nor_round() {
        use std::os::unix::fs::symlink;

        let root = folder(&["code/fit.py", "code/data/x.csv", "secret"]);
        let at = |name: &str| root.path().join(name);
        symlink(at("code/data"), at("code/more")).unwrap();
        let source = SourceCode::script("fit.py").source_dir(at("code"));
        assert_eq!(names(&Tree::of(&source).unwrap()), ["data", "data/x.csv", "fit.py", "more", "more/x.csv"]);
        for target in ["secret", "code"] {
            symlink(at(target), at("code/data/link")).unwrap();
            assert_eq!(Tree::of(&source).unwrap_err().invalid_values()[0].field, "source_dir", "{target}");
            std::fs::remove_file(at("code/data/link")).unwrap();
        }
        symlink("/dev/null", at("code/data/link")).unwrap();
        assert!(Tree::of(&source).is_err());
    }
}
