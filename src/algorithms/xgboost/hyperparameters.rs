use std::collections::BTreeMap;

use super::{
    AftDistribution, Booster, EvalMetric, GrowPolicy, Monotone, NormalizeType, Objective, ProcessType, SampleType,
    SamplingMethod, TreeMethod, Updater, XGBoostBuilder, rules,
};
use crate::algorithms::wire::{bit, list, nested, number, tuple};
use crate::error::Problems;

/// The hyperparameters of the built-in XGBoost. Only those that were set are sent; what is not set, the container
/// chooses.
///
/// A setter never fails: [`validate`](Self::validate) finds every value that the container would refuse after the
/// instances have been started, and every one that it would ignore.
///
/// ```
/// use sagemaker::algorithms::xgboost::{EvalMetric, Hyperparameters, Objective};
///
/// let hyperparameters = Hyperparameters::new(Objective::MultiSoftprob { num_class: 3 }, 50)
///     .eval_metric([EvalMetric::Mlogloss, EvalMetric::Merror])
///     .hyperparameter("max_cat_threshold", 64);
/// let wire = hyperparameters.to_wire();
/// assert_eq!((wire["num_class"].as_str(), wire["eval_metric"].as_str()), ("3", "mlogloss,merror"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "setters take and give back the hyperparameters"]
pub struct Hyperparameters {
    /// As they are sent: what was set by type and what came through the named door meet the same checks.
    values: BTreeMap<String, String>,
}

/// Names that the container takes for others.
const ALIASES: [(&str, &str); 4] =
    [("learning_rate", "eta"), ("min_split_loss", "gamma"), ("reg_alpha", "alpha"), ("reg_lambda", "lambda")];

impl Hyperparameters {
    /// Begins with what every training needs: what to learn, and how many rounds of boosting (at least 1).
    pub fn new(objective: Objective, num_round: u32) -> Self {
        let mut values = BTreeMap::from([
            ("objective".to_owned(), objective.to_string()),
            ("num_round".to_owned(), num_round.to_string()),
        ]);
        if let Some(num_class) = objective.num_class() {
            values.insert("num_class".to_owned(), num_class.to_string());
        }
        Self { values }
    }

    /// Hyperparameters as a request or a configuration file has them.
    ///
    /// Nothing is required here; [`validate`](Self::validate) says what is missing.
    pub fn from_wire<K: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut hyperparameters = Self { values: BTreeMap::new() };
        for (name, value) in values {
            hyperparameters.set(name.into(), value.into());
        }
        hyperparameters
    }

    /// The hyperparameters that were set, as they are sent.
    pub fn to_wire(&self) -> BTreeMap<String, String> {
        self.values.clone()
    }

    /// What was set under a name, as it is sent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Notes every value that the container would refuse or ignore, as `hyperparameters.<name>` with what is accepted.
    ///
    /// Names that the crate does not know, and `Other` values, are not judged.
    pub fn validate(&self, problems: &mut Problems) {
        rules::check(self, problems);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn set(&mut self, name: String, value: String) {
        let name = match ALIASES.iter().find(|(alias, _)| *alias == name) {
            Some((_, name)) => (*name).to_owned(),
            None => name,
        };
        self.values.insert(name, value);
    }
}

/// Each entry is a setter of [`Hyperparameters`] and of [`XGBoostBuilder`], under the name on the wire.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) => $wire:expr;)+) => {
        impl Hyperparameters {
            $(
                $(#[$doc])*
                pub fn $name(mut self, $value: $type) -> Self {
                    self.set(stringify!($name).to_owned(), $wire);
                    self
                }
            )+

            /// Any hyperparameter by its name, such as one that is newer than the crate. A name that the crate knows is
            /// checked as if it was set by its own method.
            pub fn hyperparameter(mut self, name: impl Into<String>, value: impl ToString) -> Self {
                self.set(name.into(), value.to_string());
                self
            }
        }

        impl XGBoostBuilder {
            $(
                $(#[$doc])*
                pub fn $name(mut self, $value: $type) -> Self {
                    self.0.hyperparameters = self.0.hyperparameters.$name($value);
                    self
                }
            )+

            /// Any hyperparameter by its name, such as one that is newer than the crate. A name that the crate knows is
            /// checked as if it was set by its own method.
            pub fn hyperparameter(mut self, name: impl Into<String>, value: impl ToString) -> Self {
                self.0.hyperparameters = self.0.hyperparameters.hyperparameter(name, value);
                self
            }
        }
    };
}

setters! {
    /// The distribution of the noise, for [`Objective::SurvivalAft`]. Default [`AftDistribution::Normal`].
    aft_loss_distribution(distribution: AftDistribution) => distribution.to_string();

    /// The scale of that distribution: from 0. Default 1.
    aft_loss_distribution_scale(scale: f64) => number(scale);

    /// L1 regularization of the weights: from 0, more makes the model more conservative. Default 0.
    alpha(weight: f64) => number(weight);

    /// The prediction for all rows before the first round: from 0; between 0 and 1 for logistic objectives.
    /// Default 0.5 (from XGBoost 1.7 on estimated from the labels).
    base_score(score: f64) => number(score);

    /// What is boosted. Default [`Booster::GbTree`].
    booster(booster: Booster) => booster.to_string();

    /// The share of the columns that each level of a tree may use: above 0, at most 1. Default 1.
    colsample_bylevel(share: f64) => number(share);

    /// The share of the columns that each node of a tree may use: above 0, at most 1. Default 1.
    colsample_bynode(share: f64) => number(share);

    /// The share of the columns that each tree may use: above 0, at most 1. Default 1.
    colsample_bytree(share: f64) => number(share);

    /// Whether the second column of CSV training data, after the label, is the row's weight. Default false.
    csv_weights(weighted: bool) => bit(weighted);

    /// Whether histograms on a GPU come out the same each time, for [`TreeMethod::GpuHist`]. Default true.
    deterministic_histogram(deterministic: bool) => deterministic.to_string();

    /// Stops after this many rounds without a better score on the `validation` channel, by the last `eval_metric`; the
    /// best model is kept: at least 1. Not set by default; needs a `validation` channel.
    early_stopping_rounds(rounds: u32) => rounds.to_string();

    /// The learning rate, by which the weights of each round's new trees are shrunk: 0 to 1. Default 0.3.
    eta(rate: f64) => number(rate);

    /// The metrics that are computed after each round; at least one. Default is one that fits the objective, such as
    /// `rmse` for regression.
    eval_metric(metrics: impl IntoIterator<Item = EvalMetric>) => list(metrics);

    /// The reduction of the loss that a split must bring at least: from 0. Default 0.
    gamma(reduction: f64) => number(reduction);

    /// Where a tree grows next; [`GrowPolicy::Lossguide`] needs `tree_method` `hist`, `approx` or `gpu_hist`.
    /// Default [`GrowPolicy::Depthwise`].
    grow_policy(policy: GrowPolicy) => policy.to_string();

    /// Groups of features, by index, that may occur together on a path of a tree; needs `tree_method` `exact`, `hist` or
    /// `approx`. The container refuses index 0. Not set by default.
    interaction_constraints(groups: Vec<Vec<u32>>) => nested(groups);

    /// L2 regularization of the weights: from 0, more makes the model more conservative. Default 1.
    lambda(weight: f64) => number(weight);

    /// L2 regularization of the bias, for [`Booster::GbLinear`]: 0 to 1. Default 0.
    lambda_bias(weight: f64) => number(weight);

    /// How many bins a continuous feature is put into, for histograms: at least 2. Default 256.
    max_bin(bins: u32) => bins.to_string();

    /// The largest step of a leaf's weight in one round: from 0, which is no limit; 1 to 10 helps with unbalanced
    /// classes. Default 0.
    max_delta_step(step: f64) => number(step);

    /// The largest depth of a tree: from 0, which is no limit and needs [`GrowPolicy::Lossguide`]. Default 6.
    max_depth(depth: u32) => depth.to_string();

    /// The most leaves of a tree: from 0, which is no limit. For [`GrowPolicy::Lossguide`]. Default 0.
    max_leaves(leaves: u32) => leaves.to_string();

    /// The sum of the rows' weights (hessian) that a leaf must have at least: from 0. Default 1.
    min_child_weight(weight: f64) => number(weight);

    /// How the prediction may depend on each feature, in the order of the columns; needs `tree_method` `exact` or
    /// `hist`. Not set by default.
    monotone_constraints(features: impl IntoIterator<Item = Monotone>) => tuple(features);

    /// How dropped and new trees are weighted, for [`Booster::Dart`]. Default [`NormalizeType::Tree`].
    normalize_type(normalization: NormalizeType) => normalization.to_string();

    /// The number of threads: at least 1. Default is as many as there are.
    nthread(threads: u32) => threads.to_string();

    /// How many trees each round makes, for random forests: at least 1. Default 1.
    num_parallel_tree(trees: u32) => trees.to_string();

    /// Whether each round drops at least one tree, for [`Booster::Dart`]. Default false.
    one_drop(always: bool) => bit(always);

    /// Whether trees are made or changed; [`ProcessType::Update`] needs an `updater`. Default [`ProcessType::Default`].
    process_type(process: ProcessType) => process.to_string();

    /// The share of the trees that a round drops, for [`Booster::Dart`]: 0 to 1. Default 0.
    rate_drop(share: f64) => number(share);

    /// Whether [`Updater::Refresh`] changes leaves too, not only the statistics of nodes. Default true.
    refresh_leaf(leaves: bool) => bit(leaves);

    /// How dropped trees are chosen, for [`Booster::Dart`]. Default [`SampleType::Uniform`].
    sample_type(sampling: SampleType) => sampling.to_string();

    /// How the rows for a round are sampled. Default [`SamplingMethod::Uniform`].
    sampling_method(method: SamplingMethod) => method.to_string();

    /// Whether the model of the best round so far is kept when the job is stopped, as by an early stopping tuning job or
    /// a spot interruption. Default false.
    save_model_on_termination(keep: bool) => keep.to_string();

    /// The weight of positive rows against negative ones, for unbalanced classes: above 0. A typical value is the number
    /// of negative rows over that of positive ones. Default 1.
    scale_pos_weight(weight: f64) => number(weight);

    /// The seed of all random choices: -2147483647 to 2147483646. Default 0.
    seed(seed: i32) => seed.to_string();

    /// Whether histograms have single instead of double precision. Default false. Versions 1.2-1 to 1.5-1 only: later
    /// containers refuse it.
    single_precision_histogram(single: bool) => single.to_string();

    /// The accuracy of [`TreeMethod::Approx`], which makes about `1 / sketch_eps` bins: above 0, below 1.
    /// Default 0.03.
    sketch_eps(accuracy: f64) => number(accuracy);

    /// The probability that a round drops nothing, for [`Booster::Dart`]: 0 to 1. Default 0.
    skip_drop(probability: f64) => number(probability);

    /// The share of the rows that each round uses: above 0, at most 1. Default 1.
    subsample(share: f64) => number(share);

    /// How splits are found. Default [`TreeMethod::Auto`].
    tree_method(method: TreeMethod) => method.to_string();

    /// The power in the variance of the distribution, for [`Objective::RegTweedie`]: above 1 (towards a Poisson
    /// distribution), below 2 (towards a gamma distribution). Default 1.5.
    tweedie_variance_power(power: f64) => number(power);

    /// The steps that make or change trees, in order, instead of those that follow from `tree_method`; at most one of
    /// them grows trees.
    updater(updaters: impl IntoIterator<Item = Updater>) => list(updaters);

    /// Whether all GPUs of all instances train together, by Dask: CSV and Parquet in file mode, fully replicated; needs
    /// `tree_method` `gpu_hist` (or `hist` from version 3.0-5 on). Version 1.5-1 and later. Default false.
    use_dask_gpu_training(distributed: bool) => distributed.to_string();

    /// What the container logs: 0 nothing, 1 warnings, 2 information, 3 everything. Default 1.
    verbosity(level: u32) => level.to_string();
}
