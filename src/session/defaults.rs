//! The defaults file of the SageMaker Python SDK: what a platform team has set for all jobs of an account.

#[cfg(feature = "config-file")]
mod load;
mod requests;
#[cfg(feature = "config-file")]
mod schema;
#[cfg(all(test, feature = "config-file"))]
mod tests;
#[cfg(feature = "config-file")]
mod yaml;

use serde_json::Value;

use super::Session;
use crate::types::{Arn, GivenRole};
use crate::{Error, ErrorKind, Result};

#[cfg(feature = "config-file")]
pub(super) use load::Locations;

/// What the defaults files say: the merged document, and where it came from.
///
/// A value that a call gives itself always wins; what it leaves open is taken from here.
///
/// ```
/// # #[cfg(feature = "local")]
/// # {
/// let session = sagemaker::Session::local(); // reads no defaults file
/// assert!(session.defaults().is_empty());
/// assert_eq!(session.defaults().get("SageMaker.TrainingJob.RoleArn"), None);
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    document: Value,
    sources: Vec<String>,
}

impl Defaults {
    /// Whether no file set anything.
    pub fn is_empty(&self) -> bool {
        self.document.is_null()
    }

    /// The files that were read, in the order in which they were merged: later ones win.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// The value at a path such as `SageMaker.TrainingJob.VpcConfig.Subnets`.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.document, |value, key| value.get(key))
    }

    fn text(&self, path: &str) -> Option<String> {
        self.get(path).and_then(Value::as_str).map(str::to_owned)
    }

    fn flag(&self, path: &str) -> Option<bool> {
        self.get(path).and_then(Value::as_bool)
    }

    fn texts(&self, path: &str) -> Option<Vec<String>> {
        let values = self.get(path)?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Lays a file over what is there: objects key by key, everything else as a whole.
    #[cfg(feature = "config-file")]
    fn lay_over(&mut self, source: &str, document: Value) {
        merge(&mut self.document, document);
        self.sources.push(source.to_owned());
    }
}

#[cfg(feature = "config-file")]
fn merge(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                merge(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

impl Session {
    /// What the defaults files set. Empty for local sessions, unless their builder was given a file.
    pub fn defaults(&self) -> &Defaults {
        &self.0.defaults
    }

    /// [`role_for`](Self::role_for), if it is known without a call.
    pub(crate) fn known_role_for(&self, path: &str) -> Option<Arn> {
        match self.0.defaults.text(path) {
            Some(role) if self.0.role.is_none() => Arn::role(role).ok(),
            _ => self.0.role.as_ref().and_then(GivenRole::arn).or(self.0.resolved_role.get()).cloned(),
        }
    }

    /// The role for what was given none: the session's own, that of the defaults files at `path`, or the execution role.
    pub(crate) async fn role_for(&self, path: &str) -> Result<Arn> {
        match self.0.defaults.text(path) {
            Some(role) if self.0.role.is_none() => {
                Arn::role(role).map_err(|e| Error::new(ErrorKind::Config, format!("the defaults file's {path}: {e}")))
            }
            _ => self.execution_role().await,
        }
    }
}
