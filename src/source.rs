//! Script mode: Python code of yours that runs in an image made for it.
//!
//! A [`SourceCode`] names the script, the folder around it and what it needs besides. [`fit`](crate::estimator::EstimatorExt::fit)
//! packs them into a `sourcedir.tar.gz`, uploads that, and tells the container where it is.
//!
//! ```
//! use sagemaker::source::SourceCode;
//!
//! let one_file = SourceCode::script("train.py");
//! let folder = SourceCode::script("fit.py").source_dir("code").dependency("tools");
//! let in_s3 = SourceCode::script("train.py").source_dir("s3://my-bucket/source/sourcedir.tar.gz");
//! # let _ = (one_file, folder, in_s3);
//! ```

use std::path::{Path, PathBuf};

use crate::error::Problems;
use crate::training::HyperparameterValue;
use crate::types::S3Uri;

mod pack;
mod place;
mod repack;
mod tree;
mod upload;

pub(crate) use place::{Place, Staged};
pub(crate) use repack::repack;
pub(crate) use tree::Tree;
pub(crate) use upload::CodeOf;

/// A text as JSON.
pub(crate) fn json_text(text: &str) -> String {
    HyperparameterValue::from(text).to_json()
}

/// The toolkits' level for what they log by default: INFO.
pub(crate) const INFO: u8 = 20;

/// A script with what belongs to it.
///
/// What is packed is the same whenever the files are: sorted, with fixed times and owners. What is at its
/// place already is not sent again, and of what is large and was sent before, the session has a copy made in S3. Symbolic links are followed; one that leads out of the folder is refused. Nothing is left out, not even
/// `.git`, as in the Python SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCode {
    entry_point: PathBuf,
    source_dir: Option<PathBuf>,
    dependencies: Vec<PathBuf>,
    code_location: Option<String>,
    log_level: u8,
}

impl SourceCode {
    /// The script to run: a path; with a [`source_dir`](Self::source_dir), the path within it.
    pub fn script(entry_point: impl Into<PathBuf>) -> Self {
        Self {
            entry_point: entry_point.into(),
            source_dir: None,
            dependencies: Vec::new(),
            code_location: None,
            log_level: INFO,
        }
    }

    /// The folder with the script and all that goes with it, or the `s3://` URI of one that is packed already. Default:
    /// the script alone.
    #[must_use]
    pub fn source_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.source_dir = Some(folder.into());
        self
    }

    /// A file or folder to put beside the script, under its own name.
    #[must_use]
    pub fn dependency(mut self, path: impl Into<PathBuf>) -> Self {
        self.dependencies.push(path.into());
        self
    }

    /// The `s3://` URI below which the code goes, as `<job>/source/sourcedir.tar.gz`. Default: the bucket of the output.
    #[must_use]
    pub fn code_location(mut self, uri: impl Into<String>) -> Self {
        self.code_location = Some(uri.into());
        self
    }

    /// What the container's toolkit logs, in Python's numbers: 10 is DEBUG, 30 WARNING. Default: 20, INFO.
    #[must_use]
    pub fn container_log_level(mut self, level: u8) -> Self {
        self.log_level = level;
        self
    }

    pub(crate) fn entry_point(&self) -> &Path {
        &self.entry_point
    }

    pub(crate) fn log_level(&self) -> u8 {
        self.log_level
    }

    pub(crate) fn has_source_dir(&self) -> bool {
        self.source_dir.is_some()
    }

    pub(crate) fn code_location_uri(&self) -> Option<&str> {
        self.code_location.as_deref()
    }

    /// The script's name without the folders above it, which is what serving containers of new artifacts are told.
    pub(crate) fn script_name(&self) -> String {
        let name = self.entry_point.file_name().unwrap_or(self.entry_point.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// What the toolkit is told to run.
    pub(crate) fn program(&self) -> String {
        match self.source_dir {
            Some(_) => self.entry_point.to_string_lossy().replace('\\', "/"),
            None => self.script_name(),
        }
    }

    /// The URI of code that is in S3 already.
    pub(crate) fn in_s3(&self) -> Option<&str> {
        let folder = self.source_dir.as_ref()?.to_str()?;
        folder.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("s3://")).then_some(folder)
    }

    /// What can be checked without looking at files.
    pub(crate) fn check(&self, problems: &mut Problems) {
        let script = self.entry_point.to_string_lossy();
        problems.require(!script.is_empty(), "entry_point", "is needed: the path of a script");
        if script.starts_with("s3://") {
            let text = "a local script is needed; code in S3 is given as source_dir";
            problems.push("entry_point", text);
        }
        if let Some(uri) = self.in_s3() {
            problems.check("source_dir", uri.parse::<S3Uri>());
            problems.require(
                self.dependencies.is_empty(),
                "dependencies",
                "cannot be added to code that is in S3 already",
            );
        }
        if let Some(uri) = &self.code_location {
            problems.check("code_location", uri.parse::<S3Uri>());
        }
    }
}

impl<P: Into<PathBuf>> From<P> for SourceCode {
    fn from(entry_point: P) -> Self {
        Self::script(entry_point)
    }
}

/// The setters of [`SourceCode`] for builders that have one.
macro_rules! source_setters {
    ($self:ident => $source:expr) => {
        /// The folder with the script and all that goes with it, or the `s3://` URI of one that is packed already.
        /// Default: the script alone.
        pub fn source_dir(mut $self, folder: impl Into<std::path::PathBuf>) -> Self {
            $source = $source.source_dir(folder);
            $self
        }

        /// A file or folder to put beside the script, under its own name.
        pub fn dependency(mut $self, path: impl Into<std::path::PathBuf>) -> Self {
            $source = $source.dependency(path);
            $self
        }

        /// The `s3://` URI below which the code goes. Default: the bucket of the output.
        pub fn code_location(mut $self, uri: impl Into<String>) -> Self {
            $source = $source.code_location(uri);
            $self
        }

        /// What the container's toolkit logs, in Python's numbers: 10 is DEBUG, 30 WARNING. Default: 20, INFO.
        pub fn container_log_level(mut $self, level: u8) -> Self {
            $source = $source.container_log_level(level);
            $self
        }
    };
}
pub(crate) use source_setters;
