//! Training: mean and principal components.

use fastrand::Rng;

use super::hyperparameters;
use super::model::Model;
use crate::local::engines::numeric::content::{CSV, RECORDIO};
use crate::local::engines::numeric::data::{self, Channels, LIMIT};
use crate::local::engines::numeric::linear_algebra::{self, Eigen};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::{log, refused};
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

const CHANNELS: Channels = Channels { optional: &["test"], accepted: &[RECORDIO, CSV], labelled: false };

/// Up to how many features the whole covariance matrix is diagonalised; above, only its largest components are looked for.
const WHOLE: usize = 300;

/// Subspace iterations of the mode `randomized`, and of `regular` for many features.
const FEW_ITERATIONS: usize = 6;
const MANY_ITERATIONS: usize = 60;

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    let (log, given) = log::begin(task, "PCA", hyperparameters::SPECS)?;
    data::check(task, CHANNELS)?;
    let columns = given.count("feature_dim").unwrap_or(1);
    let components = given.count("num_components").unwrap_or(1);
    if components > columns {
        return Err(refused(format!(
            "num_components ({components}) must not be greater than feature_dim ({columns})."
        )));
    }
    let train = data::train(task, CHANNELS, Some(columns))?;
    data::channel(task, "test", CHANNELS, Some(columns))?;
    log.info(format!("{columns} feature(s) found in 'data'."));
    let begun = log.now();
    let rows = train.rows();
    let mean = match given.flag("subtract_mean") {
        Some(false) => vec![0.0; columns],
        _ => mean(&train.features),
    };
    let extra = given.count("extra_components").unwrap_or_else(|| components.max(10));
    let count = components.saturating_add(extra).min(columns);
    let stop = || task.is_stopping();
    let mut random = Rng::with_seed(0);
    let fits = |size: Option<usize>| match size {
        Some(size) if size <= LIMIT / 4 => Ok(()),
        _ => Err(refused(format!("{columns} features are too many for the memory of the local engine."))),
    };
    let found = if given.text("algorithm_mode") == Some("randomized") {
        fits(columns.checked_mul(count).and_then(|size| size.checked_mul(3)))?;
        let apply = |basis: &[Vec<f64>]| scatter_times(&train.features, &mean, basis, &stop);
        linear_algebra::subspace_eigen(apply, columns, count, FEW_ITERATIONS, &mut random)
    } else {
        fits(columns.checked_mul(columns))?;
        let scatter = scatter(task, &train.features, &mean);
        if columns <= WHOLE {
            linear_algebra::symmetric_eigen(scatter, columns, &stop)
        } else {
            let apply = |basis: &[Vec<f64>]| times(&scatter, basis, &stop);
            linear_algebra::subspace_eigen(apply, columns, count, MANY_ITERATIONS, &mut random)
        }
    };
    if stop() {
        return Err(EngineFailure::Stopped);
    }
    log.progress(1, 1);
    log.records(rows, rows.div_ceil(given.count("mini_batch_size").unwrap_or(1)), Some(0));
    log.throughput(rows, begun);
    let output = model(found, mean, components).artifact().output()?;
    log.info("Test data is not provided.");
    log.end();
    Ok(output)
}

fn mean(rows: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; rows.columns()];
    rows.iter().for_each(|row| row.each(|column, value| sums[column] += f64::from(value)));
    sums.iter_mut().for_each(|sum| *sum /= rows.rows() as f64);
    sums
}

/// The sum of the outer products of all rows, less the mean, with themselves.
fn scatter(task: &TrainingTask, rows: &Matrix, mean: &[f64]) -> Vec<f64> {
    let size = rows.columns();
    let mut out = vec![0.0; size * size];
    let mut row_values = vec![0.0; size];
    for row in rows.iter() {
        if task.is_stopping() {
            break;
        }
        row_values.iter_mut().zip(mean).for_each(|(value, mean)| *value = -mean);
        row.each(|column, value| row_values[column] += f64::from(value));
        for (at, value) in row_values.iter().enumerate() {
            let line = &mut out[at * size + at..(at + 1) * size];
            line.iter_mut().zip(&row_values[at..]).for_each(|(out, other)| *out += value * other);
        }
    }
    for at in 0..size {
        for other in 0..at {
            out[at * size + other] = out[other * size + at];
        }
    }
    out
}

/// The scatter matrix times vectors, without the matrix; once `stop` says so, the vectors as they are.
fn scatter_times(rows: &Matrix, mean: &[f64], basis: &[Vec<f64>], stop: &dyn Fn() -> bool) -> Vec<Vec<f64>> {
    let apply = |vector: &Vec<f64>| {
        if stop() {
            return vector.clone();
        }
        let offset = linear_algebra::dot(mean, vector);
        let mut out = vec![0.0; vector.len()];
        let mut total = 0.0;
        for row in rows.iter() {
            let along = row.dot(vector) - offset;
            total += along;
            row.each(|column, value| out[column] += along * f64::from(value));
        }
        out.iter_mut().zip(mean).for_each(|(out, mean)| *out -= total * mean);
        out
    };
    basis.iter().map(apply).collect()
}

/// A matrix times vectors; once `stop` says so, the vectors as they are.
fn times(matrix: &[f64], basis: &[Vec<f64>], stop: &dyn Fn() -> bool) -> Vec<Vec<f64>> {
    let apply = |vector: &Vec<f64>| -> Vec<f64> {
        if stop() {
            return vector.clone();
        }
        matrix.chunks_exact(vector.len()).map(|line| linear_algebra::dot(line, vector)).collect()
    };
    basis.iter().map(apply).collect()
}

/// The largest components, the last the largest. Their signs are made certain: the largest entry is positive.
fn model(found: Eigen, mean: Vec<f64>, components: usize) -> Model {
    let mut vectors: Vec<Vec<f64>> = found.vectors.into_iter().take(components).collect();
    for vector in &mut vectors {
        let largest =
            vector.iter().copied().fold(0.0f64, |best, value| if value.abs() > best.abs() { value } else { best });
        if largest < 0.0 {
            vector.iter_mut().for_each(|value| *value = -*value);
        }
    }
    vectors.reverse();
    let singular = found.values.iter().take(components).rev().map(|value| value.max(0.0).sqrt()).collect();
    Model::new(mean, vectors, singular)
}
