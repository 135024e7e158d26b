//! Training: sample, project, keep.

use fastrand::Rng;

use super::index::{Index, Metric};
use super::model::Model;
use super::{hyperparameters, metrics, projection};
use crate::local::engines::numeric::content::{CSV, RECORDIO};
use crate::local::engines::numeric::data::{self, Channels, Dataset, LIMIT};
use crate::local::engines::numeric::{log, random, refused};
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

const CHANNELS: Channels = Channels { optional: &["test"], accepted: &[RECORDIO, CSV], labelled: true };

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    let (log, given) = log::begin(task, "AWS/KNN", hyperparameters::SPECS)?;
    hyperparameters::check(&given)?;
    data::check(task, CHANNELS)?;
    let columns = given.count("feature_dim").unwrap_or(1);
    let train = data::train(task, CHANNELS, Some(columns))?;
    let test = data::channel(task, "test", CHANNELS, Some(columns))?;
    let classifies = given.text("predictor_type") == Some("classifier");
    for set in [Some(&train), test.as_ref()].into_iter().flatten() {
        check_labels(classifies, set)?;
    }
    let begun = log.now();
    let k = given.count("k").unwrap_or(1);
    let mut random = Rng::with_seed(0);
    let kept = random::sample(&mut random, train.rows(), given.count("sample_size").unwrap_or(usize::MAX));
    if kept.len() < k {
        return Err(refused(format!("The number of sampled records ({}) is less than k ({k}).", kept.len())));
    }
    let target = given.count("dimension_reduction_target");
    let projection = match (given.text("dimension_reduction_type"), target) {
        (Some(kind), Some(target)) => {
            if columns.checked_mul(target).is_none_or(|size| size > LIMIT / 4) {
                return Err(refused(format!("{columns} features are too many to be projected to {target} of them.")));
            }
            match kind {
                "sign" => Some((target, projection::sign(columns, target, &mut random))),
                _ => Some((target, projection::fjlt(columns, target, &mut random))),
            }
        }
        _ => None,
    };
    let sample = train.features.select(&kept);
    let labels: Vec<f32> = kept.iter().map(|at| train.labels[*at]).collect();
    if given.text("index_type") != Some("faiss.Flat") {
        log.info("The local engine searches exactly, as faiss.Flat does.");
    }
    let metric = given.text("index_metric").and_then(Metric::of).unwrap_or(Metric::L2);
    let (width, points) = match &projection {
        None => (columns, sample.to_dense(LIMIT).map_err(refused)?),
        Some((target, matrix)) => {
            let rows = sample.iter().take_while(|_| !task.is_stopping());
            (*target, rows.flat_map(|row| Model::project(matrix, *target, row)).collect())
        }
    };
    if task.is_stopping() {
        return Err(EngineFailure::Stopped);
    }
    let model = Model { classifies, k, columns, projection, index: Index::new(metric, width, points), labels };
    log.progress(1, 1);
    log.records(train.rows(), train.rows().div_ceil(given.count("mini_batch_size").unwrap_or(5000)), Some(0));
    log.throughput(train.rows(), begun);
    match &test {
        Some(test) if test.rows() > 0 => {
            if !metrics::report(task, &log, &model, test) {
                return Err(EngineFailure::Stopped);
            }
        }
        _ => log.info("Test data is not provided."),
    }
    let output = model.artifact().output()?;
    log.end();
    Ok(output)
}

fn check_labels(classifies: bool, set: &Dataset) -> Result<(), EngineFailure> {
    if set.rows() > 0 && set.labels.is_empty() {
        return Err(refused("Channel 'test' has no labels, which this algorithm needs."));
    }
    let bad = |label: &f32| classifies && (*label < 0.0 || label.fract() != 0.0);
    match set.labels.iter().position(bad) {
        Some(row) => Err(refused(format!(
            "The label of row {row} is {}: labels of a classifier must be integers from 0 on.",
            set.labels[row]
        ))),
        None => Ok(()),
    }
}
