//! Training by mini-batches.

use fastrand::Rng;

use super::hyperparameters::{self, Group, Start};
use super::machine::Machine;
use super::metrics::{self, Tally};
use super::model::Model;
use crate::local::engines::numeric::content::RECORDIO;
use crate::local::engines::numeric::data::{self, Channels, Dataset, LIMIT};
use crate::local::engines::numeric::log::{self, Log};
use crate::local::engines::numeric::optimizer::{Method, Optimizer, TINY};
use crate::local::engines::numeric::parameters::Parameters;
use crate::local::engines::numeric::{random, refused};
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

const CHANNELS: Channels = Channels { optional: &["test"], accepted: &[RECORDIO], labelled: true };

/// Metrics of a batch are logged each time after so many.
const SHOWN_BATCHES: usize = 500;

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    let (log, given) = log::begin(task, "factorization-machines", hyperparameters::SPECS)?;
    data::check(task, CHANNELS)?;
    let columns = given.count("feature_dim").unwrap_or(1);
    let factors = given.count("num_factors").unwrap_or(1);
    // Weights, a gradient and two memories of the optimizer.
    let size = factors.checked_add(1).and_then(|factors| columns.checked_mul(factors));
    if size.and_then(|size| size.checked_mul(4)).is_none_or(|total| total > LIMIT / 4) {
        return Err(refused(format!(
            "{columns} features with {factors} factors do not fit the memory of the local engine."
        )));
    }
    let train = data::train(task, CHANNELS, Some(columns))?;
    let test = data::channel(task, "test", CHANNELS, Some(columns))?;
    let classifies = given.text("predictor_type") == Some("binary_classifier");
    for set in [Some(&train), test.as_ref()].into_iter().flatten() {
        check_labels(classifies, set)?;
    }
    let machine = run(task, &log, &given, &train, classifies)?;
    let model = Model { classifies, columns, machine };
    match &test {
        Some(test) if test.rows() > 0 => metrics::of(&model, test, &given).report(&log, "test", None),
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
    match set.labels.iter().position(|label| classifies && *label != 0.0 && *label != 1.0) {
        Some(row) => Err(refused(format!(
            "The label of row {row} is {}: labels of a binary_classifier must be 0 or 1.",
            set.labels[row]
        ))),
        None => Ok(()),
    }
}

fn first(count: usize, start: Start, random: &mut Rng) -> Vec<f64> {
    let mut one = || match start {
        Start::Normal(sigma) => sigma * random::normal(random),
        Start::Uniform(scale) => scale * (2.0 * random.f64() - 1.0),
        Start::Constant(value) => value,
    };
    (0..count).map(|_| one()).collect()
}

/// The optimizer of a group of numbers.
struct Stepper {
    group: Group,
    optimizer: Optimizer,
    clip: Option<f64>,
}

impl Stepper {
    fn new(group: Group, given: &Parameters, size: usize) -> Self {
        let tiny = given.float("eps").unwrap_or(TINY).abs().max(f64::MIN_POSITIVE);
        let method = Method::Adam { beta_1: 0.9, beta_2: 0.999, tiny };
        // Projects the gradient onto [-clip, clip].
        let clip = given.float("clip_gradient").map(f64::abs).filter(|clip| *clip > 0.0);
        Self { group, optimizer: Optimizer::new(method, size), clip }
    }

    /// Steps, and leaves an empty gradient.
    fn step(&mut self, weights: &mut [f64], gradient: &mut [f64], scale: f64) {
        for (slope, weight) in gradient.iter_mut().zip(weights.iter()) {
            let scaled = *slope * scale;
            *slope = self.clip.map_or(scaled, |clip| scaled.clamp(-clip, clip)) + self.group.decay * weight;
        }
        let rate = self.group.rate;
        self.optimizer.step(weights, gradient, |_| rate);
        gradient.fill(0.0);
    }
}

fn run(
    task: &TrainingTask,
    log: &Log<'_>,
    given: &Parameters,
    train: &Dataset,
    classifies: bool,
) -> Result<Machine, EngineFailure> {
    let columns = train.features.columns();
    let factor_count = given.count("num_factors").unwrap_or(1);
    let [bias, linear, factors] = ["bias", "linear", "factors"].map(|name| Group::new(given, name));
    let mut random = Rng::with_seed(0);
    let mut machine = Machine {
        factor_count,
        bias: first(1, bias.start, &mut random),
        linear: first(columns, linear.start, &mut random),
        factors: first(columns * factor_count, factors.start, &mut random),
    };
    let mut of_bias = Stepper::new(bias, given, 1);
    let mut of_linear = Stepper::new(linear, given, columns);
    let mut of_factors = Stepper::new(factors, given, columns * factor_count);
    let mut gradient = Machine {
        factor_count,
        bias: vec![0.0],
        linear: vec![0.0; columns],
        factors: vec![0.0; columns * factor_count],
    };
    let mut sums = vec![0.0; factor_count];
    let batch_size = given.count("mini_batch_size").unwrap_or(1000);
    let epochs = given.count("epochs").unwrap_or(1);
    log.records(train.rows(), train.rows().div_ceil(batch_size), None);
    for epoch in 0..epochs {
        let begun = log.now();
        let mut whole = Tally::new(classifies, given);
        let order = random::order(&mut random, train.rows());
        for (number, batch) in order.chunks(batch_size).enumerate() {
            if task.is_stopping() {
                return Err(EngineFailure::Stopped);
            }
            let mut own = Tally::new(classifies, given);
            for at in batch {
                let (row, label) = (train.features.row(*at), f64::from(train.labels[*at]));
                let value = machine.value(row, &mut sums);
                own.add(value, label);
                let slope = if classifies { metrics::sigmoid(value) - label } else { 2.0 * (value - label) };
                machine.add_gradient(row, slope, &sums, &mut gradient);
            }
            let scale = given.float("rescale_grad").unwrap_or(1.0 / batch.len() as f64);
            of_bias.step(&mut machine.bias, &mut gradient.bias, scale);
            of_linear.step(&mut machine.linear, &mut gradient.linear, scale);
            of_factors.step(&mut machine.factors, &mut gradient.factors, scale);
            if number % SHOWN_BATCHES == 0 {
                own.report(log, "train", Some((epoch, Some(number))));
            }
            whole.join(&own);
        }
        whole.report(log, "train", Some((epoch, None)));
        log.progress(epoch + 1, epochs);
        log.records(train.rows() * (epoch + 1), train.rows().div_ceil(batch_size) * (epoch + 1), Some(epoch));
        log.throughput(train.rows(), begun);
        if !whole.is_finite() {
            return Err(EngineFailure::algorithm(
                "Training did not converge: the loss is infinite. Choose lower learning rates.",
            ));
        }
    }
    Ok(machine)
}
