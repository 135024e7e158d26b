//! Checkpoints, as the container writes them to `/opt/ml/checkpoints`: `xgboost-checkpoint.N`, N the last round in it.
//!
//! The container writes one after each round and keeps the last five. Here they are written ten times in a job, since each
//! costs a pass over the data.

use bytes::Bytes;
use hessboost::model::BoostedModel;

use super::format;
use super::hyperparameters::Hyperparameters;
use super::params::failed;
use crate::local::engines::{EngineFailure, TrainingTask};

const NAME: &str = "xgboost-checkpoint.";

/// How many checkpoints a job writes.
const COUNT: usize = 10;

/// The checkpoints of a job.
pub(super) struct Checkpoints<'a> {
    task: &'a TrainingTask,
    enabled: bool,
    /// After how many rounds one is written; all of them, if none is.
    pub(super) every: usize,
}

impl<'a> Checkpoints<'a> {
    pub(super) fn new(task: &'a TrainingTask, given: &Hyperparameters) -> Self {
        // Linear models hold no rounds, and an update of a model is no continuation of it.
        let continues = given.text("booster") != Some("gblinear") && given.text("process_type") != Some("update");
        let enabled = task.keeps_checkpoints && continues;
        let every = if enabled { given.num_round().div_ceil(COUNT) } else { given.num_round() };
        Self { task, enabled, every: every.max(1) }
    }

    /// None at all: for the models of a cross validation.
    pub(super) fn none(task: &'a TrainingTask, given: &Hyperparameters) -> Self {
        Self { task, enabled: false, every: given.num_round() }
    }

    /// The model of the newest checkpoint, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or is that of other data.
    pub(super) fn newest(&self, features: usize) -> Result<Option<BoostedModel>, EngineFailure> {
        if !self.enabled {
            return Ok(None);
        }
        let round =
            |(path, _): &&(String, Bytes)| path.strip_prefix(NAME).and_then(|round| round.parse::<usize>().ok());
        let found = self.task.checkpoints.iter().filter(|file| round(file).is_some()).max_by_key(round);
        let Some((path, content)) = found else { return Ok(None) };
        let model = format::load(content)
            .map_err(|why| failed(format!("the checkpoint {path} cannot be loaded: {why}")))?
            .model;
        if model.n_features() != features {
            let own = model.n_features();
            return Err(failed(format!("the checkpoint {path} has {own} features, the training data {features}")));
        }
        self.task.log(format!("Checkpoint loaded from /opt/ml/checkpoints/{path}"));
        self.task.log(format!("Resuming from iteration {}", model.num_boost_rounds()));
        Ok(Some(model))
    }

    /// Writes a checkpoint.
    pub(super) fn save(&self, model: &BoostedModel) -> Result<(), EngineFailure> {
        if self.enabled {
            let file = format::save(model.clone(), None).map_err(failed)?;
            let last = model.num_boost_rounds().saturating_sub(1);
            (self.task.save_checkpoint)(&format!("{NAME}{last}"), Bytes::from(file));
        }
        Ok(())
    }
}
