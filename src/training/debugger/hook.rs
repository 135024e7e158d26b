use std::collections::BTreeMap;

use aws_sdk_sagemaker::types as sdk;

use super::{map, place};
use crate::error::Problems;
use crate::types::S3Uri;

/// Saves tensors while a job trains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebuggerHook {
    output_path: Option<String>,
    local_path: Option<String>,
    parameters: BTreeMap<String, String>,
    collections: Vec<TensorCollection>,
}

impl DebuggerHook {
    /// A hook that saves what the rules of the job need.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where tensors go. Default: the job's output path.
    #[must_use]
    pub fn output_path(mut self, uri: impl Into<String>) -> Self {
        self.output_path = Some(uri.into());
        self
    }

    /// Where the container writes them. Default: `/opt/ml/output/tensors`.
    #[must_use]
    pub fn local_path(mut self, path: impl Into<String>) -> Self {
        self.local_path = Some(path.into());
        self
    }

    /// A parameter of the hook, such as `save_interval`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Tensors to save.
    #[must_use]
    pub fn collection(mut self, collection: TensorCollection) -> Self {
        self.collections.push(collection);
        self
    }

    pub(super) fn to_request(
        &self,
        more: impl Iterator<Item = TensorCollection>,
        output: Option<&S3Uri>,
        problems: &mut Problems,
    ) -> sdk::DebugHookConfig {
        let mut collections: Vec<TensorCollection> = Vec::new();
        for collection in self.collections.iter().cloned().chain(more) {
            if !collections.contains(&collection) {
                collections.push(collection);
            }
        }
        let own = place("debugger_hook.output_path", self.output_path.as_ref(), problems);
        problems.require(collections.len() <= 20, "debugger_hook", "a job saves at most 20 collections of tensors");
        sdk::DebugHookConfig::builder()
            .set_s3_output_path(own.or(output.map(ToString::to_string)))
            .set_local_path(self.local_path.clone())
            .set_hook_parameters(map(&self.parameters))
            .set_collection_configurations(Some(collections.iter().map(TensorCollection::to_request).collect()))
            .build()
    }
}

/// Tensors that are saved together, such as `losses`, `gradients`, `weights` or a collection of your own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorCollection {
    name: String,
    parameters: BTreeMap<String, String>,
}

impl TensorCollection {
    /// The collection of a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), parameters: BTreeMap::new() }
    }

    /// A parameter, such as `save_interval` or `include_regex`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    fn to_request(&self) -> sdk::CollectionConfiguration {
        sdk::CollectionConfiguration::builder()
            .collection_name(&self.name)
            .set_collection_parameters(map(&self.parameters))
            .build()
    }
}

/// Keeps what a container writes for TensorBoard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorBoard {
    output_path: String,
    local_path: Option<String>,
}

impl TensorBoard {
    /// Where it goes.
    pub fn new(output_path: impl Into<String>) -> Self {
        Self { output_path: output_path.into(), local_path: None }
    }

    /// Where the container writes it. Default: `/opt/ml/output/tensorboard`.
    #[must_use]
    pub fn local_path(mut self, path: impl Into<String>) -> Self {
        self.local_path = Some(path.into());
        self
    }

    pub(crate) fn to_request(&self, problems: &mut Problems) -> sdk::TensorBoardOutputConfig {
        sdk::TensorBoardOutputConfig::builder()
            .set_s3_output_path(place("tensorboard.output_path", Some(&self.output_path), problems))
            .set_local_path(self.local_path.clone())
            .build()
    }
}
