//! Training as the container's `train_job` does it: log, boost, stop early, save.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hessboost::config::{BoosterKind, TrainingParams};
use hessboost::data::DMatrix;
use hessboost::metric::CustomMetric;
use hessboost::model::{BoostedModel, Iterations};
use hessboost::training::{RoundEval, Trainer};

use super::checkpoints::Checkpoints;
use super::data::{self, Dataset};
use super::folds::{self, Predictions, Report};
use super::format::{self, Best};
use super::hyperparameters::{Hyperparameters, MAXIMIZED};
use super::metrics::{Metric, Round};
use super::params::{self, failed};
use super::seen::Seen;
use super::version::Version;
use crate::local::engines::{EngineFailure, TrainingOutput, TrainingTask};

/// The name of the model in `/opt/ml/model`.
pub(super) const MODEL_FILE: &str = "xgboost-model";

/// The metric under which the values of [`Metrics::ours`] are collected; it is never shown.
const COLLECTOR: &str = "sagemaker-collector";

/// Trains the model that a job asks for.
pub(super) fn train(task: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
    task.log("Running XGBoost Sagemaker in algorithm mode");
    let given = Hyperparameters::parse(&task.hyperparameters)?;
    let metrics = Metrics::new(&given);
    let version = Version::of_image(&task.image);
    let mut boosting = params::boosting(&given, &metrics.booster, version)?;
    check_metrics(&given, &metrics, version)?;
    let (mut train, mut validation) = data::read(task, given.csv_weights())?;
    check_shapes(&train, validation.as_ref())?;
    for set in [Some(&train), validation.as_ref()].into_iter().flatten() {
        check_labels(&given, &metrics, set)?;
    }
    if given.folds().is_some() {
        // Both channels are divided together.
        train = validation.take().into_iter().fold(train, Dataset::and);
        if train.has_queries() || given.objective().starts_with("rank:") {
            return Err(EngineFailure::algorithm(
                "the local XGBoost engine does not divide queries of a ranking for a cross validation (_kfold); neither \
                 does XGBoost",
            ));
        }
    }
    if task.is_stopping() {
        return Err(EngineFailure::Stopped);
    }
    if task.instance_count > 1 {
        task.log(format!("{} instances were asked for; the local engine trains on one.", task.instance_count));
    }
    task.log("Single node training.");
    task.log(format!("Train matrix has {} rows and {} columns", train.rows(), train.columns()));
    if let Some(validation) = &validation {
        task.log(format!("Validation matrix has {} rows", validation.rows()));
    }
    if !boosting.unused.is_empty() {
        let names: Vec<String> = boosting.unused.iter().map(|name| format!("\"{name}\"")).collect();
        task.log(format!("WARNING: Parameters: {{ {} }} are not used.", names.join(", ")));
    }
    metrics.warn(task, given.objective(), version);
    boosting.settle_tree_method(version, train.rows())?;
    let width = train.columns();
    let ranking = given.objective().starts_with("rank:");
    let train = train.into_matrix(width, ranking).map_err(failed)?;
    let validation = validation.map(|set| set.into_matrix(width, ranking)).transpose().map_err(failed)?;

    let (params, observer) = (&boosting.params, boosting.observer.as_ref());
    let job = Boost { task, given: &given, params, observer, metrics: &metrics, version };
    if let Some((folds, rounds)) = given.folds() {
        return job.cross_validate(&train, folds, rounds);
    }
    let boosted = job.boost(&train, validation.as_ref(), &Checkpoints::new(task, &given))?;
    if boosted.stopped && !given.save_model_on_termination() {
        return Err(EngineFailure::Stopped);
    }
    let file = format::save(boosted.model, boosted.best).map_err(failed)?;
    Ok(TrainingOutput { model: vec![(MODEL_FILE.to_owned(), Bytes::from(file))], data: Vec::new() })
}

/// The penalties of a linear booster are per row in XGBoost, in `hessboost` for all rows.
fn penalised(params: &TrainingParams, train: &DMatrix) -> TrainingParams {
    let mut params = params.clone();
    if params.booster == BoosterKind::GbLinear {
        let rows = || train.n_rows() as f64;
        let sum = train.weights().map_or_else(rows, |weights| weights.iter().map(|weight| f64::from(*weight)).sum());
        params.lambda *= sum;
        params.alpha *= sum;
    }
    params
}

/// What all models of a job have in common.
struct Boost<'a> {
    task: &'a TrainingTask,
    given: &'a Hyperparameters,
    params: &'a TrainingParams,
    /// What computes the metrics of a linear booster.
    observer: Option<&'a TrainingParams>,
    metrics: &'a Metrics,
    version: Version,
}

/// A model that was trained.
struct Boosted {
    model: BoostedModel,
    /// The round that early stopping chose.
    best: Option<Best>,
    stopped: bool,
    /// What the last round showed: data set, metric, value.
    last: Vec<(String, String, f64)>,
}

impl Boost<'_> {
    fn boost(
        &self,
        train: &DMatrix,
        validation: Option<&DMatrix>,
        checkpoints: &Checkpoints<'_>,
    ) -> Result<Boosted, EngineFailure> {
        if let Some(observer) = self.observer {
            return self.boost_linear(observer, train, validation);
        }
        let Self { task, given, params, metrics, .. } = *self;
        let early = EarlyStopping::new(task, given, validation.is_some())?;
        let mut model = checkpoints.newest(train.n_cols())?;
        let mut monitor = Monitor { early, ..Monitor::new(task, metrics) };
        // Rounds that go on from a model are those that would have followed: checkpoints change nothing.
        loop {
            let done = model.as_ref().map_or(0, BoostedModel::num_boost_rounds);
            let rounds = given.num_round().saturating_sub(done).min(checkpoints.every);
            if (rounds == 0 && model.is_some()) || monitor.over {
                break;
            }
            let mut trainer = Trainer::new(params, train, rounds).eval(train, "train");
            if let Some(validation) = validation {
                trainer = trainer.eval(validation, "validation");
            }
            if let Some(model) = &model {
                trainer = trainer.init_model(model);
            }
            if let Some(collector) = self.collector() {
                trainer = trainer.custom_metric(Box::new(collector));
            }
            let trained = trainer.on_round(|round| monitor.round(round)).train().map_err(failed)?;
            if !monitor.over {
                checkpoints.save(&trained.model)?;
                if task.is_killed() {
                    return Err(EngineFailure::Stopped);
                }
            }
            model = Some(trained.model);
        }
        let model = model.ok_or_else(|| EngineFailure::algorithm("no round was trained"))?;
        let best = match monitor.early {
            Some(early) if !monitor.stopped => early.best,
            // A stopped job keeps the model that its last round left, as SaveIntermediateModelCallBack writes it.
            _ => None,
        };
        Ok(Boosted { model, best, stopped: monitor.stopped, last: monitor.last })
    }

    /// The metrics that are computed here.
    fn collector(&self) -> Option<CustomMetric> {
        self.metrics.collector(Seen::new(self.given.objective(), self.version), &self.task.stopping)
    }

    /// Goes on round by round, and has each judged as the start of trees that add nothing to it.
    fn boost_linear(
        &self,
        observer: &TrainingParams,
        train: &DMatrix,
        validation: Option<&DMatrix>,
    ) -> Result<Boosted, EngineFailure> {
        let Self { task, given, metrics, .. } = *self;
        if EarlyStopping::new(task, given, validation.is_some())?.is_some() {
            return Err(failed(
                "`save_best` is not applicable to current booster (early_stopping_rounds with gblinear)",
            ));
        }
        let params = penalised(self.params, train);
        let mut monitor = Monitor::new(task, metrics);
        let mut model: Option<BoostedModel> = None;
        for round in 0..given.num_round() {
            let mut trainer = Trainer::new(&params, train, 1);
            if let Some(model) = &model {
                trainer = trainer.init_model(model);
            }
            let next = trainer.train().map_err(failed)?.model;
            let from = |set: &DMatrix| {
                let margins = next.predict_margin(set, Iterations::from(..))?;
                set.clone().with_base_margin(margins.as_slice())
            };
            let (of_train, of_validation) =
                (from(train).map_err(failed)?, validation.map(from).transpose().map_err(failed)?);
            monitor.before = round;
            let mut judge = Trainer::new(observer, &of_train, 1).eval(&of_train, "train");
            if let Some(validation) = &of_validation {
                judge = judge.eval(validation, "validation");
            }
            if let Some(collector) = self.collector() {
                judge = judge.custom_metric(Box::new(collector));
            }
            judge.on_round(|round| monitor.round(round)).train().map_err(failed)?;
            model = Some(next);
            if monitor.over {
                break;
            }
        }
        let model = model.ok_or_else(|| EngineFailure::algorithm("no round was trained"))?;
        Ok(Boosted { model, best: None, stopped: monitor.stopped, last: monitor.last })
    }

    /// A model for each part of the rows, `rounds` times over.
    fn cross_validate(&self, all: &DMatrix, count: usize, rounds: usize) -> Result<TrainingOutput, EngineFailure> {
        let Self { task, given, .. } = *self;
        let labels = all.labels().unwrap_or_default();
        task.log(format!("Run {rounds}-round of {count}-fold cross validation with {} rows", labels.len()));
        let mut models = Vec::new();
        let mut report = Report::default();
        let mut predictions = Predictions::new(given, labels.len());
        'rounds: for round in 0..rounds {
            for (number, fold) in (1..).zip(folds::divide(given, labels, count, round)?) {
                task.log(format!("Train cross validation fold {number}"));
                let rows = |rows: &[usize]| all.select_rows(rows).map_err(failed);
                let (train, validation) = (rows(&fold.train)?, rows(&fold.validation)?);
                let boosted = self.boost(&train, Some(&validation), &Checkpoints::none(task, given))?;
                if boosted.stopped {
                    if given.save_model_on_termination() {
                        models.push(format::save(boosted.model, None).map_err(failed)?);
                        break 'rounds;
                    }
                    return Err(EngineFailure::Stopped);
                }
                let found = boosted.model.predict(&validation, Iterations::from(..)).map_err(failed)?;
                predictions.add(&fold.validation, &found.into_vec(), boosted.model.prediction_width());
                report.add(boosted.last);
                models.push(format::save(boosted.model, boosted.best).map_err(failed)?);
            }
            task.log(format!("The metrics of round {} cross validation", round + 1));
            task.log(report.line(given.num_round(), count));
        }
        if rounds > 1 && !task.is_stopping() {
            task.log(format!("The overall metrics of {rounds}-round cross validation"));
            task.log(report.line(given.num_round(), count * rounds));
        }
        let named = models.into_iter().enumerate();
        let model = named.map(|(number, file)| (format!("{MODEL_FILE}-{number}"), Bytes::from(file))).collect();
        let data = vec![(folds::PREDICTIONS_FILE.to_owned(), Bytes::from(predictions.csv(labels)))];
        Ok(TrainingOutput { model, data })
    }
}

fn check_shapes(train: &Dataset, validation: Option<&Dataset>) -> Result<(), EngineFailure> {
    match validation {
        Some(validation) if validation.columns() > train.columns() => Err(failed(format!(
            "Check failed: learner_model_param_.num_feature >= p_fmat->Info().num_col_ ({} vs. {}) : Number of columns \
             does not match number of features in booster. (channel validation has more feature columns than channel \
             train)",
            train.columns(),
            validation.columns()
        ))),
        Some(validation) if validation.is_dense() && validation.columns() != train.columns() => Err(failed(format!(
            "channel validation has {} feature columns, channel train {}",
            validation.columns(),
            train.columns()
        ))),
        _ => Ok(()),
    }
}

/// Refuses labels that the objective cannot use, in XGBoost's words and with the place of the first.
fn check_labels(given: &Hyperparameters, metrics: &Metrics, set: &Dataset) -> Result<(), EngineFailure> {
    #[expect(clippy::cast_precision_loss, reason = "a class count that f32 cannot hold has no label either")]
    let classes = given.num_class().unwrap_or(0) as f32;
    let objective = given.objective();
    let (is_label, words): (Box<dyn Fn(f32) -> bool>, &str) = match objective {
        "binary:logistic" | "binary:logitraw" | "reg:logistic" => {
            (Box::new(|y| (0.0..=1.0).contains(&y)), "label must be in [0,1] for logistic regression")
        }
        "multi:softmax" | "multi:softprob" => (
            Box::new(move |y| y >= 0.0 && y < classes && y.fract() == 0.0),
            "SoftmaxMultiClassObj: label must be in [0, num_class).",
        ),
        "count:poisson" => (Box::new(|y| y >= 0.0), "PoissonRegression: label must be nonnegative"),
        "reg:tweedie" => (Box::new(|y| y >= 0.0), "TweedieRegression: label must be nonnegative"),
        "reg:gamma" => (Box::new(|y| y > 0.0), "label must be positive for gamma regression."),
        "reg:squaredlogerror" => {
            (Box::new(|y| y > -1.0), "label must be greater than -1 for rmsle so that log(label + 1) can be valid.")
        }
        _ => (Box::new(|_| true), ""),
    };
    if let Some(row) = set.labels().iter().position(|label| !is_label(*label)) {
        return Err(EngineFailure::algorithm(format!("{words} ({})", set.place(row))));
    }
    if metrics.ours.iter().any(|(_, metric)| metric.compares_classes())
        && let Some(row) = set.labels().iter().position(|label| label.fract() != 0.0 || label.abs() > 1e9)
    {
        let what = "Classification metrics can't handle a mix of continuous and binary targets";
        return Err(failed(format!("{what} ({})", set.place(row))));
    }
    let binary = metrics.ours.iter().find(|(_, metric)| metric.is_binary());
    if let Some((name, _)) = binary
        && let Some(row) = set.labels().iter().position(|label| *label != 0.0 && *label != 1.0)
    {
        return Err(EngineFailure::algorithm(format!(
            "Target is multiclass but average='binary'. Please choose another metric than {name}. ({})",
            set.place(row)
        )));
    }
    Ok(())
}

/// Refuses metrics that cannot be computed from what the container's metrics see of the objective's predictions.
fn check_metrics(given: &Hyperparameters, metrics: &Metrics, version: Version) -> Result<(), EngineFailure> {
    let Some((name, _)) = metrics.ours.iter().find(|(_, metric)| metric.compares_numbers()) else { return Ok(()) };
    let margins = version.is_before_2() && !version.is_before_1_2();
    let (objective, classes) = (given.objective(), given.num_class().unwrap_or(1));
    // Where a metric sees no margins, `multi:softmax` gives it one number a row: the class.
    if classes > 1 && (objective == "multi:softprob" || (objective == "multi:softmax" && margins)) {
        return Err(failed(format!(
            "y_true and y_pred have different number of output (1!={classes}) (metric {name} compares one number a row \
             with the label, objective {objective} gives it {classes}; choose merror or mlogloss)"
        )));
    }
    if objective == "binary:hinge" && margins {
        return Err(EngineFailure::algorithm(format!(
            "the local XGBoost engine does not support metric {name} for binary:hinge, which the container computes from \
             margins; choose error"
        )));
    }
    Ok(())
}

/// Which metrics are computed, by whom, and shown in which order.
struct Metrics {
    /// Computed by the booster; empty for the objective's default.
    booster: Vec<String>,
    /// Computed here.
    ours: Vec<(String, Metric)>,
    /// The names in the order of the log; `None` stands for the objective's default.
    shown: Vec<Option<String>>,
    /// One list of values of `ours` a data set, since the last round; `None` if the job was stopped meanwhile.
    collected: Arc<Mutex<Vec<Option<Vec<f64>>>>>,
}

impl Metrics {
    /// As the container sorts them out (`get_eval_metrics_and_feval`): its own metrics come after XGBoost's, and if
    /// none of XGBoost's is asked for, XGBoost shows the objective's default.
    fn new(given: &Hyperparameters) -> Self {
        let mut asked: Vec<String> = given.eval_metrics().to_vec();
        let tuning = given.tuning_metrics();
        if !tuning.is_empty() {
            asked.extend(tuning);
            asked.sort();
        }
        let mut unique: Vec<String> = Vec::new();
        for name in asked {
            if !unique.contains(&name) {
                unique.push(name);
            }
        }
        let (of_container, of_xgboost): (Vec<String>, Vec<String>) =
            unique.into_iter().partition(|name| Metric::of_container(name).is_some());
        let mut shown: Vec<Option<String>> = of_xgboost.iter().map(|name| Some(plain_error(name))).collect();
        if shown.is_empty() {
            shown.push(None);
        }
        shown.extend(of_container.iter().cloned().map(Some));
        let mut ours: Vec<(String, Metric)> =
            of_container.iter().filter_map(|name| Some((name.clone(), Metric::of_container(name)?))).collect();
        let mut booster = Vec::new();
        for name in of_xgboost {
            match Metric::of_xgboost(&name) {
                Some(metric) => ours.push((plain_error(&name), metric)),
                None => booster.push(name),
            }
        }
        Self { booster, ours, shown, collected: Arc::default() }
    }

    /// Says where the container's numbers are not what their names promise.
    fn warn(&self, task: &TrainingTask, objective: &str, version: Version) {
        let of_classes = |(name, metric): &(String, Metric)| metric.compares_classes().then(|| name.clone());
        let names: Vec<String> = self.ours.iter().filter_map(of_classes).collect();
        if !names.is_empty() && Seen::hides_classes(objective, version) {
            task.log(format!(
                "WARNING: metrics {} take every prediction above 0 for class 1 in this image, which suits margins, but \
                 predictions of {objective} are seen. Metrics of XGBoost such as error, merror or logloss are not \
                 affected.",
                names.join(", ")
            ));
        }
    }

    /// The hook through which the booster hands out predictions after each round.
    fn collector(&self, seen: Seen, stopping: &Arc<dyn Fn() -> bool + Send + Sync>) -> Option<CustomMetric> {
        if self.ours.is_empty() {
            return None;
        }
        let metrics: Vec<Metric> = self.ours.iter().map(|(_, metric)| *metric).collect();
        let (collected, stopping) = (Arc::clone(&self.collected), Arc::clone(stopping));
        Some(CustomMetric::new(COLLECTOR, false, move |predictions, labels, weights| {
            let values = Round::new(predictions, labels, weights, seen).evaluate(&metrics, &*stopping);
            collected.lock().unwrap_or_else(PoisonError::into_inner).push(values);
            0.0
        }))
    }

    /// The shown values of a round: data set, metric, value; `None` if the job was stopped before all were known.
    fn of_round<'a>(&self, round: &RoundEval<'a>) -> Option<Vec<(&'a str, String, f64)>> {
        let collected = std::mem::take(&mut *self.collected.lock().unwrap_or_else(PoisonError::into_inner));
        let collected = collected.into_iter().collect::<Option<Vec<Vec<f64>>>>()?;
        let mut sets: Vec<&str> = Vec::new();
        for (set, ..) in round.scores() {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        let mut out: Vec<(&str, String, f64)> = Vec::new();
        for (index, set) in sets.iter().enumerate() {
            let mine = |name: &str| {
                let at = self.ours.iter().position(|(other, _)| other == name)?;
                collected.get(index)?.get(at).copied()
            };
            for shown in &self.shown {
                let default = || round.scores().find(|(other, metric, _)| other == set && *metric != COLLECTOR);
                let (name, value) = match shown {
                    Some(name) => (name.clone(), mine(name).or_else(|| round.score(set, name))),
                    None => match default() {
                        Some((_, name, value)) => (name.to_owned(), Some(value)),
                        None => continue,
                    },
                };
                match (out.iter_mut().find(|(other, metric, _)| other == set && *metric == name), value) {
                    // The log of XGBoost has one place a name; the container's value overwrites XGBoost's there.
                    (Some(entry), Some(value)) => entry.2 = value,
                    (None, Some(value)) => out.push((set, name, value)),
                    (_, None) => {}
                }
            }
        }
        Some(out)
    }
}

/// XGBoost drops the threshold from the name if it is the default.
fn plain_error(name: &str) -> String {
    match Metric::of_xgboost(name) {
        Some(Metric::ErrorAt(0.5)) => "error".to_owned(),
        Some(Metric::ErrorAt(threshold)) => format!("error@{threshold}"),
        _ => name.to_owned(),
    }
}

/// Looks at each round: logs it, and says whether to go on.
struct Monitor<'a> {
    task: &'a TrainingTask,
    metrics: &'a Metrics,
    early: Option<EarlyStopping>,
    stopped: bool,
    /// Nothing more is trained.
    over: bool,
    /// What the last round showed.
    last: Vec<(String, String, f64)>,
    /// How many rounds went before those that it sees.
    before: usize,
}

impl<'a> Monitor<'a> {
    fn new(task: &'a TrainingTask, metrics: &'a Metrics) -> Self {
        Self { task, metrics, early: None, stopped: false, over: false, last: Vec::new(), before: 0 }
    }
    fn round(&mut self, round: RoundEval<'_>) -> ControlFlow<()> {
        let next = self.look_at(round);
        self.over |= next.is_break();
        next
    }

    fn look_at(&mut self, round: RoundEval<'_>) -> ControlFlow<()> {
        let Some(values) = self.metrics.of_round(&round) else {
            self.stopped = true;
            return ControlFlow::Break(());
        };
        let iteration = self.before + round.iteration();
        let mut line = format!("[{iteration}]");
        for (set, metric, value) in &values {
            // Python prints `nan` where Rust prints `NaN`.
            let value = if value.is_nan() { "nan".to_owned() } else { format!("{value:.5}") };
            line.push_str(&format!("\t{set}-{metric}:{value}"));
        }
        self.task.log(line);
        self.last = values.iter().map(|(set, metric, value)| ((*set).to_owned(), metric.clone(), *value)).collect();
        if self.task.is_stopping() {
            self.stopped = true;
            return ControlFlow::Break(());
        }
        let over = self.early.as_mut().is_some_and(|early| early.is_over(iteration, &values));
        if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// XGBoost's `EarlyStopping` callback with the container's settings: the last metric on the validation data, strict
/// improvement, and the model cut back to its best round (`save_best`).
struct EarlyStopping {
    patience: usize,
    metric: String,
    maximize: bool,
    since: usize,
    best: Option<Best>,
}

impl EarlyStopping {
    fn new(task: &TrainingTask, given: &Hyperparameters, validation: bool) -> Result<Option<Self>, EngineFailure> {
        let Some(patience) = given.early_stopping_rounds() else { return Ok(None) };
        let metric = given.tuning_metrics().pop().or_else(|| given.eval_metrics().last().cloned());
        let (Some(metric), true) = (metric, validation) else {
            task.log(
                "WARNING: early_stopping_rounds has no effect: the container stops early only with a validation channel \
                 and hyperparameter eval_metric",
            );
            return Ok(None);
        };
        // The container looks the whole name up in its list: `ndcg@5` is not in it and is minimised.
        let maximize = MAXIMIZED.contains(&metric.as_str());
        Ok(Some(Self { patience, metric: plain_error(&metric), maximize, since: 0, best: None }))
    }

    fn is_over(&mut self, iteration: usize, values: &[(&str, String, f64)]) -> bool {
        let found = values.iter().find(|(set, metric, _)| *set == "validation" && *metric == self.metric);
        let Some(&(.., score)) = found else { return false };
        let better = match &self.best {
            None => true,
            Some(best) if self.maximize => score > best.score,
            Some(best) => score < best.score,
        };
        if better {
            self.best = Some(Best { iteration, score });
            self.since = 0;
        } else {
            self.since += 1;
        }
        self.since >= self.patience
    }
}
