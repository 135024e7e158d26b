//! A container that serves many models: each is loaded from below one prefix when it is first asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::calls::Failure;
use super::containers::no_engine;
use crate::local::archive;
use crate::local::backend::Core;
use crate::local::engines::{InvocationFailure, LoadedModel, ModelFiles};
use crate::types::S3Uri;

/// How many models stay loaded; the one whose last use is the longest ago makes room.
const MAX_LOADED: usize = 32;

/// The models below a prefix.
pub(in crate::local) struct MultiModel {
    /// What all models have in common.
    common: ModelFiles,
    prefix: S3Uri,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    /// By target, with the number of the last use.
    models: BTreeMap<String, (Arc<dyn LoadedModel>, u64)>,
    uses: u64,
}

impl MultiModel {
    pub(super) fn new(common: ModelFiles, prefix: S3Uri) -> Self {
        Self { common, prefix, cache: Mutex::default() }
    }

    /// The model of a target. A model that was loaded stays as it is, even if its object changes. May block.
    pub(super) fn get(&self, core: &Arc<Core>, target: &str) -> Result<Arc<dyn LoadedModel>, Failure> {
        let target = target.trim_start_matches('/');
        if let Some(model) = self.loaded(target) {
            return Ok(model);
        }
        let model = self.load(core, target)?;
        self.keep(target, &model);
        Ok(model)
    }

    fn load(&self, core: &Arc<Core>, target: &str) -> Result<Arc<dyn LoadedModel>, Failure> {
        let place = self.prefix.join(target);
        let object = core.s3.get(place.bucket(), place.key());
        let object =
            object.ok_or_else(|| Failure::NoTarget { bucket: place.bucket().into(), key: place.key().into() })?;
        let refused = |message: String| Failure::Model(InvocationFailure { status: 500, message });
        let files =
            archive::unpack(&object).map_err(|why| refused(format!("the model {target} cannot be unpacked: {why}")))?;
        let model = ModelFiles { files, ..self.common.clone() };
        let engine = core.serving_engine(&model).ok_or_else(|| refused(no_engine(&model.image)))?;
        engine.load(&model).map_err(|failure| refused(failure.message().to_owned()))
    }

    fn loaded(&self, target: &str) -> Option<Arc<dyn LoadedModel>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.uses += 1;
        let uses = cache.uses;
        let (model, used) = cache.models.get_mut(target)?;
        *used = uses;
        Some(model.clone())
    }

    fn keep(&self, target: &str, model: &Arc<dyn LoadedModel>) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.models.len() >= MAX_LOADED {
            let oldest = cache.models.iter().min_by_key(|(_, (_, used))| *used).map(|(target, _)| target.clone());
            oldest.and_then(|oldest| cache.models.remove(&oldest));
        }
        let uses = cache.uses;
        cache.models.insert(target.to_owned(), (model.clone(), uses));
    }
}
