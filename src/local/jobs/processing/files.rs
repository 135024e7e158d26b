//! The private folder of a processing job.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;

use super::{Folders, resource_config};
use crate::local::archive;
use crate::local::backend::Core;
use crate::local::data::{self, Budget};

/// What a job may read, and what it may leave, in bytes: all of it is kept in memory.
pub(super) const MAX_BYTES: u64 = 8 << 30;
/// How deep folders of outputs are looked through.
const MAX_DEPTH: usize = 64;

/// Makes the folder and what the container finds there; the text says what could not be had.
pub(super) fn lay_out(core: &Core, folders: &Folders) -> Result<TempDir, String> {
    let failed = |error: io::Error| format!("cannot write the job's folder: {}", error.kind());
    let root = tempfile::Builder::new().prefix("processing-").tempdir().map_err(failed)?;
    let below = |path: &str| root.path().join(path);
    for folder in ["opt/ml/processing", "opt/ml/config", "opt/ml/output"] {
        fs::create_dir_all(below(folder)).map_err(failed)?;
    }
    for folder in &folders.outputs {
        fs::create_dir_all(root.path().join(folder)).map_err(failed)?;
    }
    fs::write(below("opt/ml/config/processingjobconfig.json"), folders.config.to_string()).map_err(failed)?;
    let resources = resource_config(folders.instance_count).to_string();
    fs::write(below("opt/ml/config/resourceconfig.json"), resources).map_err(failed)?;

    let mut budget = Budget::new(MAX_BYTES);
    for input in &folders.inputs {
        let folder = root.path().join(&input.folder);
        fs::create_dir_all(&folder).map_err(failed)?;
        for object in data::resolve(core, &input.data_type, &input.uri, &folders.role).map_err(|e| e.message)? {
            let body = budget.read(core, &object, input.gzip)?;
            // A key may look like a path that leads out of the folder.
            let path = archive::plain_path(Path::new(&object.path))
                .map_err(|why| format!("s3://{}/{}: {why}", object.bucket, object.key))?;
            let file = folder.join(path);
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, &body));
            written.map_err(|error| format!("s3://{}/{} cannot be written: {error}", object.bucket, object.key))?;
        }
    }
    Ok(root)
}

/// The files below a folder, by their path relative to it. Links are no files: they may lead anywhere.
pub(super) fn collect(folder: &Path, budget: &mut u64) -> Result<Vec<(String, Bytes)>, String> {
    let mut found = Vec::new();
    visit(folder, "", MAX_DEPTH, budget, &mut found)?;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn visit(
    folder: &Path,
    prefix: &str,
    depth: usize,
    budget: &mut u64,
    found: &mut Vec<(String, Bytes)>,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", if prefix.is_empty() { "the folder" } else { prefix });
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // The container may have removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { return Err(format!("{prefix}{name:?} is no text")) };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            let Some(depth) = depth.checked_sub(1) else { return Err(format!("{path} is too deep")) };
            visit(&entry.path(), &format!("{path}/"), depth, budget, found)?;
        } else if kind.is_file() {
            let content = read_start(&entry.path(), budget.saturating_add(1)).unwrap_or_default();
            let Some(left) = budget.checked_sub(content.len() as u64) else {
                return Err(format!("the outputs are larger than the {MAX_BYTES} bytes that the local backend allows"));
            };
            *budget = left;
            found.push((path, Bytes::from(content)));
        }
    }
    Ok(())
}

/// The first bytes of a file; none if it cannot be read or is no file.
pub(super) fn read_start(path: &Path, limit: u64) -> Option<Vec<u8>> {
    // A pipe would be waited for without end.
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let mut content = Vec::new();
    fs::File::open(path).ok()?.take(limit).read_to_end(&mut content).ok()?;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_collected_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/c.txt"), "deep").unwrap();
        fs::write(root.path().join("z.txt"), "top").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        let mut budget = 100;
        let found = collect(root.path(), &mut budget).unwrap();
        let names: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!((names, budget), (vec!["a/b/c.txt", "z.txt"], 93));
        assert!(collect(root.path(), &mut 6).unwrap_err().starts_with("the outputs are larger"));
        assert!(collect(&root.path().join("nothing"), &mut budget).unwrap().is_empty());
    }
}
