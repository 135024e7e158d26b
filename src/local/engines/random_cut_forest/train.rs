//! Training: a sample for each tree.

use fastrand::Rng;

use super::model::Model;
use super::{hyperparameters, metrics};
use crate::local::engines::numeric::content::{CSV, Format, RECORDIO, format};
use crate::local::engines::numeric::data::{self, Channels, LIMIT};
use crate::local::engines::numeric::{log, random, refused};
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

const CHANNELS: Channels = Channels { optional: &["test"], accepted: &[RECORDIO, CSV], labelled: false };

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    let (log, given) = log::begin(task, "RandomCutForest", hyperparameters::SPECS)?;
    data::check(task, CHANNELS)?;
    check_label_sizes(task)?;
    let columns = given.count("feature_dim").unwrap_or(1);
    let train = data::train(task, CHANNELS, Some(columns))?;
    let test = data::channel(task, "test", CHANNELS, Some(columns))?;
    let begun = log.now();
    let (trees, size) = (given.count("num_trees").unwrap_or(100), given.count("num_samples_per_tree").unwrap_or(256));
    let size = size.min(train.rows());
    if trees.checked_mul(size).and_then(|points| points.checked_mul(columns)).is_none_or(|numbers| numbers > LIMIT / 2)
    {
        return Err(refused(format!(
            "{trees} trees of {size} points of {columns} features do not fit the local engine."
        )));
    }
    let mut random = Rng::with_seed(0);
    let mut samples = Vec::with_capacity(trees);
    for _ in 0..trees {
        if task.is_stopping() {
            return Err(EngineFailure::Stopped);
        }
        let kept = random::sample(&mut random, train.rows(), size);
        samples.push(train.features.select(&kept).to_dense(LIMIT).map_err(refused)?);
    }
    let model = Model::grow(columns, samples, &|| task.is_stopping()).map_err(refused)?;
    if task.is_stopping() {
        return Err(EngineFailure::Stopped);
    }
    log.progress(1, 1);
    log.records(train.rows(), train.rows().div_ceil(given.count("mini_batch_size").unwrap_or(1000)), Some(0));
    log.throughput(train.rows(), begun);
    match &test {
        Some(test) if test.rows() > 0 => {
            if test.labels.is_empty() {
                return Err(refused("Channel 'test' has no labels, which this algorithm needs."));
            }
            if !metrics::report(task, &log, &given.list("eval_metrics"), &model, &train, test) {
                return Err(EngineFailure::Stopped);
            }
        }
        _ => log.info("Test data is not provided."),
    }
    let output = model.artifact().output()?;
    log.end();
    Ok(output)
}

/// The train data must not have labels, the test data must.
fn check_label_sizes(task: &TrainingTask) -> Result<(), EngineFailure> {
    for channel in &task.channels {
        let expected = usize::from(channel.name == "test");
        match format(channel, CHANNELS.accepted)? {
            Format::Csv { label_size } if label_size != expected => {
                return Err(refused(format!(
                    "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by \
                     ValidationError)\n\nCaused by: label_size {label_size} is not one of [{expected}]: channel '{}' takes \
                     'text/csv;label_size={expected}'",
                    channel.name
                )));
            }
            _ => {}
        }
    }
    Ok(())
}
