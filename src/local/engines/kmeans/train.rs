//! Training: many centers over the mini-batches, then few of them.

use fastrand::Rng;

use super::lloyd::{Lloyd, Points, Start, first_centers};
use super::model::Model;
use super::{hyperparameters, metrics};
use crate::local::engines::numeric::content::{CSV, RECORDIO};
use crate::local::engines::numeric::data::{self, Channels, LIMIT};
use crate::local::engines::numeric::log::{self, Log, Sense};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::parameters::Parameters;
use crate::local::engines::numeric::{random, refused};
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

const CHANNELS: Channels = Channels { optional: &["test"], accepted: &[RECORDIO, CSV], labelled: false };

/// What `auto` stands for.
const EXTRA_CENTERS: usize = 10;
const TRIALS: usize = 10;

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    let (log, given) = log::begin(task, "AWS/KMeansWebscale", hyperparameters::SPECS)?;
    data::check(task, CHANNELS)?;
    let columns = given.count("feature_dim");
    let train = data::train(task, CHANNELS, columns)?;
    let test = data::channel(task, "test", CHANNELS, columns)?;
    let k = given.count("k").unwrap_or(1);
    if train.rows() < k {
        return Err(refused(format!(
            "The number of records in channel 'train' ({}) is less than k ({k}).",
            train.rows()
        )));
    }
    let half_life = given.count("half_life_time_size").unwrap_or(0);
    // Rows in the order of time would make the first centers those of the first days; where old rows are to be forgotten,
    // order has a meaning.
    let points = match half_life {
        0 => dense(&train.features.select(&random::order(&mut Rng::with_seed(0), train.rows())))?,
        _ => dense(&train.features)?,
    };
    let (centers, weights) = over_batches(task, &log, &given, &points, k)?;
    let centers = shrink(task, &log, &given, &centers, &weights, k)?;
    let centers = match half_life {
        0 => refine(task, &given, &points, centers)?,
        _ => centers,
    };
    let model = Model::new(centers);
    log.quality("train", "msd", Sense::Loss, metrics::square_distances(&model, &train.features) / train.rows() as f64);
    match &test {
        Some(test) if test.rows() > 0 => metrics::report(&log, &given.list("eval_metrics"), &model, &test.features),
        _ => log.info("Test data is not provided."),
    }
    let output = model.artifact().output()?;
    log.end();
    Ok(output)
}

fn dense(features: &Matrix) -> Result<Points, EngineFailure> {
    let values = features.to_dense(LIMIT / 2).map_err(refused)?;
    Ok(Points { columns: features.columns(), values: values.into_iter().map(f64::from).collect() })
}

/// Moves more centers than are asked for over the mini-batches; gives them with their weights.
fn over_batches(
    task: &TrainingTask,
    log: &Log<'_>,
    given: &Parameters,
    points: &Points,
    k: usize,
) -> Result<(Points, Vec<f64>), EngineFailure> {
    let factor = given.count("extra_center_factor").unwrap_or_else(|| {
        log.info(format!("'extra_center_factor' was set to 'auto', evaluated to {EXTRA_CENTERS}."));
        EXTRA_CENTERS
    });
    let batch = given.count("mini_batch_size").unwrap_or(5000);
    let epochs = given.count("epochs").unwrap_or(1);
    if batch > points.len() {
        log.warning(format!(
            "Batch size {batch} is bigger than the first batch data. Effective batch size used to initialize is {}",
            points.len()
        ));
    }
    let mut random = Rng::with_seed(0);
    let first = batch.min(points.len()).max(k);
    let first = Points { columns: points.columns, values: points.values[..first * points.columns].to_vec() };
    let count = k.saturating_mul(factor).min(first.len());
    let start = if given.text("init_method") == Some("kmeans++") { Start::PlusPlus } else { Start::Random };
    let mut centers = first_centers(&first, &vec![1.0; first.len()], count, start, &mut random);
    let mut weights = vec![0.0; count];
    let half_life = given.count("half_life_time_size").unwrap_or(0) as f64;
    log.records(first.len(), 1, None);
    for epoch in 0..epochs {
        let begun = log.now();
        for batch in points.values.chunks(batch.saturating_mul(points.columns)) {
            if task.is_stopping() {
                return Err(EngineFailure::Stopped);
            }
            let rows = batch.len() / points.columns;
            if half_life > 0.0 {
                let kept = 0.5f64.powf(rows as f64 / half_life);
                weights.iter_mut().for_each(|weight| *weight *= kept);
            }
            let mut sums = vec![0.0; centers.values.len()];
            let mut counts = vec![0.0; count];
            for point in batch.chunks_exact(points.columns) {
                let (nearest, _) = centers.nearest(point);
                counts[nearest] += 1.0;
                let sum = &mut sums[nearest * points.columns..(nearest + 1) * points.columns];
                sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
            }
            for (at, more) in counts.iter().enumerate().filter(|(_, more)| **more > 0.0) {
                let range = at * points.columns..(at + 1) * points.columns;
                let whole = weights[at] + more;
                let center = centers.values[range.clone()].iter_mut().zip(&sums[range]);
                center.for_each(|(center, sum)| *center = (*center * weights[at] + sum) / whole);
                weights[at] = whole;
            }
        }
        log.info(format!("processed a total of {} examples", points.len()));
        log.progress(epoch + 1, epochs);
        log.records(points.len() * (epoch + 1), points.len().div_ceil(batch) * (epoch + 1), Some(epoch));
        log.throughput(points.len(), begun);
    }
    Ok((centers, weights))
}

/// Moves the centers that are left over all rows once more, which the container spares: all rows are in memory here.
fn refine(task: &TrainingTask, given: &Parameters, points: &Points, centers: Points) -> Result<Points, EngineFailure> {
    let (centers, _) = lloyd(given).improve(points, &vec![1.0; points.len()], centers, &|| task.is_stopping());
    if task.is_stopping() { Err(EngineFailure::Stopped) } else { Ok(centers) }
}

fn lloyd(given: &Parameters) -> Lloyd {
    Lloyd {
        start: if given.text("local_lloyd_init_method") == Some("random") { Start::Random } else { Start::PlusPlus },
        iterations: given.count("local_lloyd_max_iter").unwrap_or(300),
        tolerance: given.float("local_lloyd_tol").unwrap_or(0.0001),
    }
}

/// Shrinks centers to `k` of them.
fn shrink(
    task: &TrainingTask,
    log: &Log<'_>,
    given: &Parameters,
    centers: &Points,
    weights: &[f64],
    k: usize,
) -> Result<Points, EngineFailure> {
    log.info(format!("shrinking {} centers into {k}", centers.len()));
    let lloyd = lloyd(given);
    let mut best: Option<(Points, f64)> = None;
    for trial in 0..given.count("local_lloyd_num_trials").unwrap_or(TRIALS) {
        let mut random = Rng::with_seed(trial as u64 + 1);
        let found = lloyd.run(centers, weights, k, &mut random, &|| task.is_stopping());
        if task.is_stopping() {
            return Err(EngineFailure::Stopped);
        }
        log.info(format!("local kmeans attempt #{trial}. Current mean square distance {:.6}", found.1));
        if best.as_ref().is_none_or(|(_, distance)| found.1 < *distance) {
            best = Some(found);
        }
    }
    let (centers, distance) = best.ok_or_else(|| EngineFailure::algorithm("no centers were found"))?;
    log.info(format!("finished shrinking process. Mean Square Distance = {distance}"));
    Ok(centers)
}
