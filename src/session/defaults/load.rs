//! Where defaults files are, and how they are read.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Defaults, schema, yaml};
use crate::aws::{Aws, ServiceCall};
use crate::error::Problems;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result};

const FILE: &str = "config.yaml";
const ADMIN: &str = "SAGEMAKER_ADMIN_CONFIG_OVERRIDE";
const USER: &str = "SAGEMAKER_USER_CONFIG_OVERRIDE";

/// A defaults file is some kilobytes; what is larger is something else.
const LARGEST: u64 = 1 << 20;

/// The files to read, the first one below the others.
#[derive(Debug, Default)]
pub(in crate::session) struct Locations {
    /// Not the ones that every session reads.
    pub(in crate::session) only_given: bool,
    /// Paths or `s3://` locations of files or folders.
    pub(in crate::session) given: Vec<String>,
}

struct Location {
    place: String,
    /// May be missing.
    optional: bool,
}

impl Locations {
    pub(in crate::session) async fn read(&self, aws: &Aws) -> Result<Defaults> {
        let mut defaults = Defaults::default();
        for location in self.all() {
            let Some(text) = read(&location, aws).await? else { continue };
            if let Some(document) = parse(&location.place, &text)? {
                tracing::debug!(file = location.place, "defaults are applied");
                defaults.lay_over(&location.place, document);
            }
        }
        Ok(defaults)
    }

    fn all(&self) -> Vec<Location> {
        let mut all = Vec::new();
        if !self.only_given {
            for (variable, standard) in [(ADMIN, site_folder()), (USER, user_folder())] {
                let standard = standard.map(|folder| folder.join(FILE).to_string_lossy().into_owned());
                match std::env::var(variable).ok().filter(|place| !place.is_empty()) {
                    Some(place) => all.push(Location { optional: Some(&place) == standard.as_ref(), place }),
                    None => all.extend(standard.map(|place| Location { place, optional: true })),
                }
            }
        }
        all.extend(self.given.iter().map(|place| Location { place: place.clone(), optional: false }));
        all
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The folder of an administrator's file: of the first entry where a variable names several.
fn site_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("PROGRAMDATA").map(|folder| folder.join("sagemaker").join("sagemaker"));
    }
    if cfg!(target_os = "macos") {
        return Some(PathBuf::from("/Library/Application Support/sagemaker"));
    }
    let folders = std::env::var_os("XDG_CONFIG_DIRS").filter(|folders| !folders.is_empty());
    let first = folders.and_then(|folders| std::env::split_paths(&folders).next());
    Some(first.unwrap_or_else(|| PathBuf::from("/etc/xdg")).join("sagemaker"))
}

fn user_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(|folder| folder.join("sagemaker").join("sagemaker"));
    }
    let home = variable("HOME");
    if cfg!(target_os = "macos") {
        return home.map(|home| home.join("Library/Application Support/sagemaker"));
    }
    variable("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config"))).map(|folder| folder.join("sagemaker"))
}

fn refused(place: &str, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, format!("the defaults file {place}: {why}"))
}

async fn read(location: &Location, aws: &Aws) -> Result<Option<String>> {
    let place = &location.place;
    let bytes = if place.starts_with("s3://") {
        Some(read_s3(place, aws).await?)
    } else {
        read_file(Path::new(place)).await.map_err(|e| refused(place, &e).with_source(e))?
    };
    let Some(bytes) = bytes else {
        return if location.optional { Ok(None) } else { Err(refused(place, "there is no such file")) };
    };
    String::from_utf8(bytes).map(Some).map_err(|_| refused(place, "is not UTF-8 text"))
}

/// `None` if there is none.
async fn read_file(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    use tokio::io::AsyncReadExt;

    let mut path = path.to_owned();
    if tokio::fs::metadata(&path).await.is_ok_and(|metadata| metadata.is_dir()) {
        path.push(FILE);
    }
    let file = match tokio::fs::File::open(&path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > LARGEST {
        return Err(std::io::Error::other("is larger than 1 MiB"));
    }
    Ok(Some(bytes))
}

/// The object itself or, in a folder of that name, `config.yaml`.
async fn read_s3(place: &str, aws: &Aws) -> Result<Vec<u8>> {
    let uri: S3Uri = place.parse().map_err(|e: Error| refused(place, e))?;
    if !uri.key().is_empty() && !uri.key().ends_with('/') {
        match object(&uri, aws).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => return other.map_err(|e| refused(place, &e).with_source(e)),
        }
    }
    object(&uri.join(FILE), aws).await.map_err(|e| refused(place, &e).with_source(e))
}

async fn object(uri: &S3Uri, aws: &Aws) -> Result<Vec<u8>> {
    let answer = aws.s3().get_object().bucket(uri.bucket()).key(uri.key()).send().await.of("GetObject")?;
    let mut body = answer.body;
    let mut bytes = Vec::new();
    while let Some(chunk) = body
        .try_next()
        .await
        .map_err(|e| Error::new(ErrorKind::Transport, format!("the download of {uri} broke off")).with_source(e))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > LARGEST {
            return Err(Error::new(ErrorKind::Config, "is larger than 1 MiB"));
        }
    }
    Ok(bytes)
}

/// The document, or what is wrong with it and where; `None` for an empty one.
pub(super) fn parse(place: &str, text: &str) -> Result<Option<Value>> {
    let document = yaml::read(text).map_err(|why| refused(place, format!("is no YAML that is taken: {why}")))?;
    let Some(document) = document else { return Ok(None) };
    let mut problems = Problems::default();
    schema::check(&document, &mut problems);
    problems.into_result().map_err(|error| {
        let lines: Vec<String> = error.invalid_values().iter().map(ToString::to_string).collect();
        refused(place, lines.join("; ")).with_source(error)
    })?;
    Ok(Some(document))
}
