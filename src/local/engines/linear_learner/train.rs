//! Training: several models at once, epoch after epoch.

use fastrand::Rng;

use super::hyperparameters::{Predictor, Settings};
use super::loss::Loss;
use super::model::Model;
use super::{calibration, hyperparameters, metrics};
use crate::local::engines::numeric::content::{CSV, RECORDIO};
use crate::local::engines::numeric::data::{self, Channels, Dataset, LIMIT};
use crate::local::engines::numeric::log::{self, Log, Sense};
use crate::local::engines::numeric::matrix::Matrix;
use crate::local::engines::numeric::optimizer::Optimizer;
use crate::local::engines::numeric::{random, refused};
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

const CHANNELS: Channels = Channels { optional: &["validation", "test"], accepted: &[RECORDIO, CSV], labelled: true };

/// Factors by which the models differ from the given hyperparameters; the first model has them as given.
const RATES: [f64; 4] = [1.0, 4.0, 0.2, 2.0];
const DECAYS: [f64; 4] = [0.0, 1e-4, 1e-3, 1e-2];
const DECAY_FACTORS: [f64; 4] = [1.0, 0.1, 10.0, 0.01];
const SPARSITIES: [f64; 2] = [0.0, 1e-5];
const SPARSITY_FACTORS: [f64; 2] = [1.0, 0.1];

/// The learning rate if none is given.
const RATE: f64 = 0.025;

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    let (log, given) = log::begin(task, "Linear Learner", hyperparameters::SPECS)?;
    let settings = Settings::new(given)?;
    data::check(task, CHANNELS)?;
    let train = data::train(task, CHANNELS, settings.feature_dim)?;
    let columns = Some(train.features.columns());
    let validation = labelled(data::channel(task, "validation", CHANNELS, columns)?, "validation")?;
    let test = labelled(data::channel(task, "test", CHANNELS, columns)?, "test")?;
    for set in [Some(&train), validation.as_ref(), test.as_ref()].into_iter().flatten() {
        check_labels(&settings, set)?;
    }
    log.records(train.rows(), train.rows().div_ceil(settings.batch), None);

    let scaler = Scaler::new(&train, &settings);
    let prepared = Prepared::new(&train, &settings, &scaler);
    let checked = validation.as_ref().map(|set| Prepared::new(set, &settings, &scaler));
    let mut candidates = candidates(&settings, &prepared)?;
    run_epochs(task, &log, &settings, &scaler, &prepared, checked.as_ref(), &mut candidates)?;

    let calibration_set = validation.as_ref().filter(|set| set.rows() > 0).unwrap_or(&train);
    let fitted: Vec<(f64, Model)> =
        candidates.iter().map(|candidate| (candidate.best_objective, scaler.raw_model(candidate, &settings))).collect();
    let chosen = calibration::choose(&settings, fitted, calibration_set);
    let best = &candidates[chosen.index];
    log.info(format!(
        "Best model found for hyperparameters: {{\"lr\": {}, \"l1\": {}, \"wd\": {}, \"optimizer\": \"{}\"}}",
        best.rate,
        best.l1,
        best.decay,
        settings.given.text("optimizer").unwrap_or("adam")
    ));
    let model = chosen.model;
    for (name, set) in [("train", Some(&train)), ("validation", validation.as_ref()), ("test", test.as_ref())] {
        if task.is_stopping() {
            return Err(EngineFailure::Stopped);
        }
        match set.filter(|set| set.rows() > 0) {
            Some(set) => metrics::report(&log, name, &settings, &model, set),
            None if name == "test" => log.info("Test data is not provided."),
            None => {}
        }
    }
    let output = model.artifact().output()?;
    log.end();
    Ok(output)
}

fn labelled(set: Option<Dataset>, name: &str) -> Result<Option<Dataset>, EngineFailure> {
    match &set {
        Some(data) if data.rows() > 0 && data.labels.is_empty() => {
            Err(refused(format!("Channel '{name}' has no labels, which this algorithm needs.")))
        }
        _ => Ok(set),
    }
}

fn check_labels(settings: &Settings, set: &Dataset) -> Result<(), EngineFailure> {
    let (fits, what): (Box<dyn Fn(f32) -> bool>, String) = match settings.predictor {
        Predictor::Regressor => return Ok(()),
        Predictor::Binary => {
            (Box::new(|label| label == 0.0 || label == 1.0), "labels of a binary_classifier must be 0 or 1".to_owned())
        }
        Predictor::Multiclass => {
            let classes = settings.classes;
            let fits = move |label: f32| label >= 0.0 && label.fract() == 0.0 && (label as usize) < classes;
            (
                Box::new(fits),
                format!(
                    "labels of a multiclass_classifier must be integers from 0 to num_classes - 1 = {}",
                    classes - 1
                ),
            )
        }
    };
    match set.labels.iter().position(|label| !fits(*label)) {
        Some(row) => Err(refused(format!("The label of row {row} is {}: {what}.", set.labels[row]))),
        None => Ok(()),
    }
}

/// How features and labels are shifted and scaled while training.
pub(super) struct Scaler {
    shift: Vec<f64>,
    scale: Vec<f64>,
    label_shift: f64,
    label_scale: f64,
}

impl Scaler {
    fn new(train: &Dataset, settings: &Settings) -> Self {
        let columns = train.features.columns();
        let given = &settings.given;
        let dense = !train.features.is_sparse();
        let normalise = given.flag("normalize_data").unwrap_or(true);
        let unbias = normalise && dense && given.flag("unbias_data").unwrap_or(true);
        let regression = settings.predictor == Predictor::Regressor;
        let normalise_label = regression && given.flag("normalize_label").unwrap_or(true);
        let unbias_label = normalise_label && given.flag("unbias_label").unwrap_or(true);
        let points = given.count("num_point_for_scaler").unwrap_or(10_000).min(train.rows());
        let (mut sums, mut squares) = (vec![0.0; columns], vec![0.0; columns]);
        for row in train.features.iter().take(points) {
            row.each(|column, value| {
                sums[column] += f64::from(value);
                squares[column] += f64::from(value) * f64::from(value);
            });
        }
        let count = points.max(1) as f64;
        let deviation = |sum: f64, square: f64| {
            let variance = (square / count - (sum / count).powi(2)).max(0.0);
            // What is left of a constant by rounding is no spread.
            if variance > 1e-12 * (square / count) { variance.sqrt() } else { 1.0 }
        };
        let shift = sums.iter().map(|sum| if unbias { sum / count } else { 0.0 }).collect();
        let scale =
            sums.iter().zip(&squares).map(|(sum, square)| if normalise { deviation(*sum, *square) } else { 1.0 });
        let labels = || train.labels.iter().take(points).map(|label| f64::from(*label));
        let (label_sum, label_square) = (labels().sum::<f64>(), labels().map(|label| label * label).sum::<f64>());
        Self {
            shift,
            scale: scale.collect(),
            label_shift: if unbias_label { label_sum / count } else { 0.0 },
            label_scale: if normalise_label { deviation(label_sum, label_square) } else { 1.0 },
        }
    }

    /// The best weights of a candidate as those of raw features.
    fn raw_model(&self, candidate: &Candidate, settings: &Settings) -> Model {
        let columns = self.shift.len();
        let mut weights = candidate.best_weights.clone();
        let mut biases = candidate.best_biases.clone();
        for (class, bias) in biases.iter_mut().enumerate() {
            let own = &mut weights[class * columns..(class + 1) * columns];
            for (at, weight) in own.iter_mut().enumerate() {
                *weight *= self.label_scale / self.scale[at];
                *bias -= *weight * self.shift[at] / self.label_scale;
            }
            *bias = *bias * self.label_scale + self.label_shift;
        }
        Model::new(settings.predictor, settings.loss, columns, weights, biases)
    }
}

/// A data set as training sees it.
struct Prepared {
    features: Matrix,
    labels: Vec<f64>,
    weights: Vec<f64>,
}

impl Prepared {
    fn new(set: &Dataset, settings: &Settings, scaler: &Scaler) -> Self {
        let features =
            set.features.map(|column, value| ((f64::from(value) - scaler.shift[column]) / scaler.scale[column]) as f32);
        let scaled = |label: &f32| (f64::from(*label) - scaler.label_shift) / scaler.label_scale;
        let classes = calibration::class_weights(settings, &set.labels);
        let weight = |label: &f32| classes.get(*label as usize).copied().unwrap_or(1.0);
        let weights = match settings.predictor {
            Predictor::Regressor => vec![1.0; set.rows()],
            _ => set.labels.iter().map(weight).collect(),
        };
        Self { features, labels: set.labels.iter().map(scaled).collect(), weights }
    }
}

/// One of the models that are trained at once.
struct Candidate {
    rate: f64,
    decay: f64,
    l1: f64,
    weights: Vec<f64>,
    biases: Vec<f64>,
    of_weights: Optimizer,
    of_biases: Optimizer,
    /// The steps taken.
    steps: usize,
    /// The objective of the last epoch.
    objective: f64,
    best_objective: f64,
    best_weights: Vec<f64>,
    best_biases: Vec<f64>,
}

fn candidates(settings: &Settings, train: &Prepared) -> Result<Vec<Candidate>, EngineFailure> {
    let given = &settings.given;
    let size = settings.classes.saturating_mul(train.features.columns());
    // Weights, the best ones, a gradient and two memories of the optimizer.
    if size.checked_mul(5).and_then(|size| size.checked_mul(settings.models)).is_none_or(|total| total > LIMIT / 4) {
        return Err(refused(format!(
            "{} models of {} classes and {} features do not fit the memory of the local engine: choose a smaller num_models.",
            settings.models,
            settings.classes,
            train.features.columns()
        )));
    }
    let rate = given.float("learning_rate").unwrap_or(RATE);
    let make = |at: usize| {
        let (decay, l1) = (at / RATES.len() % DECAYS.len(), at / (RATES.len() * DECAYS.len()) % SPARSITIES.len());
        let mut random = Rng::with_seed(at as u64);
        let scale = given.float("init_scale").unwrap_or(0.07);
        let sigma = given.float("init_sigma").unwrap_or(0.01);
        let first = |random: &mut Rng| match given.text("init_method") {
            Some("normal") => sigma * random::normal(random),
            _ => scale * (2.0 * random.f64() - 1.0),
        };
        let weights: Vec<f64> = (0..size).map(|_| first(&mut random)).collect();
        let biases = vec![given.float("init_bias").unwrap_or(0.0); settings.classes];
        Candidate {
            rate: rate * RATES[at % RATES.len()],
            decay: given.float("wd").map_or(DECAYS[decay], |given| given * DECAY_FACTORS[decay]),
            l1: given.float("l1").map_or(SPARSITIES[l1], |given| given * SPARSITY_FACTORS[l1]),
            of_weights: Optimizer::new(settings.method, size),
            of_biases: Optimizer::new(settings.method, settings.classes),
            steps: 0,
            objective: f64::INFINITY,
            best_objective: f64::INFINITY,
            best_weights: weights.clone(),
            best_biases: biases.clone(),
            weights,
            biases,
        }
    };
    Ok((0..settings.models).map(make).collect())
}

/// Trains until the epochs are over, nothing improves any more, or the job is stopped.
fn run_epochs(
    task: &TrainingTask,
    log: &Log<'_>,
    settings: &Settings,
    scaler: &Scaler,
    train: &Prepared,
    validation: Option<&Prepared>,
    candidates: &mut [Candidate],
) -> Result<(), EngineFailure> {
    let raw = scaler.label_scale.powi(settings.loss.power_of_scale());
    let objective = settings.loss.objective();
    let mut random = Rng::with_seed(0);
    let (mut best, mut since) = (f64::INFINITY, 0);
    for epoch in 0..settings.epochs {
        let begun = log.now();
        let order = random::order(&mut random, train.labels.len());
        let stopped =
            each_in_parallel(candidates, |candidate| candidate.epoch(task, settings, train, validation, &order));
        if stopped || task.is_stopping() {
            return Err(EngineFailure::Stopped);
        }
        let lowest = |of: &dyn Fn(&Candidate) -> f64| candidates.iter().map(of).fold(f64::INFINITY, f64::min);
        log.epoch(epoch, "train", objective, Sense::Loss, lowest(&|one| one.objective));
        let current = match validation {
            Some(_) => {
                let value = lowest(&|one| one.best_objective) * raw;
                log.epoch(epoch, "validation", objective, Sense::Loss, value);
                value
            }
            None => lowest(&|one| one.best_objective),
        };
        log.info(format!(
            "#early_stopping_criteria_metric: host=algo-1, epoch={epoch}, criteria={objective}, value={current}"
        ));
        if current < best {
            log.info(format!("Epoch {epoch}: Loss improved. Updating best model"));
        }
        log.progress(epoch + 1, settings.epochs);
        log.records(train.labels.len() * (epoch + 1), candidates[0].steps, Some(epoch));
        log.throughput(train.labels.len(), begun);
        since = if best - current > settings.tolerance * current.abs() { 0 } else { since + 1 };
        best = best.min(current);
        if since >= settings.patience {
            log.info(format!("Early stop condition met. Stopping training after epoch {epoch}."));
            break;
        }
    }
    match candidates.iter().any(|candidate| candidate.best_objective.is_finite()) {
        true => Ok(()),
        false => Err(EngineFailure::algorithm(
            "Training did not converge: the loss of every model is infinite. Choose a lower learning_rate.",
        )),
    }
}

/// Runs a function on every item, on as many threads as the machine has; whether any said true.
fn each_in_parallel(items: &mut [Candidate], work: impl Fn(&mut Candidate) -> bool + Sync) -> bool {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(items.len().max(1));
    let size = items.len().div_ceil(threads).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let run = move |part: &mut [Candidate]| part.iter_mut().any(work);
        let parts: Vec<_> = items.chunks_mut(size).map(|part| scope.spawn(move || run(part))).collect();
        // A panic of the work goes on as the engine's own.
        parts.into_iter().fold(false, |any, part| match part.join() {
            Ok(stopped) => stopped || any,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

impl Candidate {
    /// Goes once over the rows in an order; whether the job was stopped meanwhile.
    fn epoch(
        &mut self,
        task: &TrainingTask,
        settings: &Settings,
        train: &Prepared,
        validation: Option<&Prepared>,
        order: &[usize],
    ) -> bool {
        let (columns, classes) = (train.features.columns(), settings.classes);
        let given = &settings.given;
        let use_bias = given.flag("use_bias").unwrap_or(true);
        let bias_decay = self.decay * given.float("bias_wd_mult").unwrap_or(0.0);
        let bias_rate = given.float("bias_lr_mult").unwrap_or(1.0);
        let mut gradient = vec![0.0; self.weights.len()];
        let mut bias_gradient = vec![0.0; classes];
        let (mut margins, mut slope) = (vec![0.0; classes], vec![0.0; classes]);
        let mut total = 0.0;
        for batch in order.chunks(settings.batch) {
            if task.is_stopping() {
                return true;
            }
            gradient.iter_mut().zip(&self.weights).for_each(|(slope, weight)| *slope = self.decay * weight);
            bias_gradient.iter_mut().zip(&self.biases).for_each(|(slope, bias)| *slope = bias_decay * bias);
            for at in batch {
                let row = train.features.row(*at);
                for (class, margin) in margins.iter_mut().enumerate() {
                    *margin = row.dot(&self.weights[class * columns..(class + 1) * columns]) + self.biases[class];
                }
                let weight = train.weights[*at];
                total += weight * settings.loss.of(&margins, train.labels[*at], &mut slope);
                for (class, slope) in slope.iter().enumerate() {
                    let step = slope * weight / batch.len() as f64;
                    let own = &mut gradient[class * columns..(class + 1) * columns];
                    if step != 0.0 {
                        row.each(|column, value| own[column] += step * f64::from(value));
                    }
                    bias_gradient[class] += step;
                }
            }
            let rate = self.scheduled_rate(settings);
            self.of_weights.step(&mut self.weights, &gradient, |_| rate);
            if self.l1 > 0.0 {
                let threshold = rate * self.l1;
                self.weights
                    .iter_mut()
                    .for_each(|weight| *weight = weight.signum() * (weight.abs() - threshold).max(0.0));
            }
            if use_bias {
                self.of_biases.step(&mut self.biases, &bias_gradient, |_| rate * bias_rate);
            }
            self.steps += 1;
        }
        self.objective = total / order.len().max(1) as f64;
        let judged = validation.filter(|set| !set.labels.is_empty());
        let value = judged.map_or(self.objective, |set| self.evaluate(settings.loss, set));
        if value < self.best_objective {
            self.best_objective = value;
            self.best_weights.clone_from(&self.weights);
            self.best_biases.clone_from(&self.biases);
        }
        false
    }

    fn scheduled_rate(&self, settings: &Settings) -> f64 {
        let given = &settings.given;
        if given.flag("use_lr_scheduler") == Some(false) {
            return self.rate;
        }
        let every = given.count("lr_scheduler_step").unwrap_or(100).max(1);
        let factor = given.float("lr_scheduler_factor").unwrap_or(0.99);
        let lowest = given.float("lr_scheduler_minimum_lr").unwrap_or(1e-5);
        let times = i32::try_from(self.steps / every).unwrap_or(i32::MAX);
        (self.rate * factor.powi(times)).max(lowest.min(self.rate))
    }

    fn evaluate(&self, loss: Loss, set: &Prepared) -> f64 {
        let (columns, classes) = (set.features.columns(), self.biases.len());
        let (mut margins, mut slope) = (vec![0.0; classes], vec![0.0; classes]);
        let mut total = 0.0;
        for (at, row) in set.features.iter().enumerate() {
            for (class, margin) in margins.iter_mut().enumerate() {
                *margin = row.dot(&self.weights[class * columns..(class + 1) * columns]) + self.biases[class];
            }
            total += set.weights[at] * loss.of(&margins, set.labels[at], &mut slope);
        }
        total / set.labels.len().max(1) as f64
    }
}
